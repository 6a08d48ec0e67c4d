#include "claude/wanted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "core/secret.h"
#include "core/str.h"

#define NAME_TEMPORALITY "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"

/* Takes `value`; NULL: the variable is not wanted. */
static void add(struct wanted *wanted, const char *name, char *value, const char *comment)
{
	if (!value)
		return;
	assert(wanted->count < WANTED_MAX);
	wanted->comments[wanted->count] = comment;
	wanted->settings[wanted->count++] = (struct env_setting){ .name = name, .value = value };
}

static void add_advice(struct wanted *wanted, const char *name, char *value, const char *comment)
{
	add(wanted, name, value, comment);
	wanted->settings[wanted->count - 1].is_advice = true;
}

static char *copy_if(bool is_wanted, const char *value)
{
	return is_wanted && value ? mem_strdup(value) : NULL;
}

static void add_destination(struct wanted *out, const struct wanted_request *request)
{
	add(out, "CLAUDE_CODE_ENABLE_TELEMETRY", mem_strdup("1"), "without it nothing is sent");
	add(out, "OTEL_METRICS_EXPORTER", mem_strdup("otlp"),
		"tokens, cost, lines, commits, active time");
	add_advice(out, "OTEL_LOGS_EXPORTER", mem_strdup("otlp"),
		request->has_prompts ? "events: requests, errors, tool results, prompts"
				     : "events: requests, errors, tool results; prompts are left "
				       "out");
	add(out, "OTEL_EXPORTER_OTLP_PROTOCOL",
		mem_strdup(request->protocol ? request->protocol : "http/protobuf"),
		request->protocol && strcmp(request->protocol, "grpc") == 0
			? "over gRPC a request that failed is never tried again; http/protobuf is "
			  "safer"
			: "over HTTP a request that failed is tried again");
	add(out, "OTEL_EXPORTER_OTLP_ENDPOINT", mem_strdup(request->endpoint),
		"where this stack receives");
}

static void add_metrics(struct wanted *out, const struct wanted_request *request)
{
	int64_t interval_ms = request->interval_ms ? request->interval_ms : WANTED_INTERVAL_MS;
	add_advice(out, NAME_TEMPORALITY, mem_strdup(request->is_delta ? "delta" : "cumulative"),
		request->is_delta
			? "what was counted since the last export: one that is lost is lost for "
			  "good"
			: "sums since the start: after an outage the next export heals the totals, "
			  "a delta would be lost");
	add_advice(out, "OTEL_METRIC_EXPORT_INTERVAL", mem_printf("%lld", (long long)interval_ms),
		"milliseconds; what a session that is killed loses at most");
	add(out, "OTEL_RESOURCE_ATTRIBUTES",
		copy_if(request->attributes && *request->attributes, request->attributes),
		"labels of all that is sent");
}

static void add_contents(struct wanted *out, const struct wanted_request *request)
{
	add(out, "OTEL_LOG_USER_PROMPTS", copy_if(request->has_prompts, "1"),
		"prompts are sent as they were typed");
	add(out, "OTEL_LOG_TOOL_DETAILS", copy_if(request->has_tool_details, "1"),
		"commands and parameters of tools are sent");
	add(out, "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", copy_if(request->has_traces, "1"),
		"traces are made");
	add(out, "OTEL_TRACES_EXPORTER", copy_if(request->has_traces, "otlp"), "and sent");
}

void wanted_init(struct wanted *out, const struct wanted_request *request)
{
	*out = (struct wanted){ 0 };
	add_destination(out, request);
	add_metrics(out, request);
	add_contents(out, request);
	add(out, "NO_PROXY", copy_if(true, request->no_proxy),
		"this machine's own addresses do not go through the proxy");
	if (!request->token)
		return;
	add(out, "OTEL_EXPORTER_OTLP_HEADERS",
		mem_printf("Authorization=Bearer %s", request->token), "the bearer token of .env");
	out->settings[out->count - 1].is_secret = true;
}

void wanted_clear(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		secret_free((char *)(uintptr_t)wanted->settings[i].value);
	*wanted = (struct wanted){ 0 };
}

const struct env_setting *wanted_find(const struct wanted *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (strcmp(wanted->settings[i].name, name) == 0)
			return &wanted->settings[i];
	}
	return NULL;
}

/* ---- comparing ---- */

/* An unknown value of the temporality means cumulative to the client, and "lowmemory" delta. */
static bool is_delta(const char *value)
{
	return strcasecmp(value, "delta") == 0 || strcasecmp(value, "lowmemory") == 0;
}

static bool is_on(const char *value)
{
	return strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
}

/* A comma list that has `word`. */
static bool lists(const char *value, const char *word)
{
	size_t len = strlen(word);
	while (*value) {
		value += strspn(value, ", ");
		size_t item = strcspn(value, ", ");
		if (item == len && strncmp(value, word, len) == 0)
			return true;
		value += item;
	}
	return false;
}

static size_t length_without_slashes(const char *url)
{
	size_t len = strlen(url);
	while (len && url[len - 1] == '/')
		len--;
	return len;
}

/* The names of this machine's own address are one. */
static char *plain_url(const char *url)
{
	static const char *const here[] = { "localhost", "[::1]" };
	const char *host = strstr(url, "://");
	size_t len = length_without_slashes(url);
	for (size_t i = 0; host && i < sizeof here / sizeof *here; i++) {
		size_t name = strlen(here[i]);
		bool is_here = strncasecmp(host + 3, here[i], name) == 0 &&
			       strchr(":/", host[3 + name]) != NULL;
		if (is_here)
			return mem_printf("%.*s127.0.0.1%.*s", (int)(host + 3 - url), url,
				(int)(len - (size_t)(host + 3 - url) - name), host + 3 + name);
	}
	return mem_strndup(url, len);
}

static bool is_same_url(const char *a, const char *b)
{
	AUTO(str) char *left = plain_url(a);
	AUTO(str) char *right = plain_url(b);
	return strcmp(left, right) == 0;
}

bool wanted_is_met(const struct env_setting *setting, const char *value)
{
	if (strcmp(setting->name, NAME_TEMPORALITY) == 0)
		return is_delta(setting->value) == is_delta(value);
	if (strcmp(setting->value, "1") == 0)
		return is_on(value);
	if (strcmp(setting->value, "otlp") == 0)
		return lists(value, "otlp");
	if (strcmp(setting->name, "OTEL_EXPORTER_OTLP_ENDPOINT") == 0)
		return is_same_url(setting->value, value);
	bool is_http = str_has_prefix(setting->value, "http/");
	if (strcmp(setting->name, "OTEL_EXPORTER_OTLP_PROTOCOL") == 0 && is_http)
		return strcmp(value, "http/protobuf") == 0 || strcmp(value, "http/json") == 0;
	return strcmp(setting->value, value) == 0;
}
