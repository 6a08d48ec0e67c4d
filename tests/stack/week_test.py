"""What twenty people do in a week, sent through the bridge and through the Collector, scraped by a real Prometheus and counted
by the rules of a stack: every label set equals what was sent, whatever is killed meanwhile, and both ways say the same.

A week is about six hundred sessions, some of one export and some of many, several at once; here they follow each other
within a minute, and the rules' times are scaled with them. The truth is added up by the clients that are played, from what
they counted, and knows nothing of streams, series or rules.
"""

import json
import random
import time
import unittest
from datetime import datetime, timezone

import boards
from lib import case, programs, recordings
from lib.bridge import Bridge, free_port, wait_until
from lib.collector import Collector
from lib.prometheus import Prometheus, rendered_rules
from stacks import Stack

SCALE = 30
PEOPLE, SESSIONS_EACH = 20, 30
MODELS = ("claude-opus-4-8", "claude-sonnet-5", "claude-haiku-4-5")
COST, TOKENS, SESSIONS = "claude_code.cost.usage", "claude_code.token.usage", "claude_code.session.count"
LINES, COMMITS, ACTIVE = "claude_code.lines_of_code.count", "claude_code.commit.count", "claude_code.active_time.total"
DECISIONS, PULLS = "claude_code.code_edit_tool.decision", "claude_code.pull_request.count"
SERIES = {COST: "claude_code_cost_usage_USD", TOKENS: "claude_code_token_usage_tokens", SESSIONS: "claude_code_session_count",
          LINES: "claude_code_lines_of_code_count", COMMITS: "claude_code_commit_count", ACTIVE: "claude_code_active_time_seconds",
          DECISIONS: "claude_code_code_edit_tool_decision", PULLS: "claude_code_pull_request_count"}
UNITS = {COST: "USD", TOKENS: "tokens", ACTIVE: "s"}
DELTA, CUMULATIVE = 1, 2


class Person:
    def __init__(self, number):
        # A third logs in with an e-mail address, a third has an account alone, a third an API key.
        self.id = f"{number:08x}" + "0123456789abcdef" * 3 + "01234567"
        self.attributes = {"user.id": self.id, "terminal.type": ("vscode", "tmux")[number % 2]}
        self.name = self.id[:8]
        if number % 3 == 0:
            self.attributes["user.email"] = self.name = f"dev{number}@example.com"
        if number % 3 <= 1:
            self.attributes["user.account_uuid"] = f"account-{number}"
            self.name = self.attributes.get("user.email", f"account-{number}")
        if number % 4:
            self.attributes |= {"team.id": f"team {number % 4}", "department": f"d{number % 2}", "cost_center": "c-1"}

    def labels(self):
        shown = {key.replace(".", "_"): value for key, value in self.attributes.items()
                 if key in ("terminal.type", "team.id", "department", "cost_center")}
        return {**shown, "user": self.name, "installation": self.id[:8]}


