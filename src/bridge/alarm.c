/* Budgets and silence: watched in the loop, told by a courier.
 *
 * What is spent is kept by bridge/alerts/spending from the ledger's minutes at the start and from every addition that
 * is applied, live and replayed, so it is exact whenever the bridge dies. Which alerts fire and who was told of them is
 * a state in the journal (OP_STATE), as durable as the data itself and noted only *after* a notification went out.
 *
 * The loop looks once a second at most, and hands one notification at a time to the courier's thread; nothing here
 * waits. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bridge/alarm_internal.h"
#include "bridge/alerts/message.h"
#include "bridge/ledger/ledger.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/zone.h"

#define STATE_ALERTS	 "alerts"
#define ACTIVITY_METRICS "claude_code." /* the beginning of their names */
/* Users, teams and models that spent something of late; their days take 2 MiB when all of them spend on each. */
#define SUBJECTS_MAX  ((size_t)2000)
#define LOOK_MS	      INT64_C(1000) /* after something was spent */
#define IDLE_LOOK_MS  INT64_C(5000) /* otherwise: periods end */
#define KEEP_RETRY_MS INT64_C(5000)
#define GAP_MS	      INT64_C(60000) /* the machine slept, or its clock was set */
#define MINUTE_MS     INT64_C(60000)

/* The program that posts has its own time for a request (10 s); the whole must stay below TEST_MS. */
#define WEBHOOK_MS INT64_C(12000)
#define COMMAND_MS INT64_C(30000)
#define TEST_MS	   INT64_C(45000)

/* ---- what is counted ---- */

static bool is_spending(const char *metric, enum series_kind kind, uint32_t part)
{
	return part == 0 && kind == SERIES_COUNTER && strcmp(metric, SPENDING_METRIC) == 0;
}

/* Not cctm's own samples, which 'cctm up', 'restart' and 'probe' send to see whether they come through. */
static bool is_activity(const struct alarm *a, const struct series *series)
{
	return a->minds_silence && str_has_prefix(series->family->metric, ACTIVITY_METRICS);
}

static void add_spent(struct alarm *a, const struct ingest_added *added)
{
	const struct series *series = added->series;
	if (!a->spending || !is_spending(series->family->metric, series->family->kind, added->part))
		return;
	a->has_spent = true;
	spending_add(a->spending, added->minute, series->id, series->pairs, series->pair_count,
		added->amount);
}

static void on_added(void *ctx, const struct ingest_added *added)
{
	struct alarm *a = ctx;
	if (is_activity(a, added->series)) {
		activity_add(&a->activity, added->minute);
		if (added->arrived_ms > a->last_data_ms)
			a->last_data_ms = added->arrived_ms;
	}
	add_spent(a, added);
}

struct loading {
	struct alarm *alarm;
	const struct store *store;
};

static void load_amount(void *ctx, uint32_t minute, uint32_t id, double amount)
{
	const struct loading *loading = ctx;
	const struct series *series = store_by_id(loading->store, id);
	const struct ingest_added added = { minute, series, 0, amount, 0 };
	if (series)
		add_spent(loading->alarm, &added);
}

/* For each day of the last four weeks its first sample, and the last of all. */
static bool load_activity(struct alarm *a, struct ledger *ledger, int64_t now_ms, struct error *err)
{
	uint32_t last;
	for (int day = -7 * ACTIVITY_WEEKS; day <= 0; day++) {
		uint32_t since = (uint32_t)(zone_day(now_ms, day) / MINUTE_MS);
		uint32_t until = (uint32_t)(zone_day(now_ms, day + 1) / MINUTE_MS), first;
		if (!ledger_first_minute(ledger, ACTIVITY_METRICS, since, until, &first, err))
			return false;
		if (first)
			activity_add(&a->activity, first);
	}
	if (!ledger_last_minute(ledger, ACTIVITY_METRICS, &last, err))
		return false;
	if (last)
		activity_add(&a->activity, last);
	return true;
}

static bool load(struct daemon *d, struct ledger *ledger, struct error *err)
{
	struct alarm *a = d->alarm;
	int64_t now_ms = clock_wall_ms();
	struct loading loading = { a, ingest_store(d->ingest) };
	return (!a->spending || ledger_amounts(ledger, SPENDING_METRIC, spending_since(now_ms),
					load_amount, &loading, err)) &&
	       (!a->minds_silence || load_activity(a, ledger, now_ms, err));
}

/* ---- life ---- */

