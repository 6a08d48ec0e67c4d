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
#include "stack/docker_cli.h"
#include "stack/engine.h"

/* A directory that is all of PATH, with the programs of a test in it. */
static int enter(void **state)
{
	char *dir = tempdir_make();
	*state = dir;
	unsetenv("DOCKER_CONTEXT");
	unsetenv("DOCKER_CONFIG");
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

/* What docker prints for "version --format {{json .}}"; its "compose version --short" succeeds. */
#define DOCKER(server)                                                                     \
	"case \"$1 $2\" in\n"                                                              \
	"'version --format') echo "                                                        \
	"'{\"Client\":{\"Version\":\"28.2.2\",\"ApiVersion\":\"1.50\"},\"Server\":" server \
	"}' ;;\n"                                                                          \
	"'compose version') echo 2.26.1 ;;\n"                                              \
	"*) exit 9 ;;\n"                                                                   \
	"esac"

static void test_no_program_is_no_engine(void **state)
{
	(void)state;
	AUTO(engine) struct engine engine = { 0 };
	engine_find(&engine);
	assert_false(engine.is_reachable);
	assert_null(engine.program);
	assert_string_equal(engine.why, "no container engine is installed");
}

static void test_an_engine_that_answers_is_used(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker", DOCKER("{\"Version\":\"20.10.24+dfsg1\"}"));
	engine_find(&engine);
	assert_true(engine.is_reachable);
	assert_true(engine.is_usable);
	assert_string_equal(engine.client, "28.2.2");
	assert_string_equal(engine.version, "20.10.24+dfsg1");
	assert_string_equal(engine.why, "docker 20.10.24+dfsg1 answers");
	assert_null(engine.hint);
}

static void test_an_engine_that_is_too_old_is_not_used(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker", DOCKER("{\"Version\":\"19.03.15\"}"));
	engine_find(&engine);
	assert_true(engine.is_reachable);
	assert_false(engine.is_usable);
	assert_string_equal(engine.why, "docker 19.03.15 answers, but 20.10 or later is needed");
}

/* Its plug-ins may be on this machine, and are seen wherever they lie. */
static void skip_with_compose(void)
{
	if (docker_cli_has_plugin("docker-compose"))
		skip();
}

static void test_without_compose_an_engine_is_not_used(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	skip_with_compose();
	add_program(*state, "docker",
		"[ \"$1\" = version ] && echo '{\"Server\":{\"Version\":\"27.1.0\"}}'");
	engine_find(&engine);
	assert_true(engine.is_reachable);
	assert_false(engine.is_usable);
	assert_string_equal(
		engine.why, "docker 27.1.0 answers, but Docker Compose 2 is not installed");
	assert_non_null(engine.hint);
}

static void test_the_first_compose_is_not_enough(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	skip_with_compose();
	add_program(*state, "docker",
		"[ \"$1\" = version ] && echo '{\"Server\":{\"Version\":\"27.1.0\"}}'");
	add_program(*state, "docker-compose", "[ \"$1 $2\" = 'version --short' ] && echo 1.29.2");
	engine_find(&engine);
	assert_false(engine.is_usable);
	assert_string_equal(engine.why,
		"docker 27.1.0 answers, but docker-compose 1.29.2 is too old, version 2 is needed");
}

static void test_compose_by_itself_is_enough(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker",
		"[ \"$1\" = version ] && echo '{\"Server\":{\"Version\":\"27.1.0\"}}'");
	add_program(*state, "docker-compose", "[ \"$1 $2\" = 'version --short' ] && echo v2.6.0");
	engine_find(&engine);
	assert_true(engine.is_usable);
}

/* Starting docker for it would cost more than all else. */
static void test_a_plug_in_that_is_seen_is_not_started(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(engine) struct engine engine = { 0 };
	AUTO(str) char *folder = path_join(*state, ".docker/cli-plugins");
	AUTO(str) char *trace = path_join(*state, "was-started");
	AUTO(str)
	char *script = mem_printf("[ \"$1\" = version ] || exec : > %s\n"
				  "echo '{\"Server\":{\"Version\":\"27.1.0\"}}'",
		trace);
	struct stat st;
	assert_true(dir_make(folder, 0700, &err));
	add_program(folder, "docker-compose", ": > $0.started");
	add_program(*state, "docker", script);
	engine_find(&engine);
	assert_true(engine.is_usable);
	assert_int_equal(stat(trace, &st), -1);
}

