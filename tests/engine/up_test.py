"""`cctm up` and its companions on a real Docker Engine: the compose file runs as it is rendered, but for image names."""

import base64
import json
import socket
import sys
import unittest
import urllib.parse
from pathlib import Path

import engine
from lib import case
from lib.bridge import free_port, wait_until
from lib.collector import fetch
from stacks import Stack

RECORDING = Path(__file__).parents[1] / "data" / "captures" / "claude-code-2.1.328" / "multi-export-json"
PORTS = ("grafana", "otlp_grpc", "otlp_http", "exporter", "prometheus", "health", "zpages")
IMAGES = {"images.collector": "test/collector:1", "images.prometheus": "test/prometheus:1",
          "images.grafana": "test/grafana:1"}


@unittest.skipIf(engine.WHY_NOT, engine.WHY_NOT)
class Up(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = engine.Engine()
        cls.engine.add_images()

    @classmethod
    def tearDownClass(cls):
        cls.engine.close()

    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        settings = {**IMAGES, **{f"ports.{name}": port for name, port in self.ports.items()}}
        self.stack = Stack(init=False)
        self.stack.environment |= self.engine.environment
        self.stack.init(*[word for key, value in settings.items() for word in ("--set", f"{key}={value}")])
        self.addCleanup(self.stack.close)
        self.addCleanup(lambda: self.run_there("down", "--volumes", "--yes", "-q", status=None))

    def run_there(self, command, *words, status=0):
        return self.stack.run(command, "-C", str(self.stack.dir), *words, status=status, timeout=240)

    def up(self, *words, status=0):
        return self.run_there("up", "--pull", "never", "--timeout", "90s", *words, status=status)

    def containers(self):
        return self.engine.docker("ps", "--all", "--quiet").stdout.split()

    def get(self, port, path):
        return fetch(f"http://127.0.0.1:{self.ports[port]}{path}")[1]

    def total(self, expression):
        answer = json.loads(self.get("prometheus", "/api/v1/query?query=" + urllib.parse.quote(expression)))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0

    def test_a_fresh_stack_gets_healthy_and_counts_a_session_exactly(self):
        said = self.up()
        self.assertIn(f"http://localhost:{self.ports['grafana']}/", said.stdout)
        for what in ("OTLP over HTTP", "OTLP over gRPC", "Prometheus' targets", "Grafana's login", "Grafana's datasource"):
            self.assertIn(f"ok  {what}", said.stderr)
        self.run_there("status")
        for body in sorted(RECORDING.glob("*-metrics.json")):
            fetch(f"http://127.0.0.1:{self.ports['otlp_http']}/v1/metrics", body.read_bytes(),
                  {"Content-Type": "application/json"})
        counted = "sum(sum_over_time(claude_code_%s:counted[1h]))"
        wait_until(lambda: abs(self.total(counted % "cost_usage_USD") - 0.07932) < 1e-9,
                   lambda: f"cost is {self.total(counted % 'cost_usage_USD')}", deadline_s=150, pause_s=1)
        self.assertEqual(self.total(counted % "token_usage_tokens"), 56070)
        self.assertEqual(json.loads(self.get("prometheus", "/api/v1/alerts"))["data"]["alerts"], [])
        self.check_containers()
        self.check_second_run()
        self.check_end()

    def check_containers(self):
        for container in self.containers():
            details = json.loads(self.engine.docker("inspect", container).stdout)[0]
            host = details["HostConfig"]
            self.assertTrue(host["ReadonlyRootfs"])
            self.assertEqual(host["CapDrop"], ["ALL"])
            self.assertIn("no-new-privileges:true", host["SecurityOpt"])
            self.assertEqual(host["RestartPolicy"]["Name"], "unless-stopped")
            for bindings in host["PortBindings"].values():
                self.assertEqual({binding["HostIp"] for binding in bindings}, {"127.0.0.1"})
        password = next(line.split("=")[1] for line in self.stack.read(".env").splitlines()
                        if line.startswith("GRAFANA_ADMIN_PASSWORD="))
        for word in (password, base64.b64encode(f"admin:{password}".encode()).decode()):
            self.assertNotIn(word, self.run_there("status", "--json").stdout)

    def check_second_run(self):
        before, receiver = sorted(self.containers()), self.receiver()
        self.up()
        self.assertEqual(sorted(self.containers()), before)
        self.stack.init("--set", "prometheus.retention_time=30d")
        self.up()
        self.assertNotEqual(sorted(self.containers()), before)
        self.assertEqual(self.receiver(), receiver, "what did not change is not made anew")
        self.run_there("restart", "grafana")
        self.run_there("status")
        self.assertIn("Server is ready to receive web requests", self.run_there("logs", "prometheus").stdout)

    def receiver(self):
        return self.engine.docker("ps", "--quiet", "--filter", "name=otel-collector").stdout

    def check_end(self):
        done = self.run_there("down", "--volumes", status=2)
        self.assertIn("--yes", done.stderr)
        self.run_there("down")
        self.assertEqual(self.containers(), [])
        self.assertIn("absent", self.run_there("status", status=3).stdout)
        self.assertNotEqual(self.engine.docker("volume", "ls", "--quiet").stdout, b"")
        self.run_there("down", "--volumes", "--yes")
        self.assertEqual(self.engine.docker("volume", "ls", "--quiet").stdout, b"")

    def test_a_part_that_crashes_is_named_with_its_log_and_nothing_is_left(self):
        self.stack.init("--set", "images.grafana=test/broken:1")
        self.up("--timeout", "5s", "--keep-on-failure", status=1)
        self.assertNotEqual(self.containers(), [])
        self.run_there("status", status=3)
        self.run_there("down", "-q")
        self.assertIn("Grafana", self.up("--timeout", "5s", status=1).stderr)
        self.assertEqual(self.containers(), [])

    def test_a_port_that_somebody_has_is_said_and_nothing_is_left(self):
        with socket.create_server(("127.0.0.1", self.ports["grafana"])):
            done = self.up(status=1)
        self.assertIn(str(self.ports["grafana"]), done.stderr)
        self.assertEqual(self.containers(), [])


if __name__ == "__main__":
    if engine.WHY_NOT:
        print(f"skipped: {engine.WHY_NOT}")
        sys.exit(case.SKIPPED)
    case.main()
