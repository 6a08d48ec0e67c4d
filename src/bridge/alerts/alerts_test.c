#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/alerts/alerts.h"
#include "bridge/alerts/alerts_testing.h"
#include "core/mem.h"

#define SECOND_MS INT64_C(1000)

/* A bridge's worth of it, with a clock. */
struct watch {
	struct alerts_options options;
	struct alerts *alerts;
	struct spending *spending;
	struct activity activity;
	int64_t now_ms, last_sample_ms, watching_since_ms;
};

static struct watch *watch_new(const char *zone, const char *now)
{
	struct watch *w = mem_zalloc(sizeof *w);
	testing_zone(zone);
	w->now_ms = testing_at(now);
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 50;
	w->options.has_channel[CHANNEL_WEBHOOK] = true;
	w->alerts = alerts_new(&w->options);
	w->spending = spending_new(ALL_SCOPES, 1000, 1);
	return w;
}

static void watch_free(struct watch *w)
{
	alerts_free(w->alerts);
	spending_free(w->spending);
	free(w);
}

static void evaluate(struct watch *w)
{
	spending_sum(w->spending, w->now_ms);
	const struct alerts_facts facts = {
		.now_ms = w->now_ms,
		.spending = w->spending,
		.activity = &w->activity,
		.last_sample_ms = w->last_sample_ms,
		.watching_since_ms = w->watching_since_ms,
	};
	alerts_evaluate(w->alerts, &facts);
}

static void options_changed(struct watch *w)
{
	AUTO(buf) struct buf saved = BUF_INIT(BUF_UNLIMITED);
	alerts_save(w->alerts, &saved);
	alerts_free(w->alerts);
	w->alerts = alerts_new(&w->options);
	alerts_restore(w->alerts, buf_slice(&saved));
}

/* The process dies and another begins with what was kept last and the ledger's sums. */
static void die_without_saving(struct watch *w, struct slice kept)
{
	alerts_free(w->alerts);
	w->alerts = alerts_new(&w->options);
	alerts_restore(w->alerts, kept);
}

static void at(struct watch *w, const char *now)
{
	w->now_ms = testing_at(now);
	evaluate(w);
}

static void spend(struct watch *w, double usd)
{
	testing_spend(w->spending, w->now_ms, 1, "ada", "core", "opus", usd);
	evaluate(w);
}

/* "80 firing, 50 resolved" of the next notification, which goes well; "" when there is none. */
static char *told(struct watch *w, enum alert_channel channel)
{
	struct alert_batch batch;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (!alerts_next(w->alerts, channel, 0, &batch))
		return mem_strdup("");
	for (size_t i = 0; i < batch.count; i++) {
		const struct alert *alert = alerts_by_id(w->alerts, batch.ids[i]);
		buf_addf(&text, "%s%s%s%d %s", i ? ", " : "", alert->subject,
			*alert->subject ? " " : "", alert->percent,
			batch.is_firing ? "firing" : "resolved");
	}
	assert_int_equal(alerts_done(w->alerts, &batch, true, 0), OUTCOME_OK);
	return buf_detach(&text);
}

static void assert_told(struct watch *w, const char *expected)
{
	AUTO(str) char *text = told(w, CHANNEL_WEBHOOK);
	assert_string_equal(text, expected);
}

static void test_each_step_is_told_once_a_day(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 24.99);
	assert_told(w, "");
	spend(w, 0.01);
	assert_told(w, "50 firing");
	spend(w, 1);
	assert_told(w, "");
	spend(w, 14);
	assert_told(w, "80 firing");
	spend(w, 10);
	assert_told(w, "100 firing");
	spend(w, 100);
	assert_told(w, "");
	assert_int_equal(alerts_firing(w->alerts, ALERT_BUDGET_REACHED), 3);
	watch_free(w);
}

static void test_of_steps_crossed_at_once_the_highest_is_told(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 45);
	assert_told(w, "80 firing");
	assert_told(w, "");
	watch_free(w);
}

static void test_a_step_nobody_was_told_of_gives_way_to_a_higher_one(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 30);
	spend(w, 15);
	assert_told(w, "80 firing");
	assert_told(w, "");
	watch_free(w);
}