static void test_podman_is_taken_where_there_is_no_docker(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "podman",
		"[ \"$1\" = compose ] ||\n"
		"echo '{\"Client\":{\"APIVersion\":\"4.3.1\",\"Version\":\"4.3.1\"}}'");
	engine_find(&engine);
	assert_string_equal(engine.program, "podman");
	assert_string_equal(engine.version, "4.3.1");
	assert_true(engine.is_usable);
}

static void test_docker_in_front_of_podman_is_not_too_old(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	add_program(*state, "docker",
		DOCKER("{\"Version\":\"4.9.3\",\"Components\":[{\"Name\":\"Podman Engine\"}]}"));
	engine_find(&engine);
	assert_true(engine.is_usable);
}

static void test_an_answer_without_a_version_is_none(void **state)
{
	static const char *const scripts[] = { "echo hello", "echo '[1]'", "exit 0",
		"echo '{\"Client\":{\"Version\":\"28.2.2\"},\"Server\":null}'" };
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		AUTO(engine) struct engine engine = { 0 };
		add_program(*state, "docker", scripts[i]);
		engine_find(&engine);
		assert_false(engine.is_reachable);
		assert_string_equal(engine.why, "docker does not say its engine's version");
	}
}

static const struct {
	const char *said, *hint;
} refusals[] = {
	{ "Cannot connect to it", NULL },
	{ "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
		"start it, for example with 'systemctl start docker'" },
	{ "permission denied while trying to connect to the Docker daemon socket",
		"become a member of the group docker, or use a rootless engine" },
};

static void test_what_docker_says_is_the_reason(void **state)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		AUTO(engine) struct engine engine = { 0 };
		AUTO(str)
		char *script = mem_printf("echo '%s' >&2; echo more >&2; exit 1", refusals[i].said);
		AUTO(str)
		char *why = mem_printf("docker cannot reach its engine: %s", refusals[i].said);
		add_program(*state, "docker", script);
		engine_find(&engine);
		assert_false(engine.is_reachable);
		assert_string_equal(engine.why, why);
		if (refusals[i].hint)
			assert_string_equal(engine.hint, refusals[i].hint);
		else
			assert_null(engine.hint);
	}
}

static void test_a_docker_that_hangs_is_given_up(void **state)
{
	AUTO(engine) struct engine engine = { 0 };
	AUTO(str) char *fifo = path_join(*state, "fifo");
	AUTO(str) char *script = mem_printf("read line < %s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0); /* nobody will write */
	add_program(*state, "docker", script);
	engine_find(&engine);
	assert_false(engine.is_reachable);
	assert_string_equal(engine.why, "docker did not answer within five seconds");
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
	add_program(*state, "docker", DOCKER("{\"Version\":\"27.1.0\"}"));
	assert_true(dir_make(folder, 0700, &err));
	assert_true(file_write_atomic(config, text, strlen(text), 0600, &err));
	engine_find(&engine);
	assert_true(engine.is_reachable);
}

static void test_versions_are_compared_by_their_numbers(void **state)
{
	(void)state;
	assert_true(docker_cli_is_before("19.03.15", 20, 10));
	assert_true(docker_cli_is_before("20.9.0", 20, 10));
	assert_true(docker_cli_is_before("v1.29.2", 2, 0));
	assert_false(docker_cli_is_before("20.10.0", 20, 10));
	assert_false(docker_cli_is_before("v2.0.0-rc.1", 2, 0));
	assert_false(docker_cli_is_before("dev", 20, 10));
	assert_false(docker_cli_is_before("", 20, 10));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_no_program_is_no_engine),
		CASE(test_an_engine_that_answers_is_used),
		CASE(test_an_engine_that_is_too_old_is_not_used),
		CASE(test_without_compose_an_engine_is_not_used),
		CASE(test_the_first_compose_is_not_enough),
		CASE(test_compose_by_itself_is_enough),
		CASE(test_a_plug_in_that_is_seen_is_not_started),
		CASE(test_podman_is_taken_where_there_is_no_docker),
		CASE(test_docker_in_front_of_podman_is_not_too_old),
		CASE(test_an_answer_without_a_version_is_none),
		CASE(test_what_docker_says_is_the_reason),
		CASE(test_a_docker_that_hangs_is_given_up),
		CASE(test_without_its_socket_docker_is_not_even_started),
		CASE(test_a_chosen_context_is_docker_s_matter),
		cmocka_unit_test(test_versions_are_compared_by_their_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
