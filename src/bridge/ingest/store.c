#include "bridge/ingest/store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/names.h"
#include "core/mem.h"

#define FAMILY_BUCKETS 1024u

struct store {
	struct series **by_id; /* NULL: gap */
	size_t id_room;
	uint32_t next_id;
	size_t series_count;
	struct series **buckets; /* by identity; power of two */
	size_t bucket_count;
	struct family **families;
	size_t family_count, family_room;
	struct family *family_buckets[FAMILY_BUCKETS];
	uint64_t epoch_ns;
	int64_t last_scrape_ms;
	bool has_unscraped, has_unshown;
	uint64_t unresolved;
};

#define BUCKETS_INITIAL 64u

struct store *store_new(void)
{
	struct store *s = mem_zalloc(sizeof *s);
	s->next_id = 1;
	s->bucket_count = BUCKETS_INITIAL;
	s->buckets = mem_calloc(s->bucket_count, sizeof *s->buckets);
	return s;
}

static void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->labels);
	free(s->pairs);
	free(s->text);
	free(s->bounds);
	free(s->parts);
	free(s);
}

static void family_free(struct family *f)
{
	free(f->name);
	free(f->metric);
	free(f->unit);
	free(f->help);
	free(f->series);
	free(f);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->id_room; i++)
		series_free(s->by_id[i]);
	for (size_t i = 0; i < s->family_count; i++)
		family_free(s->families[i]);
	free(s->families);
	free(s->by_id);
	free(s->buckets);
	free(s);
}

static uint64_t identity_hash(
	const char *family, size_t family_len, const char *labels, size_t labels_len)
{
	return XXH3_64bits_withSeed(labels, labels_len, XXH3_64bits(family, family_len));
}

struct series *store_find(const struct store *s, const char *family, size_t family_len,
	const char *labels, size_t labels_len)
{
	uint64_t hash = identity_hash(family, family_len, labels, labels_len);
	struct series *at = s->buckets[hash & (s->bucket_count - 1)];
	for (; at; at = at->next_same_hash) {
		if (at->hash == hash && at->family->name_len == family_len &&
			at->labels_len == labels_len &&
			memcmp(at->family->name, family, family_len) == 0 &&
			memcmp(at->labels, labels, labels_len) == 0)
			return at;
	}
	return NULL;
}

static size_t family_bucket(const char *name, size_t len)
{
	return XXH3_64bits(name, len) & (FAMILY_BUCKETS - 1);
}

struct family *store_family(const struct store *s, const char *name, size_t len)
{
	struct family *f = s->family_buckets[family_bucket(name, len)];
	while (f && !(f->name_len == len && memcmp(f->name, name, len) == 0))
		f = f->next_same_hash;
	return f;
}

static char *text_of(struct slice s)
{
	return mem_strndup((const char *)s.ptr, s.len);
}

static struct family *make_family(struct store *s, const struct op_series *definition)
{
	struct family *f = mem_zalloc(sizeof *f);
	*f = (struct family){
		.name = text_of(definition->family),
		.metric = text_of(definition->metric),
		.unit = text_of(definition->unit),
		.help = text_of(definition->help),
		.kind = definition->kind,
		.name_len = definition->family.len,
	};
	size_t bucket = family_bucket(f->name, f->name_len);
	f->next_same_hash = s->family_buckets[bucket];
	s->family_buckets[bucket] = f;
	s->families = mem_grow(
		s->families, &s->family_room, s->family_count + 1, sizeof(struct family *));
	s->families[s->family_count++] = f;
	return f;
}

static void grow_buckets(struct store *s)
{
	size_t count = s->bucket_count * 2;
	struct series **buckets = mem_calloc(count, sizeof(struct series *));
	for (size_t i = 0; i < s->bucket_count; i++) {
		struct series *at = s->buckets[i];
		while (at) {
			struct series *next = at->next_same_hash;
			at->next_same_hash = buckets[at->hash & (count - 1)];
			buckets[at->hash & (count - 1)] = at;
			at = next;
		}
	}
	free(s->buckets);
	s->buckets = buckets;
	s->bucket_count = count;
}

/* Copies the labels into one block of text and renders them. */
static void set_labels(struct series *s, const struct op_series *definition)
{
	struct buf text = BUF_INIT(BUF_UNLIMITED), rendered = BUF_INIT(BUF_UNLIMITED);
	s->pairs = mem_calloc(definition->label_count, sizeof *s->pairs);
	s->pair_count = definition->label_count;
	for (size_t i = 0; i < s->pair_count; i++) {
		const struct op_label *label = &definition->labels[i];
		buf_add(&text, label->name.ptr, label->name.len);
		buf_add(&text, label->value.ptr, label->value.len);
		if (i)
			buf_addc(&rendered, ',');
		buf_add(&rendered, label->name.ptr, label->name.len);
		buf_adds(&rendered, "=\"");
		names_escape_label(label->value, &rendered);
		buf_addc(&rendered, '"');
	}
	s->labels_len = rendered.len;
	s->labels = buf_detach(&rendered);
	s->text = buf_detach(&text);
	const unsigned char *at = (const unsigned char *)s->text;
	for (size_t i = 0; i < s->pair_count; i++) {
		const struct op_label *label = &definition->labels[i];
		s->pairs[i].name = slice_of(at, label->name.len);
		at += label->name.len;
		s->pairs[i].value = slice_of(at, label->value.len);
		at += label->value.len;
	}
}

