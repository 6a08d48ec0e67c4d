#include "claude/catalogue.h"

#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "core/str.h"

const char *const catalogue_kind_names[CATALOGUE_KIND_COUNT + 1] = { "variable", "metric",
	"attribute", "event", "span", NULL };

#define VARIABLE(name_, meaning_, ...)                                                          \
	{                                                                                       \
		.kind = CATALOGUE_VARIABLE, .name = (name_), .meaning = (meaning_), __VA_ARGS__ \
	}
#define METRIC(name_, meaning_, ...)                                                          \
	{                                                                                     \
		.kind = CATALOGUE_METRIC, .name = (name_), .meaning = (meaning_), __VA_ARGS__ \
	}
#define ATTRIBUTE(name_, meaning_, ...)                                                          \
	{                                                                                        \
		.kind = CATALOGUE_ATTRIBUTE, .name = (name_), .meaning = (meaning_), __VA_ARGS__ \
	}
#define EVENT(name_, meaning_, ...)                                                          \
	{                                                                                    \
		.kind = CATALOGUE_EVENT, .name = (name_), .meaning = (meaning_), __VA_ARGS__ \
	}
#define SPAN(name_, meaning_, ...)                                                          \
	{                                                                                   \
		.kind = CATALOGUE_SPAN, .name = (name_), .meaning = (meaning_), __VA_ARGS__ \
	}

/* Recorded from these versions; neither says that an older one has it not. */
#define SEEN	   .seen = "2.1.328"
#define SEEN_LATER .seen = "2.1.331"

#define OWNER .label = EVENT_LABEL_OWNER
#define TEXT  .label = EVENT_LABEL_TEXT
#define WORD  .label = EVENT_LABEL_WORD

