"""The Collector with the configuration that a default stack gets counts recorded sessions exactly."""

import re
import unittest
from pathlib import Path

from lib import case, exposition, figures, programs, recordings
from lib.bridge import wait_until
from lib.collector import Collector
from stacks import Stack

RECORDING = Path(__file__).parents[1] / "data" / "captures" / "claude-code-2.1.328" / "multi-export-json"


@unittest.skipUnless(programs.collector(), "there is no Collector")
class DefaultCollector(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.collector = Collector(self.stack.read("config/otel-collector-config.yaml"))

    def tearDown(self):
        self.collector.close()
        self.stack.close()

    def test_recorded_sessions_add_up_to_the_last_figure(self):
        totals = {}
        for recording in recordings.recordings():
            if recording.folder.name in recordings.BEYOND_THE_COLLECTOR:
                continue
            for figure, value in recording.truth["totals"].items():
                totals[figure] = totals.get(figure, 0) + value
            for request in (r for r in recording.requests if r.signal == "metrics"):
                self.assertEqual(self.collector.post(request.url, request.sent, request.headers), 200)

        def wrong():
            text = self.collector.get("8889", "/metrics")
            return figures.differences(totals, figures.of_metrics(exposition.parse(text)))

        wait_until(lambda: not wrong(), lambda: "\n".join(wrong()), deadline_s=20, pause_s=0.2)
        self.assertNotIn("failed to convert", self.collector.log())

    def test_events_and_traces_are_taken(self):
        self.assertEqual(self.send_events(), 200)
        self.assertEqual(self.collector.post("/v1/traces", b"{}"), 200)

    def send_events(self):
        return self.collector.post("/v1/logs", sorted(RECORDING.glob("*-logs.json"))[0].read_bytes())

    def send_metrics(self):
        for path in sorted(RECORDING.glob("*-metrics.json")):
            self.collector.post("/v1/metrics", path.read_bytes())

    def test_series_have_the_labels_that_rules_and_dashboards_go_by(self):
        self.send_metrics()
        text = wait_until(lambda: "claude_code_cost" in self.collector.get("8889", "/metrics") and
                          self.collector.get("8889", "/metrics"), "metrics", deadline_s=15)
        line = re.search(r"^claude_code_cost_usage_USD_total\{(.*)\}", text, re.M)[1]
        for label in ("start=", "session_id=", "model=", 'source="otel-collector"', 'job="claude-code"'):
            self.assertIn(label, line)
        self.assertNotIn("otel_scope", line)
        decision = re.search(r"^claude_code_code_edit_tool_decision_total\{(.*)\}", text, re.M)[1]
        self.assertIn('source="config"', decision)

    def test_the_alerts_name_metrics_that_the_collector_has(self):
        self.send_metrics()
        self.send_metrics()  # again, so that points are dropped as out of order
        self.send_events()
        rules = self.stack.read("config/rules/stack.yml")
        named = set(re.findall(r"\botelcol_\w+", rules))
        # What never failed is not there yet.
        never = {"otelcol_exporter_send_failed_metric_points", "otelcol_receiver_refused_metric_points"}

        def missing():
            text = self.collector.get("8888", "/metrics")
            return named - never - set(re.findall(r"^(\w+)[{ ]", text, re.M))

        wait_until(lambda: not missing(), lambda: f"missing: {missing()}", deadline_s=15, pause_s=0.2)


if __name__ == "__main__":
    case.main()
