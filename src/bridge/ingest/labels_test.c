/* The label policy, seen from the series it makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/ingest_testing.h"

/* The labels of the only series that a point of these attributes makes. */
struct labeled {
	struct bench bench;
	const char *labels;
};

static void label(struct labeled *l, const char *resource, const char *point)
{
	bench_open(&l->bench);
	metrics_begin(&l->bench.body);
	resource_begin(&l->bench.body, resource, OTHER_SCOPE);
	put_sum(&l->bench.body, &(struct sum){ .attributes = point, .value = 1 });
	resource_end(&l->bench.body);
	metrics_end(&l->bench.body);
	assert_true(bench_take(&l->bench, OTLP_METRICS));
	const struct family *f = store_family(ingest_store(l->bench.ing), "x_total", 7);
	assert_non_null(f);
	assert_int_equal(f->series_count, 1);
	l->labels = f->series[0]->labels;
}

static void assert_labels(const char *resource, const char *point, const char *labels)
{
	struct labeled l;
	label(&l, resource, point);
	assert_string_equal(l.labels, labels);
	bench_close(&l.bench);
}

static void test_point_attributes_become_labels_sorted_by_name(void **state)
{
	(void)state;
	assert_labels(
		"", S("type", "input") "," S("model", "opus"), "model=\"opus\",type=\"input\"");
	assert_labels("",
		I("count", 5) "," N("ratio", "0.5") ",{\"key\":\"yes\",\"value\":"
						    "{\"boolValue\":true}}",
		"count=\"5\",ratio=\"0.5\",yes=\"true\"");
}

static void test_what_the_user_set_on_the_resource_becomes_a_label(void **state)
{
	(void)state;
	assert_labels(S("team", "red") "," S("cost.center", "7"), S("model", "opus"),
		"cost_center=\"7\",model=\"opus\",team=\"red\"");
}

static void test_a_point_attribute_wins_over_the_resource(void **state)
{
	(void)state;
	assert_labels(S("model", "evil") "," S("type", "evil"), S("model", "opus"),
		"model=\"opus\",type=\"evil\"");
}

static void test_what_sdks_set_by_themselves_is_no_label(void **state)
{
	(void)state;
	assert_labels(S("host.arch", "amd64") "," S("os.type", "linux") "," S("service.version",
			      "2") "," S("telemetry.sdk.name", "x") "," S("process.pid", "1"),
		"", "");
}

static void test_service_is_job_and_instance(void **state)
{
	(void)state;
	assert_labels(S("service.name", "claude-code") "," S("service.instance.id", "i-1"), "",
		"instance=\"i-1\",job=\"claude-code\"");
	assert_labels(S("service.name", "claude-code") "," S("service.namespace", "red"),
		S("a.b", "1") "," S("a_b", "2"), "a_b=\"1;2\",job=\"red/claude-code\"");
}

static void test_reserved_names_get_exported_in_front(void **state)
{
	(void)state;
	assert_labels(S("service.name", "claude-code") "," S("instance", "r"),
		S("job", "a") "," S("start", "b") "," S("le", "c") "," S("quantile", "d"),
		"exported_instance=\"r\",exported_job=\"a\",exported_le=\"c\","
		"exported_quantile=\"d\",exported_start=\"b\",job=\"claude-code\"");
}

static void test_keys_of_one_name_are_joined_in_their_order(void **state)
{
	(void)state;
	assert_labels("", S("a_b", "third") "," S("a-b", "first") "," S("a.b", "second"),
		"a_b=\"first;second;third\"");
	assert_labels(S("a.b", "resource"), S("a_b", "point"), "a_b=\"resource;point\"");
}

static void test_of_duplicate_keys_the_last_wins(void **state)
{
	(void)state;
	assert_labels(
		"", S("a", "1") "," S("b", "x") "," S("a", "2") "," S("a", "3"), "a=\"3\",b=\"x\"");
}

static void test_an_empty_value_is_no_label(void **state)
{
	(void)state;
	assert_labels("", S("a", "") "," S("b", "x"), "b=\"x\"");
	assert_labels(S("a", "resource"), S("a", ""), "");
}

static void test_odd_values_cannot_break_a_line(void **state)
{
	(void)state;
	assert_labels("", S("q", "a\\\"b") "," S("n", "a\\nb") "," S("s", "a\\\\b"),
		"n=\"a\\nb\",q=\"a\\\"b\",s=\"a\\\\b\"");
	assert_labels("",
		S("e", "\\ud83d\\ude00") "," S("u", "\xc3\x9cn\xc3\xad") "," S("z", "a\\u0000b"),
		"e=\"\xf0\x9f\x98\x80\",u=\"\xc3\x9cn\xc3\xad\",z=\"a\xef\xbf\xbd"
		"b\"");
	assert_labels("",
		S("bad", "a\xff\xfe") "," S("", "empty") "," S("\\n\\\"}", "v") "," S(
			"__name__", "x"),
		"bad=\"a\xef\xbf\xbd\xef\xbf\xbd\",key___=\"v\",key__name__=\"x\",key_empty="
		"\"empty\"");
}

