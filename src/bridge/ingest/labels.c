#include "bridge/ingest/labels.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/names.h"
#include "core/buf.h"
#include "core/mem.h"

#define ATTRS_MAX      128		    /* read of one set; the rest is noted as dropped */
#define VALUE_TEXT_MAX 4096		    /* before it is cut to a label's length */
#define NAME_ROOM      (NAMES_KEY_MAX + 32) /* a key as a name, with what may come in front */

struct span {
	size_t at, len;
};

struct entry {
	struct span key, name, value; /* in the set's text */
	unsigned order;		      /* of appearance: the last of equal keys wins */
	bool is_label;
};

/* One set of attributes, read: text and where things stand in it. */
struct attr_set {
	struct buf text;
	struct entry entries[ATTRS_MAX];
	size_t count;
	unsigned notes;
};

struct labels {
	bool has_session_label;
	struct attr_set resource, point;
	uint64_t resource_identity[2];
	struct buf scratch;
	struct buf joined; /* values of keys that share a name */
};

/* Keys that Claude Code gives its best identity under, best first. */
static const char *const user_keys[] = { "user.email", "user.account_uuid", "user.account_id",
	"enduser.id", "user.id", NULL };

/* Resource attributes that SDKs set by themselves; what else is there, the user put there. */
static const char *const standard_prefixes[] = { "service.", "host.", "os.", "process.",
	"telemetry.", "wsl.", "container.", "k8s.", "cloud.", "faas.", "device.", NULL };

static const char *const reserved_names[] = { "job", "instance", "start", "le", "quantile", NULL };

struct labels *labels_new(bool has_session_label)
{
	struct labels *l = mem_zalloc(sizeof *l);
	l->has_session_label = has_session_label;
	l->resource.text.max = BUF_UNLIMITED;
	l->point.text.max = BUF_UNLIMITED;
	l->scratch.max = VALUE_TEXT_MAX;
	l->joined.max = BUF_UNLIMITED;
	return l;
}

void labels_free(struct labels *l)
{
	if (!l)
		return;
	buf_clear(&l->resource.text);
	buf_clear(&l->point.text);
	buf_clear(&l->scratch);
	buf_clear(&l->joined);
	free(l);
}

static struct slice span_of(const struct attr_set *set, struct span span)
{
	return slice_of(set->text.data + span.at, span.len);
}

static bool is_in(const char *const *list, struct slice key)
{
	for (; *list; list++) {
		if (slice_eq_str(key, *list))
			return true;
	}
	return false;
}

static bool has_standard_prefix(struct slice key)
{
	for (const char *const *p = standard_prefixes; *p; p++) {
		size_t len = strlen(*p);
		if (key.len >= len && memcmp(key.ptr, *p, len) == 0)
			return true;
	}
	return false;
}

static struct span add_text(struct attr_set *set, struct slice s)
{
	struct span span = { set->text.len, s.len };
	buf_add(&set->text, s.ptr, s.len);
	return span;
}

/* The key is read while its name is written behind it: the room for both forms is made first. */
static struct span add_name(struct attr_set *set, struct span of_key)
{
	struct buf *text = &set->text;
	if (!buf_reserve(text, (size_t)NAME_ROOM * 2))
		return (struct span){ text->len, 0 };
	struct slice key = span_of(set, of_key);
	struct span span = { .at = text->len };
	names_label(key, text);
	span.len = text->len - span.at;
	if (is_in(reserved_names, span_of(set, span))) {
		text->len = span.at;
		buf_adds(text, "exported_");
		names_label(key, text);
		span.len = text->len - span.at;
	}
	return span;
}

static struct span add_value(struct labels *l, struct attr_set *set, struct otlp_decoder *decoder,
	enum otlp_encoding encoding, const struct otlp_value *value)
{
	struct slice text = value->bytes;
	if (value->kind != OTLP_STRING) {
		l->scratch.len = 0;
		if (!otlp_value_text(decoder, encoding, value, &l->scratch))
			set->notes |= LABELS_NOTE_CUT;
		text = slice_of(l->scratch.data, l->scratch.len);
	}
	struct span span = { .at = set->text.len };
	unsigned flags = names_clean_utf8(text, LABEL_VALUE_MAX, &set->text);
	span.len = set->text.len - span.at;
	if (flags & NAMES_REPLACED)
		set->notes |= LABELS_NOTE_REPLACED;
	if (flags & NAMES_CUT)
		set->notes |= LABELS_NOTE_CUT;
	return span;
}

struct sort_context {
	const struct attr_set *set;
	bool by_name;
};

