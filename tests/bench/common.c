#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

void fail(enum exit_status status, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit((int)status);
}

void *pages_take(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail(EXIT_BROKEN, "take %zu bytes of memory: %s", size, strerror(errno));
	return p;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		fail(EXIT_BROKEN, "read the clock: %s", strerror(errno));
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t now_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t now_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t number_parse(const char *what, const char *text, uint64_t max)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (uint64_t)(*at - '0');
		if (value > max)
			break;
	}
	if (at == text || *at || value > max)
		fail(EXIT_USAGE, "%s is \"%s\"; give a whole number up to %llu", what, text,
			(unsigned long long)max);
	return value;
}

int loopback_connect(uint16_t port, int is_nonblocking)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail(EXIT_BROKEN, "make a socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		fail(EXIT_BROKEN, "connect to 127.0.0.1:%u: %s; is the server running?", port,
			strerror(errno));
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		fail(EXIT_BROKEN, "set TCP_NODELAY: %s", strerror(errno));
	if (is_nonblocking && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		fail(EXIT_BROKEN, "make a socket non-blocking: %s", strerror(errno));
	return fd;
}
