"""`cctm env --apply` and `--remove` on files as people have them: every byte that is not ours stays."""

import json
import os
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from lib import case
from lib.bridge import free_port
from stacks import PROGRAM, Stack

SETTINGS = ".claude/settings.json"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

# As they stand in the file, byte for byte.
FORMS = {
    "nothing there": None,
    "empty": b"",
    "blank": b" \r\n",
    "an empty object": b"{}",
    "one line": b'{"model":"opus","env":{"A":"1"},"permissions":{"allow":["Bash(ls:*)"]}}',
    "two blanks": b'{\n  "model": "opus",\n  "env": {\n    "A": "1"\n  }\n}\n',
    "tabs and CRLF": b'{\r\n\t"model": "opus",\r\n\t"env": {\r\n\t\t"A": "1"\r\n\t}\r\n}\r\n',
    "a byte-order mark": b'\xef\xbb\xbf{\n  "model": "opus"\n}',
    "comments": b'{\n  // the model\n  "model": "opus", /* really */\n  "env": {\n    "A": "1", // one\n  },\n}\n',
    "unusual Unicode": '{\n  "r\u00e9sum\u00e9 \u2028 \U0001f600": "\\ud800 \u202e \u00a0",\n  "env": {}\n}\n'.encode(),
    "keys twice": b'{"env": {"A": "1"}, "env": {"B": "2"}}',
    "an escaped key": b'{"\\u0065nv": {"A": "1"}}',
    "huge": b'{"list": [' + b",\n".join(b'"%06d"' % i for i in range(300_000)) + b']}\n',
    "numbers as they were": b'{"a": 1.0, "b": 1e400, "c": 12345678901234567890123, "env": {"A": "1"}}',
}

BROKEN = {
    "cut off": (b'{"env": {"A": "1"', "line 1, column 18"),
    "a comma is missing": (b'{\n  "a": 1\n  "b": 2\n}\n', "line 3, column 3"),
    "no object": (b"[1, 2]", "line 1, column 1"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "UTF-16"),
    "env is a list": (b'{"env": []}', '"env" is there, and is no object'),
}


