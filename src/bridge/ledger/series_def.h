/* What a series is, kept beyond the record that defined it.
 *
 * In the database labels are text as in the exposition, model="opus",type="input" with \\, \" and \n
 * escaped, and bounds numbers separated by commas: readable with any SQLite shell, and read back to the
 * same bytes whatever they are.
 */
#ifndef CCTM_BRIDGE_LEDGER_SERIES_DEF_H
#define CCTM_BRIDGE_LEDGER_SERIES_DEF_H

#include <stdbool.h>

#include "bridge/journal/record.h"
#include "core/cleanup.h"

struct buf;

/* One allocation; every text has a NUL behind its bytes. */
struct series_def {
	enum series_kind kind;
	struct slice metric, family, unit, help;
	size_t label_count, bound_count;
	struct op_label *labels;
	double *bounds;
};

struct series_def *series_def_new(const struct op_series *series); /* yours: free */

size_t series_def_bytes(const struct series_def *def); /* its size in memory, roughly */

/* Value of a label, or NULL. Borrowed. */
const char *series_def_label(const struct series_def *def, const char *name);

void series_labels_text(struct buf *out, const struct op_label *labels, size_t count);
void series_bounds_text(struct buf *out, const double *bounds, size_t count);

/* Back into `out`, whose label values point into `text`, unescaped in place. False: not such a text. */
bool series_labels_parse(struct buf *text, struct op_series *out) MUST_CHECK;
bool series_bounds_parse(struct slice text, struct op_series *out) MUST_CHECK;

#endif
