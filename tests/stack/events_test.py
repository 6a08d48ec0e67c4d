"""Claude Code's events become the same metrics, with the same labels, whether the bridge or the Collector receives them:
every recording, and what no recording has.
"""

import json
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

from lib import case, event_counts, exposition, programs, recordings
from lib.bridge import Bridge, free_port, wait_until
from lib.collector import Collector, fetch
from stacks import IS_SLOW, Stack

# Its resource says of itself what its events say. The bridge lets the event win, the Collector's exporter the resource.
BEYOND_THE_COLLECTOR = ("resattr-5-json",)
JSON = {"content-type": "application/json"}
CONTENT = "MARKER-THAT-MUST-NOT-BE-A-LABEL"


def attribute(key, value):
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(value)]
    return {"key": key, "value": {kind: str(value) if kind == "intValue" else value}}


def record(name, more=None, **attributes):
    pairs = {"user.id": "f00d", "session.id": "s1", **attributes, **({"event.name": name} if name else {})}
    return {"timeUnixNano": "1764000000000000000", "attributes": [attribute(k, v) for k, v in pairs.items()], **(more or {})}


def request(records, scope="com.anthropic.claude_code.events", **resource):
    resource = {"service.name": "claude-code", "host.arch": "amd64", **resource}
    return {"resourceLogs": [{"resource": {"attributes": [attribute(k, v) for k, v in resource.items()]},
                              "scopeLogs": [{"scope": {"name": scope}, "logRecords": records}]}]}


def unrecorded():
    """Decoded requests: documented events that no recording has, and values as nobody should send them."""
    yield request([
        record("api_error", model="opus", status_code=529, error=CONTENT, attempt=3),
        record("claude_code.api_error", model="opus", status_code="429", error_type="rate limited, try again"),
        record("permission_mode_changed", from_mode="default", to_mode="plan", trigger="shift_tab"),
        record("auth", action="login", success="false", error_category="expired"),
        record("internal_error", error_name="TypeError", error_code="E1"),
        record("mcp_server_connection", status="failed", error_code="ETIMEDOUT", **{"mcp_server.name": "files"}),
        record("hook_execution_complete", hook_event="PreToolUse", num_hooks=1, source="x"),
        record("skill_activated", **{"skill.name": "ü" * 200, "agent.name": "a\"b\\c\nd"}),
        record("tool_decision", decision="reject", source="user_reject", tool_name="mcp__files__" + "x" * 300),
        record("tool_result", tool_name="Bash", success=True, duration_ms="20000", tool_input=CONTENT),
        record("tool_result", tool_name="Bash", success="true", duration_ms=20000.5, error_type="x" * 65),
        record("tool_result", tool_name="Bash", duration_ms=CONTENT + " 5", error_type=""),
        record("api_request", model="opus", duration_ms=0, ttft_ms="300000"),
        record("api_request", model="opus", query_source="sdk", duration_ms="-5", ttft_ms=300001),
    ], department="r & d", **{"session.id": "on the resource"})
    yield request([
        record("of_a_newer_version", model="opus", success="false", prompt=CONTENT),
        record("No Name of Claude Code", model="opus"),
        record("x" * 65, model="opus"),
        record(None, {"body": {"stringValue": "claude_code.at_mention"}}),
        record(None, {"body": {"stringValue": CONTENT + " and more"}}),
        record(None, {"eventName": "claude_code.compaction"}, trigger="auto"),
        record("user_prompt", prompt=CONTENT, prompt_text=CONTENT, **{"user.email": "ada@example.com", "app.version": "2.1"}),
    ], **{"enduser.id": "ada", "team.id": "red"})
    yield request([record("api_request", model="opus", duration_ms=5)], scope="example")


