/* The counters: families, their series, their values; the in-memory fold of the journal.
 *
 * A series is what is exposed: a family (one exposed metric name) and a set of labels. Its values are parts
 * (bridge/journal/record.h): a counter has one, a histogram a sum, a count and its buckets. Sums are
 * compensated (Neumaier), so ten million additions of 0.0123 are right to 1e-9.
 *
 * store_define makes a series in memory; it counts for nothing until an operation of a committed record
 * makes it live. Everything else changes only through store_apply, live and in replay alike.
 */
#ifndef CCTM_BRIDGE_INGEST_STORE_H
#define CCTM_BRIDGE_INGEST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/journal/record.h"

struct store;

struct part {
	uint32_t id;
	double hi, lo;	/* value = hi + lo */
	double scraped; /* value at the last scrape */
	int64_t set_ms; /* gauges: time of the value */
};

struct family {
	char *name;   /* claude_code_cost_usage_USD_total */
	char *metric; /* claude_code.cost.usage */
	char *unit, *help;
	enum series_kind kind;
	size_t name_len;
	struct series **series; /* in order of appearance */
	size_t series_count, series_room;
	struct family *next_same_hash; /* private */
};

struct series {
	uint32_t id;
	struct family *family;
	char *labels; /* rendered and escaped, sorted: a="x",b="y"; "" for none */
	size_t labels_len;
	struct op_label *pairs; /* the same unescaped; borrowed from `text` */
	size_t pair_count;
	char *text;
	double *bounds;
	size_t bound_count;
	struct part *parts; /* sorted by id; part 0 first */
	size_t part_count, part_room;
	int64_t shown_ms; /* see SHOWN_WITH_VALUE; 0: not in this epoch */
	bool is_live;	  /* has a value in this epoch */
	uint32_t segment; /* journal segment that holds its definition last; 0: none since start */
	struct series *next_same_hash; /* private */
	uint64_t hash;		       /* private */
};

struct store *store_new(void);
void store_free(struct store *s);

/* The series of this identity, or NULL. `labels` is the rendered text. */
struct series *store_find(const struct store *s, const char *family, size_t family_len,
	const char *labels, size_t labels_len);

/* Makes the series of `definition` (its id is taken from there, or given when it is 0). NULL: its family is
 * there with another kind. A definition of an id that exists changes nothing and returns it. */
struct series *store_define(struct store *s, const struct op_series *definition);

/* Takes back the definitions of `first_id` and above: those of a request that proved malformed. None of them
 * may be live. store_next_id says which id comes next. */
uint32_t store_next_id(const struct store *s);
void store_forget_from(struct store *s, uint32_t first_id);

struct series *store_by_id(const struct store *s, uint32_t id); /* NULL: unknown */
struct family *store_family(const struct store *s, const char *name, size_t len);

size_t store_series_count(const struct store *s);
uint64_t store_unresolved(const struct store *s); /* operations whose series was unknown */

/* Families in order of appearance. */
size_t store_family_count(const struct store *s);
const struct family *store_family_at(const struct store *s, size_t index);

uint64_t store_epoch_ns(const struct store *s); /* 0: no epoch yet */
int64_t store_last_scrape_ms(const struct store *s);
bool store_has_unscraped(const struct store *s); /* something was added since the last scrape */
bool store_has_unshown(const struct store *s);	 /* a live series was never shown */

/* Applies an operation on series: ADD, SET, CARRY, SERIES, SCRAPE, EPOCH; others are ignored. */
void store_apply(struct store *s, const struct op *op);

/* Restores a checkpoint's rows. */
void store_load_epoch(struct store *s, uint64_t start_ns, int64_t last_scrape_ms);
void store_load_shown(struct store *s, uint32_t id, int64_t shown_ms);
void store_load_part(struct store *s, uint32_t id, const struct part *part);

/* The part, or NULL when nothing was ever added to it. */
const struct part *series_part(const struct series *s, uint32_t id);
double part_value(const struct part *p);

/* A scraper is shown 0: it must see the 0 before the value, or increase() misses the first sample. Once it was
 * shown the value it never is again, whatever the clock does. */
bool series_is_held(const struct series *s, int64_t now_ms, int64_t zero_hold_ms);

#endif
