#include "bridge/alerts/alerts.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/alerts/alerts_internal.h"
#include "core/mem.h"

#define RETRY_FIRST_MS INT64_C(1000)
#define RETRY_MAX_MS   INT64_C(300000)
#define GIVE_UP_MS     INT64_C(3600000)
/* Clients whose exports failed while no bridge ran get so long to send again. */
#define GRACE_MS INT64_C(300000)

const char *alert_kind_name(enum alert_kind kind)
{
	static const char *const names[ALERT_KINDS] = { "BudgetReached", "NoData" };
	return names[kind];
}

const char *alert_channel_name(enum alert_channel channel)
{
	static const char *const names[CHANNEL_COUNT] = { "webhook", "command" };
	return names[channel];
}

struct alerts *alerts_new(const struct alerts_options *options)
{
	struct alerts *a = mem_zalloc(sizeof *a);
	a->options = *options;
	return a;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		free(a->items[i].subject);
	free(a->items);
	free(a);
}

/* ---- the list ---- */

struct alert *alerts_add(struct alerts *a, const struct alert *alert, const char *subject)
{
	a->items = mem_grow(a->items, &a->room, a->count + 1, sizeof *a->items);
	struct alert *new = &a->items[a->count++];
	*new = *alert;
	new->id = ++a->last_id;
	new->subject = mem_strdup(subject);
	a->has_changed = true;
	return new;
}

static void end(struct alerts *a, struct alert *alert, int64_t ends_ms)
{
	alert->ends_ms = ends_ms;
	a->has_changed = true;
}

static bool tells_end(enum alert_channel channel, const struct alert *alert)
{
	return channel == CHANNEL_WEBHOOK || alert->kind == ALERT_NO_DATA;
}

/* Of a configured channel: whether there is something to say, and what. */
static bool is_owed(const struct alerts *a, enum alert_channel channel, const struct alert *alert,
	bool *is_firing)
{
	if (!a->options.has_channel[channel])
		return false;
	*is_firing = alert->told[channel] == TOLD_NOTHING;
	return *is_firing ||
	       (alert->told[channel] == TOLD_FIRING && alert->ends_ms && tells_end(channel, alert));
}

static bool is_owed_to_anyone(const struct alerts *a, const struct alert *alert)
{
	bool is_firing;
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		if (is_owed(a, (enum alert_channel)c, alert, &is_firing))
			return true;
	}
	return false;
}

/* What is over and told is forgotten. */
static void sweep(struct alerts *a)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->count; i++) {
		struct alert *alert = &a->items[i];
		if (alert->ends_ms && !is_owed_to_anyone(a, alert)) {
			free(alert->subject);
			a->has_changed = true;
		} else {
			a->items[kept++] = *alert;
		}
	}
	a->count = kept;
}

size_t alerts_count(const struct alerts *a)
{
	return a->count;
}

const struct alert *alerts_at(const struct alerts *a, size_t i)
{
	return &a->items[i];
}

static struct alert *by_id(const struct alerts *a, uint32_t id)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].id == id)
			return &a->items[i];
	}
	return NULL;
}

const struct alert *alerts_by_id(const struct alerts *a, uint32_t id)
{
	return by_id(a, id);
}

size_t alerts_firing(const struct alerts *a, enum alert_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < a->count; i++)
		count += a->items[i].kind == kind && !a->items[i].ends_ms;
	return count;
}

/* One budget and one of those it is for. */
struct held {
	enum budget_period period;
	enum budget_scope scope;
	const char *subject;
};

static bool is_of(const struct alert *alert, const struct held *held)
{
	return alert->kind == ALERT_BUDGET_REACHED && !alert->ends_ms &&
	       alert->period == held->period && alert->scope == held->scope &&
	       strcmp(alert->subject, held->subject) == 0;
}

const struct alert *alerts_step(const struct alerts *a, enum budget_period period,
	enum budget_scope scope, const char *subject)
{
	const struct held held = { period, scope, subject };
	const struct alert *highest = NULL;
	for (size_t i = 0; i < a->count; i++) {
		const struct alert *alert = &a->items[i];
		if (is_of(alert, &held) && (!highest || alert->percent > highest->percent))
			highest = alert;
	}
	return highest;
}

const struct alert *alerts_no_data(const struct alerts *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].kind == ALERT_NO_DATA && !a->items[i].ends_ms)
			return &a->items[i];
	}
	return NULL;
}

/* ---- budgets ---- */

