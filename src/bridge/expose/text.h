/* The counters as Prometheus text exposition, format 0.0.4.
 *
 * Families in order of appearance, each with HELP and TYPE and its live series. Counters, histograms and
 * summaries carry the label `start`: the epoch their values count from, in nanoseconds, so that no series
 * ever falls or resets; gauges have none. A series that a scraper sees for the first time is 0 for the zero
 * hold (bridge/ingest/store.h). Exponential histograms come as classic ones, with the bounds of the buckets
 * that hold something.
 */
#ifndef CCTM_BRIDGE_EXPOSE_TEXT_H
#define CCTM_BRIDGE_EXPOSE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/ingest/store.h"
#include "core/buf.h"

#define EXPOSE_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct expose_options {
	int64_t now_ms, zero_hold_ms;
	bool hides_unshown; /* the showing of new series could not be made durable: leave them out */
};

/* Appends the whole exposition of the store to `out` (unlimited). */
void expose_text(const struct store *store, const struct expose_options *options, struct buf *out);

/* One family of the bridge's own, without series of the store. */
void expose_family(struct buf *out, const char *name, const char *type, const char *help);
void expose_value(struct buf *out, const char *name, const char *label, const char *label_value,
	double value); /* label NULL: none */

/* The same with several labels, `name="value",…` escaped by the caller. */
void expose_labelled(struct buf *out, const char *name, const char *labels, double value);

/* The shortest decimal text that reads back as the same double; NaN, +Inf and -Inf as Prometheus has them. */
void expose_number(struct buf *out, double value);

#endif