const struct catalogue_row catalogue[] = {
	VARIABLE("CLAUDE_CODE_ENABLE_TELEMETRY", "Turns telemetry on; must be 1.",
		.fallback = "off", SEEN),
	VARIABLE("OTEL_METRICS_EXPORTER",
		"Where metrics go: otlp, console, prometheus (port 9464), none; several with "
		"commas.",
		.fallback = "none", SEEN),
	VARIABLE("OTEL_LOGS_EXPORTER", "Where events go: otlp, console, none; several with commas.",
		.fallback = "none", SEEN),
	VARIABLE("OTEL_TRACES_EXPORTER",
		"Where traces go: otlp, console, none; several with commas.", .fallback = "none",
		SEEN),
	VARIABLE("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA",
		"Turns traces on, which are a beta; must be 1.", .fallback = "off", SEEN),
	VARIABLE("OTEL_EXPORTER_OTLP_PROTOCOL",
		"How data are sent: grpc, http/json or http/protobuf. Over gRPC a request that "
		"failed is never tried again.",
		SEEN),
	VARIABLE("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
		"The protocol for metrics alone; it wins over the one for all signals.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
		"The protocol for logs alone; it wins over the one for all signals.", .seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
		"The protocol for traces alone; it wins over the one for all signals.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_ENDPOINT",
		"Base address for all signals; HTTP appends /v1/metrics, /v1/logs and /v1/traces.",
		SEEN),
	VARIABLE("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
		"Address for metrics alone, used as it is written: over HTTP it needs the path "
		"too.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
		"Address for logs alone, used as it is written: over HTTP it needs the path too.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"Address for traces alone, used as it is written: over HTTP it needs the path too.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_HEADERS",
		"Headers of every request: Authorization=Bearer and a token.",
		.privacy = PRIVACY_SECRET, SEEN),
	VARIABLE("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Headers for metrics alone.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "Headers for logs alone.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip: requests are compressed.",
		.fallback = "none", SEEN),
	VARIABLE("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
		"delta: each export says what was counted since the last one. cumulative: what was "
		"counted since the start, which heals after an outage. An unknown value means "
		"cumulative.",
		.fallback = "delta", SEEN),
	VARIABLE("OTEL_METRIC_EXPORT_INTERVAL",
		"Time between two exports of metrics; what a session that is killed loses at most.",
		.unit = "ms", .fallback = "60000", SEEN),
	VARIABLE("OTEL_LOGS_EXPORT_INTERVAL", "Time between two exports of events.", .unit = "ms",
		.fallback = "5000", SEEN),
	VARIABLE("OTEL_TRACES_EXPORT_INTERVAL", "Time between two exports of spans.", .unit = "ms",
		.fallback = "5000"),
	VARIABLE("OTEL_METRICS_INCLUDE_SESSION_ID", "Whether metrics carry session.id.",
		.fallback = "true", SEEN_LATER),
	VARIABLE("OTEL_METRICS_INCLUDE_VERSION", "Whether metrics carry app.version.",
		.fallback = "false", SEEN),
	VARIABLE("OTEL_METRICS_INCLUDE_ACCOUNT_UUID", "Whether metrics carry user.account_uuid.",
		.fallback = "true"),
	VARIABLE("OTEL_RESOURCE_ATTRIBUTES",
		"Labels of all that is sent, name=value with commas, percent-encoded as W3C "
		"Baggage; they stand on the resource and on every data point.",
		.privacy = PRIVACY_PERSON, SEEN),
	VARIABLE("OTEL_LOG_USER_PROMPTS", "1: prompts are sent as they were typed.",
		.fallback = "off", .privacy = PRIVACY_CONTENT, SEEN_LATER),
	VARIABLE("OTEL_LOG_TOOL_DETAILS", "1: parameters of tools and names of commands are sent.",
		.fallback = "off", .privacy = PRIVACY_CONTENT, SEEN_LATER),
	VARIABLE("OTEL_LOG_TOOL_CONTENT", "1: spans hold what tools read and write.",
		.fallback = "off", .privacy = PRIVACY_CONTENT),
	VARIABLE("OTEL_LOG_RAW_API_BODIES",
		"1: whole requests and answers of the API are sent, up to 60 KB; file: and a "
		"folder: written there.",
		.fallback = "off", .privacy = PRIVACY_CONTENT),
	VARIABLE("CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS",
		"How long the headers that otelHeadersHelper printed are used; HTTP only.",
		.unit = "ms", .fallback = "1740000"),
	VARIABLE("CLAUDE_CODE_OTEL_FLUSH_TIMEOUT_MS",
		"How long an export may take when data are flushed.", .unit = "ms",
		.fallback = "5000", SEEN_LATER),
	VARIABLE("CLAUDE_CODE_OTEL_SHUTDOWN_TIMEOUT_MS",
		"How long the last export may take at the end. A headless run was seen to leave "
		"after about 2 s whatever it says.",
		.unit = "ms", .fallback = "2000", SEEN_LATER),
	VARIABLE("CLAUDE_CODE_OTEL_DIAG_STDERR", "1: errors of exporters are printed.",
		.fallback = "off", .since = "2.1.179"),
	VARIABLE("CLAUDE_CODE_CLIENT_CERT", "Client certificate for OTLP over HTTP.", .seen = NULL),
	VARIABLE("CLAUDE_CODE_CLIENT_KEY", "Key of that certificate, a file.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", "Passphrase of that key.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("NODE_EXTRA_CA_CERTS",
		"Authorities that are trusted besides the usual ones, for HTTP.", .seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_CERTIFICATE", "Authority that is trusted for gRPC.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "Client certificate for gRPC.",
		.seen = NULL),
	VARIABLE("OTEL_EXPORTER_OTLP_CLIENT_KEY", "Key of that certificate, a file.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("CLAUDE_CONFIG_DIR",
		"Folder of settings.json and transcripts, in place of ~/.claude.", .seen = NULL),
	VARIABLE("HTTP_PROXY",
		"Proxy for http addresses, that of a local stack too unless NO_PROXY names it.",
		.privacy = PRIVACY_SECRET),
	VARIABLE("HTTPS_PROXY", "Proxy for https addresses.", .privacy = PRIVACY_SECRET),
	VARIABLE("NO_PROXY",
		"Addresses that are reached without a proxy; for a local stack 127.0.0.1 and "
		"localhost.",
		.seen = NULL),
	METRIC("claude_code.session.count", "Sessions of the command line that were started.",
		SEEN),
	METRIC("claude_code.token.usage", "Tokens used, by type and model.", .unit = "tokens",
		SEEN),
	METRIC("claude_code.cost.usage", "Cost as the client reckons it, which is not the invoice.",
		.unit = "USD", SEEN),
	METRIC("claude_code.lines_of_code.count", "Lines of code that were added or removed.",
		SEEN),
	METRIC("claude_code.commit.count", "Git commits that Claude Code made itself.", SEEN),
	METRIC("claude_code.pull_request.count", "Pull requests that Claude Code made itself.",
		.seen = NULL),
	METRIC("claude_code.code_edit_tool.decision", "Edits that were accepted or rejected.",
		SEEN),
	METRIC("claude_code.active_time.total",
		"Time in which somebody typed (user) or Claude Code worked (cli).", .unit = "s",
		SEEN),
	METRIC("claude_code.events",
		"Events by name, as the stack counts them: requests, errors, tools, decisions.",
		.is_of_events = true),
	METRIC("claude_code.api_request.duration",
		"Duration of requests to the API that were answered, made of the event "
		"api_request.",
		.unit = "s", .is_of_events = true, .is_histogram = true),
	METRIC("claude_code.api_request.ttft",
		"Time to the first token of an answer, made of the event api_request.", .unit = "s",
		.is_of_events = true, .is_histogram = true),
	METRIC("claude_code.tool.duration",
		"Duration of tools that ended, made of the event tool_result.", .unit = "s",
		.is_of_events = true, .is_histogram = true),
	ATTRIBUTE("session.id",
		"The session; several processes can share one (--resume, --continue).",
		.privacy = PRIVACY_ID, .is_own = true, SEEN),
	ATTRIBUTE("user.id", "The installation, 64 hexadecimal digits.", .privacy = PRIVACY_ID,
		.is_own = true, SEEN, OWNER),
	ATTRIBUTE("user.email",
		"E-mail address of the login; absent with an API key, Bedrock, Vertex and Foundry.",
		.privacy = PRIVACY_PERSON, .is_own = true, OWNER),
	ATTRIBUTE("user.account_uuid", "Account of the login; absent with an API key.",
		.privacy = PRIVACY_ID, .is_own = true, OWNER),
	ATTRIBUTE("user.account_id",
		"Account of the login, in its other form; absent with an API key.",
		.privacy = PRIVACY_ID, .is_own = true, OWNER),
	ATTRIBUTE("organization.id", "Organization of the login; absent with an API key.",
		.privacy = PRIVACY_ID, .is_own = true, OWNER),
	ATTRIBUTE("enduser.id", "Who it is, where OTEL_RESOURCE_ATTRIBUTES says so.",
		.privacy = PRIVACY_PERSON),
	ATTRIBUTE(
		"team.id", "The team, where OTEL_RESOURCE_ATTRIBUTES says so.", .is_counted = true),
	ATTRIBUTE("department", "The department, where OTEL_RESOURCE_ATTRIBUTES says so.",
		.is_counted = true),
	ATTRIBUTE("cost_center", "The cost centre, where OTEL_RESOURCE_ATTRIBUTES says so.",
		.is_counted = true),
	ATTRIBUTE("terminal.type", "The terminal: vscode, iTerm.app, tmux, non-interactive.",
		.is_own = true, .is_counted = true, SEEN, OWNER),
	ATTRIBUTE("app.version", "Version of Claude Code, with OTEL_METRICS_INCLUDE_VERSION.",
		.is_own = true, .is_counted = true, SEEN, OWNER),
	ATTRIBUTE("app.entrypoint", "How Claude Code was started.", .is_own = true),
	ATTRIBUTE("anthropic.provider", "Who answers: firstParty, bedrock, vertex, foundry.",
		.is_own = true, SEEN),
	ATTRIBUTE("anthropic.custom_base_url",
		"true when the API is reached under another address.", .is_own = true, SEEN),
	ATTRIBUTE("service.name", "claude-code, on the resource.", .is_own = true, SEEN),
	ATTRIBUTE("service.version", "Version of Claude Code, on the resource.", .is_own = true,
		SEEN),
	ATTRIBUTE("host.arch", "Kind of processor, on the resource.", SEEN),
	ATTRIBUTE("os.type", "Operating system, on the resource.", SEEN),
	ATTRIBUTE("os.version", "Its version, on the resource.", SEEN),
	ATTRIBUTE("wsl.version", "Version of WSL, on the resource, where it is one.", .seen = NULL),
	ATTRIBUTE("start",
		"Start of a stream, which the stack's own rules add; no one else may set it.",
		.is_own = true),
	ATTRIBUTE("model", "The model that answered.", .is_own = true, .is_counted = true, SEEN,
		TEXT),
	ATTRIBUTE("type",
		"Kind of token (input, output, cacheRead, cacheCreation), of line (added, removed) "
		"or of time (user, cli).",
		.is_own = true, .is_counted = true, SEEN),
	ATTRIBUTE("start_type", "How a session began: fresh, resume, continue.", .is_own = true,
		.is_counted = true, SEEN),
	ATTRIBUTE("query_source",
		"Who asked: main, subagent or auxiliary on metrics, a finer name on events.",
		.is_own = true, .is_counted = true, SEEN, TEXT),
	ATTRIBUTE("effort", "Effort that was asked for: low to max.", .is_own = true,
		.is_counted = true, SEEN),
	ATTRIBUTE("speed", "normal or fast.", .is_own = true, .is_counted = true, SEEN),
	ATTRIBUTE("agent.name", "Name of the sub-agent.", .is_own = true, .is_counted = true, SEEN,
		TEXT),
	ATTRIBUTE("skill.name", "Name of the skill.", .is_own = true, .is_counted = true, TEXT),
	ATTRIBUTE("plugin.name", "Name of the plug-in.", .is_own = true, .is_counted = true, SEEN),
	ATTRIBUTE(
		"marketplace.name", "Marketplace that the plug-in is from.", .is_own = true, SEEN),
	ATTRIBUTE("tool_name", "Name of the tool: Edit, Write, Bash.", .is_own = true,
		.is_counted = true, SEEN, TEXT),
	ATTRIBUTE("decision", "accept or reject.", .is_own = true, .is_counted = true, SEEN, WORD),
	ATTRIBUTE("source",
		"Who decided: config, hook, user_permanent, user_temporary, user_abort, "
		"user_reject.",
		.is_own = true, .is_counted = true, SEEN),
	ATTRIBUTE("language", "Language of the file that was edited.", .is_own = true,
		.is_counted = true, SEEN),
	ATTRIBUTE("event.name", "Name of the event, without claude_code.", SEEN),
	ATTRIBUTE("event.timestamp", "When it happened, ISO 8601.", SEEN),
	ATTRIBUTE(
		"event.sequence", "Counts the events of a process from 0; a gap is a loss.", SEEN),
	ATTRIBUTE("prompt.id", "The prompt that it belongs to.", .privacy = PRIVACY_ID, SEEN),
	ATTRIBUTE(
		"workspace.host_paths", "Folders that are worked in.", .privacy = PRIVACY_CONTENT),
	ATTRIBUTE("agent_id", "The sub-agent that it belongs to.", .privacy = PRIVACY_ID, SEEN),
	ATTRIBUTE("input_tokens", "Tokens of the request that were not cached.", .unit = "tokens",
		SEEN),
	ATTRIBUTE("output_tokens", "Tokens of the answer.", .unit = "tokens", SEEN),
	ATTRIBUTE("cache_read_tokens", "Tokens read from the cache.", .unit = "tokens", SEEN),
	ATTRIBUTE(
		"cache_creation_tokens", "Tokens written into the cache.", .unit = "tokens", SEEN),
	ATTRIBUTE("cache_creation_5m_tokens", "Of those, kept for five minutes.", .unit = "tokens",
		SEEN),
	ATTRIBUTE(
		"cache_creation_1h_tokens", "Of those, kept for an hour.", .unit = "tokens", SEEN),
	ATTRIBUTE("cost_usd", "Cost of the request as the client reckons it.", .unit = "USD", SEEN),
	ATTRIBUTE("cost_usd_micros", "The same in millionths.", .unit = "0.000001 USD", SEEN),
	ATTRIBUTE("duration_ms", "How long it took; a number or digits.", .unit = "ms", SEEN),
	ATTRIBUTE("ttft_ms", "Time to the first token.", .unit = "ms", SEEN),
	ATTRIBUTE("request_id", "The request, as the API names it.", .privacy = PRIVACY_ID, SEEN),
	ATTRIBUTE("error", "What failed, as the API or the tool said.", .privacy = PRIVACY_CONTENT,
		SEEN),
	ATTRIBUTE("status_code", "HTTP status of the failure.", WORD),
	ATTRIBUTE("status", "How it is with an MCP server: connected, failed, disconnected.", WORD),
	ATTRIBUTE("attempt", "How many tries there were.", .seen = NULL),
	ATTRIBUTE("message.uuid", "The message in the transcript.", .privacy = PRIVACY_ID, SEEN),
	ATTRIBUTE("prompt", "The prompt; <REDACTED> unless OTEL_LOG_USER_PROMPTS.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("prompt_text", "The same.", .privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("prompt_length", "Its length.", .unit = "characters", SEEN),
	ATTRIBUTE("command_name", "The slash command that was given.", .privacy = PRIVACY_CONTENT,
		SEEN),
	ATTRIBUTE("command_source", "Where that command is from.", SEEN),
	ATTRIBUTE("response", "The answer; <REDACTED> unless prompts are allowed.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("response_length", "Its length.", .unit = "characters", SEEN),
	ATTRIBUTE("tool_use_id", "The call of the tool.", .privacy = PRIVACY_ID, SEEN),
	ATTRIBUTE("tool_source", "Where the tool is from.", SEEN),
	ATTRIBUTE("tool_parameters", "Its parameters, with OTEL_LOG_TOOL_DETAILS.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("tool_input", "What it was given, with OTEL_LOG_TOOL_DETAILS.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("tool_input_size_bytes", "Size of what it was given.", .unit = "bytes", SEEN),
	ATTRIBUTE("tool_result_size_bytes", "Size of what it gave back.", .unit = "bytes", SEEN),
	ATTRIBUTE("permission_mode", "How permissions were asked for.", SEEN, WORD),
	ATTRIBUTE("decision_source", "Who decided that the tool may run.", SEEN, WORD),
	ATTRIBUTE("decision_type", "accept or reject.", SEEN),
	ATTRIBUTE("success", "true or false.", SEEN, WORD),
	ATTRIBUTE("error_type", "Kind of failure.", SEEN, WORD),
	ATTRIBUTE("error_category", "Kind of failure of a login.", .seen = NULL),
	ATTRIBUTE("error_name", "Class of a fault of Claude Code itself.", .seen = NULL),
	ATTRIBUTE("error_code", "Kind of failure of an MCP server or of Claude Code itself.",
		.seen = NULL),
	ATTRIBUTE("hook_event", "The event that hooks ran at: PreToolUse, Stop.", WORD),
	ATTRIBUTE("mcp_server.name", "Name of the MCP server.", TEXT),
	ATTRIBUTE("mcp_server_name", "The same, in its other form.", TEXT),
	ATTRIBUTE("from_mode", "How permissions were asked for before.", .seen = NULL),
	ATTRIBUTE("to_mode", "How they are asked for now.", .seen = NULL),
	ATTRIBUTE("vcs.ref.head.name", "Branch that was worked on, with OTEL_LOG_TOOL_DETAILS.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("vcs.ref.head.revision", "Commit that was worked on, with OTEL_LOG_TOOL_DETAILS.",
		.privacy = PRIVACY_CONTENT, SEEN),
	ATTRIBUTE("vcs.ref.head.type", "branch or tag.", SEEN),
	ATTRIBUTE("trigger", "Why: manual or auto.", SEEN, WORD),
	ATTRIBUTE("pre_tokens", "Tokens before a compaction.", .unit = "tokens", SEEN),
	ATTRIBUTE("post_tokens", "Tokens after it.", .unit = "tokens", SEEN),
	ATTRIBUTE("precompute_reuse", "Whether a summary made beforehand was used.", SEEN),
	ATTRIBUTE("agent_type", "Kind of sub-agent.", SEEN),
	ATTRIBUTE("agent.source", "Where the sub-agent is from.", SEEN),
	ATTRIBUTE("final_model", "The model it ended with.", SEEN),
	ATTRIBUTE("model_swapped", "Whether that was another than at its start.", SEEN),
	ATTRIBUTE("is_async", "Whether it ran in the background.", SEEN),
	ATTRIBUTE("is_built_in", "Whether it comes with Claude Code.", SEEN),
	ATTRIBUTE("total_tokens", "Tokens of the sub-agent.", .unit = "tokens", SEEN),
	ATTRIBUTE("total_tool_uses", "Its calls of tools.", SEEN),
	ATTRIBUTE(
		"managed_settings.helper.applied", "Whether a helper's settings were taken.", SEEN),
	ATTRIBUTE("managed_settings.helper.state", "State of that helper.", SEEN),
	ATTRIBUTE("managed_settings.source_behavior", "How several sources are merged.", SEEN),
	ATTRIBUTE("managed_settings.sources", "Where managed settings are from.", SEEN),
	ATTRIBUTE("managed_settings.trigger", "Why they were read.", SEEN),
	ATTRIBUTE("plugin.scope", "Where a plug-in is installed.", SEEN),
	ATTRIBUTE("plugin_id_hash", "The plug-in, hashed.", SEEN),
	ATTRIBUTE("enabled_via", "What turned it on.", SEEN),
	ATTRIBUTE("has_hooks", "Whether it has hooks.", SEEN),
	ATTRIBUTE("has_mcp", "Whether it has MCP servers.", SEEN),
	ATTRIBUTE("host_owned_mcp", "Whether those are the host's.", SEEN),
	ATTRIBUTE("safe_mode", "Whether Claude Code runs in safe mode.", SEEN),
	ATTRIBUTE("agent_path_count", "Folders of agents it brings.", SEEN),
	ATTRIBUTE("command_path_count", "Folders of commands it brings.", SEEN),
	ATTRIBUTE("skill_path_count", "Folders of skills it brings.", SEEN),
	ATTRIBUTE("artifacts_deleted", "Deleted artifacts.", SEEN),
	ATTRIBUTE("error_count", "Failures.", SEEN),
	ATTRIBUTE("files_past_cutoff", "Files older than the limit.", SEEN),
	ATTRIBUTE("files_retained_fresh", "Files kept, for they are new.", SEEN),
	ATTRIBUTE("history_entries_pruned", "Entries taken out of the history.", SEEN),
	ATTRIBUTE("period_days", "The limit in days.", SEEN),
	ATTRIBUTE("result", "How it ended.", SEEN),
	ATTRIBUTE("session_files_deleted", "Deleted files of sessions.", SEEN),
	ATTRIBUTE("transcripts_deleted", "Deleted transcripts.", SEEN),
	ATTRIBUTE("transcripts_exempted_desktop", "Transcripts kept for the desktop app.", SEEN),
	ATTRIBUTE("used_default", "Whether the limit is the default.", SEEN),
	EVENT("api_request", "A request to the API that was answered.", SEEN),
	EVENT("api_error", "A request that failed after its last try.", SEEN),
	EVENT("api_retries_exhausted", "A request was given up.", .seen = NULL),
	EVENT("api_request_body", "The whole request, with OTEL_LOG_RAW_API_BODIES.",
		.privacy = PRIVACY_CONTENT),
	EVENT("api_response_body", "The whole answer, with OTEL_LOG_RAW_API_BODIES.",
		.privacy = PRIVACY_CONTENT),
	EVENT("user_prompt", "Somebody sent a prompt.", .privacy = PRIVACY_CONTENT, SEEN),
	EVENT("assistant_response", "The model answered.", .privacy = PRIVACY_CONTENT, SEEN),
	EVENT("tool_decision", "A tool was allowed or not.", SEEN),
	EVENT("tool_result", "A tool ended.", .privacy = PRIVACY_CONTENT, SEEN),
	EVENT("permission_mode_changed", "The way in which permissions are asked for changed.",
		.seen = NULL),
	EVENT("auth", "A login or logout.", .seen = NULL),
	EVENT("mcp_server_connection", "A connection to an MCP server.", .seen = NULL),
	EVENT("internal_error", "A fault of Claude Code itself.", .seen = NULL),
	EVENT("plugin_installed", "A plug-in was installed.", .seen = NULL),
	EVENT("plugin_loaded", "A plug-in was loaded.", SEEN),
	EVENT("skill_activated", "A skill was used.", .seen = NULL),
	EVENT("at_mention", "A file or an agent was mentioned with @.", .seen = NULL),
	EVENT("hook_registered", "A hook is there.", .seen = NULL),
	EVENT("hook_execution_start", "Hooks of an event begin.", .seen = NULL),
	EVENT("hook_execution_complete", "They have ended.", .seen = NULL),
	EVENT("compaction", "The conversation was shortened.", SEEN_LATER),
	EVENT("feedback_survey", "A survey was shown or answered.", .seen = NULL),
	EVENT("managed_settings_resolved", "Managed settings were read.", SEEN),
	EVENT("retention_sweep", "Old files were deleted.", SEEN),
	EVENT("subagent_completed", "A sub-agent ended.", SEEN),
	SPAN("claude_code.interaction", "A prompt and all that follows from it.", SEEN),
	SPAN("claude_code.llm_request", "A request to the API.", SEEN),
	SPAN("claude_code.tool", "A tool, from the question to the result.", SEEN),
	SPAN("claude_code.tool.blocked_on_user", "Waiting for a permission.", SEEN),
	SPAN("claude_code.tool.execution", "The tool at work.", SEEN),
	SPAN("claude_code.hook", "A hook.", .seen = NULL),
};

const size_t catalogue_count = sizeof catalogue / sizeof *catalogue;

const char *privacy_name(enum privacy privacy)
{
	static const char *const names[] = { "none", "id", "person", "content", "secret" };
	return names[privacy];
}

const char *catalogue_label_name(enum event_label label)
{
	static const char *const names[] = { NULL, "owner", "text", "word" };
	return names[label];
}

const struct catalogue_row *catalogue_find(enum catalogue_kind kind, const char *name)
{
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind == kind && strcmp(catalogue[i].name, name) == 0)
			return &catalogue[i];
	}
	return NULL;
}

/* Prometheus knows letters, digits and underscores. */
static char *as_prometheus_writes(char *name)
{
	for (char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at))
			*at = '_';
	}
	return name;
}

char *catalogue_series(const struct catalogue_row *metric)
{
	static const char total[] = ".total";
	size_t len = strlen(metric->name);
	bool is_total = str_has_suffix(metric->name, total);
	const char *unit = !metric->unit		    ? ""
			   : strcmp(metric->unit, "s") == 0 ? "seconds"
							    : metric->unit;
	return as_prometheus_writes(mem_printf("%.*s%s%s",
		(int)(is_total ? len - strlen(total) : len), metric->name, *unit ? "_" : "", unit));
}

char *catalogue_label(const char *attribute)
{
	/* As the Collector does it: a label does not begin with a digit. */
	bool is_digit = isdigit((unsigned char)attribute[0]);
	return as_prometheus_writes(mem_printf("%s%s", is_digit ? "key_" : "", attribute));
}
