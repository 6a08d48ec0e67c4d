"""`cctm doctor`: every fault is made for real, its check fails and no unrelated one, the printed command is run as it stands,
and the check passes.

Embedded stacks run whole. Of a stack in containers the Collector and Prometheus are real processes and Grafana is the strict
stand-in; the engine is a program that answers as docker does, from a file.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from grafana_stand_in import Grafana, message
from lib import case, programs
from lib.bridge import free_port, wait_until
from lib.collector import Collector, fetch
from lib.prometheus import Prometheus
from stacks import IS_SLOW, PROGRAM, Stack
from web import Web

PORTS = ("otlp_http", "otlp_grpc", "exporter", "health", "zpages")
SETTINGS = ".claude/settings.json"
ADOPT = Path(__file__).resolve().parents[1] / "data/adopt"
CLOCK = os.environ.get("CCTM_CLOCK")

DOCKER = """#!%s
import json, sys
state = json.load(open(%r))
words = sys.argv[1:]
if state.get("hangs"):
    import time
    time.sleep(60)
if not state["version"]:
    sys.exit("Cannot connect to the Docker daemon. Is the docker daemon running?")
if words[0] == "version":
    print(json.dumps({"Client": {"Version": state["version"]}, "Server": {"Version": state["version"]}}))
elif words[0] == "info":
    print(state["version"], "/")
elif words[0] == "ps":
    print("\\n".join(state["names"]))
elif words[0] == "inspect":
    print(json.dumps([c for c in state["containers"] if c["Id"] in words]))
elif words[:2] == ["compose", "ps"]:
    print("\\n".join(json.dumps(row) for row in state["ps"]))
elif words[:2] == ["compose", "logs"]:
    print(state["logs"].get(words[-1], ""))
elif words[:2] == ["compose", "version"]:
    print("2.26.1")
elif words[:2] == ["compose", "restart"]:
    open(%r, "a").write(" ".join(words) + "\\n")
"""


def points(value, session="one", at=None, name="claude_code.cost.usage", number=1):
    """An export of cumulative sums, one for each of `number` models."""
    now = int((at or time.time()) * 1e9)
    start = str(now - 10**10)
    rows = [{"asDouble": value, "startTimeUnixNano": start, "timeUnixNano": str(now),
             "attributes": [{"key": "session.id", "value": {"stringValue": session}},
                            {"key": "model", "value": {"stringValue": f"model-{i}"}}]} for i in range(number)]
    metric = {"name": name, "unit": "USD", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": rows}}
    return json.dumps({"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]}).encode()


class Case(unittest.TestCase):
    """What all share: a stack, a home, and programs of its own in front of the system's."""

    stack = None

    def prepare(self, stack):
        self.stack = stack
        self.addCleanup(stack.close)
        self.home = stack.scratch / "home"
        self.home.mkdir()
        stack.environment["HOME"] = str(self.home)
        self.bin = stack.scratch / "bin"
        self.bin.mkdir()
        stack.environment["PATH"] = f"{self.bin}:/usr/bin:/bin"
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "CLAUDE_CONFIG_DIR"):
            stack.environment.pop(name, None)
        for name in [name for name in stack.environment if name.startswith(("OTEL_", "CLAUDE_CODE_"))]:
            del stack.environment[name]
        (self.bin / "cctm").symlink_to(PROGRAM)
        self.program("claude", "#!/bin/sh\necho '2.1.331 (Claude Code)'\n")

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def cctm(self, command, *words, status=0, **more):
        return self.stack.run("-C", str(self.stack.dir), command, *words, status=status, **more)

    def doctor(self, *words, status=None, **more):
        done = self.stack.run("-C", str(self.stack.dir), "doctor", "--json", *words, status=status, **more)
        document = json.loads(done.stdout)
        self.assertEqual(document["schema_version"], 1)
        self.assertEqual(done.returncode, 0 if document["healthy"] else 3, document.get("verdict"))
        return document

    def checks(self, *words, **more):
        return {check["id"]: check for check in self.doctor(*words, **more)["checks"]}

    @staticmethod
    def bad(checks):
        return {name for name, check in checks.items() if check["result"] in ("warning", "failure")}

    def assert_well(self, *words, **more):
        checks = self.checks(*words, **more)
        self.assertEqual(self.bad(checks), set(), {name: checks[name]["evidence"] for name in self.bad(checks)})
        return checks

    def assert_found(self, name, says, *words, result="failure", beside=(), **more):
        """That check and no other but those `beside` it."""
        checks = self.checks(*words, **more)
        self.assertEqual(self.bad(checks), {name, *beside}, {bad: checks[bad]["evidence"] for bad in self.bad(checks)})
        self.assertEqual(checks[name]["result"], result)
        self.assertIn(says, checks[name]["evidence"])
        self.assertTrue(checks[name]["fix"], "something is to be done")
        return checks[name]

    def run_fix(self, check, status=0):
        """The command as it is printed."""
        self.assertTrue(check["is_command"], check)
        done = subprocess.run(["sh", "-c", check["fix"]], capture_output=True, text=True, env=self.stack.environment,
                              cwd=self.stack.scratch, timeout=120, check=False)
        self.assertEqual(done.returncode, status, f"{check['fix']}\n{done.stdout}{done.stderr}")
        return done

    def assert_mended(self, check, *words, status=0, **more):
        self.run_fix(check, status)
        after = self.checks("--check", check["id"], *words, **more)[check["id"]]
        self.assertIn(after["result"], ("ok", "note"), after["evidence"])

    def settings(self, **variables):
        path = self.home / SETTINGS
        document = json.loads(path.read_text()) if path.exists() else {}
        for name, value in variables.items():
            document.setdefault("env", {}).pop(name, None)
            if value is not None:
                document["env"][name] = value
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document))


class EmbeddedStack(Case):
    """A bridge that runs, and a Claude Code that is set up for it."""

    OPTIONS = ()
    is_started = True

    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        self.prepare(Stack(*self.OPTIONS, *[word for name, port in self.ports.items()
                                            for word in ("--set", f"ports.{name}={port}")], runtime="embedded"))
        if self.is_started:
            self.start()

    def start(self):
        self.cctm("up", "-q")
        self.addCleanup(lambda: self.cctm("down", "-q", status=None))
        self.cctm("env", "--apply", "-q")

    def send(self, body, path="/v1/metrics", headers=None):
        try:
            return fetch(f"http://127.0.0.1:{self.ports['otlp_http']}{path}", body,
                         headers or {"content-type": "application/json"})[0]
        except urllib.error.HTTPError as answer:
            return answer.code


