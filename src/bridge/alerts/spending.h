/* What was spent by whom, day by day: the sums that budgets are held against.
 *
 * Fed once with the ledger's minutes and then with every addition as it is applied, so a sum is what the ledger says,
 * to the cent, and no one reads the ledger again. Amounts are kept by local day rather than by running period: when a
 * period ends nothing has to be reset, a late point counts on its own day, and a clock that is set back finds its
 * days as they were.
 *
 * Bounded: subjects beyond `subjects_max` count in the total of all only, and spending_unheld says how often.
 */
#ifndef CCTM_BRIDGE_ALERTS_SPENDING_H
#define CCTM_BRIDGE_ALERTS_SPENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/alerts/budget.h"
#include "bridge/journal/record.h"

struct spending;

#define SPENDING_METRIC "claude_code.cost.usage"
#define SPENDING_ALL	0 /* the subject that everything counts for */

/* `scopes`: whose spending is told apart; SCOPE_ALL always is counted. `seed`: secret, of hashes of what others wrote. */
struct spending *spending_new(const bool scopes[SCOPE_COUNT], size_t subjects_max, uint64_t seed);
void spending_free(struct spending *s);

/* The first minute that has to be known at `now_ms`: what lies before is forgotten. */
uint32_t spending_since(int64_t now_ms);

/* `labels` as of a series of SPENDING_METRIC; they are read once a series. */
void spending_add(struct spending *s, uint32_t minute, uint32_t series,
	const struct op_label *labels, size_t label_count, double usd);

/* Adds up the periods that `now_ms` lies in, for spending_of; and forgets days that are in none. Subjects are
 * numbered anew by it. */
void spending_sum(struct spending *s, int64_t now_ms);

/* Subjects, in no order that lasts. */
size_t spending_count(const struct spending *s);
enum budget_scope spending_scope(const struct spending *s, size_t subject);
const char *spending_subject(const struct spending *s, size_t subject); /* "" of SCOPE_ALL */
bool spending_find(
	const struct spending *s, enum budget_scope scope, const char *text, size_t *subject);

/* As of the last spending_sum. */
double spending_of(const struct spending *s, enum budget_period period, size_t subject);

uint64_t spending_unheld(const struct spending *s);

#endif
