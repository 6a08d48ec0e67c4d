"""`cctm alerts` with a real Prometheus, a real Alertmanager and stand-ins for what they talk to: the exporter that Prometheus
scrapes, the webhook that Alertmanager calls, and the health port of an embedded stack's bridge.

All intervals of the rendered files are scaled together: what is a minute there is a second here.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

from http_stand_in import StandIn
from lib import case, programs
from lib.bridge import Bridge, free_port, wait_until
from stacks import Stack

SPENT = 'claude_code_cost_usage_USD:today{user="ada",team_id="compilers",model="opus"} 42.5\nclaude_code:passed{period="day"} 0.9\n'


def scaled(text):
    """Minutes to seconds, hours to minutes."""
    return re.sub(r"(?m)^(\s*(?:interval|for|group_wait|group_interval|[a-z]+_interval): )(\d+)([smh])$",
                  lambda m: f"{m[1]}{max(1, int(m[2]) * {'s': 1, 'm': 60, 'h': 3600}[m[3]] // 60)}s", text)


class Program:
    """A real program with a port; its log is shown when it ends by itself."""

    def __init__(self, folder, name, port, command, cwd):
        self.log, self.port = open(folder / f"{name}.log", "wb+"), port
        self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def is_ready(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(self.log.read().decode()[-2000:])
        try:
            return bool(self.get("/-/ready"))
        except OSError:
            return False

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.log.close()


class Running:
    """A stack whose Prometheus and Alertmanager run here, by the files that cctm rendered."""

    def __init__(self, *options):
        self.folder = Path(tempfile.mkdtemp(prefix="cctm-alerts-"))
        self.hook = StandIn()
        self.exporter = StandIn()
        self.exporter.pages["/metrics"] = SPENT
        (self.folder / "webhook").write_text(self.hook.url + "/hook")
        (self.folder / "slack").write_text(self.hook.url + "/slack")
        ports = {"prometheus": free_port(), "alertmanager": free_port()}
        self.stack = Stack("--set", "alerts.alertmanager=true", "--set", "budgets.daily_usd=50",
                           *[word for name, port in ports.items() for word in ("--set", f"ports.{name}={port}")], *options)
        self.ports = ports
        self.manager = self.start_manager(ports["alertmanager"])
        self.prometheus = self.start_prometheus(ports["prometheus"])
        for program in (self.manager, self.prometheus):
            wait_until(program.is_ready, "it is ready", deadline_s=30, pause_s=0.1)
        wait_until(lambda: json.loads(self.prometheus.get("/api/v1/alertmanagers"))["data"]["activeAlertmanagers"],
                   "Prometheus knows Alertmanager", deadline_s=30, pause_s=0.1)

    def start_manager(self, port):
        text = scaled(self.stack.read("config/alertmanager.yml"))
        text = text.replace("/run/cctm/webhook_url", str(self.folder / "webhook")).replace("/run/cctm/slack_url", str(self.folder / "slack"))
        (self.folder / "alertmanager.yml").write_text(text)
        program, cwd = programs.alertmanager_in(self.folder)
        return Program(self.folder, "alertmanager", port, [
            program, f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/manager",
            "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"], cwd)

    def start_prometheus(self, port):
        (self.folder / "rules.yml").write_text(scaled(self.stack.read("config/rules/alerts.yml")))
        (self.folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{self.ports['alertmanager']}"]}}]}}]}}
scrape_configs:
  - job_name: figures
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{self.exporter.port}"]}}]
    # Recorded series have neither.
    metric_relabel_configs: [{{regex: "instance|job", action: labeldrop}}]
""")
        return Program(self.folder, "prometheus", port, [
            programs.prometheus(), f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--web.console.templates=/nonexistent",
            "--web.console.libraries=/nonexistent"], self.folder)

    def alerts(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "alerts", *words, status=status)

    def json(self, *words, status=0):
        return json.loads(self.alerts(*words, "--json", status=status).stdout)

    def rows(self, name, state=None):
        return [row for row in self.json()["alerts"] if row["name"] == name and state in (None, row["state"])]

    def close(self):
        for program in (self.prometheus, self.manager, self.hook, self.exporter, self.stack):
            program.close()
        shutil.rmtree(self.folder, ignore_errors=True)


