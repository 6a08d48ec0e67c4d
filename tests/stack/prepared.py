"""Prepared series for dashboards: a made-up company of some weeks, written as the recording rules would have recorded it, and
the truth about it, added up here from single facts and by no query.

A fact is one thing that was counted: when, in which series, with which labels, how much.
"""

import random
from collections import defaultdict
from datetime import datetime, timezone

NOW = int(datetime(2026, 9, 16, 15, 30, tzinfo=timezone.utc).timestamp())  # a Wednesday
OFFSET = 7200  # the stack's time zone, ahead of UTC
HOUR, DAY = 3600, 86400
RANGE, STEP = 7 * DAY, HOUR
DAYS = 45
BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)

PEOPLE = [  # who, installation, team, department, cost centre, first and last day back from now, whether models answer
    ("ada@example.com", "aaaa0001", "core", "research", "100", DAYS, 0, True),
    ("bob@example.com", "bbbb0002", "core", "research", "200", DAYS, 0, True),
    ("cy+ops@example.com", "cccc0003", "ops", "services", "200", DAYS, 0, True),
    ("dan@example.com", "dddd0004", "ops", "services", "", 30, 9, True),
    ("eve@example.com", "eeee0005", "", "", "", 20, 0, False),
    ("ffff0006", "ffff0006", "", "", "", DAYS, 0, True)]
MODELS = ("claude-opus-4-8", "claude-sonnet-5")
KINDS = ("input", "output", "cacheRead", "cacheCreation")
PERIODS = {"day": datetime(2026, 9, 16), "week": datetime(2026, 9, 14), "month": datetime(2026, 9, 1)}
PASSED = {"day": 0.7292, "week": 0.3899, "month": 0.5243}
BUDGETS = {("day", "all"): 40, ("month", "all"): 5000, ("day", "user"): 8, ("month", "team"): 900, ("day", "model"): 10}


def begin_of(period):
    return int(PERIODS[period].replace(tzinfo=timezone.utc).timestamp()) - OFFSET