static void test_the_day_ends_and_the_next_begins_anew(void **state)
{
	(void)state;

	static const struct {
		const char *zone, *evening, *last, *midnight;
	} nights[] = {
		{ "Europe/Berlin", "2026-11-25T22:00:00+01:00", "2026-11-25T23:59:59+01:00",
			"2026-11-26T00:00:00+01:00" },
		{ "Europe/Berlin", "2026-03-29T22:00:00+02:00", "2026-03-29T23:59:59+02:00",
			"2026-03-30T00:00:00+02:00" },
		{ "Europe/Berlin", "2026-10-25T22:00:00+01:00", "2026-10-25T23:59:59+01:00",
			"2026-10-26T00:00:00+01:00" },
		{ "America/New_York", "2026-11-01T22:00:00-05:00", "2026-11-01T23:59:59-05:00",
			"2026-11-02T00:00:00-05:00" },
	};

	for (size_t i = 0; i < sizeof nights / sizeof *nights; i++) {
		struct watch *w = watch_new(nights[i].zone, nights[i].evening);
		spend(w, 26);
		assert_told(w, "50 firing");
		at(w, nights[i].last);
		assert_told(w, "");
		at(w, nights[i].midnight);
		assert_told(w, "50 resolved");
		assert_told(w, "");
		assert_int_equal(alerts_count(w->alerts), 0);
		spend(w, 25);
		assert_told(w, "50 firing");
		watch_free(w);
	}
}

static void test_week_and_month_have_their_own_ends(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-27T10:00:00+01:00"); /* Friday */
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 0;
	w->options.budgets.limit_usd[PERIOD_WEEK][SCOPE_ALL] = 50;
	w->options.budgets.limit_usd[PERIOD_MONTH][SCOPE_ALL] = 100;
	options_changed(w);
	spend(w, 50); /* the whole week's, half of the month's */
	assert_told(w, "100 firing, 50 firing");
	at(w, "2026-11-29T23:59:59+01:00");
	assert_told(w, "");
	at(w, "2026-11-30T00:00:00+01:00");
	assert_told(w, "100 resolved");
	at(w, "2026-12-01T00:00:00+01:00");
	assert_told(w, "50 resolved");
	watch_free(w);
}

static void test_a_budget_of_each_counts_each_for_itself(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 0;
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_USER] = 10;
	options_changed(w);
	testing_spend(w->spending, w->now_ms, 1, "ada", NULL, NULL, 8);
	testing_spend(w->spending, w->now_ms, 2, "bob", NULL, NULL, 4);
	testing_spend(w->spending, w->now_ms, 3, "eve", NULL, NULL, 5);
	evaluate(w);
	assert_told(w, "ada 80 firing, eve 50 firing");
	assert_null(alerts_step(w->alerts, PERIOD_DAY, SCOPE_USER, "bob"));
	assert_int_equal(alerts_step(w->alerts, PERIOD_DAY, SCOPE_USER, "ada")->percent, 80);
	watch_free(w);
}

static void test_a_death_before_telling_tells_it_afterwards(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 26);
	die_without_saving(w, SLICE_LIT("")); /* crossed, and nothing kept */
	evaluate(w);
	assert_told(w, "50 firing");
	AUTO(buf) struct buf kept = BUF_INIT(BUF_UNLIMITED);
	alerts_save(w->alerts, &kept);
	spend(w, 20);
	die_without_saving(w, buf_slice(&kept)); /* crossed again, and only the first kept */
	evaluate(w);
	assert_told(w, "80 firing");
	watch_free(w);
}

static void test_what_was_told_and_kept_is_not_repeated(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 26);
	assert_true(alerts_has_changed(w->alerts));
	assert_told(w, "50 firing");
	options_changed(w); /* saves and restores */
	evaluate(w);
	assert_told(w, "");
	assert_false(alerts_has_changed(w->alerts));
	at(w, "2026-11-26T09:00:00+01:00"); /* it was down over midnight */
	assert_told(w, "50 resolved");
	watch_free(w);
}

static void test_a_kept_text_that_is_none_is_passed_over(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "[", "{}", "[1, {}]", "[{\"name\": \"Else\"}]",
		"[{\"name\":\"BudgetReached\",\"period\":\"year\",\"scope\":\"all\",\"subject\":"
		"\"\","
		"\"percent\":50,\"begins_ms\":1,\"value_usd\":1,\"limit_usd\":1,\"since_ms\":1,"
		"\"ends_ms\":0,\"last_sample_ms\":0,\"told\":{}}]" };
	struct watch *w = watch_new("UTC", "2026-11-25T10:00:00Z");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		alerts_restore(w->alerts, slice_str(texts[i]));
		assert_int_equal(alerts_count(w->alerts), 0);
	}
	watch_free(w);
}

static void test_a_raised_budget_tells_what_is_reached_anew(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	spend(w, 45);
	assert_told(w, "80 firing");
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 60; /* 75 % */
	options_changed(w);
	evaluate(w);
	assert_told(w, "80 resolved");
	assert_told(w, ""); /* that half is spent is no news */
	assert_int_equal(alerts_step(w->alerts, PERIOD_DAY, SCOPE_ALL, "")->percent, 50);
	spend(w, 3);
	assert_told(w, "80 firing");
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 40;
	options_changed(w);
	evaluate(w);
	assert_told(w, "100 firing");
	watch_free(w);
}