class Receiver(EmbeddedStack):
    def test_a_healthy_stack_is_calm_and_quick(self):
        self.assertEqual(self.send(points(0.5)), 200)
        began = time.monotonic()
        checks = self.assert_well()
        self.assertLess(time.monotonic() - began, 5 if IS_SLOW else 1)
        self.assertEqual(checks["ledger"]["result"], "ok")
        text = self.cctm("doctor").stdout
        self.assertRegex(text.splitlines()[-1], r"^everything works; last sample \d+ s ago$")

    def test_a_bridge_that_does_not_run(self):
        self.cctm("down", "-q")
        began = time.monotonic()
        found = self.assert_found("running", "the bridge does not run")
        self.assertLess(time.monotonic() - began, 10)
        self.assertTrue(found["is_safe"])
        self.assert_mended(found)

    def test_another_program_on_a_port_of_a_stack_that_is_down(self):
        self.cctm("down", "-q")
        other = socket.create_server(("127.0.0.1", self.ports["health"]))
        self.addCleanup(other.close)
        found = self.assert_found("ports", "is held by", beside=["running"])
        self.assert_mended(found)

    def test_another_program_that_answers_for_the_bridge(self):
        web = Web(lambda _: (200, b'{"status": "ok", "instance": "somebody else"}'))
        self.addCleanup(web.close)
        self.stack.replace("cctm.yaml", f"health: {self.ports['health']}", f"health: {web.port}")
        self.cctm("init", "-q", str(self.stack.dir))
        found = self.assert_found("receiver-ours", f"another program answers on port {web.port}")
        web.close()
        self.assert_mended(found)

    def test_ports_that_nobody_answers_until_the_files_follow(self):
        for name, check, beside in (("exporter", "exposition", ()), ("health", "receiver-health", ()),
                                    ("otlp_http", "otlp-http", ["claude-endpoint"])):
            with self.subTest(name):
                self.cctm("config", "set", f"ports.{name}", str(free_port()))
                found = self.assert_found(check, "connect", beside=["files-stale", *beside])
                self.assert_mended(self.checks("--check", "files-stale")["files-stale"])
                self.assert_mended(found)
                self.cctm("env", "--apply", "-q")
                self.assert_well()

    def test_what_was_refused(self):
        self.assertEqual(self.send(b"{no json"), 400)
        found = self.assert_found("rejected", "1 malformed_json", result="warning")
        self.cctm("restart", "-q")  # as the advice says
        self.assertIn("cctm restart", found["advice"])
        self.assert_well()

    def test_http_at_the_port_for_grpc(self):
        fetch(f"http://127.0.0.1:{self.ports['otlp_grpc']}/v1/metrics", b"{}", {"content-type": "application/json"})
        found = self.checks()["wrong-protocol"]
        self.assertEqual(found["result"], "note")
        self.assertIn("HTTP to the port for gRPC", found["evidence"])
        self.assertIn("has to be grpc", found["advice"])

    def test_events_that_never_came(self):
        """The bridge counts them after a minute of grace; here its exposition says so at once."""
        def answer(request):
            text = fetch(f"http://127.0.0.1:{self.ports['exporter']}{request.path}")[1]
            return 200, (text + 'cctm_client_lost_events_total{user_id="x"} 3\n').encode()

        web = Web(answer)
        self.addCleanup(web.close)
        self.cctm("config", "set", "ports.exporter", str(web.port))
        self.cctm("init", "-q", str(self.stack.dir))
        found = self.assert_found("lost-events", "3 events", result="warning")
        self.run_fix(found)

    def test_a_clock_of_a_sender_that_is_wrong(self):
        self.assertEqual(self.send(points(0.1, at=time.time() + 40 * 86400)), 200)
        self.assert_found("clock-clamped", "time_clamped", result="warning")

    def test_a_ledger_that_was_cut(self):
        self.send(points(0.75))
        ledger = next(path for path in self.stack.dir.rglob("*.db"))

        def rows():
            with sqlite3.connect(ledger, timeout=10) as database:
                return database.execute("SELECT count(*) FROM minutes").fetchone()[0]

        wait_until(lambda: rows() and "USD counted" in self.checks("--check", "ledger")["ledger"]["evidence"],
                   "the ledger has it", deadline_s=60, pause_s=0.5)
        with sqlite3.connect(ledger, timeout=10) as database:
            database.execute("DELETE FROM minutes")
        database.close()
        self.assert_found("ledger", "0.750000 USD", result="warning")

    def test_a_journal_that_was_damaged(self):
        for i in range(20):
            self.send(points(0.1 * i, f"s{i}"))
        self.cctm("down", "-q")
        ledger = next(path for path in self.stack.dir.rglob("*.db"))
        for path in ledger.parent.glob(ledger.name + "*"):
            path.unlink()  # or nothing of the journal is read again
        journal = max((path for path in ledger.parent.rglob("*") if path.is_file() and "journal" in str(path)),
                      key=lambda path: path.stat().st_size)
        data = bytearray(journal.read_bytes())
        data[len(data) // 2:len(data) // 2 + 40] = b"\xff" * 40
        journal.write_bytes(data)
        self.cctm("up", "-q")
        checks = self.checks()
        self.assertEqual(checks["journal-damage"]["result"], "warning", checks["journal-damage"])
        self.assertLessEqual(self.bad(checks), {"journal-damage", "ledger"})


class Overflow(EmbeddedStack):
    OPTIONS = ("--set", "bridge.series_max=100")

    def test_more_series_than_are_kept_apart(self):
        self.assertEqual(self.send(points(0.01, number=150)), 200)
        self.assert_found("series-overflow", "series_overflow", result="warning")


class Token(Case):
    """A stack whose senders need a token; nothing runs."""

    def setUp(self):
        self.prepare(Stack("--set", "otlp.auth=bearer"))
        self.cctm("env", "--apply", "-q")

    def test_with_the_token_all_is_well(self):
        self.assert_well("--group", "claude-code")
        self.assert_well("--group", "configuration")

    def test_a_claude_code_without_the_token(self):
        path = self.home / SETTINGS
        document = json.loads(path.read_text())
        document.pop("otelHeadersHelper", None)
        document["env"].pop("OTEL_EXPORTER_OTLP_HEADERS", None)
        path.write_text(json.dumps(document))
        self.assert_mended(self.assert_found("claude-token", "is not set", "--group", "claude-code"))

    def test_no_token_in_env(self):
        text = re.sub("(?m)^OTLP_BEARER_TOKEN=.*\n", "", self.stack.read(".env"))
        self.stack.write(".env", text)
        (self.stack.dir / ".env").chmod(0o600)
        found = self.assert_found("token", "OTLP_BEARER_TOKEN", "--group", "configuration")
        self.assert_mended(found)


class ClaudeCode(EmbeddedStack):
    """Settings of Claude Code, in a home of the test's own."""

    def assert_variable(self, check, says, beside=(), **variables):
        self.settings(**variables)
        self.assert_mended(self.assert_found(check, says, beside=beside))
        self.assert_well("--group", "claude-code")

    def test_telemetry_that_is_not_switched_on(self):
        self.assert_variable("claude-telemetry", "is not set", CLAUDE_CODE_ENABLE_TELEMETRY=None)

    def test_telemetry_that_is_switched_off(self):
        self.assert_variable("claude-telemetry", "user settings", CLAUDE_CODE_ENABLE_TELEMETRY="0")

    def test_metrics_that_are_not_exported(self):
        self.assert_variable("claude-metrics", "console", OTEL_METRICS_EXPORTER="console")

    def test_metrics_without_an_exporter(self):
        self.assert_variable("claude-metrics", "is not set", OTEL_METRICS_EXPORTER=None)

    def test_the_protocol_of_the_other_port(self):
        self.settings(OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        checks = self.checks()
        self.assertLessEqual({"claude-protocol"} & self.bad(checks) or {"claude-endpoint"}, self.bad(checks))
        self.assertLessEqual(self.bad(checks), {"claude-protocol", "claude-endpoint"})
        self.run_fix(checks[min(self.bad(checks))])
        self.assert_well("--group", "claude-code")

    def test_another_endpoint(self):
        self.assert_variable("claude-endpoint", "http://localhost:9", OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:9")

    def test_https_where_there_is_none(self):
        self.assert_variable("claude-endpoint", "https://127.0.0.1",
                             OTEL_EXPORTER_OTLP_ENDPOINT=f"https://127.0.0.1:{self.ports['otlp_http']}")

    def test_an_endpoint_of_one_signal_without_its_path(self):
        self.assert_variable("claude-per-signal", "without the path",
                             OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"http://127.0.0.1:{self.ports['otlp_http']}")

    def test_a_protocol_of_one_signal(self):
        self.assert_variable("claude-per-signal", "wins over", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="grpc")

    def test_a_temporality_that_is_none(self):
        self.assert_found_temporality("claude-temporality", "nonsense")

    def assert_found_temporality(self, check, value):
        self.settings(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=value)
        self.assertIn("write cumulative", self.assert_found(check, "is no temporality", result="warning")["fix"])
        self.settings(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="cumulative")
        self.assert_well()

    def test_settings_that_lose_a_little_are_notes(self):
        self.settings(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta", OTEL_METRIC_EXPORT_INTERVAL="60000",
                      OTEL_LOGS_EXPORTER=None)
        checks = self.assert_well()
        self.assertEqual([checks[name]["result"] for name in ("claude-temporality", "claude-interval", "claude-logs")],
                         ["note"] * 3)

    def test_attributes_with_a_blank(self):
        self.stack.environment["OTEL_RESOURCE_ATTRIBUTES"] = "team.id=core,department=our research"
        found = self.assert_found("claude-attributes", "our research")
        self.assertIn("%20", found["fix"])
        self.stack.environment["OTEL_RESOURCE_ATTRIBUTES"] = "team.id=core,department=our%20research"
        self.assert_well()

    def test_attributes_without_a_value(self):
        self.stack.environment["OTEL_RESOURCE_ATTRIBUTES"] = "team.id"
        self.assert_found("claude-attributes", "is no name=value")

    def test_a_settings_file_that_is_no_json(self):
        (self.home / SETTINGS).write_text('{"env": {"A": "1"')
        self.assert_found("claude-settings", "line 1, column 18")

    def test_a_block_that_does_not_exist(self):
        path = self.home / SETTINGS
        path.write_text(json.dumps({**json.loads(path.read_text()), "telemetry": {"enabled": True}}))
        self.assert_found("claude-block", "telemetry", result="warning")

    def test_an_env_that_is_no_object(self):
        (self.home / SETTINGS).write_text(json.dumps({"env": ["CLAUDE_CODE_ENABLE_TELEMETRY=1"]}))
        self.assert_found("claude-block", "object", result="warning", beside=["claude-telemetry"])

    def test_project_settings_that_win(self):
        project = self.stack.scratch / ".claude"  # where the command is run
        project.mkdir()
        (project / "settings.local.json").write_text(json.dumps({"env": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:4318"}}))
        found = self.assert_found("claude-endpoint", "local settings")
        self.assert_mended(found)

    def test_a_proxy_that_catches_this_machine(self):
        self.stack.environment["HTTP_PROXY"] = "http://proxy.example:3128"
        checks = self.checks("--group", "claude-code")
        self.assertTrue(self.bad(checks) and self.bad(checks) <= {"claude-proxy", "claude-no-proxy"}, self.bad(checks))
        self.assert_mended(checks[min(self.bad(checks))])

    def test_a_version_that_is_known_to_be_silent(self):
        self.program("claude", "#!/bin/sh\necho '2.1.252 (Claude Code)'\n")
        self.assert_found("claude-version", "91165", result="warning")
        self.program("claude", '#!/bin/sh\ncase "$1" in update) sed -i s/2.1.252/2.1.331/g "$0";; *) echo 2.1.252;; esac\n')
        self.assert_mended(self.assert_found("claude-version", "91165", result="warning"))

    def test_no_claude_code_is_a_note(self):
        (self.bin / "claude").unlink()
        self.stack.environment["PATH"] = str(self.bin)
        self.assertEqual(self.checks("--check", "claude-program")["claude-program"]["result"], "note")

    def test_a_session_that_started_before(self):
        running = self.bin / "running" / "claude"
        running.parent.mkdir()
        shutil.copy(shutil.which("sleep"), running)
        process = subprocess.Popen([running, "60"], env={**self.stack.environment, "OTEL_METRICS_EXPORTER": "none"},
                                   cwd=self.stack.scratch)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        time.sleep(0.1)
        (self.home / SETTINGS).touch()
        found = self.assert_found("claude-running", f"process {process.pid}", result="warning")
        self.assertIn("start", found["fix"])
        process.kill()
        process.wait()
        self.assert_well()


class Files(Case):
    """The files of a stack in containers; nothing runs."""

    WORDS = ("--group", "configuration")

    def setUp(self):
        self.prepare(Stack())

    def assert_file(self, check, says, result="failure", beside=(), status=0):
        self.assert_mended(self.assert_found(check, says, *self.WORDS, result=result, beside=beside), status=status)
        self.assert_well(*self.WORDS)

    def edit(self, path, old, new):
        self.stack.replace(path, old, new)

    def test_a_new_stack_is_well(self):
        for options in ((), ("--set", "ingest=bridge"), ("--set", "events.store=loki"), ("--set", "storage=bind"),
                        ("--set", "alerts.alertmanager=true"), ("--set", "collector.export=remote_write"),
                        ("--set", "grafana.anonymous=true"), ("--set", "collector.debug=detailed"),
                        ("--profile", "team", "--set", "otlp.auth=bearer", "--set", "bind=0.0.0.0"),
                        ("--set", "prometheus.remote_write=[http://127.0.0.1:1/w]", "--set", "time_zone=Europe/Berlin")):
            with self.subTest(options), Stack(*options) as stack:
                done = stack.run("-C", str(stack.dir), "doctor", "--json", *self.WORDS, status=None)
                checks = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
                self.assertEqual(self.bad(checks), set(), {name: checks[name]["evidence"] for name in self.bad(checks)})

    def test_no_stack(self):
        empty = self.stack.scratch / "empty"
        empty.mkdir()
        done = self.stack.run("doctor", "--json", environment={"CCTM_DIR": str(empty)}, status=3)
        checks = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(self.bad(checks), {"stack"})
        self.assertEqual(checks["otlp-http"]["result"], "skipped")
        self.assertEqual(checks["stack"]["fix"], "cctm init")

    def test_settings_that_cannot_be_used(self):
        self.stack.write("cctm.yaml", "ports: { grafana: 70000 }\n")
        self.assert_found("config", "cctm.yaml:1:19", *self.WORDS)

    def test_keys_that_contradict_each_other(self):
        self.stack.write("cctm.yaml", "ports: { grafana: 4318 }\n")
        self.assert_found("config", "4318", *self.WORDS)

    def test_a_missing_file(self):
        for path in ("config/prometheus.yml", "config/rules/claude-code.yml", "docker-compose.yml"):
            with self.subTest(path):
                (self.stack.dir / path).unlink()
                self.assert_file("files-missing", path)

    def test_settings_that_were_changed_since(self):
        self.cctm("config", "set", "prometheus.scrape_interval", "5s")
        self.assert_file("files-stale", "config/prometheus.yml", result="warning")

    def test_an_edit_that_cannot_be_merged(self):
        self.edit("config/prometheus.yml", "scrape_interval: 10s", "scrape_interval: 12s")
        self.cctm("config", "set", "prometheus.scrape_interval", "5s")
        self.cctm("init", "-q", str(self.stack.dir), status=4)
        self.assert_file("files-conflict", "config/prometheus.yml", result="warning")

    def test_a_file_that_cannot_be_parsed(self):
        for path in ("config/prometheus.yml", "config/otel-collector-config.yaml", "docker-compose.yml"):
            with self.subTest(path):
                self.stack.write(path, self.stack.read(path) + "\n  - [\n")
                self.assert_file("files-parse", path)

    def test_an_edit_is_no_fault(self):
        self.edit("config/prometheus.yml", "evaluation_interval: 15s", "evaluation_interval: 20s")
        self.assert_well(*self.WORDS)

    def test_no_env_file(self):
        (self.stack.dir / ".env").unlink()
        self.assert_file("env-file", "is not there")

    def test_an_env_file_that_cannot_be_read(self):
        self.stack.write(".env", self.stack.read(".env") + "what is this\n")
        (self.stack.dir / ".env").chmod(0o600)
        found = self.assert_found("env-file", ".env:", *self.WORDS)
        self.assertIn("NAME=value", found["fix"])

    def test_secrets_that_others_can_read(self):
        (self.stack.dir / ".env").chmod(0o644)
        self.assert_file("env-mode", "0644")

    def set_password(self, password):
        self.stack.write(".env", re.sub("(?m)^GRAFANA_ADMIN_PASSWORD=.*", f"GRAFANA_ADMIN_PASSWORD={password}",
                                        self.stack.read(".env")))
        (self.stack.dir / ".env").chmod(0o600)

    def test_a_password_everybody_tries(self):
        for password in ("admin", "password", "changeme"):
            with self.subTest(password):
                self.set_password(password)
                found = self.assert_found("password", "everybody tries", *self.WORDS)
                self.assertIn("password grafana --rotate", found["fix"])  # needs a Grafana: Containers runs it

    def test_no_password(self):
        self.set_password("")
        self.assert_file("password", "is not set")

    def test_a_secret_in_another_file(self):
        password = re.search("(?m)^GRAFANA_ADMIN_PASSWORD=(.*)$", self.stack.read(".env"))[1]
        self.edit("docker-compose.yml", '"${GRAFANA_ADMIN_PASSWORD:?is missing from .env; \'cctm init\' makes one}"', password)
        self.assert_file("secrets", "docker-compose.yml")

    def test_git_that_would_take_secrets(self):
        (self.stack.dir / ".git").mkdir()
        (self.stack.dir / ".git/HEAD").write_text("ref: refs/heads/main\n")
        self.stack.write(".gitignore", "data/\n")
        self.assert_file("gitignore", "does not keep .env out", result="warning")

    def test_ports_open_without_a_token(self):
        self.cctm("config", "set", "bind", "0.0.0.0")
        self.cctm("init", "-q", str(self.stack.dir))
        found = self.assert_found("open", "0.0.0.0", *self.WORDS, result="warning")
        self.assert_mended(found)

    def test_files_that_the_parts_have_not_read(self):
        (self.stack.dir / ".cctm/current.json").write_text(
            json.dumps({"version": 1, "configurations": {"prometheus": "0" * 32}}))
        found = self.assert_found("files-loaded", "prometheus", *self.WORDS, result="warning")
        self.assertTrue(found["fix"].endswith(" up"))

    # What is wrong with a Compose file and the configurations: in a stack of cctm's that was edited.

    COLLECTOR, PROMETHEUS, COMPOSE = "config/otel-collector-config.yaml", "config/prometheus.yml", "docker-compose.yml"
    DATASOURCE = "config/grafana/provisioning/datasources/datasources.yml"
    EDITS = {
        "logs-pipeline": (COLLECTOR, "    logs:\n      receivers: [otlp]\n      processors: [memory_limiter, batch]\n"
                                     "      exporters: [forward/events, debug]\n", ""),
        "delta-handling": (COLLECTOR, "[memory_limiter, deltatocumulative, transform/start, batch]", "[memory_limiter, batch]"),
        "metric-expiry": (COLLECTOR, "metric_expiration: 1h5m", "metric_expiration: 5m"),
        "batch-waits": (COLLECTOR, "timeout: 1s", "timeout: 10s"),
        "debug-exporter": (COLLECTOR, "debug: { verbosity: basic }", "debug: { verbosity: detailed }"),
        "receiver-address": (COLLECTOR, "endpoint: 0.0.0.0:4318", "endpoint: localhost:4318"),
        "cors": (COLLECTOR, "        max_request_body_size: ", "        cors: { allowed_origins: ['*'] }\n"
                                                               "        max_request_body_size: "),
        "metric-namespace": (COLLECTOR, "    without_scope_info: true", "    namespace: claude\n    without_scope_info: true"),
        "core-image": (COMPOSE, "otel/opentelemetry-collector-contrib:", "otel/opentelemetry-collector:"),
        "image-old": (COMPOSE, re.compile(r"prom/prometheus:v[\d.]+"), "prom/prometheus:v2.9.0"),
        "version-key": (COMPOSE, "services:\n", 'version: "3.8"\nservices:\n'),
        "no-health-check": (COMPOSE, "condition: service_started", "condition: service_healthy"),
        "health-check": (COMPOSE, "    stop_grace_period: 30s\n    ports", "    healthcheck: { test: [CMD, wget, -q, "
                                  "'http://localhost:13133'] }\n    stop_grace_period: 30s\n    ports"),
        "ports-open": (COMPOSE, re.compile("127.0.0.1:"), ""),
        "host-network": (COMPOSE, "    stop_grace_period: 1m\n", "    network_mode: host\n    stop_grace_period: 1m\n"),
        "password-in-file": (COMPOSE, re.compile('"\\$\\{GRAFANA_ADMIN_PASSWORD:[^"]*"'), "aLongOneThatIsNotInEnv"),
        "sign-up": (COMPOSE, 'GF_USERS_ALLOW_SIGN_UP: "false"', 'GF_USERS_ALLOW_SIGN_UP: "true"'),
        "anonymous-role": (COMPOSE, "      GF_LOG_MODE", '      GF_AUTH_ANONYMOUS_ENABLED: "true"\n'
                                    "      GF_AUTH_ANONYMOUS_ORG_ROLE: Admin\n      GF_LOG_MODE"),
        "angular-plugin": (COMPOSE, "      GF_LOG_MODE", "      GF_INSTALL_PLUGINS: grafana-piechart-panel\n      GF_LOG_MODE"),
        "datasource-uid": (DATASOURCE, "uid: prometheus_claude_metrics", "uid: something_else"),
        "rule-files": (PROMETHEUS, "rule_files:\n  - rules/*.yml\n", ""),
        "config-not-found": (COMPOSE, "      - ./config:/etc/cctm:ro\n      - { type: volume, source: prometheus",
                             "      - ./elsewhere:/etc/cctm:ro\n      - { type: volume, source: prometheus"),
    }

    def test_each_fault_of_an_edited_file(self):
        for check, (path, old, new) in self.EDITS.items():
            with self.subTest(check):
                text = self.stack.read(path)
                edited = old.sub(new, text) if isinstance(old, re.Pattern) else text.replace(old, new, 1)
                self.assertNotEqual(text, edited)
                self.stack.write(path, edited)
                try:
                    self.assert_file(check, path)
                finally:
                    self.stack.write(path, text)

    def test_data_that_everybody_may_change(self):
        self.stack.init("--set", "storage=bind")
        for path in (self.stack.dir / "data").iterdir():
            path.chmod(0o777)
        found = self.assert_found("world-writable", "written by everybody", *self.WORDS)
        self.assertIn("chmod", found["advice"])
        for path in (self.stack.dir / "data").iterdir():
            path.chmod(0o700)
        self.assert_well(*self.WORDS)


class HandMade(Case):
    """The stack of the tutorial, as it is and taken over."""

    FAULTS = {"logs-pipeline", "delta-handling", "metric-expiry", "batch-waits", "debug-exporter", "cors", "core-image",
              "version-key", "no-health-check", "ports-open", "angular-plugin", "rule-files", "world-writable"}

    def test_the_faults_of_the_tutorial_are_named_and_go(self):
        self.prepare(Stack(init=False))
        shutil.copytree(ADOPT / "tutorial", self.stack.dir)
        for path in ("data/grafana", "data/prometheus"):
            (self.stack.dir / path).mkdir(parents=True)
            (self.stack.dir / path).chmod(0o777)
        checks = self.checks("--group", "configuration")
        self.assertLessEqual(self.FAULTS, self.bad(checks))
        self.assertEqual(checks["hand-made"]["result"], "note")
        fixes = {checks[name]["fix"] for name in self.FAULTS}
        self.assertEqual(len(fixes), 1)
        self.run_fix(checks["stack"] | {"fix": checks["stack"]["fix"] + " --yes"})
        left = self.bad(self.checks("--group", "configuration"))
        self.assertLessEqual(left, {"world-writable", "password"}, "what is the user's to do")

    def test_a_compose_file_that_nobody_can_read(self):
        self.prepare(Stack(init=False))
        self.stack.write("docker-compose.yml", "services:\n  prometheus: [\n")
        self.assert_found("compose-readable", "docker-compose.yml:", "--group", "configuration")


@unittest.skipUnless(programs.collector() and programs.prometheus(), "there is no Collector or no Prometheus")
class Containers(Case):
    """The parts of a stack as processes on the ports of its configuration."""

    SERVICES = ("otel-collector", "prometheus", "grafana")

    def setUp(self):
        with Stack() as stack:
            self.configuration = stack.read("config/otel-collector-config.yaml")
            self.rules = stack.read("config/rules/claude-code.yml")
        self.collector = self.keep(Collector(self.configuration))
        self.grafana = self.keep(DatasourceGrafana())
        self.prometheus = None
        self.start_prometheus()
        ports = {"otlp_http": self.collector.ports["4318"], "otlp_grpc": self.collector.ports["4317"],
                 "exporter": self.collector.ports["8889"], "health": self.collector.ports["13133"],
                 "zpages": self.collector.ports["55679"], "prometheus": self.prometheus.port, "grafana": self.grafana.port}
        self.prepare(Stack(*[word for name, port in ports.items() for word in ("--set", f"ports.{name}={port}")]))
        self.grafana.password = re.search("(?m)^GRAFANA_ADMIN_PASSWORD=(.*)$", self.stack.read(".env"))[1]
        self.engine = self.stack.scratch / "docker.json"
        self.restarts = self.stack.scratch / "restarts"
        self.program("docker", DOCKER % (sys.executable, str(self.engine), str(self.restarts)))
        plugin = self.home / ".docker/cli-plugins/docker-compose"
        plugin.parent.mkdir(parents=True)
        plugin.write_text("")
        plugin.chmod(0o755)
        self.stack.environment["DOCKER_HOST"] = "unix:///var/run/docker.sock"
        self.set_engine(ports)
        self.cctm("env", "--apply", "-q")
        self.cctm("import-dashboard", "--all", "-q")

    def keep(self, thing):
        self.addCleanup(thing.close)
        return thing

    def start_prometheus(self, jobs=None, rules=True, retention="90d", more_rules=""):
        class Kept(Prometheus):
            def start(self):
                self.process = subprocess.Popen(
                    [programs.prometheus(), f"--config.file={self.folder}/prometheus.yml",
                     f"--storage.tsdb.path={self.folder}/data", f"--storage.tsdb.retention.time={retention}",
                     f"--web.listen-address=127.0.0.1:{self.port}", "--web.console.templates=/nonexistent",
                     "--web.console.libraries=/nonexistent"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

        if self.prometheus:
            self.prometheus.process.terminate()
        self.prometheus = self.keep(Kept(jobs or {"otel-collector": self.collector.ports["8889"]},
                                         self.rules + more_rules if rules else None, 1))
        self.grafana.prometheus = self.prometheus
        if self.stack:
            self.move("prometheus", self.prometheus.port)
        if not jobs:
            self.prometheus.wait()
        else:
            wait_until(lambda: self.is_ready() and self.scraped() >= len(jobs), "its targets were tried", deadline_s=60)

    def is_ready(self):
        try:
            return fetch(f"http://127.0.0.1:{self.prometheus.port}/-/ready")[0] == 200
        except OSError:
            return False

    def scraped(self):
        return sum(target["health"] != "unknown" for target in self.prometheus.get("/api/v1/targets")["activeTargets"])

    def move(self, name, port):
        """The part of that name is expected at another port from now on."""
        self.cctm("config", "set", f"ports.{name}", str(port))
        self.cctm("init", "-q", str(self.stack.dir))
        self.publish()

    def publish(self):
        ports = [int(number) for number in re.findall(r"(?m)^  \w+: (\d+)", self.stack.read("cctm.yaml"))]
        self.change(ps=[{**row, "Publishers": [{"PublishedPort": port} for port in ports]} for row in self.state["ps"]])

    def set_engine(self, ports):
        self.state = {"version": "27.1.0", "names": [], "logs": {}, "ps": [
            {"ID": name[0] * 12, "Service": name, "State": "running", "Health": "", "ExitCode": 0,
             "Publishers": [{"PublishedPort": port} for port in ports.values()]} for name in self.SERVICES],
            "containers": [{"Id": name[0] * 12, "Config": {"Image": name}, "Image": "", "RestartCount": 0,
                            "State": {"ExitCode": 0, "OOMKilled": False, "StartedAt": ""}} for name in self.SERVICES]}
        self.change()

    def change(self, **state):
        self.state.update(state)
        self.engine.write_text(json.dumps(self.state))

    def service(self, name, **changes):
        self.change(ps=[{**row, **changes} if row["Service"] == name else row for row in self.state["ps"]])

    def container(self, name, restarts=0, **state):
        self.change(containers=[{**row, "RestartCount": restarts, "State": {**row["State"], **state}}
                                if row["Id"] == name[0] * 12 else row for row in self.state["containers"]])

    # ---- all is well ----

    def test_a_healthy_stack_is_calm_and_quick(self):
        self.collector.post("/v1/metrics", points(0.5))
        wait_until(lambda: self.prometheus.query("claude_code_cost_usage_USD_total"), "it is read", deadline_s=30)
        began = time.monotonic()
        checks = self.assert_well()
        self.assertLess(time.monotonic() - began, 8 if IS_SLOW else 2)
        self.assertIn("queries run", checks["queries"]["evidence"])
        self.assertRegex(self.cctm("doctor").stdout.splitlines()[-1], "^everything works")

    # ---- the engine and its containers ----

    def test_an_engine_that_does_not_run(self):
        self.change(version="")
        self.assert_found("engine", "Is the docker daemon running")

    def test_an_engine_that_is_too_old(self):
        self.change(version="19.3.0")
        self.assert_found("engine", "19.3.0")

    def test_no_engine_at_all(self):
        (self.bin / "docker").unlink()
        self.stack.environment["PATH"] = str(self.bin)
        self.assert_found("engine", "no container engine is installed")

    def test_an_engine_that_hangs_stops_nothing_else(self):
        self.change(hangs=True)
        began = time.monotonic()
        checks = self.checks()
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(checks["engine"]["result"], "failure")
        self.assertIn("no answer within", checks["engine"]["evidence"])
        self.assertEqual(checks["claude-endpoint"]["result"], "ok")
        self.assertEqual(checks["files-parse"]["result"], "ok")

    def test_a_container_that_is_not_there(self):
        self.change(ps=[row for row in self.state["ps"] if row["Service"] != "grafana"])
        found = self.assert_found("running", "grafana is not there")
        self.assertTrue(found["fix"].endswith(" up"))

    def test_a_container_that_ended(self):
        self.service("prometheus", State="exited", ExitCode=2)
        self.assert_found("running", "prometheus is exited")

    def test_a_container_that_ends_again_and_again(self):
        self.service("otel-collector", State="restarting", ExitCode=1)
        self.container("otel-collector", restarts=7, ExitCode=1)
        self.change(logs={"otel-collector": "Error: failed to get config: cannot unmarshal"})
        found = self.assert_found("restarting", "most likely its configuration has an error")
        self.run_fix(found)

    def test_a_container_that_was_killed_for_memory(self):
        self.container("prometheus", restarts=1, ExitCode=137, OOMKilled=True)
        self.assert_found("memory-kill", "prometheus was killed for want of memory")

    def test_another_stack_that_runs(self):
        self.change(names=["grafana", "otel-collector", "metrics-prometheus-1"])
        self.assert_found("other-stack", "otel-collector, grafana", result="warning")

    def test_a_port_that_another_program_has(self):
        other = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(other.close)
        self.service("otel-collector", State="exited")
        self.cctm("config", "set", "ports.zpages", str(other.getsockname()[1]))
        self.cctm("init", "-q", str(self.stack.dir))
        found = self.assert_found("ports", "python", beside=["running"])
        self.assert_mended(found)

    # ---- the Collector ----

    def test_ports_that_nobody_answers(self):
        for name, check, beside in (("otlp_grpc", "otlp-grpc", ()), ("exporter", "exposition", ()),
                                    ("health", "receiver-health", ()), ("otlp_http", "otlp-http", ["claude-endpoint"])):
            with self.subTest(name):
                former = int(re.search(rf"(?m)^  {name}: (\d+)", self.stack.read("cctm.yaml"))[1])
                self.move(name, free_port())
                self.assert_found(check, "connect", beside=beside)
                self.move(name, former)
        self.assert_well()

    def test_a_collector_that_is_gone(self):
        self.collector.process.kill()
        self.collector.process.wait()
        checks = self.checks()
        self.assertEqual(self.bad(checks), {"otlp-http", "otlp-grpc", "exposition", "receiver-health"})
        self.assertIn("restart otel-collector", checks["otlp-http"]["fix"])
        self.assertEqual(checks["prometheus-targets"]["result"], "skipped", "it is down because of the Collector")

    def test_a_collector_without_a_pipeline_for_events(self):
        other = self.keep(Collector("receivers: { otlp: { protocols: { http: { endpoint: 0.0.0.0:4318 } } } }\n"
                                    "exporters: { nop: {} }\nextensions: { health_check: { endpoint: 0.0.0.0:13133 } }\n"
                                    "service:\n  extensions: [health_check]\n  telemetry: { metrics: { level: none } }\n"
                                    "  pipelines: { metrics: { receivers: [otlp], exporters: [nop] } }\n"))
        former = self.collector.ports["4318"]
        self.move("otlp_http", other.ports["4318"])
        self.cctm("env", "--apply", "-q")
        self.assert_found("otlp-logs", "404")
        self.move("otlp_http", former)
        self.cctm("env", "--apply", "-q")
        self.assert_well()

    # ---- Prometheus ----

    def test_a_prometheus_that_is_gone(self):
        self.prometheus.process.kill()
        self.prometheus.process.wait()
        found = self.assert_found("prometheus-ready", "connect")
        self.assertIn("restart prometheus", found["fix"])
        self.prometheus.start()
        self.prometheus.wait()
        self.assert_mended(found)
        self.assertIn("compose restart -- prometheus", self.restarts.read_text())

    def test_a_prometheus_that_takes_connections_and_never_answers(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        self.move("prometheus", silent.getsockname()[1])
        began = time.monotonic()
        self.assert_found("prometheus-ready", "")
        self.assertLess(time.monotonic() - began, 10)

    def test_no_job_for_the_receiver(self):
        self.start_prometheus({"other": self.collector.ports["8889"]})
        self.assert_found("prometheus-job", "has no job otel-collector")
        self.start_prometheus()
        self.assert_well()

    def test_a_target_that_is_down(self):
        self.start_prometheus({"otel-collector": self.collector.ports["8889"], "extra": free_port()})
        self.assert_found("prometheus-targets", "extra")

    def test_a_job_that_reads_something_else(self):
        web = self.keep(Web(lambda _: (200, b"something_else 1\n")))
        self.collector.post("/v1/metrics", points(0.5))
        wait_until(lambda: "claude_code_cost" in self.collector.get("8889", "/metrics"), "it is shown", deadline_s=20)
        self.start_prometheus({"otel-collector": web.port})
        self.assert_found("prometheus-metrics", "has none of them", result="warning")
        self.start_prometheus()
        wait_until(lambda: self.prometheus.query("claude_code_cost_usage_USD_total"), "it is read", deadline_s=30)
        self.assert_well()

    def test_a_change_that_prometheus_cannot_read(self):
        path = self.prometheus.folder / "prometheus.yml"
        former = path.read_text()
        path.write_text(former + "nonsense: [\n")
        self.prometheus.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "last_reload_successful 0" in self.own_metrics(), "it has tried", deadline_s=20)
        self.assert_found("prometheus-reload", "former one")
        path.write_text(former)
        self.prometheus.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "last_reload_successful 1" in self.own_metrics(), "it has tried", deadline_s=20)
        self.assert_well()

    def own_metrics(self):
        return fetch(f"http://127.0.0.1:{self.prometheus.port}/metrics")[1]

    def test_no_rules(self):
        self.start_prometheus(rules=False)
        self.assert_found("prometheus-rules", "no recording rules")

    def test_a_rule_that_fails(self):
        jobs = {"otel-collector": self.collector.ports["8889"], "second": self.collector.ports["8889"]}
        self.start_prometheus(jobs, more_rules="\n  - name: broken\n    interval: 1s\n    rules:\n"
                                               "      - {record: 'a:b', expr: 'up * on () up'}\n")
        wait_until(self.prometheus.failed_rules, "it is evaluated", deadline_s=30)
        self.assert_found("rule-errors", "a:b")

    def test_data_that_go_earlier_than_one_thinks(self):
        self.start_prometheus(retention="15d")
        self.assert_found("retention", "15d", result="warning")

    @unittest.skipUnless(CLOCK, "the clock that can be set is built with the tests")
    def test_a_clock_that_stands_elsewhere(self):
        ahead = self.stack.scratch / "ahead"
        ahead.write_bytes((3600 * 1000).to_bytes(8, "little", signed=True))
        checks = self.checks(environment={"LD_PRELOAD": CLOCK, "CCTM_TEST_CLOCK": str(ahead)})
        self.assertEqual(self.bad(checks), {"prometheus-clock"})
        self.assertIn("3600 s behind", checks["prometheus-clock"]["evidence"])

    def through(self, answer):
        """Prometheus behind a server that answers some things itself."""
        def hand_on(request):
            said = answer(request.path)
            if said:
                return said
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.prometheus.port}{request.path}", timeout=10) as there:
                    return there.status, there.read()
            except urllib.error.HTTPError as there:
                return there.code, there.read()

        self.move("prometheus", self.keep(Web(hand_on)).port)

    def test_more_series_than_fit(self):
        document = {"status": "success", "data": {"headStats": {"numSeries": 1_500_000},
                                                  "labelValueCountByLabelName": [{"name": "session_id", "value": 90_000}]}}
        self.through(lambda path: (200, json.dumps(document).encode()) if path.startswith("/api/v1/status/tsdb") else None)
        found = self.assert_found("series", "the label session_id has most values", result="warning")
        self.assertIn("INCLUDE_SESSION_ID", found["fix"])

    def test_rules_that_record_less_than_was_counted(self):
        def answer(path):
            asked = urllib.parse.unquote(path)
            value = "4" if ":counted[1h]" in asked and "sum(sum_over_time" in asked and "offset 10m" in asked else \
                "10" if "last_over_time(claude_code_cost" in asked else None
            document = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]}]}}
            return (200, json.dumps(document).encode()) if value else None

        self.through(answer)
        self.assert_found("recorded", "rose by 10.0000 USD, and the rules recorded 4.0000 USD", result="warning")

    def test_what_the_collector_refused(self):
        document = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "42"]}]}}
        self.through(lambda path: (200, json.dumps(document).encode()) if "receiver_refused" in path else None)
        self.run_fix(self.assert_found("collector-refused", "about 42 points", result="warning"))

    def test_a_query_that_a_prometheus_does_not_know(self):
        self.through(lambda path: (400, b'{"status":"error","error":"unknown function"}') if "histogram_quantile" in path else None)
        found = self.assert_found("queries", "unknown function")
        self.assertIn("upgrade", found["fix"])

    # ---- Grafana ----

    def test_a_grafana_that_is_gone(self):
        former = self.grafana.port
        self.move("grafana", free_port())
        self.assert_found("grafana-health", "connect")
        self.move("grafana", former)
        self.assert_well()

    def test_a_database_that_is_broken(self):
        self.grafana.database = "failing"
        found = self.assert_found("grafana-health", "failing")
        self.assertIn("restart grafana", found["fix"])
        self.grafana.database = "ok"
        self.assert_mended(found)

    def test_another_password_is_tried_once(self):
        self.grafana.password = "changed in the page"
        self.assert_found("grafana-login", "401")
        self.assertEqual(self.grafana.wrong, 1)

    def test_a_weak_password_is_rotated(self):
        self.grafana.password = "changeme"
        self.stack.write(".env", re.sub("(?m)^GRAFANA_ADMIN_PASSWORD=.*", "GRAFANA_ADMIN_PASSWORD=changeme",
                                        self.stack.read(".env")))
        (self.stack.dir / ".env").chmod(0o600)
        self.assert_mended(self.assert_found("password", "everybody tries"))
        self.assert_well()

    def test_no_datasource(self):
        former, self.grafana.datasources = self.grafana.datasources, []
        found = self.assert_found("datasource", "prometheus_claude_metrics")
        self.assertIn("restart grafana", found["fix"])
        self.grafana.datasources = former
        self.assert_mended(found)

    def test_a_datasource_that_points_to_itself(self):
        self.grafana.datasources[0]["url"] = "http://localhost:9090"
        found = self.assert_found("datasource-url", "http://localhost:9090")
        self.grafana.datasources[0]["url"] = "http://prometheus:9090"
        self.assert_mended(found)

    def test_a_datasource_that_does_not_reach_prometheus(self):
        self.grafana.is_reached = False
        self.assert_found("datasource-health", "connection refused")

    def test_a_datasource_whose_name_is_our_uid(self):
        self.grafana.datasources.append({"uid": "x", "name": "prometheus_claude_metrics", "type": "prometheus"})
        self.assert_found("datasource-name", "pages ask that one")

    def test_dashboards_that_are_not_there(self):
        self.grafana.dashboards.clear()
        self.grafana.history.clear()
        self.grafana.folders.clear()
        shutil.rmtree(self.stack.dir / ".cctm/dashboards", ignore_errors=True)
        found = self.assert_found("dashboards", "not in Grafana", result="warning")
        self.assert_mended(found)

    # ---- mending ----

    def test_what_is_safe_is_done_and_looked_at_again(self):
        (self.stack.dir / ".env").chmod(0o644)
        self.settings(OTEL_METRICS_EXPORTER=None)
        self.grafana.dashboards.clear()
        self.grafana.history.clear()
        shutil.rmtree(self.stack.dir / ".cctm/dashboards", ignore_errors=True)
        self.assertEqual(self.bad(self.checks()), {"env-mode", "claude-metrics", "dashboards"})
        self.cctm("doctor", "--fix", status=2)  # there is nobody to ask
        document = self.doctor("--fix", "--yes")
        self.assertTrue(document["healthy"])
        self.assertEqual([row["done"] for row in document["mended"]], [True] * 3)


