"""The Collector with the configuration that a default stack gets counts recorded sessions exactly."""

import re
import subprocess
import unittest
import urllib.request
from pathlib import Path

from lib import case, exposition, figures, programs, recordings
from lib.bridge import free_port, wait_until
from stacks import Stack

RECORDING = Path(__file__).parents[1] / "data" / "captures" / "claude-code-2.1.328" / "multi-export-json"
# What the bridge tells apart and the Collector cannot: processes that share all attributes and the millisecond of their
# start; a resource that says of itself what its points say.
BEYOND_THE_COLLECTOR = ("collide-6", "resattr-5-json")
PORTS = ("4317", "4318", "8889", "13133", "55679", "8888")


def fetch(url, data=None, headers=None):
    request = urllib.request.Request(url, data=data, headers=headers or {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.status, answer.read().decode()


class Collector:
    """The real program on loopback, with a rendered configuration but for its ports."""

    def __init__(self, stack):
        text = stack.read("config/otel-collector-config.yaml")
        self.ports = {port: free_port() for port in PORTS}
        text = text.replace("host: 0.0.0.0, port: 8888", f"host: 127.0.0.1, port: {self.ports['8888']}")
        for port in PORTS:
            text = text.replace(f"0.0.0.0:{port}", f"127.0.0.1:{self.ports[port]}")
        config = stack.scratch / "collector.yaml"
        config.write_text(text)
        self.log = open(stack.scratch / "collector.log", "w+")
        self.process = subprocess.Popen([programs.collector(), f"--config={config}"], stdout=self.log,
                                        stderr=subprocess.STDOUT)
        wait_until(self.is_healthy, self.said, deadline_s=30)

    def said(self):
        return self.whole_log()[-1500:]

    def whole_log(self):
        self.log.seek(0)
        return self.log.read()

    def is_healthy(self):
        assert self.process.poll() is None, self.said()
        try:
            return fetch(f"http://127.0.0.1:{self.ports['13133']}")[0] == 200
        except OSError:
            return False

    def url(self, port, path):
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def post(self, path, body):
        return fetch(self.url("4318", path), body.read_bytes(), {"Content-Type": "application/json"})

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@unittest.skipUnless(programs.collector(), "there is no Collector")
class DefaultCollector(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.collector = Collector(self.stack)

    def tearDown(self):
        self.collector.close()
        self.stack.close()

    def metrics(self):
        return sorted(RECORDING.glob("*-metrics.json"))

    def test_recorded_sessions_add_up_to_the_last_figure(self):
        totals = {}
        for recording in recordings.recordings():
            if recording.folder.name in BEYOND_THE_COLLECTOR:
                continue
            for figure, value in recording.truth["totals"].items():
                totals[figure] = totals.get(figure, 0) + value
            for request in (r for r in recording.requests if r.signal == "metrics"):
                self.assertEqual(fetch(self.collector.url("4318", request.url), request.sent, request.headers)[0], 200)

        def wrong():
            text = fetch(self.collector.url("8889", "/metrics"))[1]
            return figures.differences(totals, figures.of_metrics(exposition.parse(text)))

        wait_until(lambda: not wrong(), lambda: "\n".join(wrong()), deadline_s=20, pause_s=0.2)
        self.assertNotIn("failed to convert", self.collector.whole_log())

    def test_events_and_traces_are_taken(self):
        self.assertEqual(self.collector.post("/v1/logs", sorted(RECORDING.glob("*-logs.json"))[0])[0], 200)
        self.assertEqual(fetch(self.collector.url("4318", "/v1/traces"), b"{}", {"Content-Type": "application/json"})[0],
                         200)

    def test_series_have_the_labels_that_rules_and_dashboards_go_by(self):
        for body in self.metrics():
            self.collector.post("/v1/metrics", body)
        text = wait_until(lambda: "claude_code_cost" in fetch(self.collector.url("8889", "/metrics"))[1] and
                          fetch(self.collector.url("8889", "/metrics"))[1], "metrics", deadline_s=15)
        line = re.search(r"^claude_code_cost_usage_USD_total\{(.*)\}", text, re.M)[1]
        for label in ("start=", "session_id=", "model=", 'source="otel-collector"', 'job="claude-code"'):
            self.assertIn(label, line)
        self.assertNotIn("otel_scope", line)
        decision = re.search(r"^claude_code_code_edit_tool_decision_total\{(.*)\}", text, re.M)[1]
        self.assertIn('source="config"', decision)

    def test_the_alerts_name_metrics_that_the_collector_has(self):
        for body in self.metrics() * 2:  # twice, so that points are dropped as out of order
            self.collector.post("/v1/metrics", body)
        rules = self.stack.read("config/rules/stack.yml")
        named = set(re.findall(r"\botelcol_\w+", rules))
        # What never failed is not there yet.
        never = {"otelcol_exporter_send_failed_metric_points", "otelcol_receiver_refused_metric_points"}

        def missing():
            text = fetch(self.collector.url("8888", "/metrics"))[1]
            return named - never - set(re.findall(r"^(\w+)[{ ]", text, re.M))

        wait_until(lambda: not missing(), lambda: f"missing: {missing()}", deadline_s=15, pause_s=0.2)


if __name__ == "__main__":
    case.main()