static void index_series(struct store *s, struct series *series)
{
	if (series->id >= s->id_room) {
		size_t room = s->id_room ? s->id_room : 64;
		while (room <= series->id)
			room *= 2;
		s->by_id = mem_realloc(s->by_id, room, sizeof(struct series *));
		memset(s->by_id + s->id_room, 0, (room - s->id_room) * sizeof(struct series *));
		s->id_room = room;
	}
	s->by_id[series->id] = series;
	if (series->id >= s->next_id)
		s->next_id = series->id + 1;
	if (++s->series_count > s->bucket_count)
		grow_buckets(s);
	size_t bucket = series->hash & (s->bucket_count - 1);
	series->next_same_hash = s->buckets[bucket];
	s->buckets[bucket] = series;
	struct family *f = series->family;
	f->series =
		mem_grow(f->series, &f->series_room, f->series_count + 1, sizeof(struct series *));
	f->series[f->series_count++] = series;
}

/* Ids come from our own journal; a damaged one must not make the table huge. */
#define ID_MAX (1u << 26)

struct series *store_define(struct store *s, const struct op_series *definition)
{
	uint32_t id = definition->id ? definition->id : s->next_id;
	struct series *known = store_by_id(s, id);
	if (known)
		return known;
	if (id > ID_MAX)
		return NULL;
	struct family *f =
		store_family(s, (const char *)definition->family.ptr, definition->family.len);
	if (f && f->kind != definition->kind)
		return NULL;
	if (!f)
		f = make_family(s, definition);
	struct series *series = mem_zalloc(sizeof *series);
	series->id = id;
	series->family = f;
	set_labels(series, definition);
	if (definition->bound_count) {
		series->bound_count = definition->bound_count;
		series->bounds = mem_memdup(
			definition->bounds, definition->bound_count * sizeof *definition->bounds);
	}
	series->hash = identity_hash(f->name, f->name_len, series->labels, series->labels_len);
	index_series(s, series);
	return series;
}

uint32_t store_next_id(const struct store *s)
{
	return s->next_id;
}

static void unlink_family(struct store *s, struct family *f)
{
	struct family **at = &s->family_buckets[family_bucket(f->name, f->name_len)];
	while (*at != f)
		at = &(*at)->next_same_hash;
	*at = f->next_same_hash;
	assert(s->families[s->family_count - 1] == f);
	s->family_count--;
	family_free(f);
}

/* The newest first, so that each is the last one of its lists. */
void store_forget_from(struct store *s, uint32_t first_id)
{
	while (s->next_id > first_id) {
		struct series *series = store_by_id(s, --s->next_id);
		if (!series)
			continue;
		assert(!series->is_live);
		struct series **at = &s->buckets[series->hash & (s->bucket_count - 1)];
		while (*at != series)
			at = &(*at)->next_same_hash;
		*at = series->next_same_hash;
		s->by_id[series->id] = NULL;
		s->series_count--;
		if (--series->family->series_count == 0)
			unlink_family(s, series->family);
		series_free(series);
	}
}

struct series *store_by_id(const struct store *s, uint32_t id)
{
	return id < s->id_room ? s->by_id[id] : NULL;
}

size_t store_series_count(const struct store *s)
{
	return s->series_count;
}

uint64_t store_unresolved(const struct store *s)
{
	return s->unresolved;
}

size_t store_family_count(const struct store *s)
{
	return s->family_count;
}

const struct family *store_family_at(const struct store *s, size_t index)
{
	return s->families[index];
}

uint64_t store_epoch_ns(const struct store *s)
{
	return s->epoch_ns;
}

int64_t store_last_scrape_ms(const struct store *s)
{
	return s->last_scrape_ms;
}

bool store_has_unscraped(const struct store *s)
{
	return s->has_unscraped;
}

bool store_has_unshown(const struct store *s)
{
	return s->has_unshown;
}

double part_value(const struct part *p)
{
	return p->hi + p->lo;
}

bool series_is_held(const struct series *s, int64_t now_ms, int64_t zero_hold_ms)
{
	return s->family->kind != SERIES_GAUGE && scrape_holds(now_ms, zero_hold_ms, s->shown_ms);
}