class Prometheus:
    """The real program, which others push to; page() is what it has, as text."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cctm-prometheus-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        (self.folder / "prometheus.yml").write_text("{}\n")
        self.process = subprocess.Popen(
            [programs.prometheus(), f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
             "--web.console.templates=/nonexistent", "--web.console.libraries=/nonexistent"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_until(self.is_ready, "Prometheus")
        return self

    def is_ready(self):
        try:
            return fetch(self.url + "-/ready")[0] == 200
        except OSError:
            return False

    def page(self):
        everything = urllib.parse.quote('{__name__=~"claude_code_.+"}')
        lines = []
        for sample in json.loads(fetch(f"{self.url}api/v1/query?query={everything}")[1])["data"]["result"]:
            name = sample["metric"].pop("__name__")
            labels = ",".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sample["metric"].items())
            lines.append(f"{name}{{{labels}}} {sample['value'][1]}\n")
        return "".join(lines)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorded = recordings.recordings()
        cls.others = [(json.dumps(message).encode(), message) for message in unrecorded()]

    def assert_counts(self, expected, read, deadline_s=20):
        def wrong():
            text = read()
            self.assertNotIn(CONTENT, text)
            self.assertNotIn("session_id", text)
            return event_counts.differences(expected, event_counts.of_metrics(exposition.parse(text)))

        wait_until(lambda: not wrong(), lambda: "\n".join(wrong()[:20]), deadline_s, pause_s=0.3)

    def truth(self, but=()):
        """(requests, figures) of all recordings but those."""
        requests = [r for recording in self.recorded if recording.folder.name not in but for r in recording.requests]
        requests = list(event_counts.distinct(requests))
        figures = event_counts.of_messages([r.decoded() for r in requests] + [message for _, message in self.others])
        self.assertGreater(len(figures), 500)
        return requests, figures

    def test_the_catalogue_names_the_attributes_that_become_labels(self):
        with Stack(init=False) as stack:
            rows = json.loads(stack.run("catalogue", "attribute", "--json").stdout)["rows"]
        labels = {kind: {row["name"] for row in rows if row["event_label"] == kind} for kind in ("owner", "text", "word")}
        # enduser.id is the user's, and comes from the resource.
        self.assertEqual(labels["owner"], set(event_counts.OWNER) - {"enduser.id"})
        self.assertEqual(labels["text"], set(event_counts.TEXTS))
        self.assertEqual(labels["word"], set(event_counts.WORDS))

    def test_the_bridge_counts_what_was_sent_once_and_after_a_kill_too(self):
        requests, figures = self.truth()
        with Bridge() as bridge:
            for request in requests:
                bridge.send(request)
                bridge.send(request)
            for body, _ in self.others:
                self.assertEqual(bridge.post("/v1/logs", JSON, body).status, 200)
            self.assert_counts(figures, lambda: bridge.metrics().text)
            bridge.restart("kill")
            self.assert_counts(figures, lambda: bridge.metrics().text)

    def send_to(self, collector, requests):
        for request in requests:
            self.assertEqual(collector.post(request.url, request.sent, request.headers), 200)

    @unittest.skipUnless(programs.collector(), "there is no Collector")
    def test_the_collector_counts_what_was_sent(self):
        requests, figures = self.truth(BEYOND_THE_COLLECTOR)
        for options in ((),) if IS_SLOW else ((), ("--set", "events.store=loki")):
            with self.subTest(options), Stack(*options) as stack:
                collector = Collector(stack.read("config/otel-collector-config.yaml"))
                try:
                    self.send_to(collector, requests)
                    for body, _ in self.others:
                        self.assertEqual(collector.post("/v1/logs", body), 200)
                    self.assert_counts(figures, lambda: collector.get("8889", "/metrics"))
                    self.assertNotIn("failed to convert", collector.log())
                finally:
                    collector.close()

    @unittest.skipUnless(programs.collector() and programs.prometheus(), "there is no Collector or no Prometheus")
    def test_pushed_to_prometheus_they_are_the_same(self):
        requests, figures = self.truth(BEYOND_THE_COLLECTOR)
        with Stack("--set", "collector.export=remote_write") as stack, Prometheus() as prometheus:
            configuration = stack.read("config/otel-collector-config.yaml")
            self.assertIn("http://prometheus:9090/", configuration)
            collector = Collector(configuration.replace("http://prometheus:9090/", prometheus.url))
            try:
                self.send_to(collector, requests)
                for body, _ in self.others:
                    self.assertEqual(collector.post("/v1/logs", body), 200)
                self.assert_counts(figures, prometheus.page)
            finally:
                collector.close()

    @unittest.skipUnless(programs.collector(), "there is no Collector")
    def test_processes_of_one_user_that_send_at_once_lose_nothing_in_the_collector(self):
        times, writers = 100, 8
        with Stack() as stack:
            collector = Collector(stack.read("config/otel-collector-config.yaml"))

            def write(number):
                for i in range(times):
                    message = request([record("tool_result", tool_name="Bash", duration_ms=i, **{"event.sequence": i,
                                                                                               "session.id": f"s{number}"})])
                    collector.post("/v1/logs", json.dumps(message).encode())

            try:
                threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

                def shown():
                    page = exposition.parse(collector.get("8889", "/metrics"))
                    return [page.total(name) for name in ("claude_code_events_total", "claude_code_tool_duration_seconds_count")]

                wait_until(lambda: shown() == [times * writers] * 2, lambda: str(shown()), pause_s=0.3)
                starts = {s.labels["start"] for s in exposition.parse(collector.get("8889", "/metrics")).named(
                    "claude_code_events_total")}
                self.assertEqual(len(starts), 1)
                self.assertRegex(starts.pop(), "^[0-9]{19}$")
            finally:
                collector.close()


if __name__ == "__main__":
    case.main()
