#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/alerts/alerts_testing.h"
#include "bridge/alerts/message.h"
#include "core/mem.h"

static char all[] = "", ada[] = "ada@example.com", bob[] = "bob\n\"q\"@example.com";

static struct alert reached(enum budget_scope scope, char *subject, int percent)
{
	return (struct alert){
		.kind = ALERT_BUDGET_REACHED,
		.period = PERIOD_DAY,
		.scope = scope,
		.subject = subject,
		.percent = percent,
		.begins_ms = testing_at("2026-11-25T00:00:00+01:00"),
		.value_usd = 41.2,
		.limit_usd = 50,
		.since_ms = testing_at("2026-11-25T16:30:00+01:00"),
	};
}

static struct message_facts facts(void)
{
	return (struct message_facts){
		.now_ms = testing_at("2026-11-25T16:31:00+01:00"),
		.no_data_after_ms = 8 * HOUR_MS,
		.url = "http://127.0.0.1:13133/alerts",
	};
}

static json_t *webhook(const struct alert *const *alerts, size_t count, bool is_firing)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct message_facts of = facts();
	message_webhook(&text, alerts, count, is_firing, &of);
	json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
	assert_non_null(json);
	return json;
}

/* "alerts.0.labels.percent" */
static void assert_text(const json_t *json, const char *path, const char *expected)
{
	char word[64];
	while (*path) {
		size_t len = strcspn(path, ".");
		snprintf(word, sizeof word, "%.*s", (int)len, path);
		path += len + (path[len] == '.');
		json = json_is_array(json) ? json_array_get(json, (size_t)(word[0] - '0'))
					   : json_object_get(json, word);
	}
	if (!json_is_string(json))
		fail_msg("no text where \"%s\" was expected", expected);
	assert_string_equal(json_string_value(json), expected);
}