class Company:
    """Its facts: facts[series] is a list of (time, labels, value)."""

    def __init__(self):
        self.random = random.Random(11)
        self.facts = defaultdict(list)
        self.durations = defaultdict(list)
        self.sessions = defaultdict(float)
        for person in PEOPLE:
            self.live(*person)

    def count(self, series, at, labels, value=1.0, **more):
        self.facts[series].append((at, {name: text for name, text in {**labels, **more}.items() if text}, value))

    def live(self, user, installation, team, department, center, first, last, is_answered):
        who = {"user": user, "installation": installation, "team_id": team, "department": department, "cost_center": center}
        pick = self.random
        for day in range(first, last - 1, -1):
            for number in range(pick.randrange(1, 4)):
                at = NOW - day * DAY - pick.randrange(1, 10) * HOUR - pick.randrange(60) * 60 - 13
                if at + 40 * 60 > NOW:
                    at -= 3 * HOUR
                self.session(at, who, f"{installation}-{day}-{number}", is_answered)

    def session(self, at, who, session, is_answered):
        pick = self.random
        self.count("claude_code_session_count", at, who, start_type=pick.choice(["fresh", "resume"]),
                   terminal_type=pick.choice(["vscode", "tmux"]), app_version=pick.choice(["", "2.1.331"]))
        if not is_answered:
            return
        for minute in range(pick.randrange(3, 20)):
            self.minute(at + minute * 60, who, session)
        if pick.random() < 0.4:
            self.count("claude_code_commit_count", at, who)
        if pick.random() < 0.1:
            self.count("claude_code_pull_request_count", at, who)
        self.event(at, who, "mcp_server_connection", mcp_server_name=pick.choice(["", "search"]),
                   status=pick.choice(["", "connected", "failed"]))
        for name, more in (("compaction", {"trigger": pick.choice(["auto", "manual"])}),
                           ("permission_mode_changed", {"permission_mode": "plan"}), ("auth", {"success": "true"}),
                           ("hook_execution_complete", {"hook_event": "PreToolUse"}),
                           ("skill_activated", {"skill_name": "review"}), ("subagent_completed", {"agent_name": "Explore"}),
                           ("internal_error", {"error_type": "TypeError"}), ("api_retries_exhausted", {"status_code": "529"})):
            if pick.random() < 0.2:
                self.event(at, who, name, **more)

    def event(self, at, who, name, value=1.0, **more):
        self.count("claude_code_events", at, who, value, event_name=name, **more)

    def minute(self, at, who, session):
        pick = self.random
        model = pick.choice(MODELS)
        asked = {"model": model, "query_source": pick.choice(["main", "main", "subagent", "auxiliary"])}
        of_it = {**asked, "effort": pick.choice(["", "high"]),
                 "agent_name": "Explore" if asked["query_source"] == "subagent" else "",
                 "skill_name": pick.choice(["", "", "review"]), "mcp_server_name": pick.choice(["", "", "search"]),
                 "plugin_name": pick.choice(["", "", "house"])}
        spent = pick.randrange(1, 4000) / 10000
        self.count("claude_code_cost_usage_USD", at, who, spent, **of_it)
        self.sessions[(session, model, who["team_id"], at)] += spent
        for kind in KINDS:
            self.count("claude_code_token_usage_tokens", at, who, pick.randrange(1, 5000), type=kind, **of_it)
        self.count("claude_code_active_time_seconds", at, who, pick.randrange(1, 60), type="cli")
        if pick.random() < 0.5:
            self.count("claude_code_active_time_seconds", at, who, pick.randrange(1, 20), type="user")
        for kind in ("added", "removed"):
            self.count("claude_code_lines_of_code_count", at, who, pick.randrange(1, 50), type=kind, model=model)
        self.count("claude_code_code_edit_tool_decision", at, who, tool_name=pick.choice(["Edit", "Write"]),
                   decision=pick.choice(["accept", "accept", "reject"]), source=pick.choice(["config", "user_temporary"]),
                   language=pick.choice(["", "C", "Python"]))
        self.work(at, who, asked)

    def work(self, at, who, asked):
        pick = self.random
        self.event(at, who, "user_prompt")
        if pick.random() < 0.1:
            self.event(at, who, "api_error", model=asked["model"], status_code=pick.choice(["", "429", "529"]))
        self.event(at, who, "api_request", **asked)
        tool, success = pick.choice(["Bash", "Edit", "Read"]), pick.choice(["true", "true", "false"])
        self.event(at, who, "tool_result", tool_name=tool, success=success, error_type="" if success == "true" else "Timeout")
        self.event(at, who, "tool_decision", tool_name=tool, decision=pick.choice(["accept", "reject"]),
                   decision_source=pick.choice(["config", "user"]), permission_mode=pick.choice(["default", "plan"]))
        self.time("claude_code_api_request_duration_seconds", at, asked, pick.random() * 40)
        self.time("claude_code_api_request_ttft_seconds", at, asked, pick.random() * 4)
        self.time("claude_code_tool_duration_seconds", at, {"tool_name": tool}, pick.random() * 8)

    def time(self, series, at, labels, seconds):
        self.durations[series].append((at, labels, seconds))
        for bound in (*BOUNDS, float("inf")):
            if seconds <= bound:
                self.count(f"{series}_bucket", at, {**labels, "query_source": ""}, le="+Inf" if bound == float("inf") else f"{bound:g}")
        self.count(f"{series}_count", at, labels)
        self.count(f"{series}_sum", at, labels, seconds)

    # ---- what the rules record ----

    def recorded(self):
        """{series name: {labels: {time: value}}}, all of it."""
        made = defaultdict(lambda: defaultdict(dict))

        def put(name, labels, at, value):
            samples = made[name][tuple(sorted(labels.items()))]
            samples[at] = samples.get(at, 0) + value

        for series, facts in self.facts.items():
            for at, labels, value in facts:
                put(f"{series}:counted", labels, at, value)
        for series, last in (("claude_code_cost_usage_USD", "model"), ("claude_code_token_usage_tokens", "type")):
            for period in PERIODS:
                for at, labels, value in self.facts[series]:
                    if at > begin_of(period):
                        kept = {name: labels[name] for name in ("user", "team_id", last) if name in labels}
                        put(f"{series}:{'today' if period == 'day' else period}", kept, NOW - 20, value)
        for hour in range(NOW // HOUR - DAYS * 24, NOW // HOUR + 1):
            put("claude_code:utc_offset_seconds", {}, hour * HOUR - 20, OFFSET)
        for period, share in PASSED.items():
            put("claude_code:passed", {"period": period}, NOW - 20, share)
        for (period, scope), sum_of_money in BUDGETS.items():
            put("claude_code:budget_usd", {"period": period, "scope": scope}, NOW - 20, sum_of_money)
        spent = defaultdict(float)
        for (session, model, team, at), value in sorted(self.sessions.items(), key=lambda item: item[0][3]):
            labels = {"session_id": session, "model": model, "team_id": team, "user_email": "somebody"}
            spent[session, model] += value
            labels = {name: text for name, text in labels.items() if text}
            put("claude_code_cost_usage_USD:seen", labels, at + 10, spent[session, model])
        return made

    def openmetrics(self):
        text = []
        for name, series in sorted(self.recorded().items()):
            text.append(f"# TYPE {name} gauge")
            for labels, samples in sorted(series.items()):
                written = ",".join(f'{label}="{value}"' for label, value in labels)
                text += [f"{name}{{{written}}} {value!r} {at}" for at, value in sorted(samples.items())]
        return "\n".join([*text, "# EOF", ""])


class Look:
    """What is true of a span, for what the variables choose; labels that a series has not are not chosen by."""

    def __init__(self, company, begin=NOW - RANGE, end=NOW, who="user", **chosen):
        self.company, self.begin, self.end, self.who, self.chosen = company, begin, end, who, chosen

    def moved(self, begin, end):
        return Look(self.company, begin, end, self.who, **self.chosen)

    def before(self):
        return self.moved(2 * self.begin - self.end, self.begin)

    def is_chosen(self, labels, names):
        at = {"model": "model", "team": "team_id", "department": "department", "cost_center": "cost_center", "user": self.who}
        return all(labels.get(at[name], "") in values for name, values in self.chosen.items()
                   if name in names and (name != "model" or "model" in labels))

    def facts(self, series, **where):
        names = ("model",) if series.startswith(("claude_code_api", "claude_code_tool")) else tuple(self.chosen)
        wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in where.items()}
        for at, labels, value in self.company.facts[series]:
            if self.begin < at <= self.end and self.is_chosen(labels, names) and \
                    all(labels.get(name, "") in values for name, values in wanted.items()):
                yield at, labels, value

    def by(self, series, *names, none="", **where):
        """{values of these labels: sum}; `none` is what the first is called where it is absent."""
        sums = defaultdict(float)
        for _, labels, value in self.facts(series, **where):
            values = [labels.get(name, "") for name in names]
            sums[tuple([values[0] or none, *values[1:]] if values else [])] += value
        return dict(sums)

    def sum(self, series, **where):
        return sum(value for _, _, value in self.facts(series, **where))

    def steps(self, series, step=STEP, **where):
        """{end of a step: sum}"""
        sums = defaultdict(float)
        for at, _, value in self.facts(series, **where):
            sums[-(-at // step) * step] += value
        return sums

    def durations(self, series):
        return [(at, labels, seconds) for at, labels, seconds in self.company.durations[series]
                if self.begin < at <= self.end and self.is_chosen(labels, ("model",))]

    def quantile(self, share, series, name):
        """{value of the label: the quantile}, as buckets let one know it: a straight line inside each."""
        groups = defaultdict(list)
        for _, labels, seconds in self.durations(series):
            groups[labels.get(name, "")].append(seconds)
        return {(group,): quantile(share, seconds) for group, seconds in groups.items()}


def quantile(share, seconds):
    """Buckets into which nothing ever fell are not recorded: the straight line of the lowest one begins at 0."""
    rank, below = share * len(seconds), 0
    for low, high in zip((0, *BOUNDS), BOUNDS):
        inside = sum(low < value <= high for value in seconds)
        if below + inside >= rank:
            low = low if below else 0
            return low + (high - low) * (rank - below) / inside
        below += inside
    return BOUNDS[-1]