static char *url_of(const struct daemon *d)
{
	const struct bridge_options *o = d->options;
	bool is_any = strcmp(o->bind, "0.0.0.0") == 0 || strcmp(o->bind, "::") == 0;
	bool is_v6 = strchr(o->bind, ':') != NULL && !is_any;
	return mem_printf("http://%s%s%s:%u/alerts", is_v6 ? "[" : "",
		is_any ? "localhost" : o->bind, is_v6 ? "]" : "",
		serve_port(d->serve, DOOR_HEALTH));
}

static struct alarm *alarm_new(const struct bridge_options *o, uint64_t seed)
{
	struct alarm *a = mem_zalloc(sizeof *a);
	bool scopes[SCOPE_COUNT];
	a->argv[CHANNEL_WEBHOOK] = o->webhook;
	a->argv[CHANNEL_COMMAND] = o->command;
	a->options.budgets = o->budgets;
	a->options.no_data_after_ms = o->no_data_after_ms;
	a->minds_silence = o->no_data_after_ms > 0;
	for (unsigned c = 0; c < CHANNEL_COUNT; c++)
		a->options.has_channel[c] = a->argv[c] != NULL;
	for (unsigned s = 0; s < SCOPE_COUNT; s++)
		scopes[s] = budgets_has_scope(&o->budgets, (enum budget_scope)s);
	if (budgets_any(&o->budgets))
		a->spending = spending_new(scopes, SUBJECTS_MAX, seed);
	a->alerts = alerts_new(&a->options);
	a->courier = courier_new();
	a->seen_ms = a->watching_since_ms = clock_wall_ms();
	return a;
}

bool daemon_open_alarm(struct daemon *d, struct ledger *ledger, uint64_t seed, struct error *err)
{
	const struct bridge_options *o = d->options;
	if (!budgets_any(&o->budgets) && o->no_data_after_ms <= 0 && !o->webhook && !o->command)
		return true;
	d->alarm = alarm_new(o, seed);
	if (!load(d, ledger, err))
		return error_wrap(err, "add up what was spent");
	if (d->alarm->spending || d->alarm->minds_silence)
		ingest_watch(d->ingest, on_added, d->alarm);
	return true;
}

void daemon_begin_alarm(struct daemon *d)
{
	size_t len;
	const char *saved = ingest_state(d->ingest, STATE_ALERTS, &len);
	if (d->alarm && saved)
		alerts_restore(d->alarm->alerts, slice_of(saved, len));
}

/* Keeps what fires and who was told. False: the journal cannot be written; later. */
static bool keep(struct daemon *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	alerts_save(d->alarm->alerts, &text);
	ingest_prepare_state(d->ingest, clock_wall_ms(), STATE_ALERTS, buf_slice(&text));
	if (!daemon_note(d, &err))
		return false;
	alerts_kept(d->alarm->alerts);
	return true;
}

/* ---- looking ---- */

/* Neither the machine's sleep nor a clock that was set is a client's silence. */
static void mind_gap(struct alarm *a, int64_t now_ms)
{
	if (now_ms < a->seen_ms || now_ms - a->seen_ms > GAP_MS)
		a->watching_since_ms = now_ms;
	a->seen_ms = now_ms;
}

static int64_t last_sample_ms(const struct daemon *d, int64_t now_ms)
{
	const struct alarm *a = d->alarm;
	int64_t last_ms = a->last_data_ms;
	int64_t minute_end_ms =
		a->activity.last_minute ? (a->activity.last_minute + 1) * MINUTE_MS - 1 : 0;
	if (minute_end_ms > last_ms)
		last_ms = minute_end_ms;
	return last_ms > now_ms ? now_ms : last_ms;
}

void alarm_look(struct daemon *d, int64_t mono_ms)
{
	struct alarm *a = d->alarm;
	int64_t now_ms = clock_wall_ms();
	a->has_spent = false;
	a->looked_mono_ms = mono_ms;
	mind_gap(a, now_ms);
	if (a->spending)
		spending_sum(a->spending, now_ms);
	const struct alerts_facts facts = {
		.now_ms = now_ms,
		.spending = a->spending,
		.activity = &a->activity,
		.last_sample_ms = last_sample_ms(d, now_ms),
		.watching_since_ms = a->watching_since_ms,
	};
	alerts_evaluate(a->alerts, &facts);
}

/* ---- telling ---- */