static void test_the_webhook_gets_what_alertmanager_sends(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	const struct alert alert = reached(SCOPE_ALL, all, 80);
	const struct alert *const list[] = { &alert };
	json_t *json = webhook(list, 1, true);
	static const char *const rows[][2] = {
		{ "version", "4" },
		{ "status", "firing" },
		{ "receiver", "cctm" },
		{ "groupKey", "{}:{alertname=\"BudgetReached\"}" },
		{ "groupLabels.alertname", "BudgetReached" },
		{ "commonLabels.percent", "80" },
		{ "externalURL", "http://127.0.0.1:13133/alerts" },
		{ "alerts.0.status", "firing" },
		{ "alerts.0.labels.alertname", "BudgetReached" },
		{ "alerts.0.labels.period", "day" },
		{ "alerts.0.labels.scope", "all" },
		{ "alerts.0.labels.subject", "" },
		{ "alerts.0.labels.percent", "80" },
		{ "alerts.0.labels.severity", "warning" },
		{ "alerts.0.annotations.summary", "80 % of the daily budget is spent" },
		{ "alerts.0.annotations.description",
			"$41.20 of $50.00 since 2026-11-25T00:00:00+01:00." },
		{ "alerts.0.startsAt", "2026-11-25T16:30:00+01:00" },
		{ "alerts.0.endsAt", "0001-01-01T00:00:00Z" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_text(json, rows[i][0], rows[i][1]);
	assert_int_equal(json_integer_value(json_object_get(json, "truncatedAlerts")), 0);
	json_decref(json);
}

static void test_what_several_have_in_common_is_said_once(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct alert first = reached(SCOPE_USER, ada, 100), second = reached(SCOPE_USER, bob, 100);
	first.ends_ms = second.ends_ms = testing_at("2026-11-26T00:00:00+01:00");
	const struct alert *const list[] = { &first, &second };
	json_t *json = webhook(list, 2, false);
	assert_text(json, "status", "resolved");
	assert_text(json, "commonLabels.severity", "critical");
	assert_null(json_object_get(json_object_get(json, "commonLabels"), "subject"));
	assert_text(json, "alerts.0.labels.subject", ada);
	assert_text(json, "alerts.1.labels.subject", bob);
	assert_text(json, "alerts.1.endsAt", "2026-11-26T00:00:00+01:00");
	assert_text(json, "alerts.0.annotations.summary",
		"ada@example.com has spent 100 % of a user's daily budget");
	json_decref(json);
}

static char *fingerprint(const struct alert *alert, bool is_firing)
{
	json_t *json = webhook(&alert, 1, is_firing);
	const json_t *one = json_array_get(json_object_get(json, "alerts"), 0);
	const char *text = json_string_value(json_object_get(one, "fingerprint"));
	assert_int_equal(strlen(text), 16);
	char *copy = mem_strdup(text);
	json_decref(json);
	return copy;
}

static void test_an_alert_has_one_fingerprint_from_beginning_to_end(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct alert alert = reached(SCOPE_USER, ada, 80);
	const struct alert other = reached(SCOPE_USER, bob, 80);
	AUTO(str) char *begun = fingerprint(&alert, true);
	alert.value_usd = 60;
	alert.ends_ms = alert.since_ms + HOUR_MS;
	AUTO(str) char *ended = fingerprint(&alert, false);
	AUTO(str) char *others = fingerprint(&other, true);
	assert_string_equal(begun, ended);
	assert_string_not_equal(begun, others);
}

static const char *variable(char **environment, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; environment[i]; i++) {
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	}
	return "(not set)";
}

static void test_the_command_finds_it_in_its_environment_and_reads_it(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	const struct alert alert = reached(SCOPE_USER, bob, 50);
	struct message_facts of = facts();
	char **environment = message_environment(&alert, true, &of);
	assert_string_equal(variable(environment, "CCTM_ALERT_NAME"), "BudgetReached");
	assert_string_equal(variable(environment, "CCTM_ALERT_STATUS"), "firing");
	assert_string_equal(variable(environment, "CCTM_ALERT_SUBJECT"), bob);
	assert_string_equal(variable(environment, "CCTM_ALERT_PERCENT"), "50");
	assert_string_equal(variable(environment, "CCTM_ALERT_SEVERITY"), "info");
	assert_string_equal(variable(environment, "CCTM_ALERT_VALUE_USD"), "41.200000");
	message_free_environment(environment);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	message_command(&text, &alert, true, &of);
	json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
	assert_text(json, "labels.subject", bob);
	assert_near(json_real_value(json_object_get(json, "value_usd")), 41.2, 0);
	json_decref(json);
}

static void test_silence_and_tests_have_no_amounts(void **state)
{
	(void)state;
	testing_zone("UTC");
	const struct alert silence = { .kind = ALERT_NO_DATA,
		.subject = all,
		.since_ms = testing_at("2026-11-25T16:30:00Z"),
		.last_sample_ms = testing_at("2026-11-25T08:30:00Z") };
	struct message_facts of = facts();
	const struct alert *const rows[] = { &silence, NULL };
	for (size_t i = 0; i < 2; i++) {
		json_t *json = webhook(&rows[i], 1, true);
		assert_text(json, "alerts.0.labels.alertname", i ? "Test" : "NoData");
		if (i == 0)
			assert_text(json, "alerts.0.annotations.summary",
				"no data from Claude Code for 8h");
		else /* nobody has to end it */
			assert_text(json, "alerts.0.endsAt", "2026-11-25T15:36:00Z");
		json_decref(json);
		char **environment = message_environment(rows[i], true, &of);
		assert_string_equal(variable(environment, "CCTM_ALERT_VALUE_USD"), "");
		message_free_environment(environment);
	}
}

static void test_the_list_has_a_row_for_each_who_spent(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct alerts_options options = { .no_data_after_ms = HOUR_MS };
	options.budgets.limit_usd[PERIOD_DAY][SCOPE_ALL] = 50;
	options.budgets.limit_usd[PERIOD_WEEK][SCOPE_USER] = 10;
	struct alerts *alerts = alerts_new(&options);
	struct spending *spending = spending_new(ALL_SCOPES, 10, 1);
	struct activity activity = { 0 };
	int64_t now_ms = testing_at("2026-11-25T16:30:00Z");
	testing_spend(spending, now_ms, 1, "ada", NULL, NULL, 9.1);
	spending_sum(spending, now_ms);
	const struct alerts_facts now = {
		.now_ms = now_ms, .spending = spending, .activity = &activity
	};
	alerts_evaluate(alerts, &now);
	json_t *list = message_list(alerts, &options, spending);
	assert_int_equal(json_array_size(list), 3);
	assert_text(list, "0.state", "inactive");
	assert_text(list, "1.scope", "user");
	assert_text(list, "1.subject", "ada");
	assert_text(list, "1.state", "firing");
	assert_text(list, "1.since", "2026-11-25T16:30:00Z");
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(list, 1), "percent")), 80);
	assert_text(list, "2.name", "NoData");
	static const char *const none[] = { "since", "percent", "value_usd", "limit_usd" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_true(json_is_null(json_object_get(json_array_get(list, 2), none[i])));
	json_decref(list);
	alerts_free(alerts);
	spending_free(spending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_webhook_gets_what_alertmanager_sends),
		cmocka_unit_test(test_what_several_have_in_common_is_said_once),
		cmocka_unit_test(test_an_alert_has_one_fingerprint_from_beginning_to_end),
		cmocka_unit_test(test_the_command_finds_it_in_its_environment_and_reads_it),
		cmocka_unit_test(test_silence_and_tests_have_no_amounts),
		cmocka_unit_test(test_the_list_has_a_row_for_each_who_spent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