/* Ends what belongs to another period, or to a budget that is no more, and notes for the rest how far each subject
 * had come. */
static void look_at_budgets(struct alerts *a, const struct alerts_facts *facts,
	const int64_t starts_ms[PERIOD_COUNT], unsigned char *had)
{
	size_t subjects = facts->spending ? spending_count(facts->spending) : 0;
	for (size_t i = 0; i < a->count; i++) {
		struct alert *alert = &a->items[i];
		size_t subject;
		if (alert->kind != ALERT_BUDGET_REACHED || alert->ends_ms)
			continue;
		bool has_budget =
			subjects && a->options.budgets.limit_usd[alert->period][alert->scope] > 0;
		if (alert->begins_ms != starts_ms[alert->period]) {
			int64_t until_ms = budget_period_end(alert->period, alert->begins_ms);
			end(a, alert, until_ms < facts->now_ms ? until_ms : facts->now_ms);
		} else if (!has_budget || !spending_find(facts->spending, alert->scope,
						  alert->subject, &subject)) {
			end(a, alert, facts->now_ms);
		} else if (had[alert->period * subjects + subject] < alert->percent) {
			had[alert->period * subjects + subject] = (unsigned char)alert->percent;
		}
	}
}

static bool fires(const struct alerts *a, const struct held *held, int percent)
{
	for (size_t i = 0; i < a->count; i++) {
		if (is_of(&a->items[i], held) && a->items[i].percent == percent)
			return true;
	}
	return false;
}

/* A higher step says more than those below that nobody has been told of. */
static void supersede(struct alerts *a, const struct held *held)
{
	for (size_t i = 0; i < a->count; i++) {
		struct alert *alert = &a->items[i];
		for (unsigned c = 0; is_of(alert, held) && c < CHANNEL_COUNT; c++) {
			if (alert->told[c] == TOLD_NOTHING)
				alert->told[c] = TOLD_ALL;
		}
	}
}

/* The budget was raised, or the ledger lost: steps that are ahead again. The one that still is reached is no news. */
static void step_back(
	struct alerts *a, const struct held *held, const struct alert *now, int64_t now_ms)
{
	for (size_t i = 0; i < a->count; i++) {
		if (is_of(&a->items[i], held) && a->items[i].percent > now->percent)
			end(a, &a->items[i], now_ms);
	}
	if (!now->percent || fires(a, held, now->percent))
		return;
	struct alert *known = alerts_add(a, now, held->subject);
	for (unsigned c = 0; c < CHANNEL_COUNT; c++)
		known->told[c] = TOLD_ALL;
}

static void hold_against(struct alerts *a, const struct alerts_facts *facts,
	const struct held *held, double value_usd, int had)
{
	double limit_usd = a->options.budgets.limit_usd[held->period][held->scope];
	int reached = limit_usd > 0 ? budget_step(value_usd, limit_usd) : had;
	if (reached == had)
		return;
	const struct alert now = {
		.kind = ALERT_BUDGET_REACHED,
		.period = held->period,
		.scope = held->scope,
		.percent = reached,
		.begins_ms = budget_period_start(held->period, facts->now_ms),
		.value_usd = value_usd,
		.limit_usd = limit_usd,
		.since_ms = facts->now_ms,
	};
	if (reached < had) {
		step_back(a, held, &now, facts->now_ms);
		return;
	}
	supersede(a, held);
	alerts_add(a, &now, held->subject);
}

static void evaluate_budgets(struct alerts *a, const struct alerts_facts *facts)
{
	size_t subjects = facts->spending ? spending_count(facts->spending) : 0;
	unsigned char *had = mem_calloc(PERIOD_COUNT * subjects + 1, 1);
	int64_t starts_ms[PERIOD_COUNT];
	for (unsigned p = 0; p < PERIOD_COUNT; p++)
		starts_ms[p] = budget_period_start((enum budget_period)p, facts->now_ms);
	look_at_budgets(a, facts, starts_ms, had);
	for (unsigned p = 0; p < PERIOD_COUNT; p++) {
		for (size_t i = 0; i < subjects; i++) {
			const struct held held = {
				.period = (enum budget_period)p,
				.scope = spending_scope(facts->spending, i),
				.subject = spending_subject(facts->spending, i),
			};
			hold_against(a, facts, &held, spending_of(facts->spending, held.period, i),
				had[p * subjects + i]);
		}
	}
	free(had);
}

/* ---- silence ---- */