class Apply(unittest.TestCase):
    def setUp(self):
        self.grpc = free_port()
        self.stack = Stack("--set", f"ports.otlp_http={free_port()}", "--set", f"ports.otlp_grpc={self.grpc}", runtime="embedded")
        self.addCleanup(self.stack.close)
        self.file = self.stack.scratch / SETTINGS

    def env(self, *words, status=0, **more):
        return self.stack.run("-C", str(self.stack.dir), "env", *words, status=status, **more)

    def put(self, content, mode=0o644):
        self.file.parent.mkdir(exist_ok=True)
        if content is None:
            self.file.unlink(missing_ok=True)
        else:
            self.file.write_bytes(content)
            self.file.chmod(mode)

    def applied(self):
        """What a reader of JSON with comments finds: the program itself says."""
        rows = json.loads(self.env("--check", "--json", status=None).stdout)["here"]["variables"]
        return {row["name"]: row["value"] for row in rows}

    def test_over_grpc_the_bridge_is_sent_to_at_its_grpc_port(self):
        self.env("--apply", "--protocol", "grpc")
        applied = self.applied()
        self.assertEqual(applied["OTEL_EXPORTER_OTLP_PROTOCOL"], "grpc")
        self.assertEqual(applied["OTEL_EXPORTER_OTLP_ENDPOINT"], f"http://127.0.0.1:{self.grpc}")
        self.env("--check")
        self.env("--remove")

    def test_what_is_added_is_read_and_taking_it_out_gives_the_former_bytes(self):
        for name, content in FORMS.items():
            with self.subTest(name):
                self.put(content, 0o640)
                self.env("--apply")
                self.assertEqual(self.applied()["OTEL_METRICS_EXPORTER"], "otlp")
                first = self.file.read_bytes()
                self.assertIn("has all of it already", self.env("--apply").stdout)
                self.assertEqual(self.file.read_bytes(), first)
                self.env("--apply", "--team", "core", "--delta")
                self.assertIn(b'"OTEL_RESOURCE_ATTRIBUTES": "team.id=core"', self.file.read_bytes())
                self.env("--apply")
                self.assertEqual(self.file.read_bytes(), first, "nothing is left of what is no longer wanted")
                self.env("--remove")
                if content is None:
                    self.assertFalse(self.file.exists())
                else:
                    self.assertEqual(self.file.read_bytes(), content)
                    self.assertEqual(self.file.stat().st_mode & 0o777, 0o640)

    def test_what_the_user_does_meanwhile_stays(self):
        self.put(FORMS["two blanks"])
        self.env("--apply")
        self.file.write_text(self.file.read_text().replace('"A": "1"', '"A": "2",\n    "MINE": "yes"')
                             .replace('"10000"', '"60000"'))
        self.env("--remove")
        self.assertEqual(json.loads(self.file.read_text()),
                         {"model": "opus", "env": {"A": "2", "MINE": "yes", "OTEL_METRIC_EXPORT_INTERVAL": "60000"}})

    def test_an_edit_between_two_applies_is_kept_by_the_removal(self):
        self.put(FORMS["two blanks"])
        self.env("--apply")
        self.file.write_text(self.file.read_text().replace('"opus"', '"haiku"'))
        self.env("--apply", "--team", "core")
        self.env("--remove")
        self.assertEqual(self.file.read_bytes(), FORMS["two blanks"].replace(b"opus", b"haiku"))

    def test_broken_files_are_refused_with_the_place_and_stay(self):
        for name, (content, place) in BROKEN.items():
            with self.subTest(name):
                self.put(content)
                self.assertIn(place, self.env("--apply", status=1).stderr)
                self.assertEqual(self.file.read_bytes(), content)
        self.assertEqual(list(self.file.parent.iterdir()), [self.file])

    def test_values_of_the_user_are_shown_and_need_force(self):
        content = b'{"env": {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "otlp",\n' \
                  b'"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://u:hidden@x/"}}'
        self.put(content)
        said = self.env("--apply", status=4).stderr
        self.assertIn("OTEL_METRICS_EXPORTER is none and would be otlp", said)
        self.assertIn("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", said)
        self.assertIn("--force", said)
        self.assertNotIn("hidden", said)
        self.assertEqual(self.file.read_bytes(), content)
        self.env("--apply", "--force")
        env = json.loads(self.file.read_text())["env"]
        self.assertEqual(env["OTEL_METRICS_EXPORTER"], "otlp")
        self.assertNotIn("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", env)
        self.file.write_text(self.file.read_text() + "\n")
        self.env("--remove")
        self.assertEqual(json.loads(self.file.read_text()), json.loads(content), "also after an edit")

    def test_a_link_stays_a_link(self):
        real = self.stack.scratch / "dotfiles.json"
        real.write_bytes(FORMS["two blanks"])
        self.file.parent.mkdir()
        self.file.symlink_to("../dotfiles.json")
        self.env("--apply")
        self.assertTrue(self.file.is_symlink())
        self.assertIn("otlp", real.read_text())
        self.env("--remove")
        self.assertEqual(real.read_bytes(), FORMS["two blanks"])
        real.unlink()
        self.assertIn("leads nowhere", self.env("--apply", status=1).stderr)

    def test_a_file_that_nobody_may_write_to_is_refused(self):
        self.put(FORMS["two blanks"], 0o444)
        self.assertIn("chmod u+w", self.env("--apply", status=4).stderr)
        self.assertEqual(self.file.read_bytes(), FORMS["two blanks"])

    @unittest.skipIf(os.geteuid() != 0, "not root")
    def test_the_owner_stays_and_another_users_file_is_refused_for_who_is_not_root(self):
        self.put(FORMS["two blanks"])
        os.chown(self.file, 12345, 54321)
        self.env("--apply")
        self.assertEqual((self.file.stat().st_uid, self.file.stat().st_gid), (12345, 54321))
        self.env("--remove")
        self.assertEqual((self.file.stat().st_uid, self.file.read_bytes()), (12345, FORMS["two blanks"]))
        self.stack.scratch.chmod(0o777)
        for path in [self.stack.dir, *self.stack.dir.rglob("*"), self.file.parent]:
            os.chown(path, 65534, 65534)
        done = subprocess.run([PROGRAM, "-C", str(self.stack.dir), "env", "--apply"], user=65534, group=65534,
                              extra_groups=[], env=self.stack.environment, cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("belongs to another user", done.stderr)
        self.assertEqual(self.file.read_bytes(), FORMS["two blanks"])

    def test_a_dry_run_writes_nothing(self):
        self.assertIn(f"set      {ENDPOINT}=http://127.0.0.1:", self.env("--apply", "--dry-run").stdout)
        self.assertFalse(self.file.exists())
        self.assertFalse((self.stack.scratch / ".local").exists())

    def test_waiting_tells_receiving_from_silent(self):
        ports = {name: free_port() for name in ("exporter", "health", "zpages")}
        self.stack.init(*[word for name, port in ports.items() for word in ("--set", f"ports.{name}={port}")])
        self.addCleanup(self.stack.run, "down", "-C", str(self.stack.dir), "-q")
        self.stack.run("up", "-C", str(self.stack.dir), "-q")
        said = self.env("--apply", "--wait=1s", status=3)
        self.assertIn("configured but silent: nothing came in", said.stdout)
        waiting = subprocess.Popen([PROGRAM, "-C", str(self.stack.dir), "env", "--wait=20s"], env=self.stack.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(0.5)
        self.stack.run("up", "-C", str(self.stack.dir), "-q")  # sends a sample
        self.assertIn("receiving: 1 data points", waiting.communicate(timeout=30)[0])
        self.assertEqual(waiting.returncode, 0)

    def test_json_says_what_was_done(self):
        document = json.loads(self.env("--apply", "--json").stdout)
        self.assertEqual((document["scope"], document["changed"], document["backup"]), ("user", True, None))
        self.assertIn({"name": "OTEL_METRICS_EXPORTER", "action": "set", "value": "otlp", "former": None},
                      document["variables"])
        self.assertTrue(json.loads(self.env("--remove", "--json").stdout)["changed"])
        self.assertFalse(json.loads(self.env("--remove", "--json").stdout)["changed"])

    def test_each_scope_has_its_file(self):
        for scope, name in [("project", SETTINGS), ("local", ".claude/settings.local.json")]:
            with self.subTest(scope):
                # The tests' home is the folder that they work in: another one for the user's own.
                elsewhere = {"CLAUDE_CONFIG_DIR": str(self.stack.scratch / "elsewhere")}
                self.env("--apply", "--scope", scope, environment=elsewhere)
                self.assertIn("otlp", (self.stack.scratch / name).read_text())
                self.env("--remove", "--scope", scope, environment=elsewhere)
                self.assertFalse((self.stack.scratch / name).exists())

    def test_a_fleet_gets_settings_without_secrets(self):
        settings = json.loads(self.env("--managed", "--print").stdout)
        self.assertEqual(settings["env"]["CLAUDE_CODE_ENABLE_TELEMETRY"], "1")
        self.assertEqual(json.loads(self.env("--managed", "--print", "--json").stdout)["settings"], settings)

    def test_a_shell_gets_a_block_that_works_and_goes_again(self):
        for shell, start in [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", ".config/fish/config.fish")]:
            for content in (b"# mine\nexport A=1", b"# mine\n", None):
                with self.subTest(f"{shell} {content}"):
                    path = self.stack.scratch / start
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if content is not None:
                        path.write_bytes(content)
                    self.env("--apply", "--scope", "shell", "--shell", shell, "--team", "a'b")
                    self.env("--apply", "--scope", "shell", "--shell", shell, "--team", "a'b")
                    self.assertEqual(path.read_text().count(">>> cctm env >>>"), 1)
                    if shutil.which(shell):
                        said = subprocess.run([shell, "-c", f". {path}; printenv OTEL_RESOURCE_ATTRIBUTES"],
                                              capture_output=True, text=True, check=True).stdout
                        self.assertEqual(said, "team.id=a%27b\n")
                    self.env("--remove", "--scope", "shell", "--shell", shell)
                    self.assertEqual(path.read_bytes() if path.exists() else None, content)
                    path.unlink(missing_ok=True)


@unittest.skipIf(not Path("/proc/self/environ").exists(), "no /proc")
class Running(unittest.TestCase):
    """A process that looks like Claude Code's native installation: a program under its version, named claude."""

    def setUp(self):
        self.stack = Stack("--set", f"ports.otlp_http={free_port()}", "--set", f"ports.otlp_grpc={free_port()}", runtime="embedded")
        self.addCleanup(self.stack.close)
        self.work = self.stack.scratch / "work"
        self.work.mkdir()

    def env(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "env", *words, status=status)

    def start(self, version="2.1.331", **variables):
        program = self.stack.scratch / "versions" / version
        program.parent.mkdir(exist_ok=True)
        if not program.exists():
            shutil.copy(shutil.which("sleep"), program)
        process = subprocess.Popen(["claude", "60"], executable=program, cwd=self.work,
                                   env={"HOME": str(self.stack.scratch), **variables})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        time.sleep(0.1)  # when it started is known to a hundredth of a second
        return process

    def wanted(self):
        return {row["name"]: row["value"] for row in json.loads(self.env("--json").stdout)["variables"]}

    def check(self, process, status):
        document = json.loads(self.env("--check", "--pid", str(process.pid), "--json", status=status).stdout)
        return document["processes"][0]

    def test_one_that_has_all_is_well(self):
        found = self.check(self.start(**self.wanted()), 0)
        self.assertEqual((found["well"], found["directory"]), (True, str(self.work)))
        self.assertIsNone(found["version_fault"])

    def test_one_that_has_other_settings_is_named(self):
        process = self.start(**{**self.wanted(), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://elsewhere:1"})
        rows = {row["name"]: row for row in self.check(process, 3)["variables"]}
        self.assertEqual(rows[ENDPOINT]["verdict"], "differs")
        self.assertEqual(rows[ENDPOINT]["origin"], "environment")
        self.assertEqual(rows["OTEL_METRICS_EXPORTER"]["verdict"], "ok")

    def test_one_that_started_before_its_settings_were_written_has_to_start_anew(self):
        process = self.start()
        self.assertIn("start it anew", self.env("--apply").stderr)
        found = self.check(process, 3)
        self.assertTrue(found["stale"])
        said = self.env("--check", status=3).stdout
        self.assertRegex(said, rf"{process.pid} .*started before its settings were changed: start it anew")
        self.assertTrue(self.check(self.start(), 0)["well"])

    def test_the_projects_own_settings_win(self):
        (self.work / ".claude").mkdir()
        (self.work / ".claude" / "settings.local.json").write_text('{"env": {"OTEL_METRICS_EXPORTER": "none"}}')
        rows = {row["name"]: row for row in self.check(self.start(**self.wanted()), 3)["variables"]}
        self.assertEqual((rows["OTEL_METRICS_EXPORTER"]["origin"], rows["OTEL_METRICS_EXPORTER"]["value"]),
                         ("local settings", "none"))

    def test_a_version_with_a_known_fault_is_said(self):
        process = self.start("2.1.252", **self.wanted())
        self.assertIn("91165", self.check(process, 0)["version_fault"])

    def test_secrets_are_not_shown(self):
        process = self.start(OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer hidden-token")
        self.stack.init("--set", "otlp.auth=bearer")
        for words in (["--check", "--pid", str(process.pid)], ["--check", "--json"], ["--check"]):
            done = self.env(*words, status=3)
            self.assertNotIn("hidden-token", done.stdout + done.stderr)


class Token(unittest.TestCase):
    def setUp(self):
        self.stack = Stack("--set", "otlp.auth=bearer")
        self.addCleanup(self.stack.close)
        self.file = self.stack.scratch / SETTINGS
        self.token = next(line.split("=", 1)[1] for line in self.stack.read(".env").splitlines()
                          if line.startswith("OTLP_BEARER_TOKEN="))

    def env(self, *words, status=0):
        done = self.stack.run("-C", str(self.stack.dir), "env", *words, status=status)
        self.assertNotIn(self.token, done.stdout + done.stderr)
        return done

    def test_over_http_a_script_brings_it(self):
        self.env("--apply")
        settings = json.loads(self.file.read_text())
        self.assertNotIn(self.token, self.file.read_text())
        said = subprocess.run([settings["otelHeadersHelper"]], capture_output=True, check=True).stdout
        self.assertEqual(json.loads(said), {"Authorization": f"Bearer {self.token}"})
        self.env("--check", "--json", status=None)

    def test_over_grpc_the_file_holds_it_and_is_private(self):
        self.file.parent.mkdir()
        self.file.write_text("{}")
        self.file.chmod(0o644)
        said = self.env("--apply", "--protocol", "grpc").stderr
        self.assertIn("0600", said)
        self.assertIn(self.token, self.file.read_text())
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.env("--apply", "--protocol", "grpc", "--dry-run")
        self.env("--apply", "--protocol", "grpc", "--json")
        self.env("--remove")
        self.assertEqual((self.file.read_text(), self.file.stat().st_mode & 0o777), ("{}", 0o644))

    def test_what_others_read_never_holds_it(self):
        environment = {"CLAUDE_CONFIG_DIR": str(self.stack.scratch / "elsewhere")}
        for protocol in ("grpc", "http/protobuf"):
            done = self.stack.run("-C", str(self.stack.dir), "env", "--apply", "--scope", "project", "--protocol", protocol,
                                  environment=environment)
            self.assertIn("the token is left out", done.stderr)
            self.assertNotIn(self.token, self.file.read_text())
            self.assertNotIn("otelHeadersHelper", self.file.read_text())


if __name__ == "__main__":
    case.main()
