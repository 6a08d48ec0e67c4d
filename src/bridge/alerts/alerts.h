/* Which alerts there are, since when, and who has been told of them. No I/O, no clock of its own.
 *
 * BudgetReached: a budget's step (50, 80, 100 %) was reached. It fires once for a period, step and subject, and ends
 * with its period. Where several steps are crossed before anyone was told, the highest alone is told.
 * NoData: no sample came for `no_data_after_ms` although samples had come on this weekday in the last four weeks. The
 * silence counts from the last sample, or from the time of day at which they had begun on this weekday at the earliest:
 * a night and a free day are no silence. It ends with the next sample. A sample is what of Claude Code's was counted, as
 * in the rules of Prometheus: neither what cctm sends to try the way, nor an export in which nothing rose.
 *
 * What a channel has been told is kept with the alert, and the caller keeps all of it durably (alerts_save) *after* a
 * notification went out. So a bridge that dies in between repeats a notification, and never loses one.
 *
 * A channel that fails is asked again after 1 s, 2 s, 4 s … 5 min; after an hour of failures what was to be told is
 * given up. One that is asked once only (a command, which may have done half of its work) is not asked again.
 */
#ifndef CCTM_BRIDGE_ALERTS_ALERTS_H
#define CCTM_BRIDGE_ALERTS_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/alerts/activity.h"
#include "bridge/alerts/budget.h"
#include "bridge/alerts/spending.h"
#include "core/buf.h"
#include "core/slice.h"

enum alert_kind { ALERT_BUDGET_REACHED, ALERT_NO_DATA, ALERT_KINDS };

enum alert_channel { CHANNEL_WEBHOOK, CHANNEL_COMMAND, CHANNEL_COUNT };

enum alert_told {
	TOLD_NOTHING,
	TOLD_FIRING,
	TOLD_ALL, /* or given up, or never to be told: there is nothing left to say */
};

struct alert {
	uint32_t id; /* good for this process */
	enum alert_kind kind;
	/* of BUDGET_REACHED */
	enum budget_period period;
	enum budget_scope scope;
	char *subject; /* "" of SCOPE_ALL and of NO_DATA */
	int percent;
	int64_t begins_ms;	     /* the period */
	double value_usd, limit_usd; /* when it fired */
	/* of all */
	int64_t since_ms;
	int64_t ends_ms;	/* 0: it fires */
	int64_t last_sample_ms; /* of NO_DATA: before the silence; 0: none known */
	enum alert_told told[CHANNEL_COUNT];
};

struct alerts_options {
	struct budgets budgets;
	int64_t no_data_after_ms; /* 0: never */
	bool has_channel[CHANNEL_COUNT];
};

struct alerts;

const char *alert_kind_name(enum alert_kind kind);	    /* "BudgetReached" */
const char *alert_channel_name(enum alert_channel channel); /* "webhook" */

struct alerts *alerts_new(const struct alerts_options *options);
void alerts_free(struct alerts *a);

/* What is known at a moment. `spending` is summed up for `now_ms`; NULL where there are no budgets. */
struct alerts_facts {
	int64_t now_ms;
	const struct spending *spending;
	const struct activity *activity;
	int64_t last_sample_ms;	   /* 0: none */
	int64_t watching_since_ms; /* what was missed before is not a client's silence */
};

/* Lets alerts begin and end. */
void alerts_evaluate(struct alerts *a, const struct alerts_facts *facts);

/* All that fire or that somebody is to be told the end of. */
size_t alerts_count(const struct alerts *a);
const struct alert *alerts_at(const struct alerts *a, size_t i);
size_t alerts_firing(const struct alerts *a, enum alert_kind kind);
/* The highest step that fires for a budget and subject now, and since when; NULL: none. */
const struct alert *alerts_step(const struct alerts *a, enum budget_period period,
	enum budget_scope scope, const char *subject);
const struct alert *alerts_no_data(const struct alerts *a); /* NULL: it does not fire */

/* What is to be told next, all of one kind and either firing or over. */
#define ALERTS_BATCH_MAX 64

struct alert_batch {
	enum alert_channel channel;
	bool is_firing;
	uint32_t ids[ALERTS_BATCH_MAX];
	size_t count;
};

/* False: there is nothing, or the channel is to be left alone for now. A command is told of one at a time, and of the
 * end of NO_DATA only: that of a day is no news to a person. */
bool alerts_next(
	struct alerts *a, enum alert_channel channel, int64_t mono_ms, struct alert_batch *batch);
const struct alert *alerts_by_id(const struct alerts *a, uint32_t id); /* NULL: it is gone */

enum alert_outcome { OUTCOME_OK, OUTCOME_FAILED, OUTCOME_GIVEN_UP, OUTCOME_COUNT };

/* What became of it. OUTCOME_GIVEN_UP when a failure was the last. */
enum alert_outcome alerts_done(
	struct alerts *a, const struct alert_batch *batch, bool is_ok, int64_t mono_ms);

/* Until alerts_kept says that what alerts_save wrote is kept. */
bool alerts_has_changed(const struct alerts *a);
void alerts_save(const struct alerts *a, struct buf *out);
void alerts_kept(struct alerts *a);
/* What alerts_save wrote; of what cannot be read nothing is taken. Before the first alerts_evaluate. */
void alerts_restore(struct alerts *a, struct slice saved);

#endif