class DatasourceGrafana(Grafana):
    """With what a datasource is asked. "GET …/uid/:uid/health | 200 / 400 | ok {status:"OK",message}; unreachable
    {status:"ERROR",message with the dial error}"; "503 with "database":"failing" exists in source"."""

    is_reached, database, prometheus = True, "ok", None

    def answer(self, method, path, headers, body):
        if path == "/api/health":
            return (200 if self.database == "ok" else 503), {"database": self.database, "version": "12.3.0"}
        if path == "/api/datasources/uid/prometheus_claude_metrics/health":
            self.check_login(headers)
            if self.is_reached:
                return 200, {"status": "OK", "message": "Successfully queried the Prometheus API."}
            return 400, {"status": "ERROR", "message": "dial tcp: connect: connection refused"}
        proxy = "/api/datasources/proxy/uid/prometheus_claude_metrics"
        if method == "GET" and path.startswith(proxy):  # "GET …/proxy/uid/:uid/api/v1/query | 200"
            self.check_login(headers)
            return 200, json.loads(fetch(f"http://127.0.0.1:{self.prometheus.port}{path[len(proxy):]}")[1])
        if method == "PUT" and path == "/api/user/password":
            self.check_login(headers)
            asked = self.json_of(headers, body)
            if asked["oldPassword"] != self.password:
                raise message(400, "Invalid old password", messageId="user.password-missmatch")
            self.password = asked["newPassword"]
            return 200, {"message": "User password changed"}
        return super().answer(method, path, headers, body)


