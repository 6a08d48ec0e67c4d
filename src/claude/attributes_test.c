#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/attributes.h"
#include "core/buf.h"
#include "core/error.h"

static void assert_written(const char *pair, const char *expected)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf list = BUF_INIT(BUF_UNLIMITED);
	if (!attributes_add_pair(&list, pair, &err))
		fail_msg("%s: %s", pair, err.message);
	assert_string_equal(buf_str(&list), expected);
}

static void assert_refused(const char *pair, const char *why)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf list = BUF_INIT(BUF_UNLIMITED);
	assert_false(attributes_add_pair(&list, pair, &err));
	assert_int_equal(err.code, ERR_USAGE);
	if (!strstr(err.message, why))
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
	assert_int_equal(list.len, 0);
}

static void test_attributes_encodes_what_may_not_stand_in_a_value(void **state)
{
	(void)state;
	assert_written("team.id=platform", "team.id=platform");
	assert_written("cost_center=a b", "cost_center=a%20b");
	assert_written("x=a,b;c\"d\\e", "x=a%2Cb%3Bc%22d%5Ce");
	assert_written("x=50%", "x=50%25");
	assert_written("x=ü", "x=%C3%BC");
	assert_written("x=\n", "x=%0A");
	assert_written("x=", "x=");
}

static void test_attributes_encodes_a_second_equals_sign(void **state)
{
	(void)state;
	assert_written("x=a=b", "x=a%3Db");
}

static void test_attributes_are_a_list_with_commas(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf list = BUF_INIT(BUF_UNLIMITED);
	assert_true(attributes_add(&list, "team.id", "a", &err));
	assert_true(attributes_add(&list, "department", "b", &err));
	assert_string_equal(buf_str(&list), "team.id=a,department=b");
}

static void test_attributes_refuses_what_the_client_would_drop_or_confuse(void **state)
{
	(void)state;
	char value[600];
	memset(value, 'a', sizeof value);
	value[0] = 'x';
	value[1] = '=';
	value[2 + ATTRIBUTE_MAX] = '\0';
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf list = BUF_INIT(BUF_UNLIMITED);
	assert_true(attributes_add_pair(&list, value, &err));
	value[2 + ATTRIBUTE_MAX] = 'a';
	value[3 + ATTRIBUTE_MAX] = '\0';
	assert_refused(value, "longer than 255");
	value[2 + ATTRIBUTE_MAX - 1] = ' ';
	value[2 + ATTRIBUTE_MAX] = '\0';
	assert_refused(value, "takes 257 bytes");
	assert_refused("team", "has no value");
	assert_refused("=x", "no name of an attribute");
	assert_refused("te am=x", "no name of an attribute");
	assert_refused("1x=x", "no name of an attribute");
	assert_refused("model=evil", "Claude Code sets the attribute model itself");
	assert_refused("x=\xff", "no UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes_encodes_what_may_not_stand_in_a_value),
		cmocka_unit_test(test_attributes_encodes_a_second_equals_sign),
		cmocka_unit_test(test_attributes_are_a_list_with_commas),
		cmocka_unit_test(test_attributes_refuses_what_the_client_would_drop_or_confuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
