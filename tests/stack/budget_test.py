"""`cctm budget`: what was spent, from a real bridge's ledger and from a stand-in for Prometheus, and editing cctm.yaml."""

import datetime
import json
import time
import unittest
import urllib.parse
from zoneinfo import ZoneInfo

from http_stand_in import StandIn
from lib import case
from lib.bridge import Bridge, wait_until
from stacks import Stack

# One in which it is not just midnight.
ZONE = next(zone for zone in ("Pacific/Auckland", "Europe/Berlin") if 1 <= datetime.datetime.now(ZoneInfo(zone)).hour <= 22)
NOW = datetime.datetime.now(ZoneInfo(ZONE))


def midnight(days=0):
    """Local midnight of that many days ago."""
    day = (NOW - datetime.timedelta(days=days)).date()
    return datetime.datetime.combine(day, datetime.time(), ZoneInfo(ZONE))


def export(moment, usd, user, team, model):
    nanoseconds = str(int(moment.timestamp() * 1e9))
    who = "user.id" if len(user) == 64 else "user.email"
    labels = {who: user, "team.id": team, "model": model, "session.id": f"{user}-{nanoseconds}"}
    point = {"startTimeUnixNano": nanoseconds, "timeUnixNano": nanoseconds, "asDouble": usd,
             "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in labels.items() if value]}
    metric = {"name": "claude_code.cost.usage", "unit": "USD",
              "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})


class Ledger(unittest.TestCase):
    """In the embedded runtime."""

    def setUp(self):
        self.stack = Stack("--set", f"time_zone={ZONE}", "--set", "budgets.daily_usd=10", "--set", "budgets.monthly_usd=1000",
                           "--set", "budgets.per_user.daily_usd=4", "--set", "budgets.per_team.monthly_usd=100",
                           "--set", "budgets.per_model.weekly_usd=50", runtime="embedded")
        self.addCleanup(self.stack.close)

    def rows(self):
        document = json.loads(self.stack.run("-C", str(self.stack.dir), "budget", "--json").stdout)
        return document, {(row["period"], row["scope"], row["subject"]): row for row in document["budgets"]}

    def test_each_period_begins_at_midnight_of_the_stacks_time_zone(self):
        first = midnight().replace(day=1)
        monday = midnight(NOW.weekday())
        second = datetime.timedelta(seconds=60)
        sent = [  # the last minute of yesterday and the first of today; before and after Monday and the first
            (midnight() - second, 1.0, "ada", "compilers", "opus"), (midnight() + second, 2.5, "ada", "compilers", "opus"),
            (midnight() + second, 3.25, "bob", "linkers", "haiku"), (midnight() + second, 0.5, "", "", "haiku"),
            (monday - second, 16.0, "ada", "compilers", "haiku"), (first - second, 32.0, "ada", "compilers", "opus")]
        with Bridge("--retention", "400d", state=self.stack.dir / "bridge") as bridge:
            for one in sent:
                if one[0] <= NOW:
                    self.assertEqual(bridge.post("/v1/metrics", {"Content-Type": "application/json"}, export(*one)).status, 200)
            total = sum(usd for moment, usd, *_ in sent if midnight() <= moment <= NOW)
            wait_until(lambda: self.rows()[1]["day", "all", None]["spent_usd"] == total, lambda: self.rows(), pause_s=0.2)
            document, rows = self.rows()

        def spent(since, subject=None, column=None):
            return sum(one[1] for one in sent if since <= one[0] <= NOW and (subject is None or one[column] == subject))

        self.assertEqual((document["source"], document["unknown_because"]), ("ledger", None))
        expected = {("month", "all", None): spent(first), ("month", "team", "compilers"): spent(first, "compilers", 3),
                    ("week", "model", "opus"): spent(monday, "opus", 4), ("week", "model", "haiku"): spent(monday, "haiku", 4),
                    ("day", "user", "ada"): spent(midnight(), "ada", 2), ("day", "user", "bob"): spent(midnight(), "bob", 2)}
        for key, usd in expected.items():
            if usd:
                self.assertAlmostEqual(rows[key]["spent_usd"], usd, msg=key)
        self.assertNotIn(("day", "user", ""), rows)
        row = rows["day", "all", None]
        self.assertEqual((row["key"], row["limit_usd"], row["percent"], row["left_usd"]), ("budgets.daily_usd", 10, 62.5, 3.75))
        day = (midnight() + datetime.timedelta(days=1, hours=12)).replace(hour=0) - midnight()
        self.assertAlmostEqual(row["passed"], (NOW - midnight()) / day, delta=0.01)
        if row["passed"] >= 0.05:
            self.assertAlmostEqual(row["forecast_usd"], row["spent_usd"] / row["passed"])

    def test_who_says_no_name_is_called_as_in_the_alerts(self):
        with Bridge("-C", str(self.stack.dir), "--retention", "400d", state=self.stack.dir / "bridge") as bridge:
            body = export(NOW - datetime.timedelta(minutes=1), 3.5, "0123abcd" * 8, "", "opus")
            self.assertEqual(bridge.post("/v1/metrics", {"Content-Type": "application/json"}, body).status, 200)
            wait_until(lambda: ("day", "user", "0123abcd") in self.rows()[1], lambda: self.rows(), pause_s=0.2)
            alerts = json.loads(bridge.get("health", "/alerts").body)["alerts"]
        self.assertIn(("day", "user", "0123abcd"), {(row["period"], row["scope"], row["subject"]) for row in alerts})

    def test_what_is_not_known_is_a_dash(self):
        done = self.stack.run("-C", str(self.stack.dir), "budget", environment={"LANG": "C.UTF-8"})
        self.assertRegex(done.stdout, r"today +— +\$10\.00 +— +— +—")
        self.assertIn("what was spent is unknown: the bridge has kept nothing yet", done.stderr)


class Recorded(unittest.TestCase):
    """In containers, from Prometheus; a stand-in answers its queries."""

    def setUp(self):
        self.prometheus = StandIn()
        self.addCleanup(self.prometheus.close)
        self.stack = Stack("--set", f"ports.prometheus={self.prometheus.port}", "--set", "budgets.daily_usd=50",
                           "--set", "budgets.per_user.weekly_usd=20")
        self.addCleanup(self.stack.close)

    def answer(self, query, *samples):
        result = [{"metric": labels, "value": [time.time(), str(value)]} for labels, value in samples]
        self.prometheus.pages[f"/api/v1/query?query={urllib.parse.quote(query, safe='')}"] = json.dumps(
            {"status": "success", "data": {"resultType": "vector", "result": result}})

    def answer_all(self, users):
        self.answer("claude_code:passed", ({"period": "day"}, 0.5), ({"period": "week"}, 0.01))
        self.answer("sum(claude_code_cost_usage_USD:today)", ({}, 41.25))
        self.answer('sum by (user) (claude_code_cost_usage_USD:week{user!=""})', *[({"user": user}, usd) for user, usd in users])
        self.answer("claude_code:budget_usd", ({"period": "day", "scope": "all"}, 50), ({"period": "week", "scope": "user"}, 20))

    def budget(self, *words, **more):
        return self.stack.run("-C", str(self.stack.dir), "budget", *words, **more)

    def test_what_is_spent_left_and_foreseen(self):
        self.answer_all([("ada", 3), ("bob", 25)])
        done = self.budget(environment={"LANG": "C.UTF-8"})
        self.assertRegex(done.stdout, r"today +\$41\.25 +\$50\.00 +82 % +\$8\.75 +\$82\.50")
        self.assertRegex(done.stdout, r"this week, bob +\$25\.00 +\$20\.00 +125 % +-\$5\.00 +—\n"
                                      r"this week, ada +\$3\.00 +\$20\.00 +15 % +\$17\.00 +—")
        self.assertEqual(done.stderr, "")
        document = json.loads(self.budget("--json").stdout)
        self.assertEqual((document["source"], document["loaded"]), ("prometheus", True))
        self.assertEqual(document["budgets"][0]["forecast_usd"], 82.5)
        self.assertIsNone(document["budgets"][1]["forecast_usd"])

    def test_nothing_spent_is_a_zero_only_where_the_clock_is_recorded(self):
        self.answer_all([])
        self.answer("sum(claude_code_cost_usage_USD:today)")
        rows = json.loads(self.budget("--json").stdout)["budgets"]
        self.assertEqual([(row["scope"], row["subject"], row["spent_usd"]) for row in rows], [("all", None, 0), ("user", None, 0)])
        self.assertIn("this week, each user", self.budget().stdout)
        self.answer("claude_code:passed")
        document = json.loads(self.budget("--json").stdout)
        self.assertEqual({row["spent_usd"] for row in document["budgets"]}, {None})
        self.assertIn("recorded no totals", document["unknown_because"])

    def test_many_users_are_cut_for_people_only(self):
        self.answer_all([(f"user{i:02}", i + 1) for i in range(30)])
        done = self.budget()
        self.assertEqual((done.stdout.count("this week"), "10 more that spent less" in done.stderr), (20, True))
        self.assertIn("user29", done.stdout)
        self.assertEqual(len(json.loads(self.budget("--json").stdout)["budgets"]), 31)

    def test_budgets_that_the_alerts_do_not_know_yet_are_said(self):
        self.answer_all([])
        self.stack.run("-C", str(self.stack.dir), "budget", "set", "daily", "60")
        said = self.budget().stderr
        self.assertIn("Prometheus does not go by these budgets yet: 'cctm init', then 'cctm up'", said)
        self.assertFalse(json.loads(self.budget("--json").stdout)["loaded"])

    def test_without_prometheus_the_limits_are_shown(self):
        self.prometheus.close()
        done = self.budget(environment={"LANG": "C"})
        self.assertRegex(done.stdout, r"today +- +\$50\.00 +-")
        self.assertIn("what was spent is unknown: Prometheus does not answer", done.stderr)


class Editing(unittest.TestCase):
    def test_setting_one_keeps_the_rest_of_the_file(self):
        with Stack("--set", "budgets.daily_usd=10") as stack:
            before = stack.read("cctm.yaml")
            stack.write("cctm.yaml", before + "# mine\n")
            done = stack.run("-C", str(stack.dir), "budget", "set", "monthly", "99.5", "--team")
            self.assertIn("'cctm init' and 'cctm up' make the alerts go by it", done.stderr)
            after = stack.read("cctm.yaml")
            self.assertIn("# mine", after)
            self.assertEqual(stack.run("-C", str(stack.dir), "config", "get", "budgets.per_team.monthly_usd").stdout, "99.5\n")
            shown = stack.run("-C", str(stack.dir), "budget", "unset", "daily", "--dry-run").stdout
            self.assertRegex(shown, r"(?m)^-.*daily_usd: 10")
            self.assertEqual(stack.read("cctm.yaml"), after)
            self.assertTrue(json.loads(stack.run("-C", str(stack.dir), "budget", "unset", "daily", "--json").stdout)["changed"])
            self.assertEqual(stack.run("-C", str(stack.dir), "config", "get", "budgets.daily_usd").stdout, "\n")
            self.assertIn("nothing to change", stack.run("-C", str(stack.dir), "budget", "unset", "daily").stderr)
            stack.init()
            rules = stack.read("config/rules/alerts.yml")
            self.assertIn("vector(99.500)", rules)
            self.assertNotIn("scope: all", rules)


if __name__ == "__main__":
    case.main()
