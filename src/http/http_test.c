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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/mem.h"
#include "http/http.h"

/* A server of one answer, in a process of its own. */
struct server {
	pid_t pid;
	char *url;
};

/* Answers `echo` with the request that came, NULL with nothing at all. */
static void serve(int listener, const char *answer)
{
	char request[4096] = "";
	int fd = accept(listener, NULL, NULL);
	ssize_t len = fd < 0 ? -1 : read(fd, request, sizeof request - 1);
	if (len < 0)
		_exit(1);
	if (!answer)
		pause();
	if (strcmp(answer, "echo") == 0) {
		const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
		if (write(fd, head, sizeof head - 1) < 0 || write(fd, request, (size_t)len) < 0)
			_exit(1);
	} else if (write(fd, answer, strlen(answer)) < 0) {
		_exit(1);
	}
	_exit(0);
}

static int listen_somewhere(struct server *server)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0 && bind(listener, (struct sockaddr *)&at, len) == 0 &&
		    listen(listener, 1) == 0 &&
		    getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	*server = (struct server){ .url = mem_printf(
					   "http://127.0.0.1:%d/path", ntohs(at.sin_port)) };
	return listener;
}

static struct server start(const char *answer)
{
	struct server server;
	int listener = listen_somewhere(&server);
	server.pid = fork();
	if (server.pid == 0)
		serve(listener, answer);
	close(listener);
	return server;
}

static struct server start_with(void (*serve_all)(int listener))
{
	struct server server;
	int listener = listen_somewhere(&server);
	server.pid = fork();
	if (server.pid == 0)
		serve_all(listener);
	close(listener);
	return server;
}

static void stop(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	free(server->url);
}

static bool ask(const struct server *server, struct http_request request,
	struct http_answer *answer, struct error *err)
{
	request.url = server->url;
	request.deadline_ms = 3000;
	request.answer_max = 1000;
	return http_send(&request, answer, err);
}

static void test_status_and_body_come_back(void **state)
{
	(void)state;
	struct server server = start("HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nbody");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_true(ask(&server, (struct http_request){ 0 }, &answer, &err));
	assert_int_equal(answer.status, 404);
	assert_string_equal(buf_str(&answer.body), "body");
	stop(&server);
}

