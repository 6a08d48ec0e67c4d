#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/opt.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct sample_args {
	const char *since, *by;
	bool csv, wait;
	int64_t port, timeout_ms, body_bytes, patience_ms;
	const char *target;
	struct opt_rest rest;
};

static const char *const by_choices[] = { "day", "hour", "model", NULL };

static const struct opt sample_options[] = {
	OPT(struct sample_args, since, 's', "since", "TIME", "start of the range"),
	OPT_CHOICE(struct sample_args, by, 0, "by", "KEY", by_choices, "day", "group by this"),
	OPT(struct sample_args, csv, 'c', "csv", NULL, "print comma-separated values"),
	OPT_NEGATABLE(struct sample_args, wait, 'w', "wait", "on", "wait for the end"),
	OPT_INT(struct sample_args, port, 'p', "port", "PORT", 0, 65535, "4318", "listen here"),
	OPT_DURATION(struct sample_args, timeout_ms, 't', "timeout", 0, 3600000, "2m", "give up"),
	OPT_SIZE(struct sample_args, body_bytes, 0, "max-body", 1, 1 << 30, "64MiB", "refuse more"),
	OPT_DURATION_IMPLIED(
		struct sample_args, patience_ms, "patience", 0, 3600000, "5m", "how long"),
	OPT_END,
};

static const struct opt_argument sample_arguments[] = {
	{ .offset = offsetof(struct sample_args, target), .name = "TARGET", .help = "what" },
	{ .offset = offsetof(struct sample_args, rest),
		.name = "FILE",
		.is_optional = true,
		.is_repeated = true,
		.help = "more" },
	OPT_ARGUMENT_END,
};

/* Parses the words up to NULL as options without arguments. */
static bool parse(struct sample_args *args, struct error *err, const char *const *words)
{
	char *argv[16] = { NULL };
	int argc = 0;
	for (; words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	return opt_parse(sample_options, NULL, argc, argv, args, sizeof *args, err);
}

static void test_opt_stores_defaults_first(void **state)
{
	(void)state;
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	memset(&args, 0xAA, sizeof args);
	assert_true(parse(&args, &err, (const char *const[]){ NULL }));
	assert_null(args.since);
	assert_string_equal(args.by, "day");
	assert_false(args.csv);
	assert_true(args.wait);
	assert_int_equal(args.port, 4318);
	assert_int_equal(args.timeout_ms, 120000);
	assert_int_equal(args.body_bytes, 64 << 20);
}

static void test_opt_takes_every_way_to_write_a_value(void **state)
{
	(void)state;
	static const char *const ways[][4] = {
		{ "--port", "80", NULL },
		{ "--port=80", NULL },
		{ "-p", "80", NULL },
		{ "-p80", NULL },
		{ "-cp80", NULL },
		{ "-cp", "80", NULL },
		{ "--port=1", "--port=80", NULL },
		{ "-p1", "--port", "80", NULL },
	};
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct sample_args args;
		AUTO(error) struct error err = ERROR_INIT;
		if (!parse(&args, &err, ways[i]) || args.port != 80)
			fail_msg("%s: %s", ways[i][0], err.message ? err.message : "another value");
	}
}