HAS_PROGRAMS = programs.prometheus() and programs.alertmanager()


@unittest.skipUnless(HAS_PROGRAMS, "prometheus or alertmanager is not here")
class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = Running("--set", "alerts.webhook_url_file=webhook")
        wait_until(lambda: cls.running.rows("BudgetReached", "firing"), "a budget's alert fires", deadline_s=30, pause_s=0.2)

    @classmethod
    def tearDownClass(cls):
        cls.running.close()

    def setUp(self):
        self.running.hook.status = 200

    def received(self, name):
        """The alert of that name that a test sent, as the webhook got it. Another's delivery, if it comes at the same moment,
        may be what the command counted."""
        return wait_until(lambda: [alert for post in self.running.hook.posts() for alert in post["alerts"]
                                   if (alert["labels"]["alertname"], alert["labels"].get("cctm_test")) == (name, "true")],
                          f"{name} is delivered", deadline_s=30, pause_s=0.1)[0]

    def test_a_budget_that_is_reached_comes_to_the_webhook_by_its_highest_step_only(self):
        hook = self.running.hook
        wait_until(lambda: [alert for post in hook.posts() for alert in post["alerts"] if "percent" in alert["labels"]],
                   "the webhook is called", deadline_s=60, pause_s=0.2)
        time.sleep(2)
        told = [alert for post in hook.posts() for alert in post["alerts"] if "cctm_test" not in alert["labels"]]
        self.assertEqual({alert["labels"]["percent"] for alert in told}, {"80"})
        self.assertEqual(told[0]["labels"] | {"scope": "all", "period": "day", "severity": "warning"}, told[0]["labels"])
        self.assertEqual(told[0]["annotations"]["summary"], "85% of the budget of this day is spent")
        self.assertEqual(told[0]["annotations"]["description"], "42.50 of 50.00 USD.")

    def test_the_list_has_every_rule_with_its_state(self):
        firing = self.running.rows("BudgetReached", "firing")
        self.assertEqual({row["labels"]["percent"] for row in firing}, {"50", "80"})
        self.assertEqual(firing[0]["value"], 0.85)
        self.assertRegex(firing[0]["since"], r"^20\d\d-")
        self.assertEqual(firing[0]["runbook"], "cctm budget")
        idle = self.running.rows("BudgetReached", "inactive")
        self.assertEqual([row["summary"] for row in idle], ["… of the budget of this … is spent"])
        self.assertIsNone(idle[0]["since"])
        self.assertTrue(self.running.rows("ApiErrors", "inactive"))
        text = self.running.alerts().stdout
        self.assertRegex(text, r"BudgetReached +firing +warning +(less than a minute|\d+ minutes?) ago +0.85 +85% of the budget")
        self.assertLess(text.index("firing"), text.index("inactive"))

    def test_a_test_goes_the_whole_way(self):
        done = self.running.json("test")
        self.assertEqual([(step["step"], step["ok"]) for step in done["steps"]], [
            ("Prometheus sends its alerts to Alertmanager", True), ("Alertmanager takes an alert", True),
            ("it shows it and nothing holds it back", True), ("delivered by webhook", True)])
        self.assertTrue(done["delivered"])
        self.assertIn("Nothing has happened", self.received("Test")["annotations"]["description"])

    def test_a_test_of_a_rule_looks_like_it(self):
        self.assertIn("yes delivered by webhook", self.running.alerts("test", "ApiErrors").stdout)
        alert = self.received("ApiErrors")
        self.assertEqual(alert["labels"]["severity"], "warning")
        self.assertEqual(alert["annotations"]["summary"], "test: … of the requests to the API fail")
        refused = self.running.alerts("test", "ApiError", status=2).stderr
        self.assertIn("did you mean ApiErrors?", refused)

    def test_a_webhook_that_fails_is_where_it_stopped(self):
        self.running.hook.status = 500
        done = self.running.json("test", status=3)
        self.assertFalse(done["delivered"])
        last = done["steps"][-1]
        self.assertEqual((last["step"], last["ok"]), ("delivered by webhook", False))
        self.assertRegex(last["why"], r"tried [1-9]\d* times and failed; 'cctm logs alertmanager --errors' says why")

    def test_a_silence_holds_until_it_is_ended(self):
        name = "ApiRateLimits"
        self.assertIn("would be silenced", self.running.alerts("silence", name, "--dry-run").stdout)
        self.assertEqual(self.running.json()["silences"], [])
        self.assertIn(f"{name} is silenced until", self.running.alerts("silence", name, "--for", "1h", "--comment", "it is known").stdout)
        stopped = self.running.json("test", name, status=3)["steps"]
        self.assertIn("a silence holds", stopped[-1]["why"])
        self.running.alerts("silence", name, "--for", "3h")
        silences = self.running.json()["silences"]
        self.assertEqual([(silence["alert"], silence["comment"]) for silence in silences], [(name, "it is known")])
        self.assertIn(f"{name} silenced until", self.running.alerts().stdout)
        self.assertEqual(len(self.running.json("silence", name, "--remove")["ended"]), 1)
        self.assertEqual(self.running.json()["silences"], [])
        self.assertIn("there is no silence", self.running.alerts("silence", name, "--remove", status=1).stderr)
        self.assertIn("there is no alert", self.running.alerts("silence", "Nothing", status=2).stderr)

    def test_a_silenced_alert_is_listed_as_such(self):
        self.running.alerts("silence", "BudgetReached")
        try:
            self.assertEqual({row["silenced"] for row in self.running.rows("BudgetReached", "firing")}, {True})
            self.assertIn("firing, silenced", self.running.alerts().stdout)
        finally:
            self.running.alerts("silence", "BudgetReached", "--remove")


