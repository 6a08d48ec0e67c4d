/* Protobuf is written from the end to the beginning: then a message's length is known when its head is
 * written, and neither a second pass nor padded lengths are needed. Field numbers: opentelemetry-proto,
 * metrics/v1/metrics.proto and common/v1/common.proto.
 */
#include "body.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define OPUS  "claude-opus-5-5"
#define HAIKU "claude-haiku-5-5"
/* clang-format off */
#define MAIN(model)      { "model", model }, { "query_source", "main" }, { "effort", "medium" }
#define SUBAGENT(model)  { "model", model }, { "query_source", "subagent" }, { "effort", "medium" }
#define DECISION(tool)   { "decision", "accept" }, { "source", "config" }, { "tool_name", tool }, { "language", "Python" }

enum { SESSION_COUNT, LINES, COMMITS, COST, TOKENS, DECISIONS, ACTIVE_TIME };

const struct body_metric body_metrics[METRICS] = {
	[SESSION_COUNT] = { "claude_code.session.count", "Count of CLI sessions started", "",
		"claude_code_session_count_total" },
	[LINES] = { "claude_code.lines_of_code.count",
		"Count of lines of code modified, with the 'type' attribute indicating whether lines were added or "
		"removed and the 'model' attribute indicating which model made the change", "",
		"claude_code_lines_of_code_count_total" },
	[COMMITS] = { "claude_code.commit.count", "Number of git commits created", "",
		"claude_code_commit_count_total" },
	[COST] = { "claude_code.cost.usage", "Cost of the Claude Code session", "USD",
		"claude_code_cost_usage_USD_total" },
	[TOKENS] = { "claude_code.token.usage", "Number of tokens used", "tokens",
		"claude_code_token_usage_tokens_total" },
	[DECISIONS] = { "claude_code.code_edit_tool.decision",
		"Count of code editing tool permission decisions (accept/reject) for Edit, Write, and NotebookEdit tools",
		"", "claude_code_code_edit_tool_decision_total" },
	[ACTIVE_TIME] = { "claude_code.active_time.total", "Total active time in seconds", "s",
		"claude_code_active_time_seconds_total" },
};

/* No two values of one metric are equal, so that a sum under the wrong label is seen; only cost and active
 * time are no integers. */
const struct body_point body_points[POINTS] = {
	{ SESSION_COUNT, 1, { { "start_type", "fresh" } } },
	{ LINES, 6, { { "type", "added" }, { "model", OPUS } } },
	{ LINES, 1, { { "type", "removed" }, { "model", OPUS } } },
	{ COMMITS, 1, { { NULL, NULL } } },
	{ COST, 0.0123, { MAIN(OPUS) } },
	{ COST, 0.000368, { SUBAGENT(HAIKU) } },
	{ TOKENS, 1551, { MAIN(OPUS), { "type", "input" } } },
	{ TOKENS, 303, { MAIN(OPUS), { "type", "output" } } },
	{ TOKENS, 9000, { MAIN(OPUS), { "type", "cacheRead" } } },
	{ TOKENS, 1800, { MAIN(OPUS), { "type", "cacheCreation" } } },
	{ TOKENS, 211, { SUBAGENT(HAIKU), { "type", "input" } } },
	{ TOKENS, 31, { SUBAGENT(HAIKU), { "type", "output" } } },
	{ TOKENS, 700, { SUBAGENT(HAIKU), { "type", "cacheRead" } } },
	{ TOKENS, 40, { SUBAGENT(HAIKU), { "type", "cacheCreation" } } },
	{ DECISIONS, 1, { DECISION("Write") } },
	{ DECISIONS, 2, { DECISION("Edit") } },
	{ ACTIVE_TIME, 0.737, { { "type", "cli" } } },
};
/* clang-format on */

static const struct body_attribute resource[] = {
	{ "host.arch", "amd64" },
	{ "os.type", "linux" },
	{ "os.version", "6.12.48-1-amd64" },
	{ "service.name", "claude-code" },
	{ "service.version", "2.1.328" },
};

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

/* Where each number stands in front of what it describes, `at` moves towards `first`. */
struct writer {
	unsigned char *first, *at;
};

static unsigned char *put_bytes(struct writer *w, const void *bytes, size_t len)
{
	assert((size_t)(w->at - w->first) >= len);
	w->at -= len;
	memcpy(w->at, bytes, len);
	return w->at;
}

static void put_number(struct writer *w, uint64_t value)
{
	unsigned char bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (unsigned char)(value | 0x80);
	bytes[len++] = (unsigned char)value;
	put_bytes(w, bytes, len);
}

static void put_varint(struct writer *w, unsigned field, uint64_t value)
{
	put_number(w, value);
	put_number(w, field << 3 | WIRE_VARINT);
}

static unsigned char *put_fixed64(struct writer *w, unsigned field, uint64_t value)
{
	uint64_t little = htole64(value);
	unsigned char *at = put_bytes(w, &little, sizeof(little));

	put_number(w, field << 3 | WIRE_FIXED64);
	return at;
}

/* Tag and length of the message that ends at `end` and of which all is written. */
static void put_head(struct writer *w, unsigned field, const unsigned char *end)
{
	put_number(w, (uint64_t)(end - w->at));
	put_number(w, field << 3 | WIRE_BYTES);
}

static unsigned char *put_text(struct writer *w, unsigned field, const char *text)
{
	const unsigned char *end = w->at;
	unsigned char *at = put_bytes(w, text, strlen(text));

	put_head(w, field, end);
	return at;
}

/* KeyValue { key = 1, value = 2 { string_value = 1 } }; where the value's text lies. */
static unsigned char *put_attribute(
	struct writer *w, unsigned field, const char *key, const char *value)
{
	const unsigned char *end = w->at;
	unsigned char *text = put_text(w, 1, value);

