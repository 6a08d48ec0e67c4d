/* The reader of the Prometheus text format (exposition format 0.0.4) knows what it needs: names, labels with
 * their escapes skipped over, values. What it cannot read ends the run.
 */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "body.h"
#include "common.h"

enum { SCRAPE_MAX = 64 << 20, SCRAPE_TIMEOUT_S = 60, LABELS_MAX = 64 };

struct text {
	const char *ptr;
	size_t len;
};

struct sample {
	struct text name;
	size_t labels;
	struct text label_names[LABELS_MAX], label_values[LABELS_MAX];
	double value;
};

static size_t receive_all(int fd, char *into, size_t room)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = recv(fd, into + len, room - len, 0);
		if (got == 0)
			return len;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail(EXIT_BROKEN, "read /metrics: %s", strerror(errno));
		len += (size_t)got;
		if (len == room)
			fail(EXIT_BROKEN, "/metrics is longer than %d bytes", SCRAPE_MAX);
	}
}

/* The framing is Connection: close, so the body ends with the stream; a chunked one is refused. */
static const char *body_of(const char *answer, size_t *len)
{
	const char *end = memmem(answer, *len, "\r\n\r\n", 4);

	if (!end || *len < 13 || memcmp(answer, "HTTP/1.", 7) != 0)
		fail(EXIT_BROKEN, "the exporter did not answer with HTTP/1");
	if (memcmp(answer + 8, " 200", 4) != 0)
		fail(EXIT_BROKEN, "the exporter answered %.13s instead of 200", answer);
	for (const char *at = answer; at < end; at++)
		if (strncasecmp(at, "\r\nTransfer-Encoding:", 20) == 0)
			fail(EXIT_BROKEN,
				"the exporter sends /metrics in chunks, this reader cannot");
	*len -= (size_t)(end + 4 - answer);
	return end + 4;
}

const char *scrape(uint16_t port, size_t *len)
{
	static const char request[] =
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
		"Accept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n";
	const struct timeval limit = { .tv_sec = SCRAPE_TIMEOUT_S };
	char *answer = pages_take(SCRAPE_MAX + 1);
	int fd = loopback_connect(port, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1)
		fail(EXIT_BROKEN, "ask for /metrics: %s", strerror(errno));
	*len = receive_all(fd, answer, SCRAPE_MAX);
	close(fd);
	return body_of(answer, len);
}

static bool text_is(struct text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.ptr, s, t.len) == 0;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static struct text take_until(const char **at, const char *stops)
{
	struct text t = { *at, strcspn(*at, stops) };

	*at += t.len;
	return t;
}

/* name="value" with \\, \" and \n inside the value */
static bool label_parse(const char **at, struct text *name, struct text *value)
{
	*name = take_until(at, "=\"{}\n");
	if (!take(at, '=') || !take(at, '"'))
		return false;
	value->ptr = *at;
	while (**at && **at != '"' && **at != '\n')
		*at += **at == '\\' && (*at)[1] ? 2 : 1;
	value->len = (size_t)(*at - value->ptr);
	return take(at, '"');
}

static bool sample_parse(const char *at, struct sample *s)
{
	char *end;

	s->labels = 0;
	s->name = take_until(&at, "{ \n");
	if (take(&at, '{')) {
		while (!take(&at, '}')) {
			if (s->labels == LABELS_MAX || !label_parse(&at, &s->label_names[s->labels],
							       &s->label_values[s->labels]))
				return false;
			s->labels++;
			take(&at, ',');
		}
	}
	if (!take(&at, ' '))
		return false;
	s->value = strtod(at, &end);
	return end > at && (*end == '\n' || *end == ' ' || *end == '\0');
}

static bool has_label(const struct sample *s, struct body_attribute wanted)
{
	for (size_t i = 0; i < s->labels; i++)
		if (text_is(s->label_names[i], wanted.key))
			return text_is(s->label_values[i], wanted.value);
	return false;
}

static bool belongs_to_point(const struct sample *s, const struct body_point *point)
{
	if (!text_is(s->name, body_metrics[point->metric].exposed))
		return false;
	for (size_t i = 0; i < POINT_ATTRIBUTES_MAX && point->attributes[i].key; i++)
		if (!has_label(s, point->attributes[i]))
			return false;
	return true;
}

/* long double carries 11 bits more than the values: no compensation is needed for a few thousand of them. */
struct totals {
	long double points[POINTS], metrics[METRICS];
};

static void sample_add(struct totals *t, const struct sample *s)
{
	for (size_t i = 0; i < METRICS; i++)
		if (text_is(s->name, body_metrics[i].exposed))
			t->metrics[i] += (long double)s->value;
	for (size_t i = 0; i < POINTS; i++)
		if (belongs_to_point(s, &body_points[i]))
			t->points[i] += (long double)s->value;
}

static void totals_read(struct totals *t, const char *text, size_t len)
{
	static struct sample s;

	for (const char *line = text; line < text + len;) {
		const char *next = memchr(line, '\n', (size_t)(text + len - line));
		if (*line != '#' && *line != '\n') {
			if (!sample_parse(line, &s))
				fail(EXIT_VOID, "/metrics has a line that is no sample: %.200s",
					line);
			sample_add(t, &s);
		}
		if (!next)
			return;
		line = next + 1;
	}
}

/* `unit` is the value of one export: its integers add up without rounding, so their total has none. */
static bool is_total(long double shown, long double expected, bool is_integer)
{
	return is_integer ? shown == expected : fabsl(shown - expected) <= 1e-9L * fabsl(expected);
}

static size_t difference_say(const char *name, const struct body_attribute *attributes,
	long double shown, long double expected)
{
	fprintf(stderr, "void: %s", name);
	for (size_t i = 0; attributes && i < POINT_ATTRIBUTES_MAX && attributes[i].key; i++)
		fprintf(stderr, " %s=%s", attributes[i].key, attributes[i].value);
	fprintf(stderr, ": sent %.17Lg, /metrics shows %.17Lg\n", expected, shown);
	return 1;
}

size_t totals_check(const char *text, size_t len, uint64_t exports)
{
	struct totals shown = { 0 }, expected = { 0 };
	bool is_fraction[METRICS] = { false };
	size_t differences = 0;

	totals_read(&shown, text, len);
	for (size_t i = 0; i < POINTS; i++) {
		const struct body_point *point = &body_points[i];
		bool is_integer = floor(point->value) == point->value;
		expected.points[i] = (long double)point->value * (long double)exports;
		expected.metrics[point->metric] += expected.points[i];
		is_fraction[point->metric] |= !is_integer;
		if (!is_total(shown.points[i], expected.points[i], is_integer))
			differences += difference_say(body_metrics[point->metric].exposed,
				point->attributes, shown.points[i], expected.points[i]);
	}
	for (size_t i = 0; i < METRICS; i++)
		if (!is_total(shown.metrics[i], expected.metrics[i], !is_fraction[i]))
			differences += difference_say(body_metrics[i].exposed, NULL,
				shown.metrics[i], expected.metrics[i]);
	return differences;
}