static struct message_facts message_facts(const struct alarm *a)
{
	return (struct message_facts){
		.now_ms = clock_wall_ms(),
		.no_data_after_ms = a->options.no_data_after_ms,
		.url = a->url,
	};
}

/* `alerts` of count 1 and NULL: the test. */
static void give(struct alarm *a, enum alert_channel channel, const struct alert *const *alerts,
	size_t count, bool is_firing)
{
	struct message_facts facts = message_facts(a);
	struct courier_job job = { .argv = a->argv[channel], .input = BUF_INIT(BUF_UNLIMITED) };
	switch (channel) {
	case CHANNEL_COMMAND:
		message_command(&job.input, alerts[0], is_firing, &facts);
		job.environment = message_environment(alerts[0], is_firing, &facts);
		job.deadline_ms = COMMAND_MS;
		break;
	case CHANNEL_WEBHOOK:
	case CHANNEL_COUNT:
		message_webhook(&job.input, alerts, count, is_firing, &facts);
		job.deadline_ms = WEBHOOK_MS;
		job.is_own = true;
		break;
	}
	a->under_way = channel;
	courier_give(a->courier, &job);
}

static bool give_test(struct alarm *a)
{
	static const struct alert *const test[] = { NULL };
	for (unsigned c = 0; a->test.exchange && c < CHANNEL_COUNT; c++) {
		if (!a->argv[c] || a->test.results[c].is_done)
			continue;
		a->purpose = FOR_TEST;
		give(a, (enum alert_channel)c, test, 1, true);
		return true;
	}
	return false;
}

static void give_next(struct alarm *a, int64_t mono_ms)
{
	const struct alert *alerts[ALERTS_BATCH_MAX];
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		if (!alerts_next(a->alerts, (enum alert_channel)c, mono_ms, &a->batch))
			continue;
		for (size_t i = 0; i < a->batch.count; i++)
			alerts[i] = alerts_by_id(a->alerts, a->batch.ids[i]);
		a->purpose = FOR_ALERTS;
		give(a, (enum alert_channel)c, alerts, a->batch.count, a->batch.is_firing);
		return;
	}
}

static void note_last(struct alarm *a, const struct courier_result *result)
{
	free(a->last.error);
	a->last = (struct alarm_last){
		.at_ms = clock_wall_ms(),
		.channel = a->under_way,
		.is_ok = result->is_ok,
		.error = result->error ? mem_strdup(result->error) : NULL,
	};
}

static void tell_failure(enum alert_channel channel, enum alert_outcome outcome, const char *error)
{
	if (outcome == OUTCOME_GIVEN_UP)
		log_warning("nobody was told of an alert by %s: %s", alert_channel_name(channel),
			error);
	else
		log_warning("an alert could not be told by %s, it is tried again: %s",
			alert_channel_name(channel), error);
}

static void take_test_result(struct alarm *a, struct courier_result *result)
{
	struct test_result *of = &a->test.results[a->under_way];
	of->is_done = true;
	of->is_ok = result->is_ok;
	of->error = TAKE(result->error);
}

static void take_alerts_result(
	struct alarm *a, const struct courier_result *result, int64_t mono_ms)
{
	enum alert_outcome outcome = alerts_done(a->alerts, &a->batch, result->is_ok, mono_ms);
	a->outcomes[a->under_way][outcome]++;
	if (outcome != OUTCOME_OK)
		tell_failure(a->under_way, outcome, result->error);
}

static void take_result(struct daemon *d, int64_t mono_ms)
{
	struct alarm *a = d->alarm;
	struct courier_result result = { 0 };
	if (!courier_take(a->courier, &result))
		return;
	if (d->is_stopping &&
		!result.is_ok) { /* it was ended by us: the next start tells it again */
		courier_result_clear(&result);
		return;
	}
	note_last(a, &result);
	if (a->under_way == CHANNEL_COMMAND && result.said && *result.said)
		log_info("the command for alerts says: %s", result.said);
	switch (a->purpose) {
	case FOR_ALERTS:
		take_alerts_result(a, &result, mono_ms);
		break;
	case FOR_TEST:
		take_test_result(a, &result);
		break;
	case FOR_NOBODY:
		break;
	}
	courier_result_clear(&result);
}

/* ---- a test ---- */

static void reply_json(struct serve_exchange *x, int status, json_t *json)
{
	struct serve_page page = {
		.status = status,
		.content_type = "application/json",
		.body = BUF_INIT(BUF_UNLIMITED),
	};
	char *text = json_dumps(json, JSON_INDENT(2));
	buf_adds(&page.body, text ? text : "{}");
	buf_addc(&page.body, '\n');
	free(text);
	json_decref(json);
	serve_reply_page(x, &page);
}

