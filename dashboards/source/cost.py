"""Where the money goes, what it buys, and how much of the budgets is left."""

import board
from overview import from_cache
from panel import OF_BUDGET, bars, counted, gauges, per, row, stat, text
from query import (ACTIVE, COMMITS, COST, LINES, PULLS, SESSIONS, TOKENS, Chosen, budget, known_zero, most, named,
                   passed, so_far)
from words import metric

VARIABLES = ("model", "team", "user")
PERIODS = [("day", "today"), ("week", "this week"), ("month", "this month")]
NO_BUDGET = "no budget is set: cctm budget set daily 50"
EVERYBODY = "Of everybody, whatever is chosen above."
MONEY_SAVED = """Claude Code says what each request **cost**, and not what it would have cost without the cache. cctm never
puts prices to tokens: price lists lag behind, and searches and long-lived caches cost what no token shows. So here stands
how many tokens came from the cache, and no sum of money. What is read from the cache is billed at a fraction of the price
of input; Anthropic's price list says at which."""


def used(period):
    return f"100 * ({known_zero(so_far(COST, period), period)}) / ({budget(period)} > 0)"


def forecast(period):
    return f"({known_zero(so_far(COST, period), period)}) / {passed(period)}"


def left(period):
    return f"{budget(period)} - ({known_zero(so_far(COST, period), period)})"


def of_budget(title, description, expression, size=(8, 7), no_value=NO_BUDGET):
    return gauges(title, description, [(expression(period), name) for period, name in PERIODS], unit="percent", decimals=0,
                  size=size, no_value=no_value, thresholds=OF_BUDGET, limits=(0, 100))


def of_each(title, description, label, command):
    """Whose budgets are used most; what has no name of its own has none."""
    scope = {"user": "user", "team_id": "team", "model": "model"}[label]
    pairs = [(most(f"100 * {so_far(COST, period, label)} / on () group_left () ({budget(period, scope)} > 0)", 5),
              f"{{{{{label}}}}} {name}") for period, name in PERIODS]
    return gauges(title, description, pairs, unit="percent", decimals=0, size=(8, 9), thresholds=OF_BUDGET, limits=(0, 100),
                  no_value=f"no such budget is set, or nothing was spent: {command}")


def spend(chosen):
    words = metric("cost.usage")
    today = [stat(title, f"{words} Since {since}, in the stack's time zone. {EVERYBODY}",
                  known_zero(so_far(COST, period), period), "currencyUSD", 2, no_value="the rules record nothing")
             for title, period, since in (("Today", "day", "midnight"), ("This week", "week", "Monday"),
                                          ("This month", "month", "the first"))]
    return [
        *today,
        stat("This month, going on so", f"The month's spend so far, by the part of it that has passed. {EVERYBODY}",
             forecast("month"), "currencyUSD", 2, no_value="the month has just begun"),
        counted(chosen, "In the range shown", words, COST, "currencyUSD", 2),
        counted(chosen, "Tokens", metric("token.usage", "All types, in the range shown."), TOKENS),
    ]


def budgets():
    return [
        of_budget("Budget used", f"Spend so far in percent of the budget. {EVERYBODY}", used),
        of_budget("Budget used at the end, going on so", "Spend so far, by the part of the period that has passed, in percent "
                  f"of the budget. {EVERYBODY}", lambda period: f"100 * ({forecast(period)}) / ({budget(period)} > 0)"),
        gauges("Left of the budget", f"The budget without what was spent so far. {EVERYBODY}",
               [(left(period), name) for period, name in PERIODS], unit="currencyUSD", decimals=2, size=(8, 7),
               no_value=NO_BUDGET, thresholds=[("red", None), ("green", 0)]),
    ]


