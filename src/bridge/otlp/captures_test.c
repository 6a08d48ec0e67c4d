/* The requests recorded from the real client, and what becomes of them when bytes are missing or wrong. */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/otlp/recorder_testing.h"
#include "core/error.h"
#include "core/file.h"
#include "core/str.h"

#define RECORDER() __attribute__((cleanup(auto_recorder))) struct recorder r = recorder_new()
#define RECORDINGS "tests/data/captures/"
#define FILE_MAX   (1 << 20)
#define METRICS_PB RECORDINGS "claude-code-2.1.328/protobuf/002-metrics.pb"
#define LOGS_PB	   RECORDINGS "claude-code-2.1.328/protobuf/001-logs.pb"
#define METRICS_JS RECORDINGS "claude-code-2.1.328/json/002-metrics.json"
#define LOGS_JS	   RECORDINGS "claude-code-2.1.328/json/001-logs.json"

static void load(const char *path, struct buf *out)
{
	struct error err = ERROR_INIT;
	*out = (struct buf)BUF_INIT(FILE_MAX);
	if (file_read(path, out, &err) != 1)
		fail_msg("cannot read %s: %s", path, err.message ? err.message : "not there");
}

static enum otlp_encoding encoding_of(const char *path)
{
	return str_has_suffix(path, ".json") ? OTLP_JSON : OTLP_PROTOBUF;
}

static enum otlp_signal signal_of(const char *path)
{
	return strstr(path, "-logs") ? OTLP_LOGS : OTLP_METRICS;
}

/* Totals by the attribute that tells the README's figures apart. */
struct totals {
	struct otlp_decoder *decoder;
	struct buf metric;
	double cost, tokens, input, output, cache_read, cache_creation, sessions, commits;
	double added, removed, decisions, active;
	size_t points, logs;
};

static enum reason total_metric(void *ctx, const struct otlp_metric *metric)
{
	struct totals *t = ctx;
	t->metric.len = 0;
	buf_add(&t->metric, metric->name.ptr, metric->name.len);
	assert_int_equal(metric->kind, OTLP_SUM);
	assert_true(metric->is_monotonic);
	assert_int_not_equal(metric->temporality, OTLP_UNSPECIFIED);
	return REASON_OK;
}

static bool has_type(struct totals *t, const struct otlp_point *p, const char *type)
{
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	otlp_attr_iter_init(&it, t->decoder, &p->attrs);
	while (otlp_attr_next(&it, &attr)) {
		if (slice_eq_str(attr.key, "type"))
			return slice_eq_str(attr.value.bytes, type);
	}
	return false;
}

static enum reason total_point(void *ctx, const struct otlp_point *p)
{
	struct totals *t = ctx;

	const struct {
		const char *metric, *type;
		double *sum;
	} rows[] = {
		{ "claude_code.session.count", NULL, &t->sessions },
		{ "claude_code.cost.usage", NULL, &t->cost },
		{ "claude_code.token.usage", "input", &t->input },
		{ "claude_code.token.usage", "output", &t->output },
		{ "claude_code.token.usage", "cacheRead", &t->cache_read },
		{ "claude_code.token.usage", "cacheCreation", &t->cache_creation },
		{ "claude_code.lines_of_code.count", "added", &t->added },
		{ "claude_code.lines_of_code.count", "removed", &t->removed },
		{ "claude_code.commit.count", NULL, &t->commits },
		{ "claude_code.code_edit_tool.decision", NULL, &t->decisions },
		{ "claude_code.active_time.total", NULL, &t->active },
	};

	t->points++;
	assert_true(p->start_ns > 0 && p->time_ns >= p->start_ns);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(buf_str(&t->metric), rows[i].metric) == 0 &&
			(!rows[i].type || has_type(t, p, rows[i].type)))
			*rows[i].sum += p->value;
	}
	return REASON_OK;
}

static enum reason total_log(void *ctx, const struct otlp_log *log)
{
	struct totals *t = ctx;
	t->logs++;
	assert_int_equal(log->body.kind, OTLP_STRING);
	assert_true(log->time_ns > 0);
	return REASON_OK;
}

/* Every recorded request of the folder; the gRPC ones are the bare messages. */
static void total_folder(const char *folder, struct totals *t)
{
	const struct otlp_sink sink = {
		.ctx = t, .metric = total_metric, .point = total_point, .log = total_log
	};
	AUTO(str) char *pattern = mem_printf(RECORDINGS "%s/*-*[sb]*", folder);
	glob_t found;
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		AUTO(buf) struct buf body;
		if (!str_has_suffix(path, ".pb") && !str_has_suffix(path, ".json"))
			continue;
		load(path, &body);
		enum reason reason = signal_of(path) == OTLP_LOGS
					     ? otlp_decode_logs(t->decoder, encoding_of(path),
						       buf_slice(&body), &sink)
					     : otlp_decode_metrics(t->decoder, encoding_of(path),
						       buf_slice(&body), &sink);
		if (reason != REASON_OK)
			fail_msg("%s: %s", path, reason_slug(reason));
	}
	globfree(&found);
}

