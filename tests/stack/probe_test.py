"""`cctm probe`: a marked sample through a bridge, and through a real Collector, a real Prometheus and stand-ins for the rest."""

import json
import re
import unittest
import urllib.parse

from lib import case, programs
from lib.bridge import free_port
from lib.collector import Collector
from lib.prometheus import Prometheus
from stacks import Stack
from web import Web

PORTS = ("otlp_http", "otlp_grpc", "exporter", "health", "zpages")


def ways(said):
    return {way["protocol"]: way for way in json.loads(said.stdout)["ways"]}


class Embedded(unittest.TestCase):
    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        self.stack = Stack(*[word for name, port in self.ports.items() for word in ("--set", f"ports.{name}={port}")],
                           runtime="embedded")
        self.addCleanup(self.stack.close)

    def run_there(self, command, *words, status=0):
        return self.stack.run(command, "-C", str(self.stack.dir), *words, status=status)

    def test_a_sample_comes_through_and_no_report_knows_of_it(self):
        self.run_there("up", "-q")
        self.addCleanup(lambda: self.run_there("down", "-q", status=None))
        before = self.run_there("report", "--json", "--since", "2000-01-01").stdout
        said = self.run_there("probe", "--json")
        self.assertEqual(set(ways(said)), {"http/protobuf", "http/json", "grpc", "events"})
        for name, way in ways(said).items():
            self.assertTrue(way["passed"], way)
            self.assertEqual([hop["what"] for hop in way["hops"]],
                             ["taken by the receiver"] + ["shown for Prometheus"] * (name != "events"))
        after = self.run_there("report", "--json", "--since", "2000-01-01").stdout
        moment = ("until", "last_sample")
        without = lambda text: {name: value for name, value in json.loads(text).items() if name not in moment}
        self.assertEqual(without(after), without(before))
        text = self.run_there("probe").stdout
        self.assertIn("everything comes through", text)

    def test_where_nothing_runs_it_says_so_at_once(self):
        said = self.run_there("probe", "--protocol", "http/json", status=3)
        self.assertIn("lost", said.stdout)
        self.assertIn("cctm up", said.stdout)
        self.assertIn("1 of 1 did not come through", said.stdout)


@unittest.skipUnless(programs.collector() and programs.prometheus(), "there is no Collector or no Prometheus")
class Containers(unittest.TestCase):
    """The parts of a stack as processes on the ports of its configuration."""

    def setUp(self):
        self.events, self.is_reached, self.loki_keeps = b"", True, True
        self.loki = Web(self.answer_as_loki)
        self.addCleanup(self.loki.close)
        with Stack("--set", "events.store=loki") as stack:
            configuration = stack.read("config/otel-collector-config.yaml")
        self.assertIn("http://loki:3100/otlp", configuration)
        self.collector = Collector(configuration.replace("http://loki:3100/", f"http://127.0.0.1:{self.loki.port}/"))
        self.addCleanup(self.collector.close)
        self.prometheus = Prometheus({"otel-collector": self.collector.ports["8889"]}, None, 1)
        self.addCleanup(self.prometheus.close)
        self.grafana = Web(self.answer_as_grafana)
        self.addCleanup(self.grafana.close)
        ports = {"otlp_http": self.collector.ports["4318"], "otlp_grpc": self.collector.ports["4317"],
                 "exporter": self.collector.ports["8889"], "prometheus": self.prometheus.port, "grafana": self.grafana.port,
                 "loki": self.loki.port}
        self.stack = Stack("--set", "events.store=loki", *[word for name, port in ports.items()
                                                           for word in ("--set", f"ports.{name}={port}")])
        self.addCleanup(self.stack.close)
        self.prometheus.wait()

    def answer_as_grafana(self, request):
        if not request.headers.get("Authorization", "").startswith("Basic "):
            return 401, b'{"message":"Unauthorized"}'
        if not self.is_reached:
            return 502, b'{"message":"Bad Gateway"}'
        query = urllib.parse.parse_qs(urllib.parse.urlparse(request.path).query)["query"][0]
        return 200, json.dumps({"data": self.prometheus.get("/api/v1/query", query=query)}).encode()

    def answer_as_loki(self, request):
        """Takes what the Collector hands on, and has those lines."""
        if request.command == "POST":
            self.events += request.posted if self.loki_keeps else b""
            return 200, b""
        query = urllib.parse.parse_qs(urllib.parse.urlparse(request.path).query)["query"][0]
        assert query == '{service_name="cctm"}|="cctm.probe"', query
        values = [["1", line.decode()] for line in re.findall(rb"cctm\.probe \d+\.\d{3}", self.events)]
        return 200, json.dumps({"status": "success", "data": {"resultType": "streams", "result": [{"values": values}]}}).encode()

    def probe(self, *words, status=0):
        return self.stack.run("probe", "-C", str(self.stack.dir), "--json", *words, status=status)

    def test_each_hop_is_timed_over_each_protocol(self):
        found = ways(self.probe())
        for name in ("http/protobuf", "http/json", "grpc"):
            hops = found[name]["hops"]
            self.assertEqual([hop["service"] for hop in hops], ["otel-collector", "otel-collector", "prometheus", "grafana"])
            times = [hop["after_ms"] for hop in hops]
            self.assertEqual(times, sorted(times), name)
        self.assertEqual([hop["service"] for hop in found["events"]["hops"]], ["otel-collector", "loki"])

    def test_the_hop_where_it_is_lost_is_named(self):
        self.is_reached = False
        hops = ways(self.probe("--protocol", "http/json", "--timeout", "5s", status=3))["http/json"]["hops"]
        self.assertEqual([hop["passed"] for hop in hops], [True, True, True, False])
        self.assertIn("502", hops[3]["why"])
        self.assertIn("cctm logs grafana", hops[3]["hint"])
        self.prometheus.kill()
        hops = ways(self.probe("--protocol", "grpc", "--timeout", "3s", status=3))["grpc"]["hops"]
        self.assertEqual([hop["passed"] for hop in hops], [True, True, False, False])
        self.assertIn("cctm logs prometheus", hops[2]["hint"])
        self.loki_keeps = False
        hops = ways(self.probe("--protocol", "events", "--timeout", "3s", status=3))["events"]["hops"]
        self.assertIn("it has not come there", hops[1]["why"])


if __name__ == "__main__":
    case.main()
