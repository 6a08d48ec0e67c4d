"""What Claude Code's events tell: requests, their times, tools, permissions; what was lost on the way; the events."""

import board
from overview import failures
from panel import LOKI, bars, counted, gauges, lines, logs, row, stat, text
from query import (EVENTS, FIRST_TOKEN, REQUEST_TIME, RANGE, STEP, TOOL_TIME, Chosen, most, named, share)
from words import event

VARIABLES = ("model", "team", "user")
NO_EVENTS = "no events in this range: is OTEL_LOGS_EXPORTER set? cctm env --check"
NO_LOSS = "the Collector cannot tell; the bridge does: ingest: bridge"
NOT_BY_PERSON = "Of everybody; narrowed by model alone. Counted every five minutes."
LOST = "cctm_client_lost_events_total"
NONE_LOST = "sum(0 * cctm_series)"  # a bridge that missed nothing has not got the counter
STREAM = """Events themselves are kept only where the stack has a Loki: `cctm config set events.store loki`, then `cctm up`.
Without one the panels below say that there is no datasource, and that is all that is wrong: every number on the other rows
comes from Prometheus. Prompts and what tools read stand in events only where somebody turned that on (`cctm catalogue
variable`)."""


def shares_of_time(chosen, series):
    return [(chosen.quantile(share, series, STEP), f"{name} of requests")
            for share, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))]


def by(chosen, title, words, label, none="none", legend="", size=(6, 8), decimals=0, **labels):
    """Events of a kind, by one label or more; the first one's name where it is absent."""
    return gauges(title, words, named(most(chosen.total(EVENTS, label, **labels)), label.split(",")[0], none),
                  legend or f"{{{{{label}}}}}", decimals=decimals, size=size, no_value=NO_EVENTS)


def numbers(chosen):
    return [
        counted(chosen, "Requests answered", event("api_request", "An answer that was interrupted has no such event."), EVENTS,
                decimals=0, event_name="api_request"),
        *failures(chosen, "Requests failed", (4, 4), NO_EVENTS),
        counted(chosen, "Prompts", event("user_prompt"), EVENTS, decimals=0, event_name="user_prompt"),
        counted(chosen, "Tools used", event("tool_result"), EVENTS, decimals=0, event_name="tool_result"),
        stat("Events lost", "Events that clients sent and that never came, told from gaps in their numbers. Of everybody.",
             f"sum(increase({LOST}[$__range])) or {NONE_LOST}", decimals=0, no_value=NO_LOSS,
             thresholds=[("green", None), ("red", 1)]),
    ]


def requests(chosen):
    slow = "Within how long 95 of 100 were done"
    return [
        row("Requests", False),
        bars("Requests by model over time", event("api_request"), chosen.step(EVENTS, "model", event_name="api_request"),
             "{{model}}", decimals=0),
        bars("Failed requests by status over time", event("api_error", "By HTTP status; 'none' had no answer at all."),
             named(chosen.step(EVENTS, "status_code", event_name="api_error"), "status_code", "none"), "{{status_code}}",
             decimals=0),
        lines("Time of a request", "How long half, 95 and 99 of 100 answered requests took, from sending to the end. "
              f"{NOT_BY_PERSON}",
              shares_of_time(chosen, REQUEST_TIME), "s", no_value=NO_EVENTS, calcs=("mean", "max"), interval="5m",
              maxDataPoints=120),
        lines("Time to the first token", f"How long half, 95 and 99 of 100 answered requests took to begin. {NOT_BY_PERSON}",
              shares_of_time(chosen, FIRST_TOKEN), "s", no_value=NO_EVENTS, calcs=("mean", "max"), interval="5m",
              maxDataPoints=120),
        row("Times and errors by model"),
        gauges("95 % are done within", f"{slow}, by model. {NOT_BY_PERSON}",
               f"{chosen.quantile(0.95, REQUEST_TIME, RANGE, 'model')} >= 0", "{{model}}", "s", 1, (8, 8), NO_EVENTS),
        gauges("95 % begin to answer within", f"The same to the first token. {NOT_BY_PERSON}",
               f"{chosen.quantile(0.95, FIRST_TOKEN, RANGE, 'model')} >= 0", "{{model}}", "s", 1, (8, 8), NO_EVENTS),
        gauges("Mean time, by who asked", "All time of answered requests, by their number. main, subagent and others as events "
               f"name them. {NOT_BY_PERSON}", named(chosen.mean(REQUEST_TIME, RANGE, "query_source"), "query_source", "none"),
               "{{query_source}}", "s", 1, (8, 8), NO_EVENTS),
        by(chosen, "Failed, by status and model", event("api_error"), "status_code, model", "no status",
           "{{status_code}} {{model}}", (8, 8), event_name="api_error"),
        by(chosen, "Given up after all retries", event("api_retries_exhausted", "A retry that helped leaves no event, so retries "
           "themselves cannot be counted."), "status_code", "no status", size=(8, 8), event_name="api_retries_exhausted"),
        by(chosen, "Faults of Claude Code itself", event("internal_error"), "error_type", "unknown", size=(8, 8),
           event_name="internal_error"),
    ]