def where(chosen):
    words = metric("cost.usage")

    def by(title, what, label, size=(6, 8), none="none"):
        return gauges(title, f"{words} {what}", named(most(chosen.total(COST, label)), label, none), f"{{{{{label}}}}}",
                      "currencyUSD", 2, size)

    asked = "main is the conversation, subagent what it handed on, auxiliary what Claude Code does by itself."
    return [
        row("Where it goes", False),
        bars("By model over time", f"{words} By the model that answered.", chosen.step(COST, "model"), "{{model}}",
             "currencyUSD", 2),
        bars("By who asked over time", f"{words} {asked}", named(chosen.step(COST, "query_source"), "query_source", "none"),
             "{{query_source}}", "currencyUSD", 2),
        row("By model, who asked, effort and agent"),
        by("By model", "By the model that answered.", "model"),
        by("By who asked", asked, "query_source"),
        by("By effort", "By the effort that was asked for.", "effort"),
        by("By sub-agent", "By the sub-agent's name; the conversation itself has none.", "agent_name"),
        by("By skill", "By the skill that was in use.", "skill_name", (8, 8)),
        by("By plug-in", "By the plug-in that brought what was in use.", "plugin_name", (8, 8)),
        by("By MCP server", "By the MCP server that was in use.", "mcp_server_name", (8, 8)),
    ]


def buys(chosen):
    words = metric("cost.usage")
    return [
        row("What it buys"),
        per(chosen, "A session", f"{words} By the sessions that were started.", COST, SESSIONS),
        per(chosen, "A commit", f"{words} By the commits that Claude Code made itself.", COST, COMMITS),
        per(chosen, "A pull request", f"{words} By the pull requests that Claude Code made itself.", COST, PULLS),
        per(chosen, "100 lines", f"{words} By hundreds of lines that edits added.", COST, LINES, "100 * ", type="added"),
        per(chosen, "An active hour", f"{words} By the hours in which Claude Code worked.", COST, ACTIVE, "3600 * ", type="cli"),
        per(chosen, "1,000 output tokens", f"{words} By thousands of tokens of answers.", COST, TOKENS, "1000 * ", decimals=4,
            type="output"),
        row("What caching saves"),
        counted(chosen, "Read from the cache", metric("token.usage", "Here: read from the cache."), TOKENS, size=(6, 6),
                type="cacheRead"),
        stat("Share from the cache", "Of the tokens sent to models, how many came from the cache.", from_cache(chosen),
             "percent", 1, (6, 6), "nothing came from it in this range"),
        text("Why there is no sum of money", MONEY_SAVED, (12, 6)),
    ]


def sessions():
    """`seen` is kept for each session; a fixed week keeps the query cheap."""
    seen = f'{COST}:seen{{session_id!="", model=~"$model", team_id=~"$team"}}'
    return [
        row("Budgets of people, teams and models"),
        of_each("People", f"What each spent, in percent of the budget of a person; by name. {EVERYBODY}", "user",
                "cctm config set budgets.per_user.daily_usd 10"),
        of_each("Teams", f"What each spent, in percent of the budget of a team. {EVERYBODY}", "team_id",
                "cctm config set budgets.per_team.daily_usd 50"),
        of_each("Models", f"What each cost, in percent of the budget of a model. {EVERYBODY}", "model",
                "cctm config set budgets.per_model.daily_usd 50"),
        row("Sessions"),
        gauges("Most expensive sessions of the last 7 days", "What the sessions of the 7 days before the end of the range have "
               "cost altogether, the ten most expensive. Not narrowed by person. The bridge keeps sessions apart only with "
               "bridge.session_label.", most(f"sum by (session_id) (max_over_time({seen}[7d]))", 10), "{{session_id}}",
               "currencyUSD", 2, (24, 9), "no session is kept apart: cctm config set bridge.session_label true"),
    ]


def make():
    chosen = Chosen(*VARIABLES)
    return board.dashboard(
        "cctm-cost", "Claude Code: cost and budgets",
        "Where the money goes, what it buys, and what is left of the budgets. Cost is the client's estimate and not the invoice; "
        "each number is what was sent.", [*spend(chosen), *budgets(), *where(chosen), *buys(chosen), *sessions()],
        [board.datasource(), *board.choices(*VARIABLES)], "now-7d")
