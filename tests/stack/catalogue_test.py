"""The catalogue against recordings of the real Claude Code: whatever it sent is explained, with the unit that it has."""

import json
import unittest
from pathlib import Path

from lib import case
from stacks import Stack

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
# What the recordings' own OTEL_RESOURCE_ATTRIBUTES brought, and the recorder's.
GIVEN = {"department", "emoji", "empty", "enduser.id", "host.name", "path", "pct", "service.instance.id"}


def text_of(value):
    return next(iter(value.values()), None)


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Stack(init=False) as stack:
            rows = json.loads(stack.run("catalogue", "--json").stdout)["rows"]
        cls.rows = {(row["kind"], row["name"]): row for row in rows}
        cls.requests = [json.loads(path.read_bytes()) for path in sorted(CAPTURES.glob("**/*.json"))]

    def scopes(self, signal, scopes, items):
        for request in self.requests:
            for resource in request.get(signal, []) if isinstance(request, dict) else []:
                for scope in resource[scopes]:
                    yield from scope[items]

    def check_attributes(self, attributes):
        for attribute in attributes:
            if attribute["key"] not in GIVEN:
                self.assertIn(("attribute", attribute["key"]), self.rows)

    def test_each_metric_that_was_recorded_is_there_with_its_unit(self):
        seen = set()
        for metric in self.scopes("resourceMetrics", "scopeMetrics", "metrics"):
            seen.add(metric["name"])
            self.assertEqual(self.rows["metric", metric["name"]]["unit"] or "", metric.get("unit", ""))
            self.assertIsNotNone(self.rows["metric", metric["name"]]["recorded_from"])
            for point in metric["sum"]["dataPoints"]:
                self.check_attributes(point["attributes"])
        self.assertGreaterEqual(len(seen), 5)

    def test_each_event_that_was_recorded_is_there(self):
        seen = set()
        for record in self.scopes("resourceLogs", "scopeLogs", "logRecords"):
            name = text_of(record["body"]).removeprefix("claude_code.")
            seen.add(name)
            self.assertIsNotNone(self.rows["event", name]["recorded_from"], name)
            self.check_attributes(record["attributes"])
        self.assertGreaterEqual(len(seen), 8)

    def test_what_says_who_somebody_is_or_what_they_wrote_is_marked(self):
        for name, privacy in [("user.email", "person"), ("prompt", "content"), ("tool_input", "content"), ("session.id", "id")]:
            self.assertEqual(self.rows["attribute", name]["privacy"], privacy)
        self.assertEqual(self.rows["variable", "OTEL_EXPORTER_OTLP_HEADERS"]["privacy"], "secret")


if __name__ == "__main__":
    case.main()