static void test_a_clock_that_is_set_back_finds_its_day_again(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T23:00:00+01:00");
	spend(w, 45);
	at(w, "2026-11-26T00:30:00+01:00");
	at(w, "2026-11-25T23:30:00+01:00");
	assert_int_equal(alerts_step(w->alerts, PERIOD_DAY, SCOPE_ALL, "")->percent, 80);
	watch_free(w);
}

static bool may_try(struct watch *w, int64_t mono_ms, struct alert_batch *batch)
{
	return alerts_next(w->alerts, CHANNEL_WEBHOOK, mono_ms, batch);
}

static void test_a_webhook_that_fails_is_called_again_ever_later(void **state)
{
	(void)state;
	static const int64_t waits_s[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	struct alert_batch batch;
	int64_t mono_ms = 5000;
	spend(w, 26);
	for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
		assert_true(may_try(w, mono_ms, &batch));
		assert_int_equal(alerts_done(w->alerts, &batch, false, mono_ms), OUTCOME_FAILED);
		mono_ms += waits_s[i] * SECOND_MS;
		assert_false(may_try(w, mono_ms - 1, &batch));
	}
	assert_true(may_try(w, mono_ms, &batch));
	assert_int_equal(alerts_done(w->alerts, &batch, true, mono_ms), OUTCOME_OK);
	spend(w, 20); /* and it is well again */
	assert_true(may_try(w, mono_ms, &batch));
	watch_free(w);
}

static void test_after_an_hour_of_failures_it_is_given_up(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	struct alert_batch batch;
	enum alert_outcome outcome = OUTCOME_FAILED;
	unsigned tries = 0;
	int64_t mono_ms = 0;
	spend(w, 26);
	for (; outcome == OUTCOME_FAILED && tries < 1000; mono_ms += 100) {
		if (!may_try(w, mono_ms, &batch))
			continue;
		outcome = alerts_done(w->alerts, &batch, false, mono_ms);
		tries++;
	}
	assert_int_equal(outcome, OUTCOME_GIVEN_UP);
	assert_in_range(mono_ms, HOUR_MS, HOUR_MS + 301 * SECOND_MS);
	assert_in_range(tries, 10, 30);
	assert_false(may_try(w, mono_ms, &batch));
	spend(w, 20); /* what comes later is news */
	assert_told(w, "80 firing");
	at(w, "2026-11-26T00:00:00+01:00"); /* nobody knew of the first */
	assert_told(w, "80 resolved");
	assert_told(w, "");
	watch_free(w);
}

static void test_what_ended_before_it_was_told_is_told_late(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T23:59:00+01:00");
	spend(w, 60);
	at(w, "2026-11-26T00:01:00+01:00");
	assert_told(w, "100 firing");
	assert_told(w, "100 resolved");
	assert_int_equal(alerts_count(w->alerts), 0);
	watch_free(w);
}

static void test_a_command_is_told_one_by_one_and_not_of_a_days_end(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	w->options.has_channel[CHANNEL_WEBHOOK] = false;
	w->options.has_channel[CHANNEL_COMMAND] = true;
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_USER] = 20;
	options_changed(w);
	spend(w, 26);
	AUTO(str) char *first = told(w, CHANNEL_COMMAND);
	AUTO(str) char *second = told(w, CHANNEL_COMMAND);
	assert_string_equal(first, "50 firing");
	assert_string_equal(second, "ada 100 firing");
	at(w, "2026-11-26T00:00:00+01:00");
	AUTO(str) char *third = told(w, CHANNEL_COMMAND);
	assert_string_equal(third, "");
	assert_int_equal(alerts_count(w->alerts), 0);
	watch_free(w);
}

static void test_a_command_that_fails_is_not_run_again(void **state)
{
	(void)state;
	struct watch *w = watch_new("Europe/Berlin", "2026-11-25T10:00:00+01:00");
	struct alert_batch batch;
	w->options.has_channel[CHANNEL_COMMAND] = true;
	options_changed(w);
	spend(w, 26);
	assert_true(alerts_next(w->alerts, CHANNEL_COMMAND, 0, &batch));
	assert_int_equal(alerts_done(w->alerts, &batch, false, 0), OUTCOME_GIVEN_UP);
	assert_false(alerts_next(w->alerts, CHANNEL_COMMAND, HOUR_MS, &batch));
	assert_told(w, "50 firing"); /* the other channel is its own */
	watch_free(w);
}

static struct watch *quiet_watch(void)
{
	struct watch *w = watch_new("Europe/Berlin", "2026-11-23T09:00:00+01:00"); /* a Monday */
	w->options.no_data_after_ms = 4 * HOUR_MS;
	w->options.has_channel[CHANNEL_COMMAND] = true;
	options_changed(w);
	activity_add(&w->activity, (uint32_t)(testing_at("2026-11-16T09:00:00+01:00") / MINUTE_MS));
	w->last_sample_ms = testing_at("2026-11-20T18:00:00+01:00");
	return w;
}