static bool is_silent(const struct alerts *a, const struct alerts_facts *facts)
{
	int64_t since_ms;
	return a->options.no_data_after_ms > 0 &&
	       facts->now_ms - facts->watching_since_ms >= GRACE_MS &&
	       activity_silent_since(
		       facts->activity, facts->last_sample_ms, facts->now_ms, &since_ms) &&
	       facts->now_ms - since_ms >= a->options.no_data_after_ms;
}

static void evaluate_silence(struct alerts *a, const struct alerts_facts *facts)
{
	struct alert *firing = NULL;
	for (size_t i = 0; i < a->count && !firing; i++) {
		if (a->items[i].kind == ALERT_NO_DATA && !a->items[i].ends_ms)
			firing = &a->items[i];
	}
	bool has_ended = firing && (facts->last_sample_ms > firing->since_ms ||
					   a->options.no_data_after_ms <= 0);
	if (has_ended)
		end(a, firing, facts->now_ms);
	if (firing || !is_silent(a, facts))
		return;
	const struct alert silence = {
		.kind = ALERT_NO_DATA,
		.since_ms = facts->now_ms,
		.last_sample_ms = facts->last_sample_ms,
	};
	alerts_add(a, &silence, "");
}

void alerts_evaluate(struct alerts *a, const struct alerts_facts *facts)
{
	evaluate_budgets(a, facts);
	evaluate_silence(a, facts);
	sweep(a);
}

/* ---- telling ---- */

bool alerts_next(
	struct alerts *a, enum alert_channel channel, int64_t mono_ms, struct alert_batch *batch)
{
	const struct channel *of = &a->channels[channel];
	size_t max = channel == CHANNEL_COMMAND ? 1 : ALERTS_BATCH_MAX;
	enum alert_kind kind = ALERT_KINDS;
	*batch = (struct alert_batch){ .channel = channel };
	if (of->failures && mono_ms < of->next_mono_ms)
		return false;
	for (size_t i = 0; i < a->count && batch->count < max; i++) {
		const struct alert *alert = &a->items[i];
		bool is_firing;
		if (!is_owed(a, channel, alert, &is_firing))
			continue;
		if (batch->count == 0) {
			kind = alert->kind;
			batch->is_firing = is_firing;
		}
		if (alert->kind == kind && is_firing == batch->is_firing)
			batch->ids[batch->count++] = alert->id;
	}
	return batch->count > 0;
}

static void set_told(struct alerts *a, const struct alert_batch *batch, enum alert_told told)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct alert *alert = by_id(a, batch->ids[i]);
		if (alert)
			alert->told[batch->channel] = told;
	}
	a->has_changed = true;
}

/* Not only the last batch: the others waited behind it as long. */
static void give_up(struct alerts *a, enum alert_channel channel)
{
	bool is_firing;
	for (size_t i = 0; i < a->count; i++) {
		if (is_owed(a, channel, &a->items[i], &is_firing))
			a->items[i].told[channel] = TOLD_ALL;
	}
	a->channels[channel] = (struct channel){ 0 };
	a->has_changed = true;
}

static enum alert_outcome fail(struct alerts *a, const struct alert_batch *batch, int64_t mono_ms)
{
	struct channel *channel = &a->channels[batch->channel];
	if (batch->channel == CHANNEL_COMMAND) {
		set_told(a, batch, TOLD_ALL);
		return OUTCOME_GIVEN_UP;
	}
	if (channel->failures++ == 0)
		channel->first_failure_mono_ms = mono_ms;
	if (mono_ms - channel->first_failure_mono_ms >= GIVE_UP_MS) {
		give_up(a, batch->channel);
		return OUTCOME_GIVEN_UP;
	}
	int64_t wait_ms = RETRY_FIRST_MS;
	for (unsigned i = 1; i < channel->failures && wait_ms < RETRY_MAX_MS; i++)
		wait_ms *= 2;
	channel->next_mono_ms = mono_ms + (wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
	return OUTCOME_FAILED;
}

enum alert_outcome alerts_done(
	struct alerts *a, const struct alert_batch *batch, bool is_ok, int64_t mono_ms)
{
	enum alert_outcome outcome = OUTCOME_OK;
	if (is_ok) {
		a->channels[batch->channel] = (struct channel){ 0 };
		set_told(a, batch, batch->is_firing ? TOLD_FIRING : TOLD_ALL);
	} else {
		outcome = fail(a, batch, mono_ms);
	}
	sweep(a);
	return outcome;
}

bool alerts_has_changed(const struct alerts *a)
{
	return a->has_changed;
}
