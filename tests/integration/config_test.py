"""A bridge that takes its options from cctm.yaml: which of file, environment and command line wins."""

import json
import os
import select
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from lib import case
from lib.bridge import PROGRAM, READY_S, STOP_S, free_port

FREE = [w for door in ("otlp-http", "exporter", "health", "zpages") for w in (f"--{door}-port", "0")]


class Run:
    """cctm bridge with these words; what it said when it was ready."""

    def __init__(self, folder, *words, environment=None):
        self.process = subprocess.Popen(
            [PROGRAM, *words, "--state", str(Path(folder) / "state"), "--json"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env={**os.environ, **(environment or {})})
        try:
            self.ready = json.loads(self.first_line())
            assert "error" not in self.ready, self.ready
        except BaseException:
            self.process.kill()
            self.end()
            raise

    def first_line(self):
        line, end = b"", time.monotonic() + READY_S
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            part = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not part:
                raise AssertionError("the bridge did not start")
            line += part
        return line

    def end(self):
        _, errors = self.process.communicate(timeout=STOP_S)
        return errors.decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        errors = self.end()
        assert self.process.returncode == 0, errors
        return errors


class Config(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="cctm-config-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.ports = {"otlp_http": free_port(), "otlp_grpc": free_port(), "exporter": free_port(), "health": free_port(), "zpages": free_port()}

    def write(self, text):
        (self.folder / "cctm.yaml").write_text(text)

    def ports_text(self):
        return "ports: { " + ", ".join(f"{name}: {port}" for name, port in self.ports.items()) + " }\n"

    def ran(self, *words, environment=None):
        run = Run(self.folder, *words, environment=environment)
        run.errors = run.stop()
        return run

    def test_the_file_of_a_named_directory_is_used(self):
        self.write(self.ports_text())
        ready = self.ran("-C", str(self.folder), "bridge").ready
        for name, port in self.ports.items():
            self.assertEqual(ready[f"{name}_port"], port)

    def test_the_directory_may_be_named_by_the_environment(self):
        self.write(self.ports_text())
        ready = self.ran("bridge", environment={"CCTM_DIR": str(self.folder)}).ready
        self.assertEqual(ready["otlp_http_port"], self.ports["otlp_http"])

    def test_a_file_that_merely_lies_there_is_not_used(self):
        self.write("this: is no configuration\n")
        self.ran("bridge", *FREE)

    def test_a_named_directory_without_a_file_changes_nothing(self):
        self.ran("bridge", "-C", str(self.folder), *FREE, environment={"CCTM_BIND": "nonsense"})

    def test_the_command_line_wins_over_environment_and_file(self):
        self.write(self.ports_text())
        by_variable, by_option = free_port(), free_port()
        environment = {"CCTM_PORTS_HEALTH": str(by_variable), "CCTM_PORTS_ZPAGES": str(free_port())}
        ready = self.ran("bridge", "-C", ".", "--zpages-port", str(by_option), environment=environment).ready
        self.assertEqual(ready["otlp_http_port"], self.ports["otlp_http"])
        self.assertEqual(ready["health_port"], by_variable)
        self.assertEqual(ready["zpages_port"], by_option)

    def test_an_option_at_its_default_wins_too(self):
        self.write(self.ports_text() + "bind: 127.0.0.9\n")
        run = Run(self.folder, "bridge", "-C", ".", "--bind", "127.0.0.1")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['health']}/", timeout=10) as answer:
                self.assertEqual(answer.status, 200)
        finally:
            run.stop()

    def test_limits_and_origins_of_the_file_hold(self):
        self.write(self.ports_text() + "otlp:\n  max_body: 1KiB\n  cors_origins: [https://a.example]\n")
        run = Run(self.folder, "bridge", "-C", ".")
        try:
            address = f"http://127.0.0.1:{self.ports['otlp_http']}/v1/metrics"
            headers = {"content-type": "application/json", "origin": "https://a.example"}
            request = urllib.request.Request(address, b"{}", headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.assertEqual(answer.headers["access-control-allow-origin"], "https://a.example")
            request = urllib.request.Request(address, b"{" + b" " * 2000 + b"}", headers)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            self.assertEqual(refused.exception.code, 413)
            refused.exception.close()
        finally:
            run.stop()

    def test_what_the_file_asks_for_in_vain_is_said(self):
        self.write(self.ports_text() + "labels:\n  drop: [user.email]\n")
        errors = self.ran("bridge", "-C", ".").errors
        self.assertIn("labels.drop (./cctm.yaml:3) has no effect in this version", errors)


if __name__ == "__main__":
    case.main()
