"""What Claude Code cost and did: the page to begin with."""

import board
from panel import adding_up, bars, columns, counted, dial, gauges, peak, per, row, shares, stat
from query import (ACTIVE, COMMITS, COST, DECISIONS, EVENTS, LINES, PULLS, SESSIONS, TOKENS, Chosen, named, ratio, share)
from words import event, metric

VARIABLES = ("model", "team", "user")
DAYS = ["1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "0 Sun"]


def from_cache(chosen):
    sent = chosen.total(TOKENS, type='=~"input|cacheRead|cacheCreation"')
    return ratio(chosen.total(TOKENS, type="cacheRead"), sent, "100 * ")


def by_local(chosen, label, function):
    """Active time of 30 days by hour or weekday where the stack's time zone is. Each hour that ended is put under what the
    clock showed in its middle: one step an hour over a fixed span, so that it costs the same whatever range is shown.
    """
    zone = "max(last_over_time(claude_code:utc_offset_seconds[6h]))"
    clock = f'count_values("{label}", {function}(vector(time() - 1800) + {zone}))'
    hours = f"{clock} * on () group_left () {chosen.over('[1h]', ACTIVE)}"
    return f"sum by ({label}) (sum_over_time(({hours})[30d:1h]))"


def pattern(chosen):
    hours = f'label_replace({by_local(chosen, "hour", "hour")}, "hour", "0$1", "hour", "(.)")'
    days = by_local(chosen, "day", "day_of_week")
    for name in DAYS:
        days = f'label_replace({days}, "day", "{(int(name[0]) + 6) % 7 + 1} {name[2:]}", "day", "{name[0]}")'
    return [
        columns("By hour of the day, 30 days", metric("active_time.total", "In the 30 days before the end of the range, by the "
                "hour that the clock showed, in the stack's time zone."), hours, "hour", "s"),
        columns("By day of the week, 30 days", metric("active_time.total", "In the 30 days before the end of the range, by day "
                "of the week, in the stack's time zone."), days, "day", "s"),
    ]


def numbers(chosen):
    return [
        counted(chosen, "Spend", metric("cost.usage"), COST, "currencyUSD", 2),
        counted(chosen, "Sessions", metric("session.count", "Continued and resumed ones count again; what /clear begins does "
                "not."), SESSIONS, decimals=0),
        counted(chosen, "Commits", metric("commit.count", "Those made by hand do not count."), COMMITS, decimals=0),
        counted(chosen, "Pull requests", metric("pull_request.count"), PULLS, decimals=0),
        counted(chosen, "Lines added", metric("lines_of_code.count", "Here: those that accepted edits added."), LINES,
                decimals=0, type="added"),
        counted(chosen, "Lines removed", metric("lines_of_code.count", "Here: those that accepted edits removed."), LINES,
                decimals=0, type="removed"),
        counted(chosen, "Input tokens", metric("token.usage", "Here: sent to the model, and neither read from the cache nor "
                "written into it."), TOKENS, type="input"),
        counted(chosen, "Output tokens", metric("token.usage", "Here: those of answers."), TOKENS, type="output"),
        counted(chosen, "Cache reads (save money)", metric("token.usage", "Here: read from the cache, at a fraction of the "
                "price of input."), TOKENS, type="cacheRead"),
        counted(chosen, "Cache creation", metric("token.usage", "Here: written into the cache, so that later requests read "
                "them."), TOKENS, type="cacheCreation"),
        counted(chosen, "Time Claude worked", metric("active_time.total", "Here: cli."), ACTIVE, "s", type="cli"),
        counted(chosen, "Time people typed", metric("active_time.total", "Here: user."), ACTIVE, "s", type="user"),
    ]


def cost(chosen):
    spend = metric("cost.usage")
    return [
        row("Cost", False),
        bars("Cost by model over time", f"{spend} By the model that answered.", chosen.step(COST, "model"), "{{model}}",
             "currencyUSD", 2),
        gauges("Cost by model", f"{spend} By the model that answered, in the whole range.", chosen.total(COST, "model"),
               "{{model}}", "currencyUSD", 2),
        gauges("Cost by who asked", f"{spend} main is the conversation, subagent what it handed on, auxiliary what Claude Code "
               "does by itself, such as titles and summaries.", named(chosen.total(COST, "query_source"), "query_source", "none"),
               "{{query_source}}", "currencyUSD", 2),
        adding_up("Cost adding up", f"{spend} From the beginning of the range on.", chosen.step(COST), "currencyUSD", 2, (12, 7)),
        per(chosen, "1,000 output tokens", f"{spend} By thousands of tokens of answers.", COST, TOKENS, "1000 * ", decimals=4,
            size=(4, 7), type="output"),
        per(chosen, "A commit", f"{spend} By the commits that Claude Code made itself.", COST, COMMITS, size=(4, 7)),
        dial("Cache efficiency", "Share of the tokens sent to models that came from the cache.", from_cache(chosen), (4, 7),
             [("red", None), ("yellow", 50), ("green", 80)], "nothing came from it in this range"),
    ]


def tokens(chosen):
    words = metric("token.usage")
    output = chosen.step(TOKENS, type="output")
    return [
        row("Tokens"),
        bars("Tokens by type over time", words, chosen.step(TOKENS, "type"), "{{type}}"),
        shares("Tokens by type", f"{words} In the whole range.", chosen.total(TOKENS, "type"), "{{type}}"),
        shares("Tokens by model", f"{words} In the whole range, all types.", chosen.total(TOKENS, "model"), "{{model}}"),
        bars("Tokens by model over time", f"{words} All types, by the model that answered.", chosen.step(TOKENS, "model"),
             "{{model}}", size=(18, 8)),
        peak("Most output in a minute", "The most tokens of answers a minute. Over ranges of more than some hours it is the "
             "mean of a longer step, so it is lower there.", f"{output} * 60000 / $__interval_ms", "short", 0, (6, 8)),
    ]


def work(chosen):
    decided = metric("code_edit_tool.decision")
    typed = chosen.step(ACTIVE, type="user")
    return [
        row("Work"),
        bars("Lines over time", metric("lines_of_code.count"), chosen.step(LINES, "type"), "{{type}}", decimals=0),
        gauges("Edits by tool", f"{decided} By the tool that made them.", chosen.total(DECISIONS, "tool_name, decision"),
               "{{tool_name}} {{decision}}", decimals=0),
        gauges("Edits by language", f"{decided} By the language of the file.",
               named(chosen.total(DECISIONS, "language, decision"), "language", "unknown"), "{{language}} {{decision}}",
               decimals=0),
        bars("Active time", metric("active_time.total"), chosen.step(ACTIVE, "type"), "{{type}}", "s"),
        per(chosen, "Work by time typed", "Productivity ratio: time in which Claude Code worked, by the time in which somebody "
            "typed.", ACTIVE, ACTIVE, "", "short", 1, (4, 8), "nobody typed in this range", {"type": "cli"}, type="user"),
        peak("Peak leverage", "The same in the ten minutes in which it was highest; over longer ranges in the longer steps of "
             "a graph. Steps in which nobody typed do not count.",
             f"{chosen.step(ACTIVE, type='cli')} / ({typed} > 0)", "short", 1, (4, 8), "nobody typed in this range", "10m"),
        gauges("Who decided on edits", f"{decided} By what decided: the configuration, a hook, or somebody.",
               named(chosen.total(DECISIONS, "source"), "source", "unknown"), "{{source}}", decimals=0, size=(4, 8)),
    ]


def clients(chosen):
    words = metric("session.count")
    return [
        row("Clients"),
        gauges("Sessions by terminal", f"{words} By the terminal.",
               named(chosen.total(SESSIONS, "terminal_type"), "terminal_type", "unknown"), "{{terminal_type}}", decimals=0,
               size=(8, 8)),
        gauges("Sessions by version", f"{words} By the version of Claude Code, where OTEL_METRICS_INCLUDE_VERSION is set.",
               named(chosen.total(SESSIONS, "app_version"), "app_version", "unknown"), "{{app_version}}", decimals=0,
               size=(8, 8)),
        gauges("How sessions began", f"{words} Afresh, resumed or continued.", named(chosen.total(SESSIONS, "start_type"),
               "start_type", "unknown"), "{{start_type}}", decimals=0, size=(8, 8)),
    ]


def failures(chosen, title, size, no_value):
    """How many requests failed, and how many of all; where requests were answered and none failed it is 0."""
    (failed, asked), (failed_before, asked_before) = (
        (of(EVENTS, event_name="api_error"), of(EVENTS, event_name='=~"api_request|api_error"'))
        for of in (chosen.total, chosen.before))
    return [
        stat(title, event("api_error", "Tries that were repeated with success do not count."), f"{failed} or 0 * {asked}",
             decimals=0, size=size, no_value=no_value, before=failed_before),
        stat("Share that failed", event("api_error", "By all requests that were answered or failed."), share(failed, asked),
             "percent", 2, size, no_value, before=share(failed_before, asked_before),
             thresholds=[("green", None), ("yellow", 1), ("red", 5)]),
    ]


def errors(chosen):
    return [
        row("Errors"),
        *failures(chosen, "Requests that failed", (6, 8), "no events in this range"),
        bars("Failed requests by status over time", event("api_error", "By the HTTP status; 'none' had no answer at all."),
             named(chosen.step(EVENTS, "status_code", event_name="api_error"), "status_code", "none"), "{{status_code}}",
             decimals=0),
    ]


def make():
    chosen = Chosen(*VARIABLES)
    panels = [*numbers(chosen), *cost(chosen), *tokens(chosen), *work(chosen), row("When"), *pattern(chosen), *errors(chosen),
              *clients(chosen)]
    return board.dashboard(
        "cctm-overview", "Claude Code: overview",
        "What Claude Code cost and did. Each number is what was sent, added up by the stack's rules.", panels,
        [board.datasource(), *board.choices(*VARIABLES)])