static int compare_entries(const void *a, const void *b, void *ctx)
{
	const struct sort_context *c = ctx;
	const struct entry *x = a, *y = b;
	int order = 0;
	if (c->by_name && x->is_label != y->is_label)
		return x->is_label ? -1 : 1;
	if (c->by_name)
		order = slice_cmp(span_of(c->set, x->name), span_of(c->set, y->name));
	if (order == 0)
		order = slice_cmp(span_of(c->set, x->key), span_of(c->set, y->key));
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void sort_entries(struct attr_set *set, bool by_name)
{
	struct sort_context ctx = { set, by_name };
	qsort_r(set->entries, set->count, sizeof *set->entries, compare_entries, &ctx);
}

/* Of equal keys the last one sent stays. The entries are sorted by key. */
static void drop_repeated_keys(struct attr_set *set)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->count; i++) {
		if (i + 1 < set->count && slice_eq(span_of(set, set->entries[i].key),
						  span_of(set, set->entries[i + 1].key)))
			continue;
		set->entries[kept++] = set->entries[i];
	}
	set->count = kept;
}

static void read_attrs(struct labels *l, struct attr_set *set, struct otlp_decoder *decoder,
	const struct otlp_attrs *attrs)
{
	set->text.len = 0;
	set->count = 0;
	set->notes = 0;
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	otlp_attr_iter_init(&it, decoder, attrs);
	while (otlp_attr_next(&it, &attr)) {
		if (set->count == ATTRS_MAX) {
			set->notes |= LABELS_NOTE_DROPPED;
			break;
		}
		struct entry *e = &set->entries[set->count];
		*e = (struct entry){ .order = (unsigned)set->count, .is_label = true };
		struct slice key = attr.key;
		if (key.len > NAMES_KEY_MAX)
			key.len = NAMES_KEY_MAX;
		e->key = add_text(set, key);
		e->value = add_value(l, set, decoder, attrs->encoding, &attr.value);
		set->count++;
	}
	sort_entries(set, false);
	drop_repeated_keys(set);
}

static void identity_of(const struct attr_set *set, uint64_t out[2])
{
	XXH3_state_t state;
	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < set->count; i++) {
		struct slice key = span_of(set, set->entries[i].key);
		struct slice value = span_of(set, set->entries[i].value);
		uint32_t lengths[2] = { (uint32_t)key.len, (uint32_t)value.len };
		XXH3_128bits_update(&state, lengths, sizeof lengths);
		XXH3_128bits_update(&state, key.ptr, key.len);
		XXH3_128bits_update(&state, value.ptr, value.len);
	}
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	out[0] = hash.low64;
	out[1] = hash.high64;
}

void labels_resource(struct labels *l, struct otlp_decoder *decoder, const struct otlp_attrs *attrs)
{
	read_attrs(l, &l->resource, decoder, attrs);
	identity_of(&l->resource, l->resource_identity);
}

void labels_resource_identity(const struct labels *l, uint64_t out[2])
{
	out[0] = l->resource_identity[0];
	out[1] = l->resource_identity[1];
}

static struct slice find_key(const struct attr_set *set, const char *key)
{
	for (size_t i = 0; i < set->count; i++) {
		if (slice_eq_str(span_of(set, set->entries[i].key), key))
			return span_of(set, set->entries[i].value);
	}
	return slice_of(NULL, 0);
}

/* The point's value, else the resource's. */
static struct slice find_anywhere(const struct labels *l, const char *key)
{
	struct slice value = find_key(&l->point, key);
	return value.len ? value : find_key(&l->resource, key);
}

/* With is_restricted, what was left out of the labels does not count: a copy of the resource's attribute on
 * an event must not hide it, nor may what the event says under that name be shown in its place. */
static bool has_key(const struct attr_set *set, struct slice key, bool is_restricted)
{
	for (size_t i = 0; i < set->count; i++) {
		if (is_restricted && !set->entries[i].is_label)
			continue;
		if (slice_eq(span_of(set, set->entries[i].key), key))
			return true;
	}
	return false;
}

static void add_entry(struct attr_set *set, struct slice key, struct slice name, struct slice value)
{
	if (set->count == ATTRS_MAX) {
		set->notes |= LABELS_NOTE_DROPPED;
		return;
	}
	struct entry *e = &set->entries[set->count];
	*e = (struct entry){ .order = (unsigned)set->count, .is_label = true };
	e->key = add_text(set, key);
	e->value = add_text(set, value);
	if (name.len)
		e->name = add_text(set, name);
	set->count++;
}

/* Brings what the user set on the resource only, and job and instance, into the point's set. */
static void add_resource_labels(struct labels *l, bool is_restricted)
{
	const struct attr_set *r = &l->resource;
	for (size_t i = 0; i < r->count; i++) {
		struct slice key = span_of(r, r->entries[i].key);
		if (has_standard_prefix(key) || slice_eq_str(key, "session.id"))
			continue;
		if (!has_key(&l->point, key, is_restricted))
			add_entry(
				&l->point, key, slice_of(NULL, 0), span_of(r, r->entries[i].value));
	}
	struct slice service = find_key(r, "service.name");
	struct slice space = find_key(r, "service.namespace");
	struct slice instance = find_key(r, "service.instance.id");
	if (service.len && space.len) {
		buf_add(&l->joined, space.ptr, space.len);
		buf_addc(&l->joined, '/');
		buf_add(&l->joined, service.ptr, service.len);
		service = buf_slice(&l->joined);
	}
	if (service.len)
		add_entry(&l->point, SLICE_LIT("job"), SLICE_LIT("job"), service);
	if (instance.len)
		add_entry(&l->point, SLICE_LIT("instance"), SLICE_LIT("instance"), instance);
}

