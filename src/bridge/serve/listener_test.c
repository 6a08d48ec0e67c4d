#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/serve.h"
#include "core/error.h"

struct fixture {
	struct event_base *base;
	struct serve *serve, *other;
};

static int set_up(void **state)
{
	static struct fixture f;
	const struct serve_options options = { .limits = SERVE_LIMITS_DEFAULT };
	const struct serve_handler handler = { .ctx = NULL };
	f.base = event_base_new();
	f.serve = serve_new(f.base, &options, &handler);
	f.other = serve_new(f.base, &options, &handler);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	serve_free(f->serve);
	serve_free(f->other);
	event_base_free(f->base);
	return 0;
}

static void test_port_0_takes_a_free_one(void **state)
{
	struct fixture *f = *state;
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(serve_port(f->serve, DOOR_HEALTH), 0);
	assert_true(serve_listen(f->serve, DOOR_HEALTH, "localhost", 0, &err));
	assert_int_not_equal(serve_port(f->serve, DOOR_HEALTH), 0);
	assert_int_equal(serve_port(f->serve, DOOR_ZPAGES), 0);
}

static void test_a_port_in_use_is_named(void **state)
{
	struct fixture *f = *state;
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(serve_listen(f->serve, DOOR_OTLP_HTTP, "127.0.0.1", 0, &err));
	uint16_t port = serve_port(f->serve, DOOR_OTLP_HTTP);
	assert_false(serve_listen(f->other, DOOR_OTLP_HTTP, "127.0.0.1", port, &err));
	assert_int_equal(err.code, ERR_PORT_TAKEN);
	assert_int_equal(serve_port(f->other, DOOR_OTLP_HTTP), 0);
}

static void test_what_is_not_an_address_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(serve_listen(f->serve, DOOR_OTLP_HTTP, "no such host", 0, &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(err.hint);
}

static void test_nothing_is_under_way_once_stopped(void **state)
{
	struct fixture *f = *state;
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(serve_listen(f->serve, DOOR_OTLP_HTTP, "127.0.0.1", 0, &err));
	serve_stop_accepting(f->serve);
	assert_int_equal(serve_port(f->serve, DOOR_OTLP_HTTP), 0);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_true(serve_idle(f->serve));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_port_0_takes_a_free_one),
		TEST(test_a_port_in_use_is_named),
		TEST(test_what_is_not_an_address_is_refused),
		TEST(test_nothing_is_under_way_once_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