static void test_what_is_asked_is_sent(void **state)
{
	(void)state;
	struct server server = start("echo");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	const struct http_request request = { .content_type = "application/json",
		.body = "{}",
		.body_len = 2,
		.user = "ada",
		.password = "secret" };
	assert_true(ask(&server, request, &answer, &err));
	const char *said = buf_str(&answer.body);
	assert_non_null(strstr(said, "POST /path HTTP/1.1\r\n"));
	assert_non_null(strstr(said, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(said, "Authorization: Basic YWRhOnNlY3JldA==\r\n"));
	assert_non_null(strstr(said, "\r\n\r\n{}"));
	stop(&server);
}

static void test_a_token_is_sent_as_bearer(void **state)
{
	(void)state;
	struct server server = start("echo");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_true(ask(&server, (struct http_request){ .bearer = "t0ken" }, &answer, &err));
	assert_non_null(strstr(buf_str(&answer.body), "Authorization: Bearer t0ken\r\n"));
	stop(&server);
}

static void test_a_redirect_is_an_answer_and_not_followed(void **state)
{
	(void)state;
	struct server server = start(
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_true(ask(&server, (struct http_request){ 0 }, &answer, &err));
	assert_int_equal(answer.status, 302);
	stop(&server);
}

static void test_an_answer_that_is_too_large_is_an_error(void **state)
{
	(void)state;
	AUTO(str) char *body = mem_zalloc(3000);
	memset(body, 'x', 2000);
	AUTO(str)
	char *text = mem_printf("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n%s", body);
	struct server server = start(text);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_false(ask(&server, (struct http_request){ .password = "secret" }, &answer, &err));
	assert_non_null(strstr(err.message, "larger than 1000 bytes"));
	assert_null(strstr(err.message, "secret"));
	stop(&server);
}

static void test_silence_ends_at_the_deadline(void **state)
{
	(void)state;
	struct server server = start(NULL);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	const struct http_request request = {
		.url = server.url, .deadline_ms = 100, .answer_max = 1000
	};
	assert_false(http_send(&request, &answer, &err));
	assert_int_equal(err.code, ERR_NETWORK);
	stop(&server);
}

static void test_a_proxy_of_the_environment_is_not_for_this_machine(void **state)
{
	(void)state;
	struct server server = start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_true(ask(&server, (struct http_request){ 0 }, &answer, &err));
	unsetenv("http_proxy");
	stop(&server);
}

static bool download(const char *url, struct http_answer *answer, struct error *err)
{
	return http_download(url, 3000, 1000, answer, err);
}

static void test_a_download_goes_where_it_is_sent(void **state)
{
	(void)state;
	struct server last = start("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
	AUTO(str)
	char *redirect = mem_printf(
		"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", last.url);
	struct server first = start(redirect);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_true(download(first.url, &answer, &err));
	assert_int_equal(answer.status, 200);
	assert_string_equal(buf_str(&answer.body), "body");
	stop(&first);
	stop(&last);
}

static void test_a_download_is_not_sent_to_what_is_not_encrypted(void **state)
{
	(void)state;
	struct server server = start("HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.1/x\r\n"
				     "Content-Length: 0\r\n\r\n");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_false(download(server.url, &answer, &err));
	assert_non_null(strstr(err.message, "http://192.0.2.1/x is not encrypted"));
	stop(&server);
}

static void test_what_is_downloaded_without_encryption_is_of_this_machine(void **state)
{
	static const char *const addresses[] = { "http://192.0.2.1/x", "ftp://localhost/x", "x",
		"http://ada:secret@localhost/x" };
	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(http_answer) struct http_answer answer = { 0 };
		assert_false(download(addresses[i], &answer, &err));
		assert_int_equal(err.code, ERR_USAGE);
		assert_null(strstr(err.message, "secret"));
	}
}

/* Sends everyone back to itself. */
static void serve_a_circle(int listener)
{
	const char redirect[] = "HTTP/1.1 307 Again\r\nLocation: /path\r\nContent-Length: 0\r\n"
				"Connection: close\r\n\r\n";
	for (int i = 0; i < 20; i++) {
		char request[4096];
		int fd = accept(listener, NULL, NULL);
		if (fd < 0 || read(fd, request, sizeof request) < 0 ||
			write(fd, redirect, sizeof redirect - 1) < 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static void test_a_circle_of_redirects_ends(void **state)
{
	(void)state;
	struct server server = start_with(serve_a_circle);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	assert_false(download(server.url, &answer, &err));
	assert_non_null(strstr(err.message, "sent on more than 5 times"));
	stop(&server);
}

static void test_the_environment_names_who_needs_no_proxy(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT, other = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	const struct http_request request = {
		.url = "http://cctm-test.invalid/", .deadline_ms = 3000, .answer_max = 1000
	};
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_false(http_send(&request, &answer, &err));
	setenv("no_proxy", "example.com,cctm-test.invalid", 1);
	assert_false(http_send(&request, &answer, &other));
	unsetenv("no_proxy");
	unsetenv("http_proxy");
	assert_string_not_equal(
		err.message, other.message); /* the proxy's refusal, and no such name */
}

static void test_one_more_header_is_sent(void **state)
{
	(void)state;
	struct server server = start("echo");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	const struct http_request request = { .header = "X-Grafana-Org-Id: 3" };
	assert_true(ask(&server, request, &answer, &err));
	assert_non_null(strstr(buf_str(&answer.body), "\r\nX-Grafana-Org-Id: 3\r\n"));
	stop(&server);
}

static void test_nobody_there_is_said(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	const struct http_request request = {
		.url = "http://127.0.0.1:1/", .deadline_ms = 3000, .answer_max = 1000
	};
	assert_false(http_send(&request, &answer, &err));
	assert_non_null(strstr(err.message, "GET http://127.0.0.1:1/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_body_come_back),
		cmocka_unit_test(test_what_is_asked_is_sent),
		cmocka_unit_test(test_a_token_is_sent_as_bearer),
		cmocka_unit_test(test_a_redirect_is_an_answer_and_not_followed),
		cmocka_unit_test(test_an_answer_that_is_too_large_is_an_error),
		cmocka_unit_test(test_silence_ends_at_the_deadline),
		cmocka_unit_test(test_a_proxy_of_the_environment_is_not_for_this_machine),
		cmocka_unit_test(test_a_download_goes_where_it_is_sent),
		cmocka_unit_test(test_a_download_is_not_sent_to_what_is_not_encrypted),
		cmocka_unit_test(test_what_is_downloaded_without_encryption_is_of_this_machine),
		cmocka_unit_test(test_a_circle_of_redirects_ends),
		cmocka_unit_test(test_the_environment_names_who_needs_no_proxy),
		cmocka_unit_test(test_one_more_header_is_sent),
		cmocka_unit_test(test_nobody_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
