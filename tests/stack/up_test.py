"""`cctm up`, `status`, `logs` and `down` of a stack that is the bridge alone."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from lib import case
from lib.bridge import free_port, wait_until
from stacks import PROGRAM, Stack

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
        self.assertIn("ok  OTLP over gRPC", said.stderr)
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

    def test_another_program_on_its_port_is_not_taken_for_the_bridge(self):
        self.run_there("up")
        part = json.loads(self.run_there("status", "--json").stdout)["parts"][0]
        self.assertEqual((part["pid"], part["healthy"]), (self.pid(), True))
        self.assertGreater(part["memory_bytes"], 1_000_000)
        self.assertLess(abs(part["started_ms"] / 1000 - time.time()), 60)
        self.assertLess(abs(part["last_sample_ms"] / 1000 - time.time()), 60)
        self.stack.replace("bridge/bridge.json", '"instance": "', '"instance": "x')
        self.assertIn("another program answers on its port", self.run_there("status", status=3).stdout)

    @unittest.skipIf(os.geteuid() != 0, "not root")
    def test_a_state_directory_of_another_user_is_said(self):
        (self.stack.dir / "bridge").mkdir(exist_ok=True)
        for path in [self.stack.scratch, *self.stack.dir.rglob("*"), self.stack.dir]:
            os.chown(path, 65534, 65534)
        os.chown(self.stack.dir / "bridge", 0, 0)
        (self.stack.dir / "bridge").chmod(0o700)
        done = subprocess.run([PROGRAM, "up", "-C", str(self.stack.dir)], user=65534, group=65534, extra_groups=[],
                              env=self.stack.environment, cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("belongs to another user", done.stderr)

    def test_a_taken_port_is_said_with_its_holder(self):
        with socket.create_server(("127.0.0.1", self.ports["otlp_http"])):
            said = self.run_there("up", status=1).stderr
        self.assertIn(f"port {self.ports['otlp_http']} (OTLP over HTTP) is held by", said)
        self.assertIn(f"process {os.getpid()}", said)

    def test_changed_settings_start_the_bridge_again(self):
        self.run_there("up")
        pid = self.pid()
        self.stack.init("--set", "bridge.session_label=true")
        self.assertIn("started again", self.run_there("up").stderr)
        self.assertNotEqual(self.pid(), pid)

    def test_its_log_can_be_searched(self):
        self.run_there("up")
        self.assertIn("is ready", self.run_there("logs", "--grep", "is re[a]dy").stdout)
        self.assertEqual(self.run_there("logs", "--grep", "no such words").stdout, "")
        self.assertEqual(self.run_there("logs", "--errors").stdout, "")
        self.assertIn("--grep", self.run_there("logs", "--grep", "(", status=2).stderr)

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


# systemctl of a systemd that does what it is told: `enable --now` runs ExecStart and waits until it is ready.
SYSTEMCTL = """#!/usr/bin/env python3
import os, pathlib, shlex, signal, subprocess, sys, time
words = sys.argv[2:]
base = pathlib.Path(os.environ["HOME"])
with open(base / "asked", "a") as asked:
    asked.write(" ".join(words[:1]) + "\\n")
if words[:2] == ["enable", "--now"]:
    unit = dict(line.split("=", 1) for line in (base / ".config/systemd/user" / words[2]).read_text().splitlines() if "=" in line)
    log = open(unit["StandardOutput"].removeprefix("append:"), "a")
    process = subprocess.Popen(shlex.split(unit["ExecStart"]), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    (base / "unit-pid").write_text(str(process.pid))
    time.sleep(1)
if words[:2] == ["disable", "--now"] and (base / "unit-pid").exists():
    os.kill(int((base / "unit-pid").read_text()), signal.SIGTERM)
    time.sleep(0.5)
"""


class Systemd(unittest.TestCase):
    def test_a_unit_runs_the_bridge_and_ends_it(self):
        with Stack(*[word for name in PORTS for word in ("--set", f"ports.{name}={free_port()}")], runtime="embedded") as stack:
            programs = stack.scratch / "programs"
            programs.mkdir()
            (programs / "systemctl").write_text(SYSTEMCTL)
            (programs / "systemctl").chmod(0o755)
            stack.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
            stack.environment.pop("XDG_CONFIG_HOME", None)
            stack.run("up", "-C", str(stack.dir))
            by_itself = json.loads(stack.read("bridge/bridge.json"))["pid"]
            stack.run("up", "-C", str(stack.dir), "--systemd")
            pid = json.loads(stack.read("bridge/bridge.json"))["pid"]
            self.assertNotEqual(pid, by_itself)
            self.assertEqual(pid, int((stack.scratch / "unit-pid").read_text()))
            stack.run("status", "-C", str(stack.dir))
            self.assertIn("is ready", stack.run("logs", "-C", str(stack.dir)).stdout)
            stack.run("down", "-C", str(stack.dir))
            stack.run("status", "-C", str(stack.dir), status=3)
            self.assertEqual((stack.scratch / "asked").read_text().split(),
                             ["show-environment", "daemon-reload", "enable", "disable"])

    def test_without_a_systemd_that_is_said(self):
        with Stack(runtime="embedded") as stack:
            stack.environment["PATH"] = str(stack.scratch)
            self.assertIn("no systemd", stack.run("up", "-C", str(stack.dir), "--systemd", status=1).stderr)


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