class Session:
    """A process of the client: counts, and now and then exports."""

    def __init__(self, rng, person, number, temporality):
        self.rng, self.person, self.temporality = rng, person, temporality
        self.id = f"session-{number}"
        self.exports_left = 1 if rng.random() < 0.4 else rng.randint(2, 7)
        self.birth = self.now()
        self.totals, self.begins, self.is_known = {}, {}, False
        self.model = rng.choice(MODELS)

    def now(self):
        return time.time_ns() // 1_000_000 * 1_000_000

    def count(self, truth):
        rng = self.rng
        asked = {"model": self.model, "query_source": rng.choice(("main", "main", "subagent", "auxiliary")), "effort": "high"}
        self.add(truth, COST, round(rng.random() * 0.5, 6), asked)
        for kind in ("input", "output", "cacheRead", "cacheCreation"):
            self.add(truth, TOKENS, rng.randint(1, 20000), {**asked, "type": kind})
        self.add(truth, ACTIVE, round(rng.random() * 60, 3), {"type": rng.choice(("user", "cli"))})
        if rng.random() < 0.5:
            self.add(truth, LINES, rng.randint(1, 90), {"type": rng.choice(("added", "removed")), "model": self.model})
            self.add(truth, DECISIONS, 1, {"tool_name": "Edit", "decision": rng.choice(("accept", "reject")), "source": "config",
                                           "language": rng.choice(("C", "Go"))})
        if rng.random() < 0.2:
            self.add(truth, COMMITS, 1, {})
        if rng.random() < 0.05:
            self.add(truth, PULLS, 1, {})

    def add(self, truth, metric, amount, attributes):
        key = (metric, tuple(sorted(attributes.items())))
        self.totals[key] = self.totals.get(key, 0) + amount
        self.begins.setdefault(key, self.now())
        labels = {k.replace(".", "_"): v for k, v in attributes.items()} | self.person.labels()
        place = (metric, tuple(sorted(labels.items())))
        truth[place] = truth.get(place, 0) + amount

    def export(self, truth):
        """A request with what was counted, to be sent until it is taken."""
        if not self.is_known:
            self.is_known = True
            self.add(truth, SESSIONS, 1, {"start_type": "fresh"})
        for _ in range(self.rng.randint(1, 4)):
            self.count(truth)
        now = self.now()
        metrics = [self.metric(metric, now) for metric in SERIES if any(key[0] == metric for key in self.totals)]
        if self.temporality == DELTA:
            self.totals, self.begins = {}, {}
        self.exports_left -= 1
        scope = {"scope": {"name": "com.anthropic.claude_code"}, "metrics": metrics}
        resource = {"attributes": attributes({"service.name": "claude-code", "service.version": "2.1.331"})}
        return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}).encode()

    def metric(self, name, now):
        points = [{"attributes": attributes(dict(key[1]) | self.person.attributes | {"session.id": self.id}),
                   "startTimeUnixNano": str(self.birth if self.temporality == CUMULATIVE else self.begins[key]),
                   "timeUnixNano": str(now), "asDouble": value}
                  for key, value in self.totals.items() if key[0] == name]
        total = {"dataPoints": points, "aggregationTemporality": self.temporality, "isMonotonic": True}
        return {"name": name, "unit": UNITS.get(name, ""), "sum": total}


def attributes(pairs):
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]


def noon():
    """A time zone in which it is about noon, so that no day ends while a test runs."""
    hours = 12 - datetime.now(timezone.utc).hour
    return f"{hours:+03}:00"


class Week:
    """The sessions, a few at a time, with something done to the stack in between."""

    def __init__(self, seed, temporalities, send):
        self.rng, self.send, self.truth = random.Random(seed), send, {}
        people = [Person(number) for number in range(PEOPLE)]
        self.waiting = [(person, number) for number, person in enumerate(people * SESSIONS_EACH)]
        self.rng.shuffle(self.waiting)
        self.temporalities, self.open = temporalities, []
        self.total = len(self.waiting)

    def play(self, until):
        """Until that part of the sessions has begun; what is open goes on."""
        while len(self.waiting) > self.total * (1 - until):
            while self.waiting and len(self.open) < 40:
                person, number = self.waiting.pop()
                self.open.append(Session(self.rng, person, number, self.rng.choice(self.temporalities)))
            self.step(self.rng.sample(self.open, min(10, len(self.open))))
            time.sleep(0.1)

    def finish(self):
        self.play(1)
        while self.open:
            self.step(list(self.open))

    def step(self, chosen):
        for session in chosen:
            self.send(session.export(self.truth))
            if not session.exports_left:
                self.open.remove(session)

    def sums(self, metric):
        return {labels: value for (name, labels), value in self.truth.items() if name == metric}


def recorded(prometheus, metric):
    """What the rules counted, by all labels; the source is a label of edit decisions alone."""
    out = {}
    for sample in prometheus.query(f"sum_over_time({SERIES[metric]}:counted[1h])"):
        labels = {k: v for k, v in sample["metric"].items() if k != "__name__" and (k != "source" or metric == DECISIONS)}
        key = tuple(sorted(labels.items()))
        out[key] = out.get(key, 0) + float(sample["value"][1])
    return out


