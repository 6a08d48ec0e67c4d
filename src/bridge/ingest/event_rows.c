#include "bridge/ingest/event_rows.h"

#include <assert.h>
#include <string.h>

#include "bridge/ingest/event_targets.h"

/* Whose event it is; what OTEL_RESOURCE_ATTRIBUTES adds comes from the resource. */
#define OWNER                                                                                     \
	{ "user.email", LABEL_AS_IT_IS, NULL }, { "user.account_uuid", LABEL_AS_IT_IS, NULL },    \
		{ "user.account_id", LABEL_AS_IT_IS, NULL }, { "user.id", LABEL_AS_IT_IS, NULL }, \
		{ "enduser.id", LABEL_AS_IT_IS, NULL },                                           \
		{ "organization.id", LABEL_AS_IT_IS, NULL },                                      \
		{ "terminal.type", LABEL_AS_IT_IS, NULL },                                        \
	{                                                                                         \
		"app.version", LABEL_AS_IT_IS, NULL                                               \
	}

/* Names that somebody may have chosen, and words that Claude Code has. */
#define ABOUT                                                                                \
	{ "model", LABEL_TEXT, NULL }, { "query_source", LABEL_TEXT, NULL },                 \
		{ "tool_name", LABEL_TEXT, NULL }, { "mcp_server.name", LABEL_TEXT, NULL },  \
		{ "mcp_server_name", LABEL_TEXT, NULL }, { "skill.name", LABEL_TEXT, NULL }, \
		{ "agent.name", LABEL_TEXT, NULL }, { "success", LABEL_WORD, NULL },         \
		{ "decision", LABEL_WORD, NULL }, { "decision_source", LABEL_WORD, NULL },   \
		{ "status_code", LABEL_WORD, NULL }, { "error_type", LABEL_WORD, NULL },     \
		{ "permission_mode", LABEL_WORD, NULL }, { "trigger", LABEL_WORD, NULL },    \
	{                                                                                    \
		"hook_event", LABEL_WORD, NULL                                               \
	}

#define END                                \
	{                                  \
		NULL, LABEL_AS_IT_IS, NULL \
	}

static const struct label_rule rules_of_none[] = { END };
static const struct label_rule rules_of_other[] = { OWNER, END };
static const struct label_rule rules_of_any[] = { OWNER, ABOUT, END };
static const struct label_rule rules_of_model[] = { OWNER, { "model", LABEL_TEXT, NULL },
	{ "query_source", LABEL_TEXT, NULL }, END };
static const struct label_rule rules_of_tool[] = { OWNER, { "tool_name", LABEL_TEXT, NULL }, END };
static const struct label_rule rules_of_status[] = { OWNER, { "model", LABEL_TEXT, NULL },
	{ "status_code", LABEL_WORD, NULL }, END };

/* Where an event has another word for it. */
static const struct label_rule rules_tool_decision[] = { OWNER, ABOUT,
	{ "source", LABEL_WORD, "decision_source" }, END };
static const struct label_rule rules_mode_changed[] = { OWNER, ABOUT,
	{ "to_mode", LABEL_WORD, "permission_mode" }, END };
static const struct label_rule rules_auth[] = { OWNER, ABOUT,
	{ "error_category", LABEL_WORD, "error_type" }, END };
static const struct label_rule rules_internal_error[] = { OWNER, ABOUT,
	{ "error_name", LABEL_WORD, "error_type" }, END };
static const struct label_rule rules_mcp_connection[] = { OWNER, ABOUT,
	{ "error_code", LABEL_WORD, "error_type" }, END };

static const struct {
	const char *event;
	const struct label_rule *rules;
} own_words[] = {
	{ "tool_decision", rules_tool_decision },
	{ "permission_mode_changed", rules_mode_changed },
	{ "auth", rules_auth },
	{ "internal_error", rules_internal_error },
	{ "mcp_server_connection", rules_mcp_connection },
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
static const struct label_rule keys_of_any[] = { OWNER, ABOUT, { "source", LABEL_WORD, NULL },
	{ "to_mode", LABEL_WORD, NULL }, { "error_category", LABEL_WORD, NULL },
	{ "error_name", LABEL_WORD, NULL }, { "error_code", LABEL_WORD, NULL }, END };

bool event_is_label(struct slice key)
{
	for (const struct label_rule *rule = keys_of_any; rule->key; rule++) {
		if (slice_eq_str(key, rule->key))
			return true;
	}
	return false;
}