static void test_attributes_in_any_order_make_one_series(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(
		&t, &(struct sum){ .attributes = S("a", "1") "," S("b", "2"), .value = 1 }));
	assert_true(take_sum_request(
		&t, &(struct sum){ .attributes = S("b", "2") "," S("a", "1"), .value = 1 }));
	assert_int_equal(ingest_stats(t.ing).series, 1);
	assert_value(value_of(t.ing, "x_total", "a=\"1\",b=\"2\""), 2);
	bench_close(&t);
}

static void test_the_session_is_a_label_only_when_asked_for(void **state)
{
	(void)state;
	struct sum s = { .attributes = S("session.id", "s-1") "," S("a", "1"), .value = 1 };
	for (int asked = 0; asked < 2; asked++) {
		struct ingest_options options = bench_options();
		options.has_session_label = asked;
		struct bench t;
		bench_open_with(&t, &options);
		assert_true(take_sum_request(&t, &s));
		const char *labels = asked ? "a=\"1\",session_id=\"s-1\"" : "a=\"1\"";
		assert_value(value_of(t.ing, "x_total", labels), 1);
		bench_close(&t);
	}
}

static void test_a_session_of_the_resource_alone_is_known(void **state)
{
	(void)state;
	struct labeled l;
	label(&l, S("session.id", "s-1") "," S("user.id", "u"), S("a", "1"));
	assert_string_equal(l.labels, "a=\"1\",user_id=\"u\"");
	assert_int_equal(ops_of(bench_record(&l.bench, 0), OP_SESSION), 1);
	assert_true(holds_text(bench_record(&l.bench, 0), "s-1"));
	bench_close(&l.bench);
}

static void test_the_session_of_the_point_wins_over_the_resource(void **state)
{
	(void)state;
	struct labeled l;
	label(&l, S("session.id", "evil"), S("session.id", "s-1"));
	assert_true(holds_text(bench_record(&l.bench, 0), "s-1"));
	assert_false(holds_text(bench_record(&l.bench, 0), "evil"));
	bench_close(&l.bench);
}

static void test_any_number_of_attributes_gives_one_bounded_series(void **state)
{
	(void)state;
	for (int count = 1; count < 300; count += 7) {
		struct labeled l;
		AUTO(buf) struct buf attributes = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf resource = BUF_INIT(BUF_UNLIMITED);
		for (int i = 0; i < count; i++) {
			buf_addf(&attributes, "%s" S("%0*d", "v"), i ? "," : "", i % 40 + 1, i);
			buf_addf(&resource, "%s" S("r%d", "v"), i ? "," : "", i);
		}
		label(&l, buf_str(&resource), buf_str(&attributes));
		size_t labels = 0;
		for (const char *at = l.labels; (at = strstr(at, "=\"")); at += 2)
			labels++;
		assert_true(labels <= 48);
		assert_true((count > 24) == (count_of(l.bench.ing, REASON_LABELS_DROPPED) == 1));
		bench_close(&l.bench);
	}
}

static void test_a_clients_metric_cannot_touch_the_bridges_own(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .name = "cctm.events", .value = 5 }));
	assert_true(take_sum_request(
		&t, &(struct sum){ .name = "cctm_client.lost-events", .value = 5 }));
	one_metric(&t.body, "cctm_events_total", "\"gauge\":{\"dataPoints\":[{\"asInt\":\"5\"}]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "exported_cctm_events_total", ""), 5);
	assert_value(value_of(t.ing, "exported_cctm_client_lost_events_total", ""), 5);
	one_metric(&t.body, "cctm.probe", "\"gauge\":{\"dataPoints\":[{\"asInt\":\"7\"}]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "cctm_probe", ""), 7);
	assert_null(store_family(ingest_store(t.ing), "cctm_events_total", 17));
	assert_null(store_family(ingest_store(t.ing), "cctm_client_lost_events_total", 29));
	bench_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_point_attributes_become_labels_sorted_by_name),
		cmocka_unit_test(test_what_the_user_set_on_the_resource_becomes_a_label),
		cmocka_unit_test(test_a_point_attribute_wins_over_the_resource),
		cmocka_unit_test(test_what_sdks_set_by_themselves_is_no_label),
		cmocka_unit_test(test_service_is_job_and_instance),
		cmocka_unit_test(test_reserved_names_get_exported_in_front),
		cmocka_unit_test(test_keys_of_one_name_are_joined_in_their_order),
		cmocka_unit_test(test_of_duplicate_keys_the_last_wins),
		cmocka_unit_test(test_an_empty_value_is_no_label),
		cmocka_unit_test(test_odd_values_cannot_break_a_line),
		cmocka_unit_test(test_attributes_in_any_order_make_one_series),
		cmocka_unit_test(test_the_session_is_a_label_only_when_asked_for),
		cmocka_unit_test(test_a_session_of_the_resource_alone_is_known),
		cmocka_unit_test(test_the_session_of_the_point_wins_over_the_resource),
		cmocka_unit_test(test_any_number_of_attributes_gives_one_bounded_series),
		cmocka_unit_test(test_a_clients_metric_cannot_touch_the_bridges_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
