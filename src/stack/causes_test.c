#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/causes.h"

static void test_the_log_and_the_exit_status_tell_the_cause(void **state)
{
	static const struct {
		const char *log;
		int64_t exit_code;
		const char *word; /* in the sentence; NULL: no cause is known */
	} cases[] = {
		{ "", 0, NULL },
		{ "everything is fine", 1, NULL },
		{ "", 137, "memory" },
		{ "", 127, "not in the image" },
		{ "msg=\"Error loading config (--config.file=/x): parsing YAML\"", 2,
			"configuration" },
		{ "open /prometheus/queries.active: Permission denied", 1, "may not use" },
		{ "write: No space left on device\npermission denied", 1, "full" },
		{ "'exporters' unknown type: \"foo\" for id", 1, "lacks a part" },
		{ "listen tcp :9090: bind: address already in use", 1, "port" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct cause *cause = cause_find(cases[i].log, cases[i].exit_code);
		if (!cases[i].word)
			assert_null(cause);
		else
			assert_non_null(strstr(cause->sentence, cases[i].word));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_log_and_the_exit_status_tell_the_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