@unittest.skipUnless(HAS_PROGRAMS, "prometheus or alertmanager is not here")
class OtherWays(unittest.TestCase):
    def test_slack_gets_its_own_form_and_each_way_is_told_apart(self):
        running = Running("--set", "alerts.slack_url_file=slack", "--set", "alerts.webhook_url_file=webhook")
        try:
            self.assertIn("yes delivered by slack", running.alerts("test").stdout)
            message = running.hook.posts("/slack")[0]["attachments"][0]
            self.assertIn("Test (info)", message["title"])
            self.assertIn("Nothing has happened", message["text"])
            running.prometheus.close()
            steps = running.json("test", status=3)["steps"]
            self.assertEqual([step["ok"] for step in steps], [False, True, True, True, True])
            self.assertIn("Prometheus does not answer", steps[0]["why"])
            self.assertIn("cctm status", running.alerts(status=1).stderr)
        finally:
            running.close()

    def test_without_a_way_to_people_the_keys_are_named(self):
        running = Running()
        try:
            last = running.json("test", status=3)["steps"][-1]
            self.assertIn("receiver everybody tells nobody: set alerts.webhook_url_file", last["why"])
            running.manager.close()
            steps = running.json("test", status=3)["steps"]
            self.assertIn("Alertmanager does not answer", steps[-1]["why"])
            self.assertIn("silences are unknown", running.alerts().stderr)
        finally:
            running.close()


class Without(unittest.TestCase):
    def test_without_alertmanager_the_key_is_named(self):
        with Stack() as stack:
            for words, status in ((["test"], 3), (["silence", "NoData"], 1)):
                said = stack.run("-C", str(stack.dir), "alerts", *words, status=status).stderr
                self.assertIn("cctm config set alerts.alertmanager true", said)


