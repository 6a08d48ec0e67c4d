/* Request bodies in the shape Claude Code sends, and what they add up to.
 *
 * A session's delta export holds seven metrics with 17 points: resource, scope, names, descriptions, units
 * and attributes are those of the recorded client (tests/data/captures, protobuf/002-metrics.pb; the test
 * bench/shape compares them), with a second model as in the sessions that use sub-agents. Every session's
 * message has the same length, so it is written once and only times and ids are overwritten afterwards:
 * that costs far less than what the server does with it.
 *
 * Each point's value is the same in every export, so after n exports each total is n times the value.
 */
#ifndef CCTM_BENCH_BODY_H
#define CCTM_BENCH_BODY_H

#include <stddef.h>
#include <stdint.h>

enum {
	POINTS = 17, /* of one session's export */
	POINT_ATTRIBUTES_MAX = 4,
	METRICS = 7,
	SESSIONS = 1000,
	USERS = 20, /* 50 sessions each */
	SESSION_ID_LEN = 36,
	USER_ID_LEN = 64,
	SESSION_BYTES_MAX = 16384
};

struct body_attribute {
	const char *key, *value;
};

struct body_metric {
	const char *name, *description, *unit;
	const char *exposed; /* its name in Prometheus text */
};

struct body_point {
	size_t metric; /* index into body_metrics */
	double value;
	struct body_attribute attributes[POINT_ATTRIBUTES_MAX]; /* ends early with a NULL key */
};

extern const struct body_metric body_metrics[METRICS];
extern const struct body_point body_points[POINTS];

/* One ResourceMetrics with its tag and length (field 1 of ExportMetricsServiceRequest), and where in it the
 * changing parts lie. A request body is one or more of these behind each other. */
struct session_message {
	unsigned char bytes[SESSION_BYTES_MAX];
	size_t len;

	struct {
		size_t start, end, session, user;
	} at[POINTS];
};

struct session_names {
	char session[SESSIONS][SESSION_ID_LEN + 1];
	char user[USERS][USER_ID_LEN + 1];
};

void session_names_make(struct session_names *names);
void session_message_make(struct session_message *m);

/* Overwrite the copy of `m` at `copy`. */
void session_set_ids(unsigned char *copy, const struct session_message *m,
	const struct session_names *names, size_t session);
void session_set_times(
	unsigned char *copy, const struct session_message *m, uint64_t start_ns, uint64_t end_ns);

#endif
