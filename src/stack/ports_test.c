#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"
#include "stack/ports.h"
#include "stack/ports_internal.h"

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

static const struct listener *on_port(const struct listeners *listeners, int64_t port)
{
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->items[i].port == port)
			return &listeners->items[i];
	}
	return NULL;
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

static void test_a_listener_on_all_ipv6_addresses_takes_ipv4_too(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("::", &port);
	if (fd < 0)
		skip(); /* a machine without it */
	assert_true(is_taken("::1", port));
	assert_true(is_taken("127.0.0.1", port));
	assert_true(is_taken("0.0.0.0", port));
}

static void test_an_ipv4_address_written_as_ipv6_is_the_same(void **state)
{
	(void)state;
	int64_t port;
	AUTO(fd) int fd = listen_on("::ffff:127.0.0.1", &port);
	if (fd < 0)
		skip(); /* a machine without it */
	assert_true(is_taken("127.0.0.1", port));
	assert_true(is_taken("::ffff:127.0.0.1", port));
	assert_false(is_taken("127.0.0.2", port));
	assert_false(is_taken("::1", port));
}

static void test_a_connection_does_not_take_its_port(void **state)
{
	(void)state;
	int64_t port;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listening = listen_on("127.0.0.1", &port);
	AUTO(fd) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
	AUTO(fd) int server = accept(listening, NULL, NULL);
	assert_true(server >= 0);
	assert_true(is_taken("127.0.0.1", port));
	close(listening);
	assert_false(is_taken("127.0.0.1", port));
}

static void test_another_process_is_named(void **state)
{
	(void)state;
	int64_t port;
	int fd = listen_on("127.0.0.1", &port);
	assert_true(fd >= 0);
	pid_t other = fork();
	if (other == 0) {
		prctl(PR_SET_NAME, "port holder");
		for (;;)
			pause();
	}
	close(fd);
	AUTO(listeners) struct listeners *listeners = listeners_read();
	AUTO(port_holder) struct port_holder holder = { 0 };
	/* Its name comes a moment after it began. */
	for (int64_t end_ms = clock_mono_ms() + 10000; clock_mono_ms() < end_ms;) {
		port_holder_clear(&holder);
		listeners_holder(listeners, "127.0.0.1", port, &holder);
		if (holder.program && strcmp(holder.program, "port holder") == 0)
			break;
	}
	AUTO(str) char *who = mem_printf("port holder (process %lld)", (long long)other);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_int_equal(holder.pid, other);
	assert_string_equal(holder.who, who);
}

static void test_both_sources_tell_the_same(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "0.0.0.0", "::1", "::" };
	struct listeners told = { 0 }, read = { 0 };
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		int64_t port = 0;
		AUTO(fd) int fd = listen_on(addresses[i], &port);
		if (fd < 0)
			continue;
		told.count = read.count = 0;
		if (!listeners_read_diagnosis(&told) || !listeners_read_tables("/proc/net", &read))
			skip(); /* a kernel with one of them */
		const struct listener *a = on_port(&told, port), *b = on_port(&read, port);
		assert_true(a && b);
		if (!a || !b)
			break; /* assert_true does not come back, but does not say so */
		assert_memory_equal(&a->address, &b->address, sizeof a->address);
		assert_int_equal(a->uid, b->uid);
		assert_int_equal(a->inode, b->inode);
	}
	free(told.items);
	free(read.items);
}

/* ---- tables of a test's own ---- */

#define UNUSED_INODE 4294967290UL

static struct listeners tables_of(const char *text)
{
	struct listeners out = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	char *dir = tempdir_make();
	AUTO(str) char *path = path_join(dir, "tcp");
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
	assert_true(listeners_read_tables(dir, &out));
	tempdir_remove(dir);
	return out;
}

static void assert_who(unsigned uid, const char *expected)
{
	AUTO(str)
	char *text = mem_printf("  sl  local_address\n"
				"   0: %08X:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
				"00000000 %5u        0 %lu 1 0000000000000000 100 0 0 10 0\n",
		htonl(INADDR_LOOPBACK), uid, UNUSED_INODE);
	AUTO(port_holder) struct port_holder holder = { 0 };
	struct listeners listeners = tables_of(text);
	listeners_holder(&listeners, "127.0.0.1", 8080, &holder);
	free(listeners.items);
	assert_true(holder.is_taken);
	assert_int_equal(holder.pid, 0);
	assert_string_equal(holder.who, expected);
}

static void test_a_process_that_cannot_be_seen_is_named_by_its_user(void **state)
{
	(void)state;
	assert_who(0, "a process of user root");
	assert_who(3999999999U, "a process of user 3999999999");
}

static void test_lines_that_are_none_are_passed_over(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"  sl  local_address",
		"h\n\n\n",
		"h\n   0: 0100007F:1F90",
		"h\n  0: 0100007F0100007F0100007F0100007F0100007F01:1F90 0:0 0A 0:0 0:0 0 0 0 1\n",
		"h\n   0: 01:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1\n",
		"h\n   0: 0100007F:1F90 00000000:0000 06 0:0 0:0 0 0 0 1\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct listeners listeners = tables_of(texts[i]);
		assert_int_equal(listeners.count, 0);
		free(listeners.items);
	}
}

static void test_where_nothing_tells_trying_does(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "0.0.0.0", "::1", "::" };
	struct listeners nothing = { 0 };
	assert_false(listeners_read_tables("/nonexistent", &nothing));
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		int64_t port;
		AUTO(port_holder) struct port_holder holder = { 0 };
		int fd = listen_on(addresses[i], &port);
		if (fd < 0)
			continue;
		listeners_holder(&nothing, addresses[i], port, &holder);
		assert_true(holder.is_taken);
		assert_string_equal(holder.who, "another program");
		assert_true(
			listeners_free_above(&nothing, addresses[i], port - 1, NULL, NULL) > port);
		close(fd);
		port_holder_clear(&holder);
		listeners_holder(&nothing, addresses[i], port, &holder);
		assert_false(holder.is_taken);
	}
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
	assert_int_equal(listeners_free_above(listeners, "127.0.0.1", 65535, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listener_is_named_with_its_process),
		cmocka_unit_test(test_a_port_is_free_once_its_listener_has_gone),
		cmocka_unit_test(test_one_address_does_not_take_the_port_of_another),
		cmocka_unit_test(test_a_listener_on_all_addresses_takes_the_port_of_each),
		cmocka_unit_test(test_listeners_on_ipv6_are_seen),
		cmocka_unit_test(test_a_listener_on_all_ipv6_addresses_takes_ipv4_too),
		cmocka_unit_test(test_an_ipv4_address_written_as_ipv6_is_the_same),
		cmocka_unit_test(test_a_connection_does_not_take_its_port),
		cmocka_unit_test(test_another_process_is_named),
		cmocka_unit_test(test_both_sources_tell_the_same),
		cmocka_unit_test(test_a_process_that_cannot_be_seen_is_named_by_its_user),
		cmocka_unit_test(test_lines_that_are_none_are_passed_over),
		cmocka_unit_test(test_where_nothing_tells_trying_does),
		cmocka_unit_test(test_the_next_free_port_passes_over_taken_and_own_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