static void test_opt_refuses_with_the_reason(void **state)
{
	(void)state;

	static const struct {
		const char *words[3];
		const char *message, *hint;
	} cases[] = {
		{ { "--prot=1" }, "unknown option --prot", "did you mean --port?" },
		{ { "--por=1" }, "unknown option --por", "did you mean --port?" },
		{ { "--no-csv" }, "unknown option --no-csv", NULL },
		{ { "-x" }, "unknown option -x", NULL },
		{ { "-\xC3\xA9" }, "unknown option -\xC3\xA9", NULL },
		{ { "--csv=yes" }, "--csv takes no value", NULL },
		{ { "--port" }, "--port needs a value: PORT", NULL },
		{ { "-p" }, "-p needs a value: PORT", NULL },
		{ { "--since", "--csv" }, "--since needs a value: TIME",
			"a value that begins with - is written --since=--csv" },
		{ { "--port=x" }, "--port: \"x\" is not a whole number", NULL },
		{ { "--port=" }, "--port: \"\" is not a whole number", NULL },
		{ { "--port=65536" }, "--port: 65536 is more than 65535", NULL },
		{ { "--port=-1" }, "--port: -1 is less than 0", NULL },
		{ { "--timeout=2h" }, "--timeout: 2h is more than 1h", NULL },
		{ { "-t", "soon" }, "-t: \"soon\" is not a duration",
			"write for example 15s, 2m, 1h30m or 400d" },
		{ { "--max-body=0" }, "--max-body: 0 is less than 1", NULL },
		{ { "--by=modle" }, "--by: \"modle\" is not one of day, hour, model",
			"did you mean model?" },
		{ { "extra" }, "unexpected argument \"extra\"", NULL },
		{ { "--", "--csv" }, "unexpected argument \"--csv\"", NULL },
		{ { "---csv" }, "unknown option ---csv", "did you mean --csv?" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sample_args args;
		AUTO(error) struct error err = ERROR_INIT;
		const char *const words[] = { cases[i].words[0], cases[i].words[1], NULL };
		assert_false(parse(&args, &err, words));
		assert_int_equal(err.code, ERR_USAGE);
		assert_string_equal(err.message, cases[i].message);
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
	}
}

static void test_opt_takes_a_negative_value_when_attached(void **state)
{
	(void)state;
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	const char *const words[] = { "--since=-7d", NULL };
	assert_true(parse(&args, &err, words));
	assert_string_equal(args.since, "-7d");
}

static void test_opt_takes_an_implied_value_unless_one_is_attached(void **state)
{
	(void)state;
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(parse(&args, &err, (const char *[]){ "--csv", NULL }));
	assert_int_equal(args.patience_ms, 0);
	assert_true(parse(&args, &err, (const char *[]){ "--patience", "--csv", NULL }));
	assert_int_equal(args.patience_ms, 300000);
	assert_true(args.csv);
	assert_true(parse(&args, &err, (const char *[]){ "--patience=10s", NULL }));
	assert_int_equal(args.patience_ms, 10000);
	assert_false(parse(&args, &err, (const char *[]){ "--patience", "10s", NULL }));
	assert_string_equal(err.message, "unexpected argument \"10s\"");
}

static void test_opt_no_clears_a_negatable_flag(void **state)
{
	(void)state;
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	const char *const off[] = { "--no-wait", NULL }, *const on[] = { "--no-wait", "-w", NULL };
	assert_true(parse(&args, &err, off));
	assert_false(args.wait);
	assert_true(parse(&args, &err, on));
	assert_true(args.wait);
}

static void test_opt_gathers_arguments_among_options(void **state)
{
	(void)state;
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	char *argv[] = { (char *)(uintptr_t) "target", (char *)(uintptr_t) "-c",
		(char *)(uintptr_t) "one", (char *)(uintptr_t) "--", (char *)(uintptr_t) "-two",
		(char *)(uintptr_t) "-" };
	assert_true(opt_parse(sample_options, sample_arguments, 6, argv, &args, sizeof args, &err));
	assert_string_equal(args.target, "target");
	assert_true(args.csv);
	assert_int_equal(args.rest.count, 3);
	assert_string_equal(args.rest.items[0], "one");
	assert_string_equal(args.rest.items[1], "-two");
	assert_string_equal(args.rest.items[2], "-");
	opt_clear(sample_options, sample_arguments, &args);
	assert_null(args.rest.items);
	assert_false(
		opt_parse(sample_options, sample_arguments, 0, argv, &args, sizeof args, &err));
	assert_string_equal(err.message, "TARGET is missing");
}

static void test_opt_fills_two_structs_and_stops_at_the_first_word(void **state)
{
	(void)state;

	struct global {
		bool is_quiet;
	} global;
	static const struct opt global_options[] = {
		OPT(struct global, is_quiet, 'q', "quiet", NULL, "be quiet"),
		OPT_END,
	};
	struct sample_args args;
	AUTO(error) struct error err = ERROR_INIT;
	int used = 0;
	char *argv[] = { (char *)(uintptr_t) "-q", (char *)(uintptr_t) "report",
		(char *)(uintptr_t) "-c" };
	const struct opt_set leading[] = { { global_options, &global, NULL }, { 0 } };
	const struct opt_set both[] = { { sample_options, &args, NULL },
		{ global_options, &global, NULL }, { 0 } };
	assert_true(opt_defaults(global_options, &global, sizeof global, &err));
	assert_true(opt_parse_leading(leading, 3, argv, &used, &err));
	assert_int_equal(used, 1);
	assert_true(global.is_quiet);
	argv[1] = argv[0];
	global.is_quiet = false;
	assert_true(opt_defaults(sample_options, &args, sizeof args, &err));
	assert_true(opt_parse_sets(both, NULL, &args, 2, argv + 1, &err));
	assert_true(global.is_quiet && args.csv);
}

static void test_opt_remembers_which_options_were_given(void **state)
{
	(void)state;

	static const struct {
		const char *words[3];
		const char *row; /* NULL: none */
	} cases[] = {
		{ { NULL }, NULL },
		{ { "--port=4318" }, "port" }, /* also when it says the default */
		{ { "-cp80" }, "port" },
		{ { "-p", "80" }, "port" },
		{ { "--no-wait" }, "wait" },
		{ { "--csv" }, "csv" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sample_args args;
		AUTO(error) struct error err = ERROR_INIT;
		char *argv[3] = { NULL };
		int argc = 0;
		uint64_t given = 0;
		for (; argc < 3 && cases[i].words[argc]; argc++)
			argv[argc] = (char *)(uintptr_t)cases[i].words[argc];
		const struct opt_set sets[] = { { sample_options, &args, &given }, { 0 } };
		assert_true(opt_defaults(sample_options, &args, sizeof args, &err));
		assert_int_equal(given, 0);
		assert_true(opt_parse_sets(sets, NULL, &args, argc, argv, &err));
		for (size_t row = 0; sample_options[row].type != OPT_TYPE_END; row++) {
			bool is_wanted =
				cases[i].row && strcmp(cases[i].row, sample_options[row].name) == 0;
			if (is_wanted && !(given >> row & 1))
				fail_msg("%s: %s is not remembered", cases[i].words[0],
					cases[i].row);
		}
		assert_true((given != 0) == (cases[i].row != NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opt_stores_defaults_first),
		cmocka_unit_test(test_opt_takes_every_way_to_write_a_value),
		cmocka_unit_test(test_opt_refuses_with_the_reason),
		cmocka_unit_test(test_opt_takes_a_negative_value_when_attached),
		cmocka_unit_test(test_opt_takes_an_implied_value_unless_one_is_attached),
		cmocka_unit_test(test_opt_no_clears_a_negatable_flag),
		cmocka_unit_test(test_opt_gathers_arguments_among_options),
		cmocka_unit_test(test_opt_fills_two_structs_and_stops_at_the_first_word),
		cmocka_unit_test(test_opt_remembers_which_options_were_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
