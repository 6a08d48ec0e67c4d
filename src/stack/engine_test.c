#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"
#include "stack/engine.h"

/* A directory that is all of PATH, with the programs of a test in it. */
static int enter(void **state)
{
	char *dir = tempdir_make();
	*state = dir;
	unsetenv("DOCKER_CONTEXT");
	return !dir || setenv("PATH", dir, 1) || setenv("HOME", dir, 1) ||
	       setenv("DOCKER_HOST", "tcp://127.0.0.1:1", 1);
}

static int leave(void **state)
{
	return tempdir_remove(*state);
}

static void add_program(const char *dir, const char *name, const char *script)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *path = path_join(dir, name);
	AUTO(str) char *text = mem_printf("#!/bin/sh\n%s\n", script);
	assert_true(file_write_atomic(path, text, strlen(text), 0755, &err));
}

static void test_no_program_is_no_engine(void **state)
{
	(void)state;
	AUTO(engine) struct engine engine = { 0 };
	engine_find(&engine);
	assert_false(engine.is_reachable);
	assert_null(engine.program);
	assert_string_equal(engine.why, "no container engine is installed");
}

static void test_an_engine_that_answers_is_reached(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker", "[ \"$1\" = version ] && echo 24.0.5");
	engine_find(&engine);
	assert_true(engine.is_reachable);
	assert_string_equal(engine.version, "24.0.5");
}

static void test_podman_is_taken_where_there_is_no_docker(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "podman", "echo 5.0.0");
	engine_find(&engine);
	assert_true(engine.is_reachable);
	assert_string_equal(engine.program, "podman");
}

static void test_what_docker_says_is_the_reason(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker", "echo 'Cannot connect to it' >&2; echo more >&2; exit 1");
	engine_find(&engine);
	assert_false(engine.is_reachable);
	assert_string_equal(engine.why, "docker cannot reach its engine: Cannot connect to it");
}

static void test_without_its_socket_docker_is_not_even_started(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	AUTO(str) char *trace = path_join(*state, "was-started");
	AUTO(str) char *script = mem_printf(": > %s", trace);
	struct stat st;
	unsetenv("DOCKER_HOST");
	if (stat("/var/run/docker.sock", &st) == 0)
		skip(); /* an engine runs here */
	add_program(*state, "docker", script);
	engine_find(&engine);
	assert_false(engine.is_reachable);
	assert_int_equal(stat(trace, &st), -1);
	assert_non_null(engine.hint);
}

static void test_a_chosen_context_is_docker_s_matter(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(engine) struct engine engine = { 0 };
	AUTO(str) char *folder = path_join(*state, ".docker");
	AUTO(str) char *config = path_join(folder, "config.json");
	const char *text = "{\"currentContext\": \"far\"}";
	unsetenv("DOCKER_HOST");
	add_program(*state, "docker", "echo 27.1.0");
	assert_true(dir_make(folder, 0700, &err));
	assert_true(file_write_atomic(config, text, strlen(text), 0600, &err));
	engine_find(&engine);
	assert_true(engine.is_reachable);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_no_program_is_no_engine),
		CASE(test_an_engine_that_answers_is_reached),
		CASE(test_podman_is_taken_where_there_is_no_docker),
		CASE(test_what_docker_says_is_the_reason),
		CASE(test_without_its_socket_docker_is_not_even_started),
		CASE(test_a_chosen_context_is_docker_s_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
