"""Budgets and silence: a bridge is sent what costs, and a webhook and a command are told of it, whatever dies when."""

import http.client
import http.server
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lib import bridge as bridges
from lib import case, recordings
from lib.bridge import Bridge, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import sample  # noqa: E402

CLOCK = os.environ.get("CCTM_CLOCK")
SECRET = "token-that-nobody-may-read"
NAME = "multi-export-json"
COST = recordings.recordings(NAME)[0].truth["totals"]["cost.usage|claude-opus-5-5"]  # 0.07932
USER = "7c57ad27"  # the first eight digits of its user.id; it says nothing better


def zone_at_noon():
    """A zone in which it is about noon, so that no test lies on a midnight."""
    hours = 12 - datetime.now(timezone.utc).hour
    return f"{'+' if hours >= 0 else '-'}{abs(hours):02}:00"


class Hook(http.server.ThreadingHTTPServer):
    """A stand-in for whatever takes Alertmanager's webhooks: keeps what comes, and answers as it is told."""

    def __init__(self):
        self.posts, self.requests = [], 0
        self.statuses = []  # of the next answers; 200 behind them
        self.stalls = threading.Event()  # set: it takes a request and never answers
        self.ends = threading.Event()
        super().__init__(("127.0.0.1", 0), HookRequest)
        self.daemon_threads = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/{SECRET}"

    def alerts(self):
        """(status, labels) of all that was taken."""
        return [(a["status"], a["labels"]) for post in self.posts for a in post["alerts"]]

    def percents(self, status="firing"):
        return [int(labels["percent"]) for s, labels in self.alerts() if s == status and "percent" in labels]

    def close(self):
        self.ends.set()
        self.shutdown()
        self.server_close()