	put_head(w, 2, end);
	put_text(w, 1, key);
	put_head(w, field, end);
	return text;
}

static void put_true_attribute(struct writer *w, unsigned field, const char *key)
{
	const unsigned char *end = w->at;

	put_varint(w, 2, 1);
	put_head(w, 2, end);
	put_text(w, 1, key);
	put_head(w, field, end);
}

/* Addresses while the end is fixed and the beginning is not yet known. */
struct point_places {
	const unsigned char *start, *end, *session, *user;
};

/* NumberDataPoint { start = 2, time = 3, as_double = 4, attributes = 7 } */
static struct point_places put_point(struct writer *w, const struct body_point *point)
{
	static const char blank_session[SESSION_ID_LEN + 1] =
		"00000000-0000-4000-8000-000000000000";
	static const char blank_user[USER_ID_LEN + 1] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	const unsigned char *end = w->at;
	struct point_places places;
	uint64_t bits;

	for (size_t i = POINT_ATTRIBUTES_MAX; i-- > 0;)
		if (point->attributes[i].key)
			put_attribute(w, 7, point->attributes[i].key, point->attributes[i].value);
	put_attribute(w, 7, "terminal.type", "xterm-256color");
	put_true_attribute(w, 7, "anthropic.custom_base_url");
	put_attribute(w, 7, "anthropic.provider", "firstParty");
	places.session = put_attribute(w, 7, "session.id", blank_session);
	places.user = put_attribute(w, 7, "user.id", blank_user);
	memcpy(&bits, &point->value, sizeof(bits));
	put_fixed64(w, 4, bits);
	places.end = put_fixed64(w, 3, 0);
	places.start = put_fixed64(w, 2, 0);
	put_head(w, 1, end);
	return places;
}

/* Metric { name = 1, description = 2, unit = 3, sum = 7 { points = 1, temporality = 2, monotonic = 3 } } */
static void put_metric(struct writer *w, size_t metric, struct point_places places[POINTS])
{
	const unsigned char *end = w->at;

	put_varint(w, 3, 1);
	put_varint(w, 2, 1);
	for (size_t i = POINTS; i-- > 0;)
		if (body_points[i].metric == metric)
			places[i] = put_point(w, &body_points[i]);
	put_head(w, 7, end);
	put_text(w, 3, body_metrics[metric].unit);
	put_text(w, 2, body_metrics[metric].description);
	put_text(w, 1, body_metrics[metric].name);
	put_head(w, 2, end);
}

/* ResourceMetrics { resource = 1, scope_metrics = 2 { scope = 1, metrics = 2 } } */
static void put_session(struct writer *w, struct point_places places[POINTS])
{
	const unsigned char *end = w->at;

	for (size_t metric = METRICS; metric-- > 0;)
		put_metric(w, metric, places);
	const unsigned char *scope_end = w->at;
	put_text(w, 2, "2.1.328");
	put_text(w, 1, "com.anthropic.claude_code");
	put_head(w, 1, scope_end);
	put_head(w, 2, end);

	const unsigned char *resource_end = w->at;
	put_varint(w, 2, 0);
	for (size_t i = sizeof(resource) / sizeof(resource[0]); i-- > 0;)
		put_attribute(w, 1, resource[i].key, resource[i].value);
	put_head(w, 1, resource_end);
	put_head(w, 1, end);
}

void session_message_make(struct session_message *m)
{
	struct point_places places[POINTS];
	struct writer w = { m->bytes, m->bytes + sizeof(m->bytes) };

	put_session(&w, places);
	for (size_t i = 0; i < POINTS; i++) {
		m->at[i].start = (size_t)(places[i].start - w.at);
		m->at[i].end = (size_t)(places[i].end - w.at);
		m->at[i].session = (size_t)(places[i].session - w.at);
		m->at[i].user = (size_t)(places[i].user - w.at);
	}
	m->len = (size_t)(m->bytes + sizeof(m->bytes) - w.at);
	memmove(m->bytes, w.at, m->len);
}

/* splitmix64: ids that differ everywhere, as real ones do, and are the same in every run. */
static uint64_t id_bits(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

void session_names_make(struct session_names *names)
{
	uint64_t state = 3;

	for (size_t i = 0; i < SESSIONS; i++) {
		unsigned long long high = id_bits(&state), low = id_bits(&state);
		snprintf(names->session[i], sizeof(names->session[i]),
			"%08llx-%04llx-4%03llx-%04llx-%012llx", high >> 32, high >> 16 & 0xffff,
			high & 0xfff, 0x8000 | (low >> 48 & 0x3fff), low & 0xffffffffffff);
	}
	for (size_t i = 0; i < USERS; i++)
		for (size_t k = 0; k < USER_ID_LEN; k += 16)
			snprintf(names->user[i] + k, 17, "%016llx",
				(unsigned long long)id_bits(&state));
}

void session_set_ids(unsigned char *copy, const struct session_message *m,
	const struct session_names *names, size_t session)
{
	for (size_t i = 0; i < POINTS; i++) {
		memcpy(copy + m->at[i].session, names->session[session], SESSION_ID_LEN);
		memcpy(copy + m->at[i].user, names->user[session % USERS], USER_ID_LEN);
	}
}

void session_set_times(
	unsigned char *copy, const struct session_message *m, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t end = htole64(end_ns);

	for (size_t i = 0; i < POINTS; i++) {
		/* In the recordings a metric's start is when its first value of the interval came, so
		 * starts differ between the metrics of one export. */
		uint64_t start = htole64(start_ns + body_points[i].metric);
		memcpy(copy + m->at[i].start, &start, sizeof(start));
		memcpy(copy + m->at[i].end, &end, sizeof(end));
	}
}