static void check_total(double got, double expected)
{
	if (fabs(got - expected) > 1e-9)
		fail_msg("%.12g instead of %.12g", got, expected);
}

static void test_recorded_runs_add_up_to_what_their_readme_says(void **state)
{
	static const struct {
		const char *folder;
		double active;
	} runs[] = {
		{ "claude-code-2.1.328/protobuf", 0.737 },
		{ "claude-code-2.1.328/json", 0.755 },
		{ "claude-code-2.1.328/grpc", 0.525 },
		{ "claude-code-2.1.328/multi-export-json", 11.382 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		struct totals t = { .decoder = otlp_decoder_new(1), .metric = { .max = 4096 } };
		total_folder(runs[i].folder, &t);
		check_total(t.cost, 0.07932);
		check_total(t.input, 7755);
		check_total(t.output, 1515);
		check_total(t.cache_read, 45000);
		check_total(t.cache_creation, 1800);
		check_total(t.sessions, 1);
		check_total(t.commits, 1);
		check_total(t.added, 6);
		check_total(t.removed, 1);
		check_total(t.decisions, 2);
		check_total(t.active, runs[i].active);
		/* The README's list; retention_sweep comes and goes with timing. */
		assert_in_range(t.logs, 6 + 5 + 5 + 3 + 1 + 1 + 1, 23);
		otlp_decoder_free(t.decoder);
		buf_clear(&t.metric);
	}
}

static void test_every_recorded_request_decodes(void **state)
{
	static const char *const patterns[] = { RECORDINGS "*/*/*-*.pb",
		RECORDINGS "*/*/*-*.json" };
	RECORDER();
	size_t requests = 0;
	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t n = 0; n < found.gl_pathc; n++) {
			const char *path = found.gl_pathv[n];
			AUTO(buf) struct buf body;
			load(path, &body);
			if (strstr(path, "-traces"))
				continue;
			enum reason reason =
				record(&r, signal_of(path), encoding_of(path), buf_slice(&body));
			if (reason != REASON_OK)
				fail_msg("%s: %s", path, reason_slug(reason));
			assert_true(r.points + r.logs > 0);
			requests++;
		}
		globfree(&found);
	}
	assert_true(requests >= 18);
}

/* A body cut anywhere is refused, unless the cut is at the very beginning. */
static void check_cuts(const char *path, size_t step)
{
	RECORDER();
	AUTO(buf) struct buf body;
	load(path, &body);
	for (size_t len = 1; len < body.len; len += step) {
		enum reason reason =
			record(&r, signal_of(path), encoding_of(path), slice_of(body.data, len));
		if (reason != REASON_TRUNCATED)
			fail_msg("%s cut to %zu: %s", path, len, reason_slug(reason));
	}
}

static void test_a_recorded_request_cut_anywhere_is_called_truncated(void **state)
{
	(void)state;
	check_cuts(METRICS_PB, 1);
	check_cuts(METRICS_JS, 7);
	check_cuts(LOGS_PB, 5);
	check_cuts(LOGS_JS, 29);
}

/* Any one bit wrong: decoded or refused, with sanitizers watching; and what is decoded can be read. */
static void check_flips(const char *path, size_t step)
{
	RECORDER();
	AUTO(buf) struct buf body;
	size_t refused = 0;
	load(path, &body);
	for (size_t bit = 0; bit < body.len * 8; bit += step) {
		body.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		refused += record(&r, signal_of(path), encoding_of(path), buf_slice(&body)) !=
			   REASON_OK;
		body.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_true(refused > 0);
}

static void test_a_recorded_request_with_a_bit_flipped_is_survived(void **state)
{
	(void)state;
	check_flips(METRICS_PB, 13);
	check_flips(METRICS_JS, 61);
	check_flips(LOGS_PB, 101);
	check_flips(LOGS_JS, 401);
}

/* Lengths lie: each byte in turn becomes 0x00, 0x7F, 0x80 and 0xFF. */
static void test_a_recorded_request_with_a_wrong_length_is_survived(void **state)
{
	static const unsigned char values[] = { 0x00, 0x7F, 0x80, 0xFF };
	RECORDER();
	AUTO(buf) struct buf body;
	(void)state;
	load(METRICS_PB, &body);
	for (size_t at = 0; at < body.len; at += 3) {
		unsigned char was = body.data[at];
		body.data[at] = values[at / 3 % sizeof values];
		(void)record(&r, OTLP_METRICS, OTLP_PROTOBUF, buf_slice(&body));
		body.data[at] = was;
	}
	assert_int_equal(record(&r, OTLP_METRICS, OTLP_PROTOBUF, buf_slice(&body)), REASON_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_runs_add_up_to_what_their_readme_says),
		cmocka_unit_test(test_every_recorded_request_decodes),
		cmocka_unit_test(test_a_recorded_request_cut_anywhere_is_called_truncated),
		cmocka_unit_test(test_a_recorded_request_with_a_bit_flipped_is_survived),
		cmocka_unit_test(test_a_recorded_request_with_a_wrong_length_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