def tools(chosen):
    ended = event("tool_result")
    bad = share(chosen.total(EVENTS, "tool_name", event_name="tool_result", success="false"),
                chosen.total(EVENTS, "tool_name", event_name="tool_result"))
    decided = event("tool_decision")
    return [
        row("Tools"),
        bars("Tools over time", ended, chosen.step(EVENTS, "tool_name", event_name="tool_result"), "{{tool_name}}", decimals=0),
        by(chosen, "Used", ended, "tool_name", event_name="tool_result"),
        gauges("Failed", f"{ended} Here: the share that failed.", named(most(bad), "tool_name", "none"), "{{tool_name}}",
               "percent", 1, (6, 8), NO_EVENTS),
        by(chosen, "Why they failed", f"{ended} Here: those that failed, by kind of failure.", "error_type", "unknown",
           event_name="tool_result", success="false"),
        by(chosen, "Refused", f"{decided} Here: those that were not, by tool.", "tool_name", event_name="tool_decision",
           decision="reject"),
        by(chosen, "Who decided", f"{decided} By what decided: the configuration, a hook, or somebody.",
           "decision_source, decision", "unknown", "{{decision_source}} {{decision}}", event_name="tool_decision"),
        gauges("95 % end within", "Within how long 95 of 100 uses of a tool ended. Of everybody. Counted every five minutes.",
               f"{most(chosen.quantile(0.95, TOOL_TIME, RANGE, 'tool_name'))} >= 0", "{{tool_name}}", "s", 1, (6, 8), NO_EVENTS),
    ]


def rest(chosen):
    return [
        row("Permissions, compactions, MCP, hooks, agents"),
        by(chosen, "Permission modes of tools", event("tool_decision", "By the way in which permissions were asked for."),
           "permission_mode", event_name="tool_decision"),
        by(chosen, "Changes of the permission mode", event("permission_mode_changed", "By the way since then."),
           "permission_mode", "unknown", event_name="permission_mode_changed"),
        by(chosen, "Compactions", event("compaction", "By what asked for it."), "trigger", "unknown", event_name="compaction"),
        by(chosen, "Logins and logouts", event("auth"), "success", "unknown", event_name="auth"),
        by(chosen, "MCP servers", event("mcp_server_connection", "By how it is (connected, failed, disconnected), and by server "
           "where that was said."), "status, mcp_server_name", "unknown", "{{status}} {{mcp_server_name}}",
           event_name="mcp_server_connection"),
        by(chosen, "Hooks", event("hook_execution_complete", "By what the hooks are for."), "hook_event", "unknown",
           event_name="hook_execution_complete"),
        by(chosen, "Skills", event("skill_activated"), "skill_name", "unknown", event_name="skill_activated"),
        by(chosen, "Sub-agents", event("subagent_completed"), "agent_name", "unknown", event_name="subagent_completed"),
    ]


def lost():
    made = bars("Lost events over time", "Events that clients sent and that never came, told from gaps in their numbers: exports "
                "that failed or were cut off. What was lost at the end of a process leaves no gap.",
                f"sum(increase({LOST}[$__interval])) or {NONE_LOST}", "lost", decimals=0, size=(12, 8), step="2m")
    made["fieldConfig"]["defaults"]["noValue"] = NO_LOSS
    return [
        row("Lost on the way"), made,
        by(Chosen(), "All events, by name", "Every event that came, of everybody; what is missing here is not turned on or was "
           "never done.", "event_name", size=(12, 8)),
    ]


def stream():
    every = '{service_name="claude-code"}'
    amount = bars("Events kept, by name", "Log records in Loki, by the name of the event.",
                  f"sum by (event_name) (count_over_time({every}[$__interval]))", "{{event_name}}", decimals=0, size=(12, 6))
    amount["datasource"] = LOKI
    amount["targets"] = [{"datasource": LOKI, "refId": "A", "expr": amount["targets"][0]["expr"], "queryType": "range",
                          "legendFormat": "{{event_name}}", "editorMode": "code"}]
    return [
        row("The events themselves (Loki)"),
        text("Where they come from", STREAM, (12, 6)), amount,
        logs("Events", "Each log record that Claude Code sent, the newest first. Not narrowed by what is chosen above.", every,
             (24, 14), "Loki has no events in this range"),
    ]


def make():
    chosen = Chosen(*VARIABLES)
    return board.dashboard(
        "cctm-activity", "Claude Code: activity and reliability",
        "What Claude Code's events tell of requests, tools and permissions, and what was lost on the way. It needs events: "
        "OTEL_LOGS_EXPORTER=otlp, which 'cctm env' sets.",
        [*numbers(chosen), *requests(chosen), *tools(chosen), *rest(chosen), *lost(), *stream()],
        [board.datasource(), board.loki(), *board.choices(*VARIABLES)])