def differences(truth, shown):
    return [f"{dict(key)}: {shown.get(key)} instead of {truth.get(key)}" for key in sorted(set(truth) | set(shown))
            if abs(truth.get(key, 0) - shown.get(key, 0)) > 1e-9 * max(1, truth.get(key, 0))]


def all_differences(prometheus, truth_of):
    return [f"{metric} {line}" for metric in SERIES for line in differences(truth_of(metric), recorded(prometheus, metric))]


@unittest.skipUnless(programs.prometheus(), "there is no Prometheus")
class ThroughTheBridge(unittest.TestCase):
    def test_a_week_with_everything_killed_once_counts_exactly(self):
        port = free_port()
        bridge = Bridge(zero_hold="2s", ports={"exporter": port}).start()
        prometheus = Prometheus({"bridge": port},
                                rendered_rules("--set", "ingest=bridge", "--set", f"time_zone={noon()}"), SCALE)
        try:
            prometheus.wait()
            week = Week(1, (DELTA, CUMULATIVE), lambda body: self.assertEqual(
                bridge.post("/v1/metrics", {"content-type": "application/json"}, body).status, 200))
            play_with_kills(week, prometheus, lambda: bridge.restart("kill"))
            assert_counted(self, prometheus, week)
        finally:
            prometheus.close()
            bridge.close()

    def test_panels_name_what_recorded_events_name(self):
        """A label that the rules do not keep would leave nothing but the word for what is absent."""
        port, panels = free_port(), {panel["title"]: panel for _, panel in boards.panels(boards.read()["activity.json"])}
        with Bridge(zero_hold="2s", ports={"exporter": port}) as bridge:
            prometheus = Prometheus({"bridge": port}, rendered_rules("--set", "ingest=bridge"), SCALE)
            try:
                prometheus.wait()
                for request in recordings.recordings("agents-pb-cumulative")[0].requests:
                    bridge.send(request)

                def named(title, label):
                    expression = boards.put_in(panels[title]["targets"][0]["expr"])
                    return {sample["metric"][label] for sample in prometheus.query(expression)}

                for title, label, names in (
                        ("Mean time, by who asked", "query_source", {"agent:builtin:general-purpose", "sdk"}),
                        ("Sub-agents", "agent_name", {"general-purpose"})):
                    wait_until(lambda: named(title, label) == names, lambda: f"{title}: {named(title, label)}", pause_s=0.5)
            finally:
                prometheus.close()


