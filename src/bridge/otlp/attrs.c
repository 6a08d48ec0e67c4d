/* Attributes at decoding time: found, hashed, checked, but not read.
 *
 * A point of Claude Code has eight attributes in 400 bytes, the same ones in each export. So the decoder
 * does not parse them: it hashes the bytes, and whoever knows the hash knows the labels. They must be checked
 * all the same, because after a successful decoding the iterator cannot fail. Checking is the slower half, so
 * the hashes of byte runs already checked are kept in a table: bytes of equal hash need no second look. Should
 * two hashes ever collide, the iterator meets unchecked bytes and ends early; it trusts no length.
 */
#include <stdlib.h>

#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"
#include "core/mem.h"

/* 17,000 points of a thousand sessions fit; 512 KiB, of which only pages in use become resident. A set is
 * one cache line, so that points rarely push each other out and a look-up costs one miss at most. */
#define CHECKED_SETS 8192
#define CHECKED_WAYS 8

struct otlp_decoder *otlp_decoder_new(uint64_t seed)
{
	struct otlp_decoder *d = mem_zalloc(sizeof *d);
	hash128_init(&d->hash, seed);
	d->checked = mem_calloc((size_t)(CHECKED_SETS + 1) * CHECKED_WAYS, sizeof *d->checked);
	return d;
}

void otlp_decoder_free(struct otlp_decoder *d)
{
	if (!d)
		return;
	arena_clear(&d->strings);
	arena_clear(&d->scope_strings);
	arena_clear(&d->iter_strings);
	free(d->counts.items);
	free(d->bounds.items);
	free(d->positive.items);
	free(d->negative.items);
	free(d->quantiles.items);
	free(d->checked);
	free(d);
}

static void hash_bytes(
	const struct otlp_decoder *d, const void *bytes, size_t len, uint64_t hash[static 2])
{
	hash128(&d->hash, bytes, len, hash);
}

/* A slot holds the high half; its set is the low half's. Empty slots are 0, so that half is never 0. */
static uint64_t *checked_set(const struct otlp_decoder *d, const uint64_t hash[static 2])
{
	uintptr_t line = sizeof *d->checked * CHECKED_WAYS;
	uintptr_t first = ((uintptr_t)d->checked + line - 1) / line * line;
	size_t skew = (first - (uintptr_t)d->checked) / sizeof *d->checked;
	return d->checked + skew + hash[0] % CHECKED_SETS * CHECKED_WAYS;
}

static bool is_checked(const struct otlp_decoder *d, const uint64_t hash[static 2])
{
	const uint64_t *set = checked_set(d, hash);
	uint64_t mark = hash[1] | 1;
	for (unsigned i = 0; i < CHECKED_WAYS; i++) {
		if (set[i] == mark)
			return true;
	}
	return false;
}

static void note_checked(struct otlp_decoder *d, const uint64_t hash[static 2])
{
	uint64_t *set = checked_set(d, hash);
	unsigned at = 0;
	while (at < CHECKED_WAYS && set[at])
		at++;
	if (at == CHECKED_WAYS)
		at = (unsigned)(hash[0] >> 32) % CHECKED_WAYS;
	set[at] = hash[1] | 1;
}

static enum reason check_run(struct slice run)
{
	struct wire w = wire_of(run);
	struct wire_field f;
	struct otlp_attr attr;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		enum reason r = attr_pb_read(f.bytes, 0, &attr);
		if (r != REASON_OK)
			return r;
	}
	return wire_reason(status);
}

struct attrs_builder attrs_begin(
	struct otlp_attrs *attrs, struct slice message, uint32_t field, enum otlp_encoding encoding)
{
	attrs->raw = message;
	attrs->field = field;
	attrs->encoding = encoding;
	return (struct attrs_builder){ .attrs = attrs };
}

