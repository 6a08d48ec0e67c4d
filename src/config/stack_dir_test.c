#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/stack_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

/* ROOT/stack/cctm.yaml and ROOT/stack/a/b, ROOT/elsewhere; the data home is ROOT/data/cctm. */
struct place {
	char *root, *stack, *below, *elsewhere, *data;
};

static void make_file(const char *path)
{
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, "", 0, 0644, &err));
}

static int set_up(void **state)
{
	struct place *p = mem_zalloc(sizeof *p);
	AUTO(error) struct error err = ERROR_INIT;
	char template[] = "/tmp/cctm-stack-dir-XXXXXX";
	assert_non_null(mkdtemp(template));
	p->root = realpath(template, NULL);
	p->stack = path_join(p->root, "stack");
	p->below = path_join(p->stack, "a/b");
	p->elsewhere = path_join(p->root, "elsewhere");
	p->data = path_join(p->root, "data");
	assert_true(dir_make(p->below, 0700, &err) && dir_make(p->elsewhere, 0700, &err));
	AUTO(str) char *file = path_join(p->stack, "cctm.yaml");
	make_file(file);
	setenv("XDG_DATA_HOME", p->data, 1);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	static const char *const parts[] = { "stack/cctm.yaml", "data/cctm/cctm.yaml", "data/cctm",
		"data", "stack/a/b/cctm.yaml", "stack/a/b", "stack/a", "stack", "elsewhere" };
	assert_int_equal(chdir("/"), 0);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		AUTO(str) char *path = path_join(p->root, parts[i]);
		if (unlink(path) < 0)
			rmdir(path);
	}
	rmdir(p->root);
	free(p->root);
	free(p->stack);
	free(p->below);
	free(p->elsewhere);
	free(p->data);
	free(p);
	return 0;
}

static void check(
	const char *cwd, const char *given, const char *dir, enum stack_dir_how how, bool has_file)
{
	AUTO(stack_dir) struct stack_dir found = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(chdir(cwd), 0);
	if (!stack_dir_find(given, &found, &err))
		fail_msg("%s", err.message);
	assert_string_equal(found.dir, dir);
	assert_int_equal(found.how, how);
	assert_int_equal(found.has_file, has_file);
}

static void test_stack_dir_is_the_one_given_even_without_a_file(void **state)
{
	struct place *p = *state;
	check(p->below, p->stack, p->stack, STACK_DIR_GIVEN, true);
	check(p->below, p->elsewhere, p->elsewhere, STACK_DIR_GIVEN, false);
}

static void test_stack_dir_is_the_nearest_parent_with_a_file(void **state)
{
	struct place *p = *state;
	check(p->stack, NULL, p->stack, STACK_DIR_PARENT, true);
	check(p->below, NULL, p->stack, STACK_DIR_PARENT, true);
	AUTO(str) char *nearer = path_join(p->below, "cctm.yaml");
	make_file(nearer);
	check(p->below, NULL, p->below, STACK_DIR_PARENT, true);
}

static void test_stack_dir_is_else_the_data_home(void **state)
{
	struct place *p = *state;
	AUTO(str) char *home = path_join(p->data, "cctm");
	AUTO(str) char *file = path_join(home, "cctm.yaml");
	AUTO(error) struct error err = ERROR_INIT;
	check(p->elsewhere, NULL, home, STACK_DIR_DATA_HOME, false);
	assert_true(dir_make(home, 0700, &err));
	make_file(file);
	check(p->elsewhere, NULL, home, STACK_DIR_DATA_HOME, true);
}

static void test_stack_dir_refuses_what_is_no_directory(void **state)
{
	struct place *p = *state;
	AUTO(str) char *file = path_join(p->stack, "cctm.yaml");
	AUTO(stack_dir) struct stack_dir found = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(stack_dir_find(file, &found, &err));
	assert_string_equal(err.hint, "name the directory that holds cctm.yaml");
	error_clear(&err);
	assert_false(stack_dir_find("/nowhere/at/all", &found, &err));
}

static void test_stack_dir_does_not_trust_another_users_file_in_a_parent(void **state)
{
	struct place *p = *state;
	AUTO(str) char *file = path_join(p->stack, "cctm.yaml");
	AUTO(stack_dir) struct stack_dir found = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	if (chown(file, 12345, (gid_t)-1) < 0)
		skip(); /* only root can give a file away */
	assert_int_equal(chdir(p->below), 0);
	assert_false(stack_dir_find(NULL, &found, &err));
	assert_int_equal(err.code, ERR_REFUSED);
	check(p->below, p->stack, p->stack, STACK_DIR_GIVEN, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_stack_dir_is_the_one_given_even_without_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_stack_dir_is_the_nearest_parent_with_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_stack_dir_is_else_the_data_home, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_stack_dir_refuses_what_is_no_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_stack_dir_does_not_trust_another_users_file_in_a_parent, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
