"""Each number of the dashboards about Claude Code is the truth: real Prometheus over prepared series, compared panel by panel
with what is added up here from single facts. A panel without a truth fails.
"""

import math
import unittest
from collections import defaultdict

import boards
import prepared
from lib import case, programs
from prepared import DAY, NOW, RANGE, STEP, Look

COST = "claude_code_cost_usage_USD"
TOKENS = "claude_code_token_usage_tokens"
SESSIONS = "claude_code_session_count"
LINES = "claude_code_lines_of_code_count"
COMMITS = "claude_code_commit_count"
PULLS = "claude_code_pull_request_count"
DECISIONS = "claude_code_code_edit_tool_decision"
ACTIVE = "claude_code_active_time_seconds"
EVENTS = "claude_code_events"
REQUEST, FIRST, TOOL = ("claude_code_api_request_duration_seconds", "claude_code_api_request_ttft_seconds",
                        "claude_code_tool_duration_seconds")
SENT = ("input", "cacheRead", "cacheCreation")
PERIODS = ("day", "week", "month")


# ---- truths: each takes a Look and gives {values of the legend's labels: number} ----


def some(series, *names, none="", **where):
    return lambda look: look.by(series, *names, none=none, **where)


def only(value):
    """A number without labels, where there is one."""
    return {} if value is None else {(): value}


def part(upper, lower, factor=1.0, is_zero=False):
    """A sum by another, each (series, conditions); is_zero: of what was never counted it is 0, and not unknown."""
    def truth(look):
        above, below = look.sum(upper[0], **upper[1]), look.sum(lower[0], **lower[1])
        return only(factor * above / below if below and (above or is_zero) else None)
    return truth


def per(series, factor=1.0, **where):
    return part((COST, {}), (series, where), factor)


def failed(look):
    has = list(look.facts(EVENTS, event_name=("api_error", "api_request")))
    return only(look.sum(EVENTS, event_name="api_error") if has else None)


def accepted(*names, none=""):
    def truth(look):
        every = look.by(DECISIONS, *names, none=none)
        took = look.by(DECISIONS, *names, none=none, decision="accept")
        return {group: 100 * took.get(group, 0) / count for group, count in every.items()}
    return truth


def tools_failed(look):
    every = look.by(EVENTS, "tool_name", event_name="tool_result")
    bad = look.by(EVENTS, "tool_name", event_name="tool_result", success="false")
    return {tool: 100 * bad.get(tool, 0) / count for tool, count in every.items()}


def highest(upper, lower=None, factor=1.0):
    def truth(look):
        above, below = look.steps(upper[0], **upper[1]), look.steps(lower[0], **lower[1]) if lower else None
        values = [factor * value / (below[at] if lower else 1) for at, value in above.items() if not lower or below.get(at)]
        return only(max(values, default=None))
    return truth