enum reason attrs_run(
	struct otlp_decoder *d, struct attrs_builder *b, const unsigned char *from, size_t len)
{
	uint64_t *hash = b->attrs->hash;
	uint64_t both[4] = { hash[0], hash[1] };
	hash_bytes(d, from, len, hash);
	if (!b->is_unchecked && !is_checked(d, hash)) {
		enum reason r = check_run(slice_of(from, len));
		if (r != REASON_OK)
			return r;
		note_checked(d, hash);
	}
	if (b->runs++ > 0) {
		both[2] = hash[0];
		both[3] = hash[1];
		hash_bytes(d, both, sizeof both, hash);
	}
	return REASON_OK;
}

void attrs_end(struct otlp_decoder *d, struct attrs_builder *b)
{
	if (b->runs == 0)
		hash_bytes(d, NULL, 0, b->attrs->hash);
}

enum reason attrs_of_message(
	struct otlp_decoder *d, struct slice message, uint32_t field, struct otlp_attrs *attrs)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	enum reason r = REASON_OK;
	struct attrs_builder b = attrs_begin(attrs, message, field, OTLP_PROTOBUF);
	const unsigned char *run = NULL, *before = w.p;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		bool is_attr = wire_key(&f) == WIRE_KEY(field, WIRE_BYTES);
		if (is_attr && !run)
			run = before;
		if (!is_attr && run) {
			r = attrs_run(d, &b, run, (size_t)(before - run));
			run = NULL;
		}
		if (r != REASON_OK)
			return r;
		before = w.p;
	}
	if (run && status == WIRE_DONE)
		r = attrs_run(d, &b, run, (size_t)(before - run));
	attrs_end(d, &b);
	return r != REASON_OK ? r : wire_reason(status);
}

void attrs_of_json_unchecked(struct otlp_decoder *d, struct slice text, struct otlp_attrs *attrs)
{
	attrs->raw = text.len ? text : SLICE_LIT("");
	attrs->field = 0;
	attrs->encoding = OTLP_JSON;
	hash_bytes(d, text.ptr, text.len, attrs->hash);
}

enum reason attrs_of_json(struct otlp_decoder *d, struct slice text, struct otlp_attrs *attrs)
{
	attrs_of_json_unchecked(d, text, attrs);
	if (text.len == 0 || is_checked(d, attrs->hash))
		return REASON_OK;
	enum reason r = attrs_json_check(text);
	if (r == REASON_OK)
		note_checked(d, attrs->hash);
	return r;
}

static enum reason check_message(struct slice message, uint32_t field)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	struct otlp_attr attr;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) != WIRE_KEY(field, WIRE_BYTES))
			continue;
		enum reason r = attr_pb_read(f.bytes, 0, &attr);
		if (r != REASON_OK)
			return r;
	}
	return wire_reason(status);
}

enum reason otlp_attrs_check(const struct otlp_attrs *attrs)
{
	if (attrs->encoding == OTLP_PROTOBUF)
		return check_message(attrs->raw, attrs->field);
	return attrs->raw.len ? attrs_json_check(attrs->raw) : REASON_OK;
}

void otlp_attr_iter_init(
	struct otlp_attr_iter *it, struct otlp_decoder *d, const struct otlp_attrs *attrs)
{
	arena_reset(&d->iter_strings);
	it->decoder = d;
	it->attrs = *attrs;
	/* A pointer to nothing, as zeroed attributes have, is no place to start from. */
	it->left = attrs->raw.len ? attrs->raw : SLICE_LIT("");
	if (attrs->encoding == OTLP_JSON)
		attrs_json_first(&it->left);
}

static bool next_pb(struct otlp_attr_iter *it, struct otlp_attr *out)
{
	struct wire w = wire_of(it->left);
	struct wire_field f;
	bool found = false;
	while (!found && wire_next(&w, &f) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(it->attrs.field, WIRE_BYTES))
			found = attr_pb_read(f.bytes, 0, out) == REASON_OK;
	}
	it->left = slice_of(w.p, (size_t)(w.end - w.p));
	return found;
}

bool otlp_attr_next(struct otlp_attr_iter *it, struct otlp_attr *out)
{
	if (it->attrs.encoding == OTLP_JSON)
		return attrs_json_next(&it->left, &it->decoder->iter_strings, out);
	return next_pb(it, out);
}
