"""Who uses Claude Code: people, teams, departments and cost centres side by side."""

import board
from panel import bars, counted, gauges, linked, row, stat, text
from query import (ACTIVE, COMMITS, COST, DECISIONS, LABELS, LINES, PULLS, SESSIONS, TOKENS, Chosen, as_user, most, named, share)
from words import metric

VARIABLES = ("team", "department", "cost_center", "user")
NEVER = """Who has never sent anything is in no number: Prometheus knows what arrived, and no list of people.
Compare the names under **People** over a long range with your own list. Who is missing has not been set up
(`cctm env` prints what to set), or has no way to this stack (`cctm env --check` there).

Left of this: who began sessions in the last 30 days and was never answered by a model."""


def shown(label, expression):
    """By name for what has one; people under the label user, whichever label tells them apart."""
    return as_user(expression) if label == LABELS["user"] else named(expression, label, "none")


def compared(chosen, label, uid, variable):
    """The same eight comparisons, by this label. A click leads to what is behind a bar."""
    name = "user" if label == LABELS["user"] else label
    accepted = share(chosen.total(DECISIONS, label, decision="accept"), chosen.total(DECISIONS, label))
    measures = [
        ("Cost", metric("cost.usage"), chosen.total(COST, label), "currencyUSD", 2),
        ("Tokens", metric("token.usage"), chosen.total(TOKENS, label), "short", None),
        ("Sessions", metric("session.count"), chosen.total(SESSIONS, label), "short", 0),
        ("Time Claude worked", metric("active_time.total", "Here: cli."), chosen.total(ACTIVE, label, type="cli"), "s", None),
        ("Lines added", metric("lines_of_code.count", "Here: added."), chosen.total(LINES, label, type="added"), "short", 0),
        ("Commits", metric("commit.count"), chosen.total(COMMITS, label), "short", 0),
        ("Pull requests", metric("pull_request.count"), chosen.total(PULLS, label), "short", 0),
        ("Edits accepted", metric("code_edit_tool.decision", "Here: the share that was accepted."), accepted, "percent", 0),
    ]
    url = board.drill(uid, **{variable: name, **({"who": None} if variable == "user" else {})})
    return [linked(gauges(title, f"{words} The twenty with the most.", shown(label, most(expression)), f"{{{{{name}}}}}", unit,
                          decimals, (6, 9)), "Show only this", url)
            for title, words, expression, unit, decimals in measures]


def numbers(chosen):
    people = f"count({chosen.total(COST, LABELS['user'])} > 0)"
    before = f"count({chosen.before(COST, LABELS['user'])} > 0)"
    return [
        counted(chosen, "Spend", metric("cost.usage"), COST, "currencyUSD", 2),
        stat("People", "Who spent anything in this range. Without a login each installation is one.", people, decimals=0,
             before=before),
        counted(chosen, "Sessions", metric("session.count"), SESSIONS, decimals=0),
        counted(chosen, "Time Claude worked", metric("active_time.total", "Here: cli."), ACTIVE, "s", type="cli"),
        counted(chosen, "Lines added", metric("lines_of_code.count", "Here: added."), LINES, decimals=0, type="added"),
        counted(chosen, "Commits", metric("commit.count"), COMMITS, decimals=0),
    ]


def silent(chosen):
    who = LABELS["user"]
    stopped = f"{chosen.over('[30d] offset 3d', COST, who)} unless {chosen.over('[3d]', COST, who)}"
    idle = f"{chosen.over('[30d]', SESSIONS, who)} unless {chosen.over('[30d]', COST, who)}"
    return [
        row("Who stopped, who never began"),
        linked(gauges("Stopped: nothing for 3 days", "Who spent something in the 30 days before the last 3, and nothing in "
                      "those: with what they spent then. Holidays and weekends look the same. Counted from the end of the range.",
                      as_user(most(stopped)), "{{user}}", "currencyUSD", 2, (8, 9), "nobody stopped"),
               "Show only this", board.drill("cctm-overview", user="user", who=None)),
        gauges("Began, and never got an answer", "Who began sessions in the last 30 days and spent nothing: with how many. A "
               "login that does not work looks like this.", as_user(most(idle)), "{{user}}", "short", 0, (8, 9),
               "nobody: all who began sessions spent something"),
        text("Who never sent anything", NEVER, (8, 9)),
    ]


def make():
    chosen = Chosen(*VARIABLES)
    user = LABELS["user"]
    panels = [
        *numbers(chosen), row("People", False), *compared(chosen, user, "cctm-overview", "user"),
        row("Over time"),
        bars("Cost by person over time", metric("cost.usage"), shown(user, chosen.step(COST, user)), "{{user}}", "currencyUSD", 2,
             (24, 9), "5m"),
        bars("Cost by team over time", metric("cost.usage", "By team.id of OTEL_RESOURCE_ATTRIBUTES."),
             shown("team_id", chosen.step(COST, "team_id")), "{{team_id}}", "currencyUSD", 2, (24, 9), "5m"),
    ]
    for title, variable, uid in (("Teams", "team", "cctm-overview"), ("Departments", "department", "cctm-team"),
                                 ("Cost centres", "cost_center", "cctm-team")):
        panels += [row(title), *compared(chosen, LABELS[variable], uid, variable)]
    return board.dashboard(
        "cctm-team", "Claude Code: team",
        "Who uses Claude Code, for what it costs and does. Team, department and cost centre are what OTEL_RESOURCE_ATTRIBUTES "
        "gives ('cctm env --team' writes them). 'Show: pseudonyms' hides names: people are then told apart by their "
        "installations.", [*panels, *silent(chosen)], [board.datasource(), *board.choices(*VARIABLES)], "now-7d")