ALERTS = {"schema_version": 1, "alerts": [
    {"name": "NoData", "state": "inactive", "since": None},
    {"name": "BudgetReached", "period": "day", "scope": "user", "subject": "ada", "percent": 80, "state": "firing",
     "value_usd": 12.3, "limit_usd": 15.0, "since": "2026-12-01T03:00:00Z"}],
    "last_notification": {"at": "2026-12-01T03:00:01Z", "channel": "command", "ok": False, "error": "exit status 1"}}


class Embedded(unittest.TestCase):
    """The bridge's side is a stand-in that answers as it was agreed."""

    def setUp(self):
        self.bridge = StandIn()
        self.addCleanup(self.bridge.close)
        self.stack = Stack("--set", f"ports.health={self.bridge.port}", runtime="embedded")
        self.addCleanup(self.stack.close)

    def alerts(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "alerts", *words, status=status)

    def test_the_bridge_is_asked_for_its_alerts(self):
        self.bridge.pages["/alerts"] = json.dumps(ALERTS)
        text = self.alerts().stdout
        self.assertRegex(text, r"BudgetReached +firing .* 12\.3 +ada: \$12\.30 of \$15\.00 this day; told of at 80 %")
        self.assertIn("could not tell by command, at 2026-12-01T03:00:01Z: exit status 1", text)
        document = json.loads(self.alerts("--json").stdout)
        self.assertEqual((document["source"], [row["state"] for row in document["alerts"]]), ("bridge", ["firing", "inactive"]))
        self.assertEqual(document["alerts"][0]["labels"], {"period": "day", "scope": "user", "subject": "ada", "percent": "80"})

    def test_a_real_bridge_says_it_in_that_way(self):
        stack = Stack("--set", "alerts.no_data_after=8h", "--set", "budgets.daily_usd=15", runtime="embedded")
        self.addCleanup(stack.close)
        with Bridge("-C", str(stack.dir)) as bridge:
            stack.run("-C", str(stack.dir), "config", "set", "ports.health", str(bridge.ready["health_port"]))
            text = stack.run("-C", str(stack.dir), "alerts").stdout
        self.assertRegex(text, r"BudgetReached +inactive +0 +\$0\.00 of \$15\.00 this day; told of at 50 %\n")
        self.assertRegex(text, r"NoData +inactive +no data have come for longer than alerts\.no_data_after says\n")

    def test_the_bridge_tests_its_channels(self):
        self.bridge.answers["/alerts/test"] = json.dumps({"ok": False, "channels": [
            {"channel": "webhook", "ok": True, "error": None}, {"channel": "command", "ok": False, "error": "no such file"}]})
        said = self.alerts("test", status=3).stdout
        self.assertEqual(said, "yes delivered by webhook\nno  delivered by command: no such file\n")
        self.bridge.answers["/alerts/test"] = json.dumps({"ok": True, "channels": [{"channel": "webhook", "ok": True, "error": None}]})
        self.assertTrue(json.loads(self.alerts("test", "--json").stdout)["delivered"])
        self.bridge.answers["/alerts/test"] = json.dumps({"ok": False, "channels": []})
        self.assertIn("alerts.command", self.alerts("test", status=3).stdout)
        self.assertEqual([path for path, _ in self.bridge.posted], ["/alerts/test"] * 3)

    def test_strange_answers_are_errors(self):
        self.assertIn("knows nothing of alerts", self.alerts(status=1).stderr)
        for page in ("[]", "nonsense", ""):
            self.bridge.pages["/alerts"] = page
            self.assertIn("no JSON object", self.alerts(status=1).stderr)
        self.bridge.pages["/alerts"] = '{"alerts": [1, {}, {"percent": "x", "labels": 3}], "last_notification": 7}'
        self.alerts()
        self.bridge.status = 503
        self.assertIn("answered 503", self.alerts("test", status=1).stderr)

    def test_there_are_no_silences(self):
        self.assertIn("an embedded stack has no silences", self.alerts("silence", "NoData", status=2).stderr)


if __name__ == "__main__":
    case.main()