class Words(EmbeddedStack):
    """How it is asked and what it prints."""

    def test_one_check_alone(self):
        (self.stack.dir / ".env").chmod(0o644)
        checks = self.checks("--check", "env-mode")
        self.assertEqual(list(checks), ["env-mode"])
        self.assertEqual(set(next(iter(checks.values()))), {"id", "group", "title", "result", "evidence", "fix", "advice",
                                                            "is_command", "is_safe", "doc", "took_ms"})

    def test_one_check_knows_what_it_waits_for(self):
        self.cctm("down", "-q")
        self.assertIn("waits for running", self.checks("--check", "otlp-http")["otlp-http"]["evidence"])

    def test_a_text_for_an_agent(self):
        self.settings(OTEL_METRICS_EXPORTER="console")
        text = self.cctm("doctor", "--prompt", status=3).stdout
        self.assertIn("claude-metrics", text)
        self.assertIn(f"cctm -C {self.stack.dir} env --apply --force", text)
        self.assertIn("cctm doctor --check ID", text)

    def test_a_directory_with_a_blank_is_quoted(self):
        other = self.stack.scratch / "my $(touch x) stack"
        shutil.copytree(self.stack.dir, other)
        (other / ".env").chmod(0o644)
        done = self.stack.run("-C", str(other), "doctor", "--json", "--check", "env-mode", status=3)
        check = json.loads(done.stdout)["checks"][0]
        self.assertEqual(shlex.split(check["fix"]), ["chmod", "600", f"{other}/.env"])
        self.run_fix(check)
        self.assertEqual((other / ".env").stat().st_mode & 0o777, 0o600)

    def test_a_report_holds_no_secret(self):
        secret = re.search("(?m)^OTLP_BEARER_TOKEN=(.*)$", self.stack.read(".env"))[1]
        self.stack.write("cctm.yaml", self.stack.read("cctm.yaml") + f"# {secret} ada.l@example.com\n")
        self.cctm("doctor", "--report", "fault.tar.gz")
        path = self.stack.scratch / "fault.tar.gz"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        with tarfile.open(path) as archive:
            texts = {member.name: archive.extractfile(member).read().decode() for member in archive if member.isfile()}
        whole = "".join(texts.values())
        for word in (secret, str(self.home), "ada.l@example.com"):
            self.assertNotIn(word, whole)
        self.assertIn("<OTLP_BEARER_TOKEN>", texts["cctm-report/stack/cctm.yaml"])
        self.assertIn("<EMAIL>", texts["cctm-report/replaced.txt"])
        self.assertLessEqual({"cctm-report/results.json", "cctm-report/versions.txt", "cctm-report/logs.txt"}, set(texts))
        json.loads(texts["cctm-report/results.json"])

    @unittest.skipUnless(os.getuid() == 0, "only root can become somebody else")
    def test_somebody_else_s_stack(self):
        for path in (self.stack.scratch, self.stack.dir):
            path.chmod(0o755)
        for path, mode in (("cctm.yaml", 0o644), (".cctm", 0o755), (".cctm/manifest.json", 0o644)):
            (self.stack.dir / path).chmod(mode)
        done = subprocess.run([PROGRAM, "-C", self.stack.dir, "doctor", "--json"], capture_output=True, text=True, user=65534,
                              group=65534, env={**self.stack.environment, "HOME": "/nonexistent"}, cwd="/", check=False)
        checks = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertIn("ermission denied", checks["env-file"]["evidence"])
        self.assertEqual(checks["data-folder"]["result"], "failure", checks["data-folder"])


if __name__ == "__main__":
    case.main()
