#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cleanup.h"
#include "stack/ports.h"

/* A listener on a free port of `address`. */
static int listen_on(const char *address, int64_t *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	bool is_v6 = strchr(address, ':') != NULL;
	struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t len = is_v6 ? sizeof v6 : sizeof v4;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
		inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
			is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1 ||
		bind(fd, at, len) < 0 || listen(fd, 1) < 0 || getsockname(fd, at, &len) < 0)
		return -1;
	*port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	return fd;
}

static bool is_taken(const char *address, int64_t port)
{
	AUTO(listeners) struct listeners *listeners = listeners_read();
	AUTO(port_holder) struct port_holder holder = { 0 };
	listeners_holder(listeners, address, port, &holder);
	return holder.is_taken;
}

static void test_a_listener_is_named_with_its_process(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("127.0.0.1", &port);
	AUTO(listeners) struct listeners *listeners = listeners_read();
	AUTO(port_holder) struct port_holder holder = { 0 };
	assert_true(fd >= 0);
	listeners_holder(listeners, "127.0.0.1", port, &holder);
	assert_true(holder.is_taken);
	assert_int_equal(holder.pid, getpid());
	assert_non_null(strstr(holder.who, holder.program));
}

static void test_a_port_is_free_once_its_listener_has_gone(void **state)
{
	(void)state;
	int64_t port;
	int fd = listen_on("127.0.0.1", &port);
	assert_true(is_taken("127.0.0.1", port));
	close(fd);
	assert_false(is_taken("127.0.0.1", port));
}

static void test_one_address_does_not_take_the_port_of_another(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("127.0.0.1", &port);
	assert_true(fd >= 0);
	assert_false(is_taken("127.0.0.2", port));
	assert_false(is_taken("::1", port));
	assert_true(is_taken("0.0.0.0", port));
	assert_true(is_taken("::", port));
}

static void test_a_listener_on_all_addresses_takes_the_port_of_each(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("0.0.0.0", &port);
	assert_true(fd >= 0);
	assert_true(is_taken("127.0.0.1", port));
	assert_true(is_taken("127.0.0.2", port));
	assert_false(is_taken("::1", port));
}

static void test_listeners_on_ipv6_are_seen(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("::1", &port);
	if (fd < 0)
		skip(); /* a machine without it */
	assert_true(is_taken("::1", port));
	assert_false(is_taken("127.0.0.1", port));
}

static bool is_next(void *ctx, int64_t port)
{
	return port == *(int64_t *)ctx + 1;
}

static void test_the_next_free_port_passes_over_taken_and_own_ones(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("127.0.0.1", &port);
	AUTO(listeners) struct listeners *listeners = listeners_read();
	assert_true(fd >= 0);
	int64_t next = listeners_free_above(listeners, "127.0.0.1", port, is_next, &port);
	assert_true(next > port + 1);
	assert_false(is_taken("127.0.0.1", next));
	assert_true(listeners_free_above(listeners, "127.0.0.1", port - 1, NULL, NULL) > port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listener_is_named_with_its_process),
		cmocka_unit_test(test_a_port_is_free_once_its_listener_has_gone),
		cmocka_unit_test(test_one_address_does_not_take_the_port_of_another),
		cmocka_unit_test(test_a_listener_on_all_addresses_takes_the_port_of_each),
		cmocka_unit_test(test_listeners_on_ipv6_are_seen),
		cmocka_unit_test(test_the_next_free_port_passes_over_taken_and_own_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