static size_t part_index(const struct series *s, uint32_t id)
{
	size_t low = 0, high = s->part_count;
	if (id < s->part_count && s->parts[id].id == id)
		return id; /* dense, as nearly always */
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->parts[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct part *series_part(const struct series *s, uint32_t id)
{
	size_t at = part_index(s, id);
	return at < s->part_count && s->parts[at].id == id ? &s->parts[at] : NULL;
}

static struct part *take_part(struct series *s, uint32_t id)
{
	size_t at = part_index(s, id);
	if (at < s->part_count && s->parts[at].id == id)
		return &s->parts[at];
	if (s->part_count == s->part_room) {
		s->part_room = s->part_room ? s->part_room * 2 : 1;
		s->parts = mem_realloc(s->parts, s->part_room, sizeof *s->parts);
	}
	memmove(s->parts + at + 1, s->parts + at, (s->part_count - at) * sizeof *s->parts);
	s->part_count++;
	s->parts[at] = (struct part){ .id = id };
	return &s->parts[at];
}

/* A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974. */
static void part_add(struct part *p, double amount)
{
	double sum = p->hi + amount;
	if (fabs(p->hi) >= fabs(amount))
		p->lo += (p->hi - sum) + amount;
	else
		p->lo += (amount - sum) + p->hi;
	p->hi = sum;
}

/* An id whose definition was damaged has amounts in the ledger all the same: no other series may get it. */
static struct series *resolve(struct store *s, uint32_t id)
{
	struct series *series = store_by_id(s, id);
	if (series)
		return series;
	s->unresolved++;
	if (id >= s->next_id && id <= ID_MAX)
		s->next_id = id + 1;
	return NULL;
}

static void make_live(struct store *s, struct series *series)
{
	s->has_unscraped = true;
	if (series->is_live)
		return;
	series->is_live = true;
	s->has_unshown = true;
}

static void apply_add(struct store *s, const struct op_add *add)
{
	struct series *series = resolve(s, add->series);
	if (!series)
		return;
	part_add(take_part(series, add->part), add->amount);
	make_live(s, series);
}

static void apply_set(struct store *s, const struct op_set *set)
{
	struct series *series = resolve(s, set->series);
	if (!series)
		return;
	struct part *p = take_part(series, set->part);
	if (series->is_live && set->time_ms < p->set_ms)
		return;
	p->hi = set->value;
	p->lo = 0;
	p->set_ms = set->time_ms;
	make_live(s, series);
}

static void apply_scrape(struct store *s, const struct op_scrape *scrape)
{
	bool holds_any = false;
	for (size_t i = 0; i < s->id_room; i++) {
		struct series *series = s->by_id[i];
		if (!series || !series->is_live)
			continue;
		if (!series->shown_ms)
			series->shown_ms = scrape->time_ms;
		if (series_is_held(series, scrape->time_ms, scrape->hold_ms)) {
			holds_any = true; /* the scraper saw 0: its value is for a later scrape */
			continue;
		}
		series->shown_ms = SHOWN_WITH_VALUE;
		for (size_t k = 0; k < series->part_count; k++)
			series->parts[k].scraped = part_value(&series->parts[k]);
	}
	s->last_scrape_ms = scrape->time_ms;
	s->has_unscraped = holds_any;
	s->has_unshown = false;
}

static void apply_epoch(struct store *s, uint64_t start_ns)
{
	for (size_t i = 0; i < s->id_room; i++) {
		struct series *series = s->by_id[i];
		/* A gauge has no history to prove: its value stays what it is. */
		if (!series || series->family->kind == SERIES_GAUGE)
			continue;
		series->is_live = false;
		series->shown_ms = 0;
		series->part_count = 0;
	}
	s->epoch_ns = start_ns;
	s->has_unshown = false;
}

void store_apply(struct store *s, const struct op *op)
{
	switch (op->kind) {
	case OP_ADD:
	case OP_CARRY:
		apply_add(s, &op->u.add);
		return;
	case OP_SET:
		apply_set(s, &op->u.set);
		return;
	case OP_SERIES:
		store_define(s, &op->series);
		return;
	case OP_SCRAPE:
		apply_scrape(s, &op->u.scrape);
		return;
	case OP_EPOCH:
		apply_epoch(s, op->u.epoch.start_ns);
		return;
	case OP_REQUEST:
	case OP_SESSION:
	case OP_CONTEXT:
	case OP_STREAM:
	case OP_SEEN:
	case OP_LOST:
	case OP_STATE:
		return;
	}
}

void store_load_epoch(struct store *s, uint64_t start_ns, int64_t last_scrape_ms)
{
	s->epoch_ns = start_ns;
	s->last_scrape_ms = last_scrape_ms;
}

void store_load_shown(struct store *s, uint32_t id, int64_t shown_ms)
{
	struct series *series = resolve(s, id);
	if (series)
		series->shown_ms = shown_ms;
}

void store_load_part(struct store *s, uint32_t id, const struct part *part)
{
	struct series *series = resolve(s, id);
	if (!series)
		return;
	*take_part(series, part->id) = *part;
	make_live(s, series);
	if (series->shown_ms == 0)
		s->has_unshown = true;
}