def pattern(name_of):
    """By what the clock showed, of whole hours over 30 days."""
    def truth(look):
        sums = defaultdict(float)
        last = NOW // 3600 * 3600
        for at, _, value in look.moved(last - 30 * DAY, last).facts(ACTIVE):
            # The hour that begins 30 days before is not whole and not asked for.
            if -(-at // 3600) * 3600 > NOW - 30 * DAY:
                sums[(name_of(-(-at // 3600) * 3600 - 1800 + prepared.OFFSET),)] += value
        return dict(sums)
    return truth


def hour_of(at):
    return f"{at % DAY // 3600:02}"


def day_of(at):
    number = (at // DAY + 3) % 7  # 1970 began on a Thursday
    return f"{number + 1} {('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[number]}"


def so_far(look, period, *names):
    everybody = Look(look.company, prepared.begin_of(period), NOW)
    return everybody.by(COST, *names) if names else {(): everybody.sum(COST)}


def spent(period, scale=lambda period: 1):
    return lambda look: {group: value * scale(period) for group, value in so_far(look, period).items()}


def budget(period, scope="all"):
    return prepared.BUDGETS.get((period, scope))


def of_budget(period, share=lambda period: 1):
    limit = budget(period)
    return spent(period, lambda period: 100 * share(period) / limit) if limit else lambda look: {}


def by_passed(period):
    return 1 / prepared.PASSED[period]


def left(period):
    return lambda look: only(budget(period) - so_far(look, period)[()] if budget(period) else None)


def each_of_budget(period, scope, name):
    def truth(look):
        limit = budget(period, scope)
        values = so_far(look, period, name) if limit else {}
        most = sorted((item for item in values.items() if item[0] != ("",)), key=lambda item: -item[1])[:5]
        return {group: 100 * value / limit for group, value in most}
    return truth


def expensive(look):
    """Of sessions seen within a week: all that they cost, the ten most."""
    sums, last = defaultdict(float), {}
    for (session, model, team, at), value in look.company.sessions.items():
        if look.is_chosen({"model": model, "team_id": team}, ("model", "team")):
            sums[session, model] += value
            last[session, model] = max(at + 10, last.get((session, model), 0))
    whole = defaultdict(float)
    for (session, model), value in sums.items():
        if last[session, model] > NOW - 7 * DAY:
            whole[(session,)] += value
    return dict(sorted(whole.items(), key=lambda item: -item[1])[:10])


def people(look):
    return only(float(len(look.by(COST, look.who))) or None)


def by_person(truth):
    """The label is called user whichever tells people apart."""
    return lambda look: truth(look.who)(look)


def stopped(look):
    recent = look.moved(NOW - 3 * DAY, NOW).by(COST, look.who)
    before = look.moved(NOW - 33 * DAY, NOW - 3 * DAY).by(COST, look.who)
    return {who: value for who, value in before.items() if who not in recent}


def never_answered(look):
    month = look.moved(NOW - 30 * DAY, NOW)
    answered = month.by(COST, look.who)
    return {who: value for who, value in month.by(SESSIONS, look.who).items() if who not in answered}


def slow(series, name):
    return lambda look: look.quantile(0.95, series, name)


def mean_time(look):
    groups = defaultdict(list)
    for _, labels, seconds in look.durations(REQUEST):
        groups[(labels["query_source"],)].append(seconds)
    return {group: sum(seconds) / len(seconds) for group, seconds in groups.items()}


def step_quantiles(series, share):
    """The sum over the steps of a graph, which is one number to compare."""
    def truth(look):
        steps = defaultdict(list)
        for at, _, seconds in look.durations(series):
            steps[-(-at // STEP) * STEP].append(seconds)
        return only(sum(prepared.quantile(share, seconds) for seconds in steps.values()) if steps else None)
    return truth


def events(*names, none="none", **where):
    return some(EVENTS, *names, none=none, **where)


CACHED = part((TOKENS, {"type": "cacheRead"}), (TOKENS, {"type": SENT}), 100)
ASKED = (EVENTS, {"event_name": ("api_error", "api_request")})
FAILED_SHARE = part((EVENTS, {"event_name": "api_error"}), ASKED, 100, True)
OUTPUT_PRICE = per(TOKENS, 1000, type="output")
STATUS = events("status_code", event_name="api_error")


def comparisons(label, none):
    """The eight of each row of the team's dashboard; label None: people."""
    def by(series, **where):
        if label:
            return some(series, label, none=none, **where)
        return by_person(lambda who: some(series, who, **where))
    took = accepted(label, none=none) if label else by_person(lambda who: accepted(who))
    return {"Cost": by(COST), "Tokens": by(TOKENS), "Sessions": by(SESSIONS), "Time Claude worked": by(ACTIVE, type="cli"),
            "Lines added": by(LINES, type="added"), "Commits": by(COMMITS), "Pull requests": by(PULLS), "Edits accepted": took}


def rows(title, truths):
    return {(title, name): truth for name, truth in truths.items()}


# By title, or by row and title where a title stands in several rows. A list: a truth for each query.
TRUTHS = {
    "overview.json": {
        "Spend": some(COST), "Sessions": some(SESSIONS), "Commits": some(COMMITS), "Pull requests": some(PULLS),
        "Lines added": some(LINES, type="added"), "Lines removed": some(LINES, type="removed"),
        "Input tokens": some(TOKENS, type="input"), "Output tokens": some(TOKENS, type="output"),
        "Cache reads (save money)": some(TOKENS, type="cacheRead"), "Cache creation": some(TOKENS, type="cacheCreation"),
        "Time Claude worked": some(ACTIVE, type="cli"), "Time people typed": some(ACTIVE, type="user"),
        "Cost by model over time": some(COST, "model"), "Cost by model": some(COST, "model"),
        "Cost by who asked": some(COST, "query_source", none="none"), "Cost adding up": some(COST),
        "1,000 output tokens": OUTPUT_PRICE, "A commit": per(COMMITS), "Cache efficiency": CACHED,
        "Tokens by type over time": some(TOKENS, "type"), "Tokens by type": some(TOKENS, "type"),
        "Tokens by model": some(TOKENS, "model"), "Tokens by model over time": some(TOKENS, "model"),
        "Most output in a minute": highest((TOKENS, {"type": "output"}), factor=60 / STEP),
        "Lines over time": some(LINES, "type"), "Edits by tool": some(DECISIONS, "tool_name", "decision"),
        "Edits by language": some(DECISIONS, "language", "decision", none="unknown"), "Active time": some(ACTIVE, "type"),
        "Work by time typed": part((ACTIVE, {"type": "cli"}), (ACTIVE, {"type": "user"})),
        "Peak leverage": highest((ACTIVE, {"type": "cli"}), (ACTIVE, {"type": "user"})),
        "Who decided on edits": some(DECISIONS, "source", none="unknown"),
        "By hour of the day, 30 days": pattern(hour_of), "By day of the week, 30 days": pattern(day_of),
        "Sessions by terminal": some(SESSIONS, "terminal_type", none="unknown"),
        "Sessions by version": some(SESSIONS, "app_version", none="unknown"),
        "How sessions began": some(SESSIONS, "start_type", none="unknown"),
        "Requests that failed": failed, "Share that failed": FAILED_SHARE, "Failed requests by status over time": STATUS},
    "cost.json": {
        "Today": spent("day"), "This week": spent("week"), "This month": spent("month"),
        "This month, going on so": spent("month", by_passed), "In the range shown": some(COST), "Tokens": some(TOKENS),
        "Budget used": [of_budget(period) for period in PERIODS],
        "Budget used at the end, going on so": [of_budget(period, by_passed) for period in PERIODS],
        "Left of the budget": [left(period) for period in PERIODS],
        "By model over time": some(COST, "model"), "By who asked over time": some(COST, "query_source", none="none"),
        "By model": some(COST, "model"), "By who asked": some(COST, "query_source", none="none"),
        "By effort": some(COST, "effort", none="none"), "By sub-agent": some(COST, "agent_name", none="none"),
        "By skill": some(COST, "skill_name", none="none"), "By plug-in": some(COST, "plugin_name", none="none"),
        "By MCP server": some(COST, "mcp_server_name", none="none"),
        "A session": per(SESSIONS), "A commit": per(COMMITS), "A pull request": per(PULLS),
        "100 lines": per(LINES, 100, type="added"), "An active hour": per(ACTIVE, 3600, type="cli"),
        "1,000 output tokens": OUTPUT_PRICE, "Read from the cache": some(TOKENS, type="cacheRead"),
        "Share from the cache": CACHED,
        "People": [each_of_budget(period, "user", "user") for period in PERIODS],
        "Teams": [each_of_budget(period, "team", "team_id") for period in PERIODS],
        "Models": [each_of_budget(period, "model", "model") for period in PERIODS],
        "Most expensive sessions of the last 7 days": expensive},
    "team.json": {
        "Spend": some(COST), ("", "People"): people, ("", "Sessions"): some(SESSIONS),
        ("", "Time Claude worked"): some(ACTIVE, type="cli"), ("", "Lines added"): some(LINES, type="added"),
        ("", "Commits"): some(COMMITS), **rows("People", comparisons(None, "")), **rows("Teams", comparisons("team_id", "none")),
        **rows("Departments", comparisons("department", "none")), **rows("Cost centres", comparisons("cost_center", "none")),
        "Cost by person over time": by_person(lambda who: some(COST, who)),
        "Cost by team over time": some(COST, "team_id", none="none"),
        "Stopped: nothing for 3 days": stopped, "Began, and never got an answer": never_answered},
    "activity.json": {
        "Requests answered": events(event_name="api_request"), "Requests failed": failed, "Share that failed": FAILED_SHARE,
        "Prompts": events(event_name="user_prompt"), "Tools used": events(event_name="tool_result"),
        "Requests by model over time": events("model", event_name="api_request"),
        "Failed requests by status over time": STATUS,
        "Time of a request": [step_quantiles(REQUEST, share) for share in (0.5, 0.95, 0.99)],
        "Time to the first token": [step_quantiles(FIRST, share) for share in (0.5, 0.95, 0.99)],
        "95 % are done within": slow(REQUEST, "model"), "95 % begin to answer within": slow(FIRST, "model"),
        "Mean time, by who asked": mean_time,
        "Failed, by status and model": events("status_code", "model", none="no status", event_name="api_error"),
        "Given up after all retries": events("status_code", none="no status", event_name="api_retries_exhausted"),
        "Faults of Claude Code itself": events("error_type", none="unknown", event_name="internal_error"),
        "Tools over time": events("tool_name", event_name="tool_result"), "Used": events("tool_name", event_name="tool_result"),
        "Failed": tools_failed,
        "Why they failed": events("error_type", none="unknown", event_name="tool_result", success="false"),
        "Refused": events("tool_name", event_name="tool_decision", decision="reject"),
        "Who decided": events("decision_source", "decision", none="unknown", event_name="tool_decision"),
        "95 % end within": slow(TOOL, "tool_name"),
        "Permission modes of tools": events("permission_mode", event_name="tool_decision"),
        "Changes of the permission mode": events("permission_mode", none="unknown", event_name="permission_mode_changed"),
        "Compactions": events("trigger", none="unknown", event_name="compaction"),
        "Logins and logouts": events("success", none="unknown", event_name="auth"),
        "MCP servers": events("status", "mcp_server_name", none="unknown", event_name="mcp_server_connection"),
        "Hooks": events("hook_event", none="unknown", event_name="hook_execution_complete"),
        "Skills": events("skill_name", none="unknown", event_name="skill_activated"),
        "Sub-agents": events("agent_name", none="unknown", event_name="subagent_completed"),
        "All events, by name": lambda look: Look(look.company, look.begin, look.end).by(EVENTS, "event_name")},
}
# What a running stack alone can tell: counters of the bridge, whose rise Prometheus works out.
NOT_PREPARED = {"Events lost", "Lost events over time"}

CHOICES = {
    "everything": {},
    "nobody by name": {"who": "installation"},
    "a model": {"model": ["claude-opus-4-8"]},
    "a person of a team": {"model": ["claude-sonnet-5"], "team": ["core"], "user": ["ada@example.com", "bob@example.com"]},
    "one with a plus": {"user": ["cy+ops@example.com"]},
    "an installation": {"who": "installation", "user": ["aaaa0001"], "department": ["research"], "cost_center": ["100"]},
    "who has done nothing": {"user": ["nobody@example.com"]},
}


def legend(target, labels):
    """The values that the legend shows, or for a table all labels."""
    names = [word.split("}}")[0] for word in target["legendFormat"].split("{{")[1:]] or sorted(labels)
    return tuple(labels.get(name, "") for name in names)


@unittest.skipUnless(boards.have_programs(), "there is no Prometheus")
class Numbers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.boards = boards.read()
        cls.company = prepared.Company()
        cls.running = {}
        text = cls.company.openmetrics()
        for version in boards.have_programs():
            cls.running[version] = boards.Prometheus.of(programs.prometheuses()[version], programs.promtools()[version], text)
            cls.addClassCleanup(cls.running[version].close)

    def truths(self, name, row, panel):
        """One a query that compares nothing with the span before."""
        known = TRUTHS[name]
        truth = known.get((row, panel["title"])) or known.get(panel["title"])
        return truth if isinstance(truth, list) else [truth]

    def asked(self, prometheus, panel, target, choice):
        """What the panel shows of a query: {values of the legend: number}, steps of a graph added up or their highest."""
        expression = boards.put_in(target["expr"], RANGE, STEP, **choice)
        if target["instant"]:
            return {legend(target, labels): value for labels, value in prometheus.at(expression, NOW)}
        begin = -(-(NOW - RANGE) // STEP) * STEP
        graph = prometheus.over(expression, begin, begin + RANGE, STEP)
        reduce = max if panel["type"] == "stat" else sum
        return {legend(target, labels): reduce(value for value in values.values() if not math.isnan(value))
                for labels, values in graph}

    def look(self, board, target, choice):
        names = {variable["name"] for variable in board["templating"]["list"]}
        kept = {name: values for name, values in choice.items() if name in names}
        if target["instant"]:
            return Look(self.company, **kept)
        # A graph's steps end at round times, as in the page.
        begin = -(-(NOW - RANGE) // STEP) * STEP - STEP
        return Look(self.company, begin, begin + RANGE + STEP, **kept)

    def check(self, board, row, panel, prometheus, choice):
        truths = self.truths(board["name"], row, panel)
        targets = [target for target in boards.ask_prometheus(panel) if target["legendFormat"] != "against before"]
        self.assertEqual(len(truths), len(targets))
        for target, truth in zip(targets, truths):
            look = self.look(board, target, choice)
            expected = truth(look)
            self.compare(self.asked(prometheus, panel, target, choice), expected)
            for change in panel["targets"]:
                if change["legendFormat"] == "against before":
                    before = truth(look.before()).get((), 0)
                    now = expected.get((), 0)
                    self.compare(self.asked(prometheus, panel, change, choice),
                                 {(): 100 * (now / before - 1)} if before and expected else {})

    def compare(self, found, expected):
        self.assertEqual({key: round(value, 6) for key, value in found.items()},
                         {key: round(value, 6) for key, value in expected.items()})

    def test_each_panel_shows_what_was_sent(self):
        count = 0
        for name in TRUTHS:
            board = {**self.boards[name], "name": name}
            for row, panel in boards.panels(board):
                if not boards.ask_prometheus(panel) or panel["title"] in NOT_PREPARED:
                    continue
                for what, choice in CHOICES.items():
                    for version, prometheus in self.running.items():
                        with self.subTest(board=name, row=row, panel=panel["title"], choice=what, prometheus=version.split()[0]):
                            self.check(board, row, panel, prometheus, choice)
                            count += 1
        self.assertGreater(count, 1000 * len(self.running) // 2)

    def test_there_is_something_to_compare(self):
        """A week without a budget has none; all other truths are numbers."""
        for name, truths in TRUTHS.items():
            for title, truth in truths.items():
                found = [one(Look(self.company)) for one in (truth if isinstance(truth, list) else [truth])]
                self.assertTrue(any(found), f"{name}: {title}")

    def test_people_who_stopped_and_who_never_began_are_there_to_be_found(self):
        self.assertEqual(set(stopped(Look(self.company))), {("dan@example.com",)})
        self.assertEqual(set(never_answered(Look(self.company))), {("eve@example.com",)})


if __name__ == "__main__":
    case.main()
