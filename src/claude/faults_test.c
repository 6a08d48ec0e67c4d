#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/faults.h"

static void test_a_version_with_a_known_fault_is_said(void **state)
{
	(void)state;
	assert_non_null(strstr(version_fault("2.1.252"), "91165"));
	assert_non_null(strstr(version_fault("2.1.113"), "71312"));
	assert_non_null(strstr(version_fault("2.1.327"), "DIAG_STDERR"));
}

static void test_others_are_not(void **state)
{
	static const char *const versions[] = { "2.1.112", "2.1.328", "2.2.0", "1.9.200", "3.0.1",
		"2.1", "", "unknown" };

	(void)state;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		assert_null(version_fault(versions[i]));
	assert_null(version_fault(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_version_with_a_known_fault_is_said),
		cmocka_unit_test(test_others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
