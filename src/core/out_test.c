#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/out.h"
#include "core/table.h"

/* Standard output as a file, for the length of a test. */
struct capture {
	char path[32];
	int saved_fd;
};

static void capture_begin(struct capture *capture)
{
	memcpy(capture->path, "/tmp/cctm-out-XXXXXX", sizeof "/tmp/cctm-out-XXXXXX");
	int fd = mkstemp(capture->path);
	capture->saved_fd = dup(STDOUT_FILENO);
	assert_true(fd >= 0 && capture->saved_fd >= 0);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
}

static char *capture_end(struct capture *capture, struct out *o)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	bool is_flushed = out_flush(o, &err);
	dup2(capture->saved_fd, STDOUT_FILENO);
	close(capture->saved_fd);
	assert_true(is_flushed);
	assert_int_equal(file_read(capture->path, &text, &err), 1);
	unlink(capture->path);
	out_free(o);
	return buf_detach(&text);
}

static void test_out_puts_the_schema_version_in_front(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_AUTO);
	out_json_line(o, 1, json_pack("{s:f, s:i}", "cost_usd", 0.1 + 0.2, "n", 7));
	assert_true(out_has_document(o));
	AUTO(str) char *text = capture_end(&capture, o);
	assert_string_equal(text, "{\"schema_version\":1,\"cost_usd\":0.3,\"n\":7}\n");
}

static void test_out_writes_numbers_as_they_are_meant(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_AUTO);
	out_json_line(o, 1,
		json_pack("{s:f, s:f, s:I}", "a", 0.07932, "b", 9007199254740993.0, "c",
			(json_int_t)9007199254740993));
	AUTO(str) char *text = capture_end(&capture, o);
	assert_non_null(strstr(text, "\"a\":0.07932,"));
	assert_non_null(strstr(text, "\"c\":9007199254740993}"));
}

static void test_out_replaces_bytes_that_json_cannot_hold(void **state)
{
	(void)state;
	json_t *text = out_json_text("a\xFF");
	assert_string_equal(json_string_value(text), "a\xEF\xBF\xBD");
	json_decref(text);
	assert_true(json_is_null(out_json_text(NULL)));
}

static void test_out_says_that_the_disk_is_full(void **state)
{
	(void)state;
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
	assert_true(saved >= 0);
	if (full < 0)
		skip();
	dup2(full, STDOUT_FILENO);
	struct out *o = out_new(COLOR_AUTO);
	AUTO(error) struct error err = ERROR_INIT;
	out_printf(o, "text");
	bool is_flushed = out_flush(o, &err);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(full);
	out_free(o);
	assert_false(is_flushed);
	assert_int_equal(err.code, ERR_IO);
}

static void test_out_has_no_colour_away_from_a_terminal(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *automatic = out_new(COLOR_AUTO);
	struct out *always = out_new(COLOR_ALWAYS);
	bool is_plain = *out_style(automatic, STYLE_RED) == '\0';
	bool is_coloured = *out_style(always, STYLE_RED) != '\0';
	out_free(always);
	AUTO(str) char *text = capture_end(&capture, automatic);
	assert_string_equal(text, "");
	assert_true(is_plain && is_coloured);
}

static const struct table_column columns[] = { { "model", TABLE_LEFT }, { "cost", TABLE_RIGHT } };

static void add_rows(struct table *table)
{
	table_add(table, STYLE_PLAIN, "caf\xC3\xA9");
	table_add(table, STYLE_PLAIN, "%.2f", 1.5);
	table_add(table, STYLE_PLAIN, "\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5");
	table_add(table, STYLE_PLAIN, "%.2f", 1234.5);
	table_rule(table, true);
	table_add(table, STYLE_PLAIN, "all");
	table_add(table, STYLE_BOLD, "%.2f", 1236.0);
}

static void test_table_aligns_by_columns_not_bytes(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_NEVER);
	AUTO(table) struct table *table = table_new(columns, 2);
	add_rows(table);
	table_print(table, o);
	AUTO(str) char *text = capture_end(&capture, o);
	assert_string_equal(text, "model      cost\n"
				  "caf\xC3\xA9       1.50\n"
				  "\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5  1234.50\n"
				  "──────  ───────\n"
				  "all     1236.00\n");
}

static void test_table_styles_cost_no_width(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_ALWAYS);
	AUTO(table) struct table *table = table_new(columns, 2);
	table_add(table, STYLE_RED, "a");
	table_add(table, STYLE_PLAIN, "7");
	table_print(table, o);
	AUTO(str) char *text = capture_end(&capture, o);
	assert_non_null(strstr(text, "\033[31ma\033[0m         7\n"));
}

static void test_table_does_not_style_an_empty_cell(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_ALWAYS);
	AUTO(table) struct table *table = table_new(columns, 2);
	table_add(table, STYLE_RED, "%s", "");
	table_add(table, STYLE_PLAIN, "7");
	table_print(table, o);
	AUTO(str) char *text = capture_end(&capture, o);
	assert_non_null(strstr(text, "\n          7\n"));
}

static void test_table_rule_is_ascii_where_utf8_is_not_shown(void **state)
{
	(void)state;
	struct capture capture;
	capture_begin(&capture);
	struct out *o = out_new(COLOR_NEVER);
	AUTO(table) struct table *table = table_new(columns, 2);
	table_add(table, STYLE_PLAIN, "a");
	table_add(table, STYLE_PLAIN, "7");
	table_rule(table, false);
	table_add(table, STYLE_PLAIN, "all");
	table_add(table, STYLE_PLAIN, "7");
	table_print(table, o);
	AUTO(str) char *text = capture_end(&capture, o);
	assert_string_equal(text, "model  cost\n"
				  "a         7\n"
				  "-----  ----\n"
				  "all       7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_puts_the_schema_version_in_front),
		cmocka_unit_test(test_out_writes_numbers_as_they_are_meant),
		cmocka_unit_test(test_out_replaces_bytes_that_json_cannot_hold),
		cmocka_unit_test(test_out_says_that_the_disk_is_full),
		cmocka_unit_test(test_out_has_no_colour_away_from_a_terminal),
		cmocka_unit_test(test_table_aligns_by_columns_not_bytes),
		cmocka_unit_test(test_table_styles_cost_no_width),
		cmocka_unit_test(test_table_does_not_style_an_empty_cell),
		cmocka_unit_test(test_table_rule_is_ascii_where_utf8_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
