#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ledger/series_def.h"
#include "core/buf.h"
#include "core/mem.h"

static void assert_slice(struct slice actual, struct slice expected)
{
	assert_int_equal(actual.len, expected.len);
	assert_memory_equal(actual.ptr, expected.ptr, expected.len);
}

static void test_labels_come_back_byte_for_byte(void **state)
{
	(void)state;
	const struct op_label labels[] = {
		{ SLICE_LIT("a"), SLICE_LIT("") },
		{ SLICE_LIT("b"), SLICE_LIT("say \"hi\", \\n is no newline,\nthis is") },
		{ SLICE_LIT("c"), SLICE_LIT("nul\0inside") },
		{ SLICE_LIT("d"), SLICE_LIT("\xff\xfe no UTF-8 \xc3") },
		{ SLICE_LIT("e"), SLICE_LIT("\",x=\"") },
		{ SLICE_LIT("f"), SLICE_LIT("\\") },
	};
	const size_t count = sizeof labels / sizeof *labels;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	series_labels_text(&text, labels, count);
	struct op_series *back = mem_zalloc(sizeof *back);
	assert_true(series_labels_parse(&text, back));
	assert_int_equal(back->label_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_slice(back->labels[i].name, labels[i].name);
		assert_slice(back->labels[i].value, labels[i].value);
	}
	free(back);
}

static void test_what_is_no_label_text_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = { "a", "a=", "a=b", "a=\"", "a=\"b", "a=\"b\\",
		"a=\"b\"x", "a=\"b\"x=\"c\"" };
	struct op_series *out = mem_zalloc(sizeof *out);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
		buf_adds(&text, texts[i]);
		if (series_labels_parse(&text, out))
			fail_msg("%s was taken", texts[i]);
	}
	AUTO(buf) struct buf none = BUF_INIT(BUF_UNLIMITED);
	assert_true(series_labels_parse(&none, out));
	assert_int_equal(out->label_count, 0);
	free(out);
}

static void test_more_labels_than_a_series_has_are_refused(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i <= RECORD_LABELS_MAX; i++)
		buf_addf(&text, "%sl%d=\"v\"", i ? "," : "", i);
	struct op_series *out = mem_zalloc(sizeof *out);
	assert_false(series_labels_parse(&text, out));
	free(out);
}

static void test_bounds_come_back_bit_for_bit(void **state)
{
	(void)state;
	const double bounds[] = { -DBL_MAX, -0.1, 0, DBL_MIN, 0.1 + 0.2, 1.0 / 3, 5, 1e300 };
	const size_t count = sizeof bounds / sizeof *bounds;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	series_bounds_text(&text, bounds, count);
	struct op_series *back = mem_zalloc(sizeof *back);
	assert_true(series_bounds_parse(buf_slice(&text), back));
	assert_int_equal(back->bound_count, count);
	assert_memory_equal(back->bounds, bounds, sizeof bounds);
	assert_false(series_bounds_parse(SLICE_LIT("1,x"), back));
	assert_false(series_bounds_parse(SLICE_LIT("1,,2"), back));
	free(back);
}

static void test_a_definition_keeps_what_the_record_said(void **state)
{
	(void)state;
	struct op_series *series = mem_zalloc(sizeof *series);
	char metric[] = "claude_code.cost.usage";
	series->kind = SERIES_COUNTER;
	series->metric = slice_str(metric);
	series->labels[0] = (struct op_label){ SLICE_LIT("model"), SLICE_LIT("opus") };
	series->label_count = 1;
	struct series_def *def = series_def_new(series);
	memset(metric, 'x', strlen(metric));
	free(series);
	assert_string_equal((const char *)def->metric.ptr, "claude_code.cost.usage");
	assert_string_equal(series_def_label(def, "model"), "opus");
	assert_null(series_def_label(def, "mode"));
	free(def);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_come_back_byte_for_byte),
		cmocka_unit_test(test_what_is_no_label_text_is_refused),
		cmocka_unit_test(test_more_labels_than_a_series_has_are_refused),
		cmocka_unit_test(test_bounds_come_back_bit_for_bit),
		cmocka_unit_test(test_a_definition_keeps_what_the_record_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