class HookRequest(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests += 1
        if self.server.stalls.is_set():
            self.server.ends.wait(60)
            return
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            assert self.path == f"/{SECRET}" and self.headers["content-type"] == "application/json"
            self.server.posts.append(json.loads(body))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Alerts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="cctm-alerts-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.hook = Hook()
        self.addCleanup(self.hook.close)
        self.heard = self.folder / "heard"

    def configure(self, budgets, alerts="", has_hook=True, zone=None):
        lines = ["version: 1", f'time_zone: "{zone or zone_at_noon()}"']
        if budgets:
            lines += ["budgets:", f"  {budgets}"]
        rows = alerts.splitlines()
        if has_hook:
            url = self.folder / "hook"
            url.write_text(self.hook.address + "\n")
            url.chmod(0o600)
            rows.append("webhook_url_file: hook")  # seen from the file that names it
        lines += ["alerts:", *(f"  {row}" for row in rows)] if rows else []
        (self.folder / "cctm.yaml").write_text("\n".join(lines) + "\n")

    def command(self, script):
        """A command as cctm.yaml has it: an argument list, here of a shell with a text of this file's own."""
        path = self.folder / "tell"
        path.write_text(f"#!/bin/sh\nexec 2>&1\n{script}\n")
        path.chmod(0o700)
        return 'command: ["./tell", "two words"]'

    def bridge(self, *options, environment=None):
        bridge = Bridge("-C", str(self.folder), *options, environment=environment)
        self.addCleanup(bridge.close)
        bridge.start()
        self.assertNotIn("error", bridge.ready)
        return bridge

    def spend(self, bridge, now_ns=None):
        """The recorded session, as if it were now, its deltas in one request: what it costs is spent at once."""
        (recording,) = recordings.recordings(NAME)
        moved = sample.moved(recording, now_ns or time.time_ns(), 0)
        metrics = [r for request, message in moved if request.signal == "metrics" for r in message["resourceMetrics"]]
        bridge.send_json("metrics", {"resourceMetrics": metrics})
        for request, message in moved:
            if request.signal != "metrics":
                bridge.send_json(request.signal, message)

    def more(self, bridge, usd, user=None, days=0):
        """One delta of the client's cost metric."""
        attributes = [{"key": "model", "value": {"stringValue": "claude-opus-5-5"}}]
        if user:
            attributes.append({"key": "user.email", "value": {"stringValue": user}})
        at = time.time_ns() - int(days * sample.DAY_NS)
        point = {"attributes": attributes, "startTimeUnixNano": str(at), "timeUnixNano": str(at), "asDouble": usd}
        metric = {"name": "claude_code.cost.usage", "unit": "USD",
                  "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
        scope = {"scope": {"name": "com.anthropic.claude_code"}, "metrics": [metric]}
        bridge.send_json("metrics", {"resourceMetrics": [{"resource": {}, "scopeMetrics": [scope]}]})

    def rows(self, bridge, name="BudgetReached"):
        answer = bridge.get("health", "/alerts")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"))
        document = answer.json()
        self.assertEqual(document["schema_version"], 1)
        return {(r["period"], r["scope"], r["subject"]): r for r in document["alerts"] if r["name"] == name}

    def post_test(self, bridge, headers=None, address="127.0.0.1"):
        connection = http.client.HTTPConnection(address, bridge.ready["health_port"], timeout=60)
        try:
            connection.request("POST", "/alerts/test", headers=headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def wait_for_outcome(self, bridge, channel, outcome, count):
        """What is counted is kept, too: it is noted in the same turn of the loop."""
        line = f'cctm_notifications_total{{channel="{channel}",outcome="{outcome}"}} {count}\n'
        wait_until(lambda: line in bridge.get("exporter", "/metrics").body.decode(), lambda: line + bridge.errors())

    def wait_for_posts(self, count, hook=None):
        hook = hook or self.hook
        wait_until(lambda: len(hook.posts) >= count, lambda: f"{count} posts: {hook.alerts()}")

    def assert_exact(self, bridge, usd):
        """Budgets, the report and the client's own account say the same."""
        self.assertAlmostEqual(self.rows(bridge)["day", "all", ""]["value_usd"], usd, places=9)
        self.assertAlmostEqual(bridge.report()["totals"]["cost_usd"], usd, places=9)
        text = bridge.get("exporter", "/metrics").body.decode()
        (line,) = [n for n in text.splitlines() if n.startswith('cctm_budget_spent_usd{period="day",scope="all"}')]
        self.assertAlmostEqual(float(line.split()[-1]), usd, places=9)


class Told(Alerts):
    def test_what_real_sessions_cost_reaches_a_budget_and_is_told_once(self):
        self.configure("{ daily_usd: 0.09, per_user: { weekly_usd: 0.07 }, per_team: { daily_usd: 0.01 } }",
                       self.command(f"cat >> {self.heard}; echo \"$1 $CCTM_ALERT_SCOPE $CCTM_ALERT_SUBJECT "
                                    f"$CCTM_ALERT_PERCENT $CCTM_ALERT_STATUS\" >> {self.heard}.env"))
        bridge = self.bridge()
        self.spend(bridge)
        self.wait_for_posts(1)
        environment = Path(f"{self.heard}.env")
        wait_until(lambda: environment.exists() and environment.read_text().count("\n") == 2, "the command")
        self.assertEqual(sorted(environment.read_text().splitlines()),
                         ["two words all  80 firing", f"two words user {USER} 100 firing"])
        self.assertEqual([json.loads(line)["labels"]["percent"] for line in self.heard.read_text().splitlines()],
                         ["80", "100"])
        (post,) = self.hook.posts
        self.assertEqual((post["version"], post["status"]), ("4", "firing"))
        self.assertEqual({(a["labels"]["period"], a["labels"]["scope"], a["labels"]["subject"], a["labels"]["percent"])
                          for a in post["alerts"]}, {("day", "all", "", "80"), ("week", "user", USER, "100")})
        self.assert_exact(bridge, COST)
        rows = self.rows(bridge)
        self.assertEqual((rows["day", "all", ""]["state"], rows["day", "all", ""]["percent"]), ("firing", 80))
        self.assertEqual(rows["week", "user", USER]["percent"], 100)
        self.assertEqual(len(rows), 2)  # the session has no team
        self.wait_for_outcome(bridge, "webhook", "ok", 1)
        self.wait_for_outcome(bridge, "command", "ok", 2)
        last = bridge.get("health", "/alerts").json()["last_notification"]
        self.assertEqual((last["channel"], last["ok"], last["error"]), ("command", True, None))
        metrics = bridge.get("exporter", "/metrics").body.decode()
        self.assertIn('cctm_alerts_firing{name="BudgetReached"} 2\n', metrics)
        self.assertIn('cctm_budget_limit_usd{period="week",scope="user"} 0.07\n', metrics)
        self.assertIn("$0.08 of $0.09, 88 %", bridge.get("zpages").body.decode())
        bridge.restart("kill")
        bridge.restart("stop")
        self.more(bridge, 0.02)
        self.wait_for_posts(2)
        self.assertEqual(self.hook.percents(), [80, 100, 100])
        self.assert_exact(bridge, COST + 0.02)

    def test_a_webhook_that_fails_is_called_again(self):
        self.configure("daily_usd: 0.1")
        self.hook.statuses = [500, 503]
        bridge = self.bridge()
        self.spend(bridge)
        self.wait_for_posts(1)
        self.assertEqual((self.hook.percents(), self.hook.requests), ([50], 3))
        self.assertIn("the webhook answered HTTP 500", bridge.errors())
        self.wait_for_outcome(bridge, "webhook", "failed", 2)
        self.wait_for_outcome(bridge, "webhook", "ok", 1)

    def test_a_command_that_fails_is_said_and_not_run_again(self):
        self.configure("daily_usd: 0.1", self.command(f"echo x >> {self.heard}; echo no way >&2; exit 4"), False)
        bridge = self.bridge()
        self.spend(bridge)
        wait_until(lambda: "nobody was told of an alert by command: it ended with status 4" in bridge.errors(),
                   bridge.errors)
        last = bridge.get("health", "/alerts").json()["last_notification"]
        self.assertEqual((last["channel"], last["ok"]), ("command", False))
        bridge.restart("kill")
        self.more(bridge, 0.03)  # 100 %: what comes later is news
        wait_until(lambda: self.heard.read_text() == "x\nx\n", self.heard.read_text)

    def test_late_data_counts_on_its_own_day(self):
        self.configure("{ daily_usd: 1, monthly_usd: 1000 }")
        bridge = self.bridge()
        self.more(bridge, 30, days=1.5)
        self.more(bridge, 0.25)
        self.assertAlmostEqual(self.rows(bridge)["day", "all", ""]["value_usd"], 0.25)
        bridge.restart("kill")
        self.assertAlmostEqual(self.rows(bridge)["day", "all", ""]["value_usd"], 0.25)
        self.assertEqual(self.hook.percents(), [])

    def test_the_address_is_nowhere(self):
        self.configure("daily_usd: 0.1")
        self.hook.statuses = [500] * 50
        bridge = self.bridge("-v")
        self.spend(bridge)
        wait_until(lambda: self.hook.requests >= 2, "a second try")
        self.hook.close()  # the next one finds nobody
        self.post_test(bridge)
        said = bridge.errors() + bridge.get("health", "/alerts").body.decode() + bridge.get("zpages").body.decode()
        said += bridge.get("exporter", "/metrics").body.decode()
        self.assertIn("the webhook", said)
        self.assertNotIn(SECRET, said)
        bridge.stop()
        for file in bridge.state.rglob("*"):
            self.assertNotIn(SECRET.encode(), file.read_bytes(), file)

    def test_a_file_that_others_may_read_or_that_is_none_is_warned_of(self):
        self.configure("daily_usd: 0.1")
        (self.folder / "hook").chmod(0o644)
        self.assertIn("can be read by others: chmod 600", self.bridge().errors())
        (self.folder / "hook").write_text("ftp://example.com/\n")
        self.assertIn("no address that begins with http:// or https://", self.bridge().errors())
        (self.folder / "hook").unlink()
        errors = self.bridge().errors()
        self.assertIn("there is no", errors)
        self.assertNotIn("/hook/", errors)

    def test_history_that_is_too_short_for_a_budget_is_an_error(self):
        self.configure("monthly_usd: 10")
        done = bridges.run("-C", self.folder, "bridge", "--state", self.folder / "state", "--retention", "7d", expected=1)
        self.assertIn("history is kept for 1w, but a monthly budget needs 32d", done.stderr)

    def test_mail_is_said_to_be_alertmanagers(self):
        self.configure("daily_usd: 0.1", "email_to: [ada@example.com]")
        self.assertIn("alerts.email_to", self.bridge().errors())

    def test_without_time_zones_days_are_utcs_and_data_is_taken(self):
        self.configure("daily_usd: 0.1", zone="Europe/Berlin")
        bridge = self.bridge(environment={"TZDIR": str(self.folder)})
        self.assertIn("begin at midnight UTC", bridge.errors())
        self.more(bridge, 0.06)
        wait_until(lambda: self.hook.percents() == [50], self.hook.alerts)

    def test_alertmanager_tells_where_there_is_one(self):
        self.configure("daily_usd: 0.1", "alertmanager: true")
        bridge = self.bridge()
        self.spend(bridge)
        wait_until(lambda: self.rows(bridge)["day", "all", ""]["state"] == "firing", "the alert")
        self.assertEqual(self.post_test(bridge)[1], {"ok": False, "channels": []})
        self.assertEqual(self.hook.requests, 0)


class Deaths(Alerts):
    def test_killed_right_behind_the_answer_it_tells_after_the_restart(self):
        self.configure("daily_usd: 0.09")
        bridge = self.bridge()
        for _ in range(3):  # before the loop has looked, or behind it: both must hold
            self.spend(bridge)
            bridge.restart("kill")
        self.wait_for_posts(1)
        wait_until(lambda: 100 in self.hook.percents(), self.hook.percents)
        self.assert_exact(bridge, 3 * COST)

    def test_killed_while_it_tells_it_tells_again_and_then_never(self):
        self.configure("daily_usd: 0.09")
        self.hook.stalls.set()
        bridge = self.bridge()
        self.spend(bridge)
        wait_until(lambda: self.hook.requests == 1, "the webhook is being called")
        bridge.kill()
        self.hook.stalls.clear()
        bridge.start()
        self.wait_for_posts(1)
        self.assertEqual(self.hook.percents(), [80])
        self.wait_for_outcome(bridge, "webhook", "ok", 1)
        for how in ("kill", "stop", "kill"):
            bridge.restart(how)
            self.assertEqual(self.rows(bridge)["day", "all", ""]["state"], "firing")
        self.post_test(bridge)  # nothing waits in front of it
        self.assertEqual(self.hook.percents(), [80])
        self.assertEqual([labels["alertname"] for _, labels in self.hook.alerts()], ["BudgetReached", "Test"])
        self.assert_exact(bridge, COST)

    def test_stopped_while_it_tells_it_ends_in_time_and_tells_again(self):
        self.configure("daily_usd: 0.09", self.command(
            f"echo x >> {self.heard}; test -e {self.folder}/quick || {{ trap '' TERM; sleep 60; }}"), False)
        bridge = self.bridge()
        self.spend(bridge)
        wait_until(self.heard.exists, "the command runs")
        status, seconds = bridge.stop()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 5)
        (self.folder / "quick").touch()
        bridge.start()
        wait_until(lambda: self.heard.read_text() == "x\nx\n", self.heard.read_text)

    def test_a_lost_ledger_tells_again_and_counts_what_the_journal_has(self):
        self.configure("daily_usd: 0.09")
        bridge = self.bridge()
        self.spend(bridge)
        self.wait_for_posts(1)
        bridge.kill()
        for file in bridge.state.glob("ledger.db*"):
            file.unlink()
        bridge.start()
        self.assert_exact(bridge, COST)


class Testing(Alerts):
    def test_a_test_goes_through_every_channel(self):
        self.configure("", self.command(f"cat > {self.heard}; echo \"$CCTM_ALERT_NAME\" >> {self.heard}"))
        bridge = self.bridge()
        status, answer = self.post_test(bridge)
        self.assertEqual(status, 200)
        self.assertEqual(answer, {"ok": True, "channels": [{"channel": "webhook", "ok": True, "error": None},
                                                           {"channel": "command", "ok": True, "error": None}]})
        self.assertEqual(self.hook.alerts()[0][1], {"alertname": "Test", "severity": "info"})
        document, name = self.heard.read_text().splitlines()
        self.assertEqual((json.loads(document)["labels"]["alertname"], name), ("Test", "Test"))
        self.assertEqual(bridge.get("health", "/alerts").json()["alerts"], [])
        self.hook.statuses = [404]
        self.assertEqual(self.post_test(bridge)[1]["channels"][0],
                         {"channel": "webhook", "ok": False, "error": "the webhook answered HTTP 404"})

    def test_it_is_for_people_at_this_machine(self):
        self.configure("", "", True)
        bridge = self.bridge("--bind", "0.0.0.0")
        for origin in ("http://evil.example", "null", ""):
            status, answer = self.post_test(bridge, {"Origin": origin})
            self.assertEqual((status, answer["ok"]), (403, False))
        self.assertEqual(bridge.get("health", "/alerts/test").status, 405)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            try:
                route.connect(("192.0.2.1", 9))  # sends nothing: asks for our own address
                own = route.getsockname()[0]
            except OSError:
                own = "127.0.0.1"
        if not own.startswith("127."):
            self.assertEqual(self.post_test(bridge, address=own)[0], 403)
        self.assertEqual(self.hook.requests, 0)
        self.assertEqual(self.post_test(bridge)[1]["ok"], True)

    def test_ingest_goes_on_while_a_webhook_does_not_answer(self):
        self.configure("daily_usd: 100")
        self.hook.stalls.set()
        bridge = self.bridge()
        answers = []
        begun = time.monotonic()
        tester = threading.Thread(target=lambda: answers.append(self.post_test(bridge)))
        tester.start()
        wait_until(lambda: self.hook.requests == 1, "the webhook is being called")
        self.assertEqual(self.post_test(bridge)[0], 429)  # one at a time
        slowest = 0
        while tester.is_alive():
            sent = time.monotonic()
            self.more(bridge, 0.001)
            bridge.health()
            slowest = max(slowest, time.monotonic() - sent)
        tester.join()
        self.assertLess(slowest, 2)
        self.assertLess(time.monotonic() - begun, 20)
        ((status, answer),) = answers
        self.assertEqual((status, answer["ok"]), (200, False))
        self.assertIn("the webhook", answer["channels"][0]["error"])

    def test_without_budgets_nothing_is_shown_and_nothing_costs(self):
        with Bridge() as bridge:
            self.spend(bridge)
            self.assertEqual(bridge.get("health", "/alerts").json(),
                             {"schema_version": 1, "alerts": [], "last_notification": None})
            self.assertEqual(self.post_test(bridge), (200, {"ok": False, "channels": []}))
            self.assertNotIn("cctm_budget", bridge.get("exporter", "/metrics").body.decode())
            self.assertNotIn("Budgets", bridge.get("zpages").body.decode())
            self.assertEqual(len(os.listdir(f"/proc/{bridge.process.pid}/task")), 2)
            self.assertNotIn("libcurl", Path(f"/proc/{bridge.process.pid}/maps").read_text())

    def test_what_was_told_leaves_nothing_loaded(self):
        self.configure("daily_usd: 0.01")
        bridge = self.bridge()
        before = bridge.resident_bytes()
        self.spend(bridge)
        self.wait_for_posts(1)
        self.assertNotIn("libcurl", Path(f"/proc/{bridge.process.pid}/maps").read_text())
        if os.environ.get("CCTM_BUILD_TYPE") == "Release":
            self.assertLess(bridge.resident_bytes() - before, 1 << 20)
            self.assertLess(bridge.resident_bytes(), 8 << 20)


@unittest.skipUnless(CLOCK, "needs a clock that can be set")
class Clock(Alerts):
    def setUp(self):
        super().setUp()
        self.ahead = self.folder / "clock"
        self.set_ahead(0)

    def set_ahead(self, seconds):
        self.ahead_s = seconds
        with open(self.ahead, "r+b" if self.ahead.exists() else "wb") as file:
            file.write(struct.pack("<q", int(seconds * 1000)))

    def watched(self):
        return self.bridge(environment={"LD_PRELOAD": CLOCK, "CCTM_TEST_CLOCK": str(self.ahead),
                                        "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def pass_time(self, bridge, seconds):
        """In steps that are no jump."""
        for _ in range(int(seconds / 50) + 1):
            self.set_ahead(self.ahead_s + 50)
            self.rows(bridge)

    def test_a_day_ends_at_midnight_and_the_month_goes_on(self):
        self.configure("{ daily_usd: 0.09, monthly_usd: 0.1 }", zone="Europe/Berlin")
        from zoneinfo import ZoneInfo
        berlin = ZoneInfo("Europe/Berlin")
        # Late in the evening of a day that is neither the last of its month nor changes the clock.
        day = datetime.now(berlin).replace(day=14) + timedelta(days=32)
        evening = day.replace(day=14, hour=23, minute=58, second=0, microsecond=0)
        self.set_ahead(evening.timestamp() - time.time())
        bridge = self.watched()
        self.spend(bridge, int(evening.timestamp() * 1e9))
        wait_until(lambda: sorted(self.hook.percents()) == [50, 80], self.hook.percents)
        self.assertAlmostEqual(self.rows(bridge)["day", "all", ""]["value_usd"], COST)
        self.pass_time(bridge, 180)
        wait_until(lambda: self.hook.percents("resolved") == [80], self.hook.alerts)
        rows = self.rows(bridge)
        self.assertEqual((rows["day", "all", ""]["value_usd"], rows["day", "all", ""]["state"]), (0, "inactive"))
        self.assertAlmostEqual(rows["month", "all", ""]["value_usd"], COST)
        bridge.restart("kill")
        self.assertEqual(self.rows(bridge)["day", "all", ""]["value_usd"], 0)
        self.assertAlmostEqual(self.rows(bridge)["month", "all", ""]["value_usd"], COST)

    def test_silence_is_told_and_its_end(self):
        self.configure("", "no_data_after: 10m\n" + self.command(f"echo $CCTM_ALERT_STATUS >> {self.heard}"))
        bridge = self.watched()
        self.more(bridge, 1, days=7)  # a week ago at this time, so today is a day on which something comes
        self.more(bridge, 1)
        self.pass_time(bridge, 540)
        self.assertEqual(self.rows(bridge, "NoData")["", "", ""]["state"], "inactive")
        self.pass_time(bridge, 120)
        row = self.rows(bridge, "NoData")["", "", ""]
        self.assertEqual(row["state"], "firing")
        wait_until(lambda: self.heard.exists() and self.heard.read_text() == "firing\n", "the command")
        self.wait_for_outcome(bridge, "command", "ok", 1)
        self.wait_for_outcome(bridge, "webhook", "ok", 1)
        self.assertEqual(self.hook.alerts()[0], ("firing", {"alertname": "NoData", "severity": "warning"}))
        bridge.restart("kill")
        self.assertEqual(self.rows(bridge, "NoData")["", "", ""], row)
        self.more(bridge, 1)
        wait_until(lambda: self.heard.read_text() == "firing\nresolved\n", self.heard.read_text)
        wait_until(lambda: len(self.hook.posts) == 2, self.hook.alerts)
        self.assertEqual([s for s, _ in self.hook.alerts()], ["firing", "resolved"])

    def test_cctms_own_samples_do_not_end_it(self):
        """Who is told of it asks 'cctm probe' and restarts."""
        self.configure("", "no_data_after: 10m", False)
        bridge = self.watched()
        self.more(bridge, 1, days=7)
        self.more(bridge, 1)
        self.pass_time(bridge, 660)

        def state():
            return self.rows(bridge, "NoData")["", "", ""]["state"]

        self.assertEqual(state(), "firing")
        ports = [word for door in ("otlp_http", "exporter", "health", "zpages")
                 for word in ("--set", f"ports.{door}={bridge.ready[f'{door}_port']}")]
        bridges.run("init", self.folder / "stack", "--runtime", "embedded", *ports)
        seen = json.loads(bridges.run("probe", "-C", self.folder / "stack", "--json", expected=None).stdout)
        self.assertTrue([hop for way in seen["ways"] for hop in way["hops"] if hop["passed"]], seen)
        self.pass_time(bridge, 60)
        self.assertEqual(state(), "firing")
        bridge.restart("kill")
        self.pass_time(bridge, 330)
        self.assertEqual(state(), "firing")
        self.more(bridge, 1)
        self.pass_time(bridge, 60)
        self.assertEqual(state(), "inactive")

    def test_the_machines_sleep_is_no_silence(self):
        self.configure("", "no_data_after: 10m", False)
        bridge = self.watched()
        self.more(bridge, 1, days=7)
        self.more(bridge, 1)
        self.rows(bridge)
        self.set_ahead(2 * 3600)
        self.assertEqual(self.rows(bridge, "NoData")["", "", ""]["state"], "inactive")
        self.pass_time(bridge, 310)  # but then somebody should have sent
        self.assertEqual(self.rows(bridge, "NoData")["", "", ""]["state"], "firing")


if __name__ == "__main__":
    case.main()