/* The last one, without key: there is none for this key. */
static const struct label_rule *find_rule(const struct label_rule *rule, struct slice key)
{
	while (rule->key.ptr && !slice_eq(key, rule->key))
		rule++;
	return rule;
}

static bool is_word(struct slice value)
{
	static const char others[] = "_.:-";
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = value.ptr[i];
		bool is_alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_alnum && !memchr(others, c, sizeof others - 1))
			return false;
	}
	return value.len <= LABEL_WORD_MAX;
}

/* The value is well-formed UTF-8: it is cut in front of a character. */
static void cut_text(struct attr_set *set, struct span *value)
{
	if (value->len <= LABEL_TEXT_MAX)
		return;
	size_t end = value->at + LABEL_TEXT_MAX;
	while (end > value->at && (set->text.data[end] & 0xC0) == 0x80)
		end--;
	value->len = end - value->at;
	set->notes |= LABELS_NOTE_CUT;
}

/* False: no rule is for it. */
static bool apply_rule(struct attr_set *set, struct entry *e, const struct label_rule *rules)
{
	const struct label_rule *rule = find_rule(rules, span_of(set, e->key));
	if (!rule->key.ptr)
		return false;
	if (rule->form == LABEL_TEXT)
		cut_text(set, &e->value);
	else if (rule->form == LABEL_WORD && !is_word(span_of(set, e->value)))
		e->value = add_text(set, SLICE_LIT("other"));
	if (rule->name)
		e->name = add_text(set, slice_str(rule->name));
	return true;
}

static void choose_labels(struct labels *l, const struct label_rule *only)
{
	for (size_t i = 0; i < l->point.count; i++) {
		struct entry *e = &l->point.entries[i];
		struct slice key = span_of(&l->point, e->key);
		if (slice_eq_str(key, "session.id")) {
			e->is_label = e->value.len > 0 && l->has_session_label;
			continue;
		}
		e->is_label = e->value.len > 0 && (!only || apply_rule(&l->point, e, only));
	}
}

static void name_entries(struct attr_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct entry *e = &set->entries[i];
		if (e->is_label && e->name.len == 0)
			e->name = add_name(set, e->key);
	}
}

/* Puts out the sorted labels; neighbours of one name become one label. */
static void emit(struct labels *l, struct label_set *out)
{
	const struct attr_set *set = &l->point;
	for (size_t i = 0; i < set->count && set->entries[i].is_label;) {
		if (out->count == LABELS_MAX) {
			out->notes |= LABELS_NOTE_DROPPED;
			return;
		}
		struct slice name = span_of(set, set->entries[i].name);
		struct slice value = span_of(set, set->entries[i].value);
		size_t same = i + 1;
		size_t at = l->joined.len;
		for (; same < set->count && set->entries[same].is_label &&
			slice_eq(span_of(set, set->entries[same].name), name);
			same++) {
			if (same == i + 1)
				buf_add(&l->joined, value.ptr, value.len);
			struct slice more = span_of(set, set->entries[same].value);
			buf_addc(&l->joined, ';');
			buf_add(&l->joined, more.ptr, more.len);
		}
		if (same > i + 1)
			value = slice_of(NULL, l->joined.len - at);
		out->labels[out->count++] = (struct op_label){ name, value };
		i = same;
	}
}

/* Joined values may have moved while more were added: point at them now. */
static void settle_joined(const struct labels *l, size_t at, struct label_set *out)
{
	for (size_t i = 0; i < out->count; i++) {
		struct slice *value = &out->labels[i].value;
		if (value->ptr)
			continue;
		value->ptr = l->joined.data + at;
		at += value->len;
	}
}

void labels_build(struct labels *l, struct otlp_decoder *decoder, const struct otlp_attrs *attrs,
	const struct label_rule *only, const struct op_label *extra, size_t extra_count,
	struct label_set *out)
{
	out->count = 0;
	l->joined.len = 0;
	read_attrs(l, &l->point, decoder, attrs);
	identity_of(&l->point, out->identity);
	choose_labels(l, only);
	add_resource_labels(l, only != NULL);
	for (size_t i = 0; i < extra_count; i++) {
		if (extra[i].value.len)
			add_entry(&l->point, extra[i].name, extra[i].name, extra[i].value);
	}
	name_entries(&l->point);
	sort_entries(&l->point, true);
	out->notes = l->point.notes | l->resource.notes;
	size_t joined_at = l->joined.len;
	emit(l, out);
	settle_joined(l, joined_at, out);
	out->session = find_anywhere(l, "session.id");
	out->terminal = find_anywhere(l, "terminal.type");
	out->version = find_anywhere(l, "app.version");
	if (!out->version.len)
		out->version = find_anywhere(l, "service.version");
	out->user = slice_of(NULL, 0);
	for (const char *const *key = user_keys; *key && !out->user.len; key++)
		out->user = find_anywhere(l, *key);
}
