/* The rules of Docker's "Interpolation", seen at the name of Grafana's administrator. */
#include "adopt/adopt_testing.h"

static const char *shell(const char *name)
{
	if (strcmp(name, "SET") == 0)
		return "ada";
	if (strcmp(name, "WINS") == 0)
		return "shell";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static struct stack with_user(const char *text, const char *env)
{
	struct stack stack = stack_new("metrics");
	AUTO(str)
	char *compose = mem_printf("services:\n"
				   "  grafana:\n"
				   "    image: grafana/grafana:12.3.0\n"
				   "    environment:\n"
				   "      GF_SECURITY_ADMIN_USER: '%s'\n",
		text);
	stack_make_file(&stack, "docker-compose.yml", compose);
	stack_make_file(&stack, ".env", env);
	return stack;
}

static void test_interpolation_gives_what_compose_gives(void **state)
{
	(void)state;

	static const struct {
		const char *text, *result;
	} cases[] = {
		{ "$SET", "ada" },
		{ "${SET}", "ada" },
		{ "x-$SET-y", "x-ada-y" },
		{ "$$SET", "$SET" },
		{ "a $ b $1 c$", "a $ b $1 c$" },
		{ "pa$$$$word", "pa$$word" },
		{ "${NONE:-a}b}", "ab}" },
		{ "${NONE-bob}", "bob" },
		{ "${NONE:-bob}", "bob" },
		{ "x${EMPTY-bob}", "x" },
		{ "${EMPTY:-bob}", "bob" },
		{ "${SET:-bob}", "ada" },
		{ "${SET+bob}", "bob" },
		{ "x${NONE+bob}", "x" },
		{ "x${EMPTY:+bob}", "x" },
		{ "x${EMPTY+bob}", "xbob" },
		{ "${SET:?must be}", "ada" },
		{ "${NONE:-${SET}}", "ada" },
		{ "${NONE:-${EMPTY:-a}b}c", "abc" },
		{ "${NONE:-$SET}", "ada" },
		{ "${WINS}", "shell" },
		{ "${FILE}", "of the file" },
		{ "${REFERS}", "ada and ada" },
		{ "${LITERAL}", "$SET" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_user(cases[i].text,
			"WINS=file\nFILE=of the file\nREFERS=$SET and ${SET}\nLITERAL='$SET'\n");
		if (!stack_try(&stack, shell))
			fail_msg("%s: %s", cases[i].text, stack.err.message);
		assert_setting(
			&stack, "grafana.admin_user", cases[i].result, "docker-compose.yml:5");
		stack_end(&stack);
	}
}

static void test_interpolation_says_which_variable_is_set_nowhere(void **state)
{
	(void)state;
	struct stack stack = with_user("a${NONE}", "");
	stack_adopt(&stack);
	const struct adopt_fault *fault =
		assert_fault(&stack, "variable-unset", "docker-compose.yml:5");
	assert_non_null(strstr(fault->what, "NONE"));
	assert_setting(&stack, "grafana.admin_user", "a", NULL);
	stack_end(&stack);
}

static void test_interpolation_that_compose_refuses_is_an_error(void **state)
{
	(void)state;

	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "${NONE?}", "the variable NONE must be set, and is not" },
		{ "${EMPTY:?no}", "the variable EMPTY must be set, and is not" },
		{ "${SET", "there is a ${ without a variable's name or without its }" },
		{ "${}", "there is a ${ without a variable's name or without its }" },
		{ "${SET!x}", "Compose does not understand what stands between ${ and }" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_user(cases[i].text, "");
		assert_false(stack_try(&stack, shell));
		assert_int_equal(stack.err.code, ERR_CONFIG);
		AUTO(str)
		char *message = mem_printf("docker-compose.yml:5:31: %s", cases[i].message);
		assert_string_equal(stack.err.message, message);
		stack_end(&stack);
	}
}

static void test_interpolation_of_variables_that_refer_to_each_other_ends(void **state)
{
	(void)state;
	static const char *const files[] = { "A=$A\n", "A=${B}\nB=${A}\n",
		"A=$B$B$B$B$B$B$B$B\nB=$C$C$C$C$C$C$C$C\nC=$D$D$D$D$D$D$D$D\nD=$E$E$E$E$E$E$E$E\n"
		"E=$F$F$F$F$F$F$F$F\nF=$G$G$G$G$G$G$G$G\nG=0123456789012345678901234567890\n",
		"A=$B$B$B$B$B$B$B$B\nB=$C$C$C$C$C$C$C$C\nC=$D$D$D$D$D$D$D$D\nD=$E$E$E$E$E$E$E$E\n"
		"E=$F$F$F$F$F$F$F$F\nF=$G$G$G$G$G$G$G$G\nG=''\n" };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct stack stack = with_user("${A}", files[i]);
		assert_false(stack_try(&stack, NULL));
		assert_non_null(strstr(stack.err.message, "docker-compose.yml:5:31: "));
		stack_end(&stack);
	}
}

static void test_interpolation_leaves_keys_alone(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  grafana:\n"
				      "    image: grafana/grafana:12.3.0\n"
				      "    $SET: x\n");
	assert_kept(&stack, "$SET of grafana", "docker-compose.yml:4");
	stack_end(&stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interpolation_gives_what_compose_gives),
		cmocka_unit_test(test_interpolation_says_which_variable_is_set_nowhere),
		cmocka_unit_test(test_interpolation_that_compose_refuses_is_an_error),
		cmocka_unit_test(test_interpolation_of_variables_that_refer_to_each_other_ends),
		cmocka_unit_test(test_interpolation_leaves_keys_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
