#include "bridge/ingest/event_rows.h"

#include <assert.h>
#include <string.h>

#include "bridge/ingest/event_targets.h"

#define AS_IT_IS(key)                                 \
	{                                             \
		SLICE_INIT(key), LABEL_AS_IT_IS, NULL \
	}
#define TEXT(key)                                 \
	{                                         \
		SLICE_INIT(key), LABEL_TEXT, NULL \
	}
#define WORD(key)                                 \
	{                                         \
		SLICE_INIT(key), LABEL_WORD, NULL \
	}
#define END                                       \
	{                                         \
		{ NULL, 0 }, LABEL_AS_IT_IS, NULL \
	}

/* Whose event it is; what OTEL_RESOURCE_ATTRIBUTES adds comes from the resource. */
#define OWNER                                                                               \
	AS_IT_IS("user.email"), AS_IT_IS("user.account_uuid"), AS_IT_IS("user.account_id"), \
		AS_IT_IS("user.id"), AS_IT_IS("enduser.id"), AS_IT_IS("organization.id"),   \
		AS_IT_IS("terminal.type"), AS_IT_IS("app.version")

/* Names that somebody may have chosen, and words that Claude Code has. */
#define ABOUT                                                                                     \
	TEXT("model"), TEXT("query_source"), TEXT("tool_name"), TEXT("mcp_server.name"),          \
		TEXT("mcp_server_name"), TEXT("skill.name"), TEXT("agent.name"), WORD("success"), \
		WORD("decision"), WORD("decision_source"), WORD("status_code"),                   \
		WORD("error_type"), WORD("permission_mode"), WORD("trigger"), WORD("hook_event"), \
		WORD("status")

static const struct label_rule rules_of_none[] = { END };
static const struct label_rule rules_of_other[] = { OWNER, END };
static const struct label_rule rules_of_any[] = { OWNER, ABOUT, END };
static const struct label_rule rules_of_model[] = { OWNER, TEXT("model"), TEXT("query_source"),
	END };
static const struct label_rule rules_of_tool[] = { OWNER, TEXT("tool_name"), END };
static const struct label_rule rules_of_status[] = { OWNER, TEXT("model"), WORD("status_code"),
	END };

/* Where an event has another word for it. */
static const struct label_rule rules_tool_decision[] = { OWNER, ABOUT,
	{ SLICE_INIT("source"), LABEL_WORD, "decision_source" }, END };
static const struct label_rule rules_mode_changed[] = { OWNER, ABOUT,
	{ SLICE_INIT("to_mode"), LABEL_WORD, "permission_mode" }, END };
static const struct label_rule rules_auth[] = { OWNER, ABOUT,
	{ SLICE_INIT("error_category"), LABEL_WORD, "error_type" }, END };
static const struct label_rule rules_internal_error[] = { OWNER, ABOUT,
	{ SLICE_INIT("error_name"), LABEL_WORD, "error_type" }, END };
static const struct label_rule rules_mcp_connection[] = { OWNER, ABOUT,
	{ SLICE_INIT("error_code"), LABEL_WORD, "error_type" }, END };
static const struct label_rule rules_subagent[] = { OWNER, ABOUT,
	{ SLICE_INIT("agent_type"), LABEL_TEXT, "agent_name" }, END };

static const struct {
	const char *event;
	const struct label_rule *rules;
} own_words[] = {
	{ "tool_decision", rules_tool_decision },
	{ "permission_mode_changed", rules_mode_changed },
	{ "auth", rules_auth },
	{ "internal_error", rules_internal_error },
	{ "mcp_server_connection", rules_mcp_connection },
	{ "subagent_completed", rules_subagent },
	{ EVENT_OTHER, rules_of_other },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct event_row event_rows[] = {
	{ NULL, false, "event", "cctm.events", "", "Events received, by name", EVENT_COUNT,
		rules_of_none },
	{ NULL, true, "event_name", "claude_code.events", "", "Events of Claude Code by name",
		EVENT_COUNT, NULL },
	{ "api_request", false, NULL, "cctm.api_requests", "", "API requests that were answered",
		EVENT_COUNT, rules_of_model },
	{ "api_request", true, NULL, "claude_code.api_request.duration", "s",
		"Duration of API requests that were answered", EVENT_DURATION, rules_of_model },
	{ "api_request", true, NULL, "claude_code.api_request.ttft", "s",
		"Time to the first token of an answer", EVENT_TTFT, rules_of_model },
	{ "api_error", false, NULL, "cctm.api_errors", "",
		"API requests that failed after the last retry", EVENT_COUNT, rules_of_status },
	{ "tool_result", true, NULL, "claude_code.tool.duration", "s", "Duration of tool runs",
		EVENT_DURATION, rules_of_tool },
};

const size_t event_row_count = COUNT(event_rows);
static_assert(COUNT(event_rows) <= EVENT_SERIES_MAX, "a target has a place for each row");

const double event_bounds_s[] = { 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300 };
const size_t event_bound_count = COUNT(event_bounds_s);

const struct label_rule *event_rules(const char *name)
{
	for (size_t i = 0; i < COUNT(own_words); i++) {
		if (strcmp(name, own_words[i].event) == 0)
			return own_words[i].rules;
	}
	return rules_of_any;
}

/* All keys of the rules above. */
static const struct label_rule keys_of_any[] = { OWNER, ABOUT, WORD("source"), WORD("to_mode"),
	WORD("error_category"), WORD("error_name"), WORD("error_code"), TEXT("agent_type"), END };

bool event_is_label(struct slice key)
{
	for (const struct label_rule *rule = keys_of_any; rule->key.ptr; rule++) {
		if (slice_eq(key, rule->key))
			return true;
	}
	return false;
}