@unittest.skipUnless(programs.prometheus() and programs.collector(), "there is no Prometheus or no Collector")
class ThroughTheCollector(unittest.TestCase):
    def test_a_week_with_everything_restarted_once_counts_exactly(self):
        with Stack() as stack:
            collector = Collector(stack.read("config/otel-collector-config.yaml"))
        prometheus = Prometheus({"otel-collector": collector.ports["8889"]}, rendered_rules("--set", f"time_zone={noon()}"), SCALE)

        def restart():
            # What it took and nobody scraped dies with it: the one limit of this way that remains.
            time.sleep(1.5)
            prometheus.wait_for_scrapes(2)
            collector.restart()

        try:
            prometheus.wait()
            # As 'cctm env' sets the client.
            week = Week(2, (CUMULATIVE,), lambda body: self.assertEqual(collector.post("/v1/metrics", body), 200))
            play_with_kills(week, prometheus, restart)
            assert_counted(self, prometheus, week)
        finally:
            prometheus.close()
            collector.close()

    def test_what_is_pushed_outlives_an_outage_of_prometheus(self):
        """Sessions that end meanwhile too: the Collector keeps what they sent, and the rules look back as far."""
        port, options = free_port(), ("--set", "collector.export=remote_write", "--set", f"time_zone={noon()}")
        with Stack(*options) as stack:
            configuration = stack.read("config/otel-collector-config.yaml")
        self.assertIn("http://prometheus:9090/", configuration)
        collector = Collector(configuration.replace("http://prometheus:9090/", f"http://127.0.0.1:{port}/"))
        prometheus = Prometheus({"otel-collector-internal": collector.ports["8888"]}, rendered_rules(*options), SCALE,
                                pushed_port=port)
        try:
            prometheus.wait()
            week = Week(3, (CUMULATIVE,), lambda body: self.assertEqual(collector.post("/v1/metrics", body), 200))
            week.play(0.1)
            prometheus.kill()
            week.play(0.3)
            # Longer than a try may take by default, and than rules look for what is scraped.
            time.sleep(12 * prometheus.interval_s)
            prometheus.start()
            prometheus.wait()
            week.play(0.4)
            while week.open:
                week.step(list(week.open))
            assert_counted(self, prometheus, week)
        finally:
            prometheus.close()
            collector.close()

    def test_recorded_sessions_are_the_same_through_both(self):
        """Everything recorded from the real client that a Collector can tell apart, by every label."""
        chosen = [r for r in recordings.recordings() if r.folder.name not in recordings.BEYOND_THE_COLLECTOR]
        port = free_port()
        with Stack() as stack, Bridge(zero_hold="2s", ports={"exporter": port}) as bridge:
            collector = Collector(stack.read("config/otel-collector-config.yaml"))
            ways = {"bridge": Prometheus({"bridge": port}, rendered_rules(), SCALE),
                    "collector": Prometheus({"otel-collector": collector.ports["8889"]}, rendered_rules(), SCALE)}
            try:
                for prometheus in ways.values():
                    prometheus.wait()
                for request in (r for recording in chosen for r in recording.requests if r.signal == "metrics"):
                    self.assertEqual(collector.post(request.url, request.sent, request.headers), 200)
                    bridge.send(request)
                wait_until(lambda: not all_differences(ways["bridge"], lambda metric: recorded(ways["collector"], metric))
                           and sum(recorded(ways["bridge"], COST).values()),
                           lambda: "\n".join(all_differences(ways["bridge"], lambda metric: recorded(ways["collector"], metric))),
                           deadline_s=40, pause_s=1)
                truth = sum(value for r in chosen for figure, value in r.truth["totals"].items() if figure.startswith("cost.usage"))
                self.assertAlmostEqual(sum(recorded(ways["bridge"], COST).values()), truth, delta=1e-9 * truth)
            finally:
                for prometheus in ways.values():
                    prometheus.close()
                collector.close()


def play_with_kills(week, prometheus, restart_receiver):
    week.play(0.25)
    prometheus.kill()
    prometheus.start()
    week.play(0.5)
    restart_receiver()
    week.play(0.75)
    prometheus.wait()
    prometheus.kill()
    week.play(0.85)  # nobody scrapes meanwhile
    time.sleep(5 * prometheus.interval_s)
    prometheus.start()
    week.finish()
    prometheus.wait()


def assert_counted(test, prometheus, week):
    wait_until(lambda: not all_differences(prometheus, week.sums), lambda: "\n".join(all_differences(prometheus, week.sums)[:20]),
               deadline_s=60, pause_s=1)
    prometheus.wait_for_scrapes(3 * int(prometheus.interval_s))  # and it stays there
    test.assertEqual(all_differences(prometheus, week.sums), [])
    test.assertEqual(prometheus.failed_rules(), [])
    spent, tokens = sum(week.sums(COST).values()), sum(week.sums(TOKENS).values())
    for period in ("today", "week", "month"):
        test.assertAlmostEqual(prometheus.number(f"sum({SERIES[COST]}:{period})"), spent, delta=1e-9 * spent, msg=period)
        test.assertAlmostEqual(prometheus.number(f"sum({SERIES[TOKENS]}:{period})"), tokens, delta=1e-9 * tokens, msg=period)


if __name__ == "__main__":
    case.main()