static void refuse(struct serve_exchange *x, int status, const char *why)
{
	reply_json(x, status, json_pack("{s:b, s:[], s:s}", "ok", 0, "channels", "error", why));
}

static bool is_test_done(const struct alarm *a)
{
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		if (a->argv[c] && !a->test.results[c].is_done)
			return false;
	}
	return true;
}

static json_t *result_json(enum alert_channel channel, const struct test_result *result)
{
	const char *error = result->is_done ? result->error : "it did not end in time";
	json_t *text = error ? json_string(error) : json_null();
	return json_pack("{s:s, s:b, s:o}", "channel", alert_channel_name(channel), "ok",
		result->is_done && result->is_ok, "error", text ? text : json_null());
}

static void answer_test(struct alarm *a)
{
	bool is_ok = false, has_failed = false;
	json_t *channels = json_array();
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		struct test_result *result = &a->test.results[c];
		if (!a->argv[c])
			continue;
		json_array_append_new(channels, result_json((enum alert_channel)c, result));
		is_ok = true;
		has_failed = has_failed || !result->is_done || !result->is_ok;
		free(result->error);
		*result = (struct test_result){ 0 };
	}
	if (a->purpose == FOR_TEST)
		a->purpose = FOR_NOBODY;
	reply_json(TAKE(a->test.exchange), 200,
		json_pack("{s:b, s:o}", "ok", is_ok && !has_failed, "channels", channels));
}

/* It makes a program run, so it is for people at this machine: not for a web page that they look at (a browser names
 * its origin with every POST), and not for others. */
void daemon_action(void *ctx, struct serve_exchange *x, const struct serve_action *action)
{
	struct daemon *d = ctx;
	struct alarm *a = d->alarm;
	if (action->has_origin)
		refuse(x, 403, "this is not for web pages");
	else if (!action->is_local)
		refuse(x, 403, "only a program on the bridge's own machine may ask for a test");
	else if (d->is_stopping)
		refuse(x, 503, "the bridge is stopping");
	else if (!a || (!a->argv[CHANNEL_WEBHOOK] && !a->argv[CHANNEL_COMMAND]))
		reply_json(x, 200, json_pack("{s:b, s:[]}", "ok", 0, "channels"));
	else if (a->test.exchange)
		refuse(x, 429, "a test is under way");
	else
		a->test = (struct alarm_test){ .exchange = x, .begun_mono_ms = clock_mono_ms() };
}

/* ---- in the loop ---- */

void daemon_mind_alarm(struct daemon *d, int64_t mono_ms)
{
	struct alarm *a = d->alarm;
	if (!a)
		return;
	if (!a->url)
		a->url = url_of(d);
	if (mono_ms - a->looked_mono_ms >= (a->has_spent ? LOOK_MS : IDLE_LOOK_MS))
		alarm_look(d, mono_ms);
	if (courier_is_busy(a->courier))
		take_result(d, mono_ms);
	if (a->test.exchange && (is_test_done(a) || mono_ms - a->test.begun_mono_ms >= TEST_MS))
		answer_test(a);
	if (!courier_is_busy(a->courier) && !d->is_stopping && !give_test(a))
		give_next(a, mono_ms);
	if (alerts_has_changed(a->alerts) && mono_ms - a->kept_mono_ms >= KEEP_RETRY_MS)
		a->kept_mono_ms = keep(d) ? 0 : mono_ms;
}

void daemon_stop_alarm(struct daemon *d)
{
	struct alarm *a = d->alarm;
	if (!a)
		return;
	courier_cancel(a->courier);
	if (a->test.exchange)
		answer_test(a);
}

void daemon_close_alarm(struct daemon *d)
{
	struct alarm *a = d->alarm;
	if (!a)
		return;
	courier_free(a->courier);
	if (d->journal && d->keeper && alerts_has_changed(a->alerts) && !keep(d))
		log_warning("alerts may be told once more: the journal could not be written");
	ingest_watch(d->ingest, NULL, NULL);
	alerts_free(a->alerts);
	spending_free(a->spending);
	for (unsigned c = 0; c < CHANNEL_COUNT; c++)
		free(a->test.results[c].error);
	free(a->last.error);
	free(a->url);
	free(a);
	d->alarm = NULL;
}
