"""`cctm up`, `status`, `logs` and `down` of a stack that is the bridge alone."""

import json
import os
import signal
import unittest
import urllib.request

from lib import case
from lib.bridge import free_port, wait_until
from stacks import Stack

PORTS = ("otlp_http", "otlp_grpc", "exporter", "health", "zpages")


class Embedded(unittest.TestCase):
    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        self.stack = Stack(*[word for name, port in self.ports.items()
                             for word in ("--set", f"ports.{name}={port}")], runtime="embedded")
        self.addCleanup(self.stack.close)
        self.addCleanup(lambda: self.run_there("down", "-q", status=None))

    def run_there(self, command, *words, status=0):
        return self.stack.run(command, "-C", str(self.stack.dir), *words, status=status)

    def pid(self):
        return json.loads(self.stack.read("bridge/bridge.json"))["pid"]

    def test_it_starts_answers_and_stops(self):
        said = self.run_there("up")
        self.assertIn(f"http://127.0.0.1:{self.ports['otlp_http']}", said.stdout)
        self.assertIn("ok  OTLP over HTTP", said.stderr)
        self.assertIn(f"process {self.pid()}", self.run_there("status").stdout)
        self.assertIn("cctm bridge is ready", self.run_there("logs").stdout)
        self.run_there("down")
        self.run_there("status", status=3)
        with self.assertRaises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{self.ports['health']}", timeout=2)

    def test_up_again_changes_nothing(self):
        self.run_there("up")
        pid = self.pid()
        self.run_there("up")
        self.assertEqual(self.pid(), pid)

    def test_down_of_what_does_not_run_is_fine(self):
        self.run_there("down")

    def test_a_killed_bridge_is_seen_and_started_again(self):
        self.run_there("up")
        os.kill(self.pid(), signal.SIGKILL)
        wait_until(lambda: self.run_there("status", status=None).returncode == 3, "the end")
        self.run_there("up")
        self.run_there("status")

    def test_a_pid_that_somebody_else_has_is_not_taken_for_the_bridge(self):
        (self.stack.dir / "bridge").mkdir(exist_ok=True)
        self.stack.write("bridge/bridge.lock", f"{os.getpid()}\n")
        self.run_there("status", status=3)
        self.run_there("down")  # and this test goes on
        self.run_there("up")
        self.assertNotEqual(self.pid(), os.getpid())

    def test_a_bridge_that_cannot_start_says_why(self):
        self.stack.init("--set", "otlp.auth=bearer")
        done = self.run_there("up", status=1)
        self.assertIn("otlp.auth", done.stderr)
        self.run_there("status", status=3)

    def test_the_report_is_that_of_the_stack(self):
        self.run_there("up")
        self.assertEqual(json.loads(self.run_there("report", "--json").stdout)["schema_version"], 1)

    def test_restart_is_another_process_with_the_same_totals(self):
        self.run_there("up")
        pid = self.pid()
        self.run_there("restart")
        self.assertNotEqual(self.pid(), pid)
        self.run_there("status")

    def test_open_prints_the_page_where_there_is_no_browser(self):
        self.assertEqual(self.run_there("open", "--print").stdout, f"http://localhost:{self.ports['zpages']}/\n")
        self.assertIn("no grafana", self.run_there("open", "grafana", status=2).stderr)

    def test_json_is_one_document(self):
        up = json.loads(self.run_there("up", "--json").stdout)
        self.assertTrue(all(probe["healthy"] for probe in up["probes"]))
        self.assertTrue(json.loads(self.run_there("status", "--json").stdout)["healthy"])
        self.assertEqual(json.loads(self.run_there("down", "--json").stdout)["runtime"], "embedded")


class Nothing(unittest.TestCase):
    def test_up_makes_a_stack_first(self):
        with Stack(init=False) as stack:
            stack.dir.mkdir()
            stack.environment |= {"CCTM_RUNTIME": "embedded"} | {f"CCTM_PORTS_{name.upper()}": str(free_port()) for name in PORTS}
            said = stack.run("up", "-C", str(stack.dir)).stderr
            self.assertIn("'cctm init' makes one", said)
            self.assertIn("ok  a sample, read back from the receiver", said)
            stack.run("status", "-C", str(stack.dir))
            stack.run("down", "-C", str(stack.dir), "-q")

    def test_without_a_stack_init_is_named(self):
        with Stack(init=False) as stack:
            stack.dir.mkdir()
            for command in ("down", "restart", "status", "logs", "open"):
                done = stack.run(command, "-C", str(stack.dir), status=1)
                self.assertIn("cctm init", done.stderr)


if __name__ == "__main__":
    case.main()