static void test_silence_fires_and_ends_with_the_next_sample(void **state)
{
	(void)state;
	struct watch *w = quiet_watch();
	at(w, "2026-11-23T12:59:00+01:00");
	assert_null(alerts_no_data(w->alerts));
	at(w, "2026-11-23T13:00:00+01:00");
	assert_int_equal(alerts_no_data(w->alerts)->since_ms, w->now_ms);
	AUTO(str) char *firing = told(w, CHANNEL_COMMAND);
	assert_string_equal(firing, "0 firing");
	at(w, "2026-11-24T13:00:00+01:00"); /* no Tuesday was active, and nothing has come */
	assert_non_null(alerts_no_data(w->alerts));
	w->last_sample_ms = w->now_ms;
	evaluate(w);
	assert_null(alerts_no_data(w->alerts));
	AUTO(str) char *resolved = told(w, CHANNEL_COMMAND);
	assert_string_equal(resolved, "0 resolved");
	watch_free(w);
}

static void test_silence_survives_a_restart_and_is_told_once(void **state)
{
	(void)state;
	struct watch *w = quiet_watch();
	at(w, "2026-11-23T14:00:00+01:00");
	assert_told(w, "0 firing");
	options_changed(w);
	at(w, "2026-11-23T15:00:00+01:00");
	assert_non_null(alerts_no_data(w->alerts));
	assert_told(w, "");
	watch_free(w);
}

static void test_a_bridge_that_has_just_begun_waits_for_clients(void **state)
{
	(void)state;
	struct watch *w = quiet_watch();
	w->watching_since_ms = testing_at("2026-11-23T14:00:00+01:00");
	at(w, "2026-11-23T14:04:59+01:00");
	assert_null(alerts_no_data(w->alerts));
	at(w, "2026-11-23T14:05:00+01:00");
	assert_non_null(alerts_no_data(w->alerts));
	watch_free(w);
}

static void test_more_than_a_batch_holds_comes_in_several(void **state)
{
	(void)state;
	struct watch *w = watch_new("UTC", "2026-11-25T10:00:00Z");
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 0;
	w->options.budgets.limit_usd[PERIOD_DAY][SCOPE_USER] = 1;
	options_changed(w);
	for (uint32_t i = 0; i < ALERTS_BATCH_MAX + 10; i++) {
		AUTO(str) char *name = mem_printf("user-%u", i);
		testing_spend(w->spending, w->now_ms, i + 1, name, NULL, NULL, 1);
	}
	evaluate(w);
	struct alert_batch batch;
	assert_true(may_try(w, 0, &batch));
	assert_int_equal(batch.count, ALERTS_BATCH_MAX);
	assert_int_equal(alerts_done(w->alerts, &batch, true, 0), OUTCOME_OK);
	assert_true(may_try(w, 0, &batch));
	assert_int_equal(batch.count, 10);
	watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_step_is_told_once_a_day),
		cmocka_unit_test(test_of_steps_crossed_at_once_the_highest_is_told),
		cmocka_unit_test(test_a_step_nobody_was_told_of_gives_way_to_a_higher_one),
		cmocka_unit_test(test_the_day_ends_and_the_next_begins_anew),
		cmocka_unit_test(test_week_and_month_have_their_own_ends),
		cmocka_unit_test(test_a_budget_of_each_counts_each_for_itself),
		cmocka_unit_test(test_a_death_before_telling_tells_it_afterwards),
		cmocka_unit_test(test_what_was_told_and_kept_is_not_repeated),
		cmocka_unit_test(test_a_kept_text_that_is_none_is_passed_over),
		cmocka_unit_test(test_a_raised_budget_tells_what_is_reached_anew),
		cmocka_unit_test(test_a_clock_that_is_set_back_finds_its_day_again),
		cmocka_unit_test(test_a_webhook_that_fails_is_called_again_ever_later),
		cmocka_unit_test(test_after_an_hour_of_failures_it_is_given_up),
		cmocka_unit_test(test_what_ended_before_it_was_told_is_told_late),
		cmocka_unit_test(test_a_command_is_told_one_by_one_and_not_of_a_days_end),
		cmocka_unit_test(test_a_command_that_fails_is_not_run_again),
		cmocka_unit_test(test_silence_fires_and_ends_with_the_next_sample),
		cmocka_unit_test(test_silence_survives_a_restart_and_is_told_once),
		cmocka_unit_test(test_a_bridge_that_has_just_begun_waits_for_clients),
		cmocka_unit_test(test_more_than_a_batch_holds_comes_in_several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
