"""`cctm backup` and `cctm restore` of an embedded stack: the round trip, under load, killed at its calls, and hostile archives.

CCTM_RECOVERY=all kills at every point instead of a choice.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from lib import case
from lib.bridge import free_port
from stacks import IS_SLOW, PROGRAM, Stack

FAULTS = os.environ.get("CCTM_FAULTS", "librecovery_faults.so")
IS_ALL = os.environ.get("CCTM_RECOVERY") == "all"
KILLS = 1000 if IS_ALL else 12 if IS_SLOW else 30
PORTS = ("otlp_http", "otlp_grpc", "exporter", "health", "zpages")


def export(usd, session):
    now = str(time.time_ns())
    point = {"startTimeUnixNano": now, "timeUnixNano": now, "asDouble": usd,
             "attributes": [{"key": "session.id", "value": {"stringValue": session}}]}
    metric = {"name": "claude_code.cost.usage", "unit": "USD",
              "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()


class Embedded(unittest.TestCase):
    """A stack with a bridge that runs and has taken a little."""

    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        self.stack = Stack(*[word for name, port in self.ports.items() for word in ("--set", f"ports.{name}={port}")],
                           runtime="embedded")
        self.addCleanup(self.stack.close)
        self.addCleanup(self.down)
        self.sent = 0

    def down(self, where=None):
        for folder in [where] if where else [self.stack.dir, self.stack.scratch / "fresh"]:
            if (folder / "cctm.yaml").exists():
                self.stack.run("-C", str(folder), "down", "-q", status=None)

    def there(self, *words, where=None, status=0, **more):
        return self.stack.run("-C", str(where or self.stack.dir), *words, status=status, **more)

    @contextlib.contextmanager
    def load(self):
        """One request after another as long as the block lasts; each of them has to be taken."""
        is_over, refused = threading.Event(), []

        def go_on():
            try:
                while not is_over.is_set():
                    self.send(1)
            except Exception as why:  # a thread that ends in silence would leave a test with nothing to lose
                refused.append(why)

        before, thread = self.sent, threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
        self.assertEqual(refused, [])
        self.assertGreater(self.sent, before)

    def send(self, usd):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['otlp_http']}/v1/metrics", export(usd, "one"),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).read()
        self.sent += usd

    def total(self, where=None):
        return json.loads(self.there("report", "--json", "--since", "2000-01-01", where=where).stdout)["totals"]["cost_usd"] or 0

    def metrics(self):
        url = f"http://127.0.0.1:{self.ports['exporter']}/metrics"
        text = urllib.request.urlopen(url, timeout=5).read().decode()
        return [line for line in text.splitlines() if line.startswith("claude_code_cost")]

    def start_of(self, lines):
        return {line.split('start="')[1].split('"')[0] for line in lines}

    def backup(self, *words, **more):
        return json.loads(self.there("backup", "--json", *words, **more).stdout)


class RoundTrip(Embedded):
    def test_into_an_empty_directory_with_the_same_totals_and_a_new_epoch(self):
        self.there("up", "-q")
        for usd in (1, 2, 4):
            self.send(usd)
        before = self.metrics()
        made = self.backup()
        self.assertFalse(made["partial"])
        self.assertEqual(os.stat(made["archive"]).st_mode & 0o777, 0o600)
        self.assertEqual([part["name"] for part in made["parts"] if part["state"] == "saved"],
                         ["configuration", "secrets", "ledger"])
        archive = self.stack.scratch / "saved.tar.zst"
        shutil.copy(made["archive"], archive)
        env = self.stack.read(".env")
        self.down()
        shutil.rmtree(self.stack.dir)
        fresh = self.stack.scratch / "fresh"
        done = json.loads(self.stack.run("restore", str(archive), "--to", str(fresh), "--json").stdout)
        self.assertTrue(done["started"])
        self.assertEqual(self.total(fresh), 7)
        self.assertEqual((fresh / ".env").read_text(), env)
        self.assertEqual((fresh / ".env").stat().st_mode & 0o777, 0o600)
        self.send(8)
        self.assertEqual(self.total(fresh), 15)
        after = self.metrics()
        self.assertTrue(self.start_of(before).isdisjoint(self.start_of(after)), (before, after))
        self.assertFalse((fresh / "bridge" / "ledger-restored").exists())

    def test_in_place_of_what_is_there_which_is_saved_first(self):
        self.there("up", "-q")
        self.send(1)
        archive = self.backup()["archive"]
        self.send(2)
        self.stack.write("cctm.yaml", self.stack.read("cctm.yaml") + "# mine\n")
        refused = self.there("restore", archive, status=2)
        self.assertIn("--yes", refused.stderr)
        self.assertEqual(self.total(), 3)
        done = json.loads(self.there("restore", archive, "--yes", "--json").stdout)
        self.assertEqual([change["path"] for change in done["changes"] if change["action"] == "replace"], ["cctm.yaml"])
        self.assertEqual(self.total(), 1)
        self.assertNotIn("# mine", self.stack.read("cctm.yaml"))
        self.there("restore", done["safety_backup"], "--yes", "-q")
        self.assertEqual(self.total(), 3)
        self.assertIn("# mine", self.stack.read("cctm.yaml"))

    def test_what_was_acknowledged_before_a_backup_is_in_it_and_nothing_twice(self):
        self.there("up", "-q")
        with self.load():
            for _ in range(3):
                time.sleep(0.3)
                before = self.sent
                archive = self.backup()["archive"]
                after = self.sent
                fresh = self.stack.scratch / "copy"
                self.stack.run("restore", archive, "--to", str(fresh), "--no-start", "-q")
                total = self.total(fresh)
                # One request may be answered and not yet counted here.
                self.assertTrue(before <= total <= after + 1, (before, total, after))
                shutil.rmtree(fresh)
        self.assertEqual(self.total(), self.sent)

    def test_through_pipes_and_without_secrets(self):
        self.there("up", "-q")
        self.send(3)
        archive = self.stack.scratch / "piped"
        with archive.open("wb") as out:
            subprocess.run([PROGRAM, "-C", str(self.stack.dir), "backup", "-o", "-", "--no-secrets", "--compression", "gzip"],
                           stdout=out, check=True, env=self.stack.environment, timeout=60)
        self.assertFalse([name for name in tarfile.open(archive, "r:gz").getnames() if name.startswith("secrets")])
        self.down()
        with archive.open("rb") as source:
            subprocess.run([PROGRAM, "restore", "-", "--to", "fresh"], stdin=source, check=True, cwd=self.stack.scratch,
                           env=self.stack.environment, timeout=60, capture_output=True)
        fresh = self.stack.scratch / "fresh"
        self.assertEqual(self.total(fresh), 3)
        self.assertIn("OTLP_BEARER_TOKEN=", (fresh / ".env").read_text())

    def test_the_ledger_alone(self):
        self.there("up", "-q")
        self.send(1)
        archive = self.backup("--include", "ledger")["archive"]
        self.send(2)
        text = self.stack.read("cctm.yaml") + "# mine\n"
        self.stack.write("cctm.yaml", text)
        self.there("restore", archive, "--only", "ledger", "--yes", "-q", "--no-safety-backup")
        self.assertEqual((self.total(), self.stack.read("cctm.yaml")), (1, text))
        self.assertIn("has no part secrets", self.there("restore", archive, "--only", "secrets", "--yes", status=2).stderr)

    def test_a_part_that_cannot_be_read_is_named_and_the_rest_saved(self):
        self.there("up", "-q")
        self.send(1)
        self.down()
        (self.stack.dir / "bridge" / "ledger.db").write_bytes(b"garbage " * 4096)
        said = self.there("backup", "--json", status=1)
        made = json.loads(said.stdout)
        self.assertTrue(made["partial"])
        parts = {part["name"]: part for part in made["parts"]}
        self.assertEqual((parts["ledger"]["state"], parts["configuration"]["state"]), ("failed", "saved"))
        self.assertIn("ledger", parts["ledger"]["notes"][0])
        self.assertTrue(json.loads(self.stack.run("backup", "verify", made["archive"], "--json").stdout)["partial"])

    def test_an_upgrade_saves_what_is_there_first(self):
        self.there("up", "-q")
        self.send(1)
        self.there("config", "set", "otlp.auth", "bearer")
        self.there("upgrade", "--no-backup", "-q")
        self.assertFalse((self.stack.dir / "backups").exists())
        self.there("config", "set", "otlp.auth", "none")
        self.there("upgrade", "-q")
        saved, = (self.stack.dir / "backups").glob("cctm-*")
        before = self.total()
        self.there("restore", str(saved), "--yes", "-q", "--no-safety-backup")
        self.assertEqual((before, self.total()), (1, 1))

    def test_an_archive_that_is_there_is_not_replaced(self):
        path = self.stack.scratch / "mine"
        path.write_text("mine")
        self.there("backup", "-o", str(path), status=4)
        self.assertEqual(path.read_text(), "mine")
        self.assertFalse([p for p in self.stack.scratch.iterdir() if "cctm-new" in p.name])

    def test_a_directory_with_something_else_is_refused(self):
        archive = self.backup()["archive"]
        other = self.stack.scratch / "other"
        other.mkdir()
        (other / "thesis.txt").write_text("mine")
        self.stack.run("restore", archive, "--to", str(other), status=4)
        self.assertEqual([path.name for path in other.iterdir()], ["thesis.txt"])


def content(stack_dir):
    """What a stack is: its files without what running leaves, and the ledger by its rows' home."""
    kept = {}
    for path in sorted(stack_dir.rglob("*")):
        name = str(path.relative_to(stack_dir))
        if path.is_file() and not name.startswith(("bridge/", "backups/")) and path.name not in ("lock", "current.json"):
            kept[name] = path.read_bytes()
    return kept


class Kills(Embedded):
    """Killed around each of its calls that change something, as many of them as there is time for."""

    def prepare(self):
        """Two states of one stack, the archive of the first, and the second lying there; nothing runs."""
        self.there("up", "-q")
        self.send(1)
        self.down()
        self.stack.write("config/mine.yaml", "first: true\n")
        self.archive = self.stack.scratch / "first.tar.zst"
        self.there("backup", "-q", "-o", str(self.archive))
        self.first = content(self.stack.dir)
        self.there("up", "-q")
        self.send(2)
        self.down()
        self.stack.write("config/mine.yaml", "second: true\n")
        self.second = content(self.stack.dir)
        self.template = self.stack.scratch / "template"
        shutil.copytree(self.stack.dir, self.template)

    def again(self):
        shutil.rmtree(self.stack.dir)
        shutil.copytree(self.template, self.stack.dir)

    def run_with(self, words, faults):
        environment = {"LD_PRELOAD": FAULTS, "FAULTS_DIR": str(self.stack.scratch), "ASAN_OPTIONS": "verify_asan_link_order=0",
                       **faults}
        return self.stack.run("-C", str(self.stack.dir), *words, status=None, environment=environment)

    def points(self, words):
        log = self.stack.scratch / "log"
        done = self.run_with(words, {"FAULTS_LOG": str(log)})
        self.assertEqual(done.returncode, 0, done.stderr)
        count = max(int(line.split()[0]) for line in log.read_text().splitlines())
        step = max(1, count // KILLS)
        return [(point, moment) for point in range(1, count + 1, step) for moment in ("before", "after")]

    def state(self):
        now = content(self.stack.dir)
        usd = self.total()
        if now == self.first and usd == 1:
            return "first"
        if now == self.second and usd == 3:
            return "second"
        return f"a mix: {sorted(k for k in now.keys() | self.second.keys() if now.get(k) != self.second.get(k))}, {usd} USD"

    def test_restore(self):
        self.prepare()
        words = ("restore", str(self.archive), "--yes", "-q", "--no-safety-backup")
        points = self.points(words)
        self.assertEqual(self.state(), "first")
        seen = set()
        for point, moment in points:
            with self.subTest(point=point, moment=moment):
                self.again()
                killed = self.run_with(words, {"FAULTS_KILL": f"{point} {moment}"})
                self.assertEqual(killed.returncode, -9, killed.stderr)
                # What was decided is completed by the next command that changes something.
                self.there("backup", "prune", "--keep-last", "1", "-q")
                seen.add(self.state())
                self.assertIn(self.state(), ("first", "second"))
                self.there(*words)
                self.assertEqual(self.state(), "first")
                self.assertFalse([p for p in self.stack.dir.rglob("*") if ".cctm-" in p.name or "pending" in p.name])
        self.assertEqual(seen, {"first", "second"})

    def test_restore_into_an_empty_directory(self):
        self.prepare()
        words = ("restore", str(self.archive), "-q", "--no-start")
        shutil.rmtree(self.stack.dir)
        self.stack.dir.mkdir()
        for point, moment in self.points(words):
            with self.subTest(point=point, moment=moment):
                shutil.rmtree(self.stack.dir)
                self.stack.dir.mkdir()
                killed = self.run_with(words, {"FAULTS_KILL": f"{point} {moment}"})
                self.assertEqual(killed.returncode, -9, killed.stderr)
                self.there(*words, "--yes")
                self.assertEqual(self.state(), "first")

    def test_backup(self):
        self.prepare()
        words = ("backup", "-q")
        for point, moment in self.points(words):
            with self.subTest(point=point, moment=moment):
                self.again()
                killed = self.run_with(words, {"FAULTS_KILL": f"{point} {moment}"})
                self.assertEqual(killed.returncode, -9, killed.stderr)
                for archive in (self.stack.dir / "backups").glob("cctm-*"):
                    self.stack.run("backup", "verify", str(archive), "-q")
                self.there(*words)
                shutil.rmtree(self.stack.dir / "backups")
                self.assertEqual(self.state(), "second")
                self.assertFalse([p for p in self.stack.dir.rglob("*") if ".cctm-" in p.name or "staging" in p.name])


class KillsUnderLoad(Embedded):
    """Killed at moments that nobody chose, while the bridge receives."""

    def kill_after(self, words, seconds):
        process = subprocess.Popen([PROGRAM, "-C", str(self.stack.dir), *words], env=self.stack.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return process.returncode

    def duration(self, *words):
        begun = time.monotonic()
        self.there(*words)
        return time.monotonic() - begun

    def test_backup(self):
        self.there("up", "-q")
        with self.load():
            took = self.duration("backup", "-q")
            killed = [self.kill_after(("backup", "-q"), took * i / 12) for i in range(12)]
            self.assertIn(-9, killed)
            before = self.sent
            archive = self.backup()["archive"]
        for saved in (self.stack.dir / "backups").glob("cctm-*"):
            self.stack.run("backup", "verify", str(saved), "-q")
        self.assertEqual(self.total(), self.sent)
        fresh = self.stack.scratch / "fresh"
        self.stack.run("restore", archive, "--to", str(fresh), "--no-start", "-q")
        self.assertTrue(before <= self.total(fresh) <= self.sent)

    def up(self):
        """What a restore that was killed had started may still be at it."""
        for _ in range(100):
            done = self.there("up", "-q", status=None)
            if done.returncode != 4:
                break
            time.sleep(0.1)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_restore(self):
        self.there("up", "-q")
        self.send(1)
        archive = self.stack.scratch / "one"
        self.there("backup", "-q", "-o", str(archive))
        self.send(2)
        words = ("restore", str(archive), "--yes", "-q")
        took = self.duration(*words)
        self.assertEqual(self.total(), 1)
        killed = []
        for i in range(12):
            self.send(2)
            killed.append(self.kill_after(words, took * i / 12))
            self.up()
            self.assertIn(self.total(), (1, 3))
            self.there(*words)
            self.assertEqual(self.total(), 1)
        self.assertIn(-9, killed)


# ---- hostile archives ----

def digest(text):
    return hashlib.sha256(text).hexdigest()


def row(path, text, **more):
    return {"path": path, "size": len(text), "mode": "600", "sha256": digest(text), **more}


def manifest(files, **more):
    parts = {}
    for file in files:
        part = parts.setdefault(file["path"].split("/")[0], [0, 0])
        part[0] += 1
        part[1] += file["size"]
    return {"format": "cctm-backup", "format_version": 1, "cctm": "0.1.0", "made_at": "2026-11-30T00:00:00Z",
            "project": "p", "runtime": "embedded", "ingest": "bridge", "images": {}, "partial": False,
            "parts": [{"name": name, "state": "saved", "files": n, "bytes": size, "notes": []}
                      for name, (n, size) in parts.items()],
            "files": files, **more}


def entry(name, text=b"", **more):
    info = tarfile.TarInfo(name)
    info.size = len(text)
    for key, value in more.items():
        setattr(info, key, value)
    return info, text


YAML = b"version: 1\nruntime: embedded\n"
GOOD = [row("configuration/cctm.yaml", YAML)]


def archive(document, *entries, mode="w:gz"):
    out = io.BytesIO()
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for info, body in [entry("manifest.json", text), *entries]:
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def hostile():
    """{name: (bytes, exit status, words of the error)}"""
    good = entry("configuration/cctm.yaml", YAML)
    named = lambda path: archive(manifest([row(path, YAML)]), entry(path, YAML))
    zeros = bytes(1 << 20)
    bomb = [row(f"ledger/journal-{i:016x}.log", zeros) for i in range(400)]
    return {
        "empty": (b"", 1, "no whole tar"),
        "no archive": (b"hello" * 1000, 1, "no whole tar"),
        "no manifest": (archive(b"{}")[:0] + archive(b"[]"), 1, "no backup of cctm"),
        "another format": (archive({"format": "other", "format_version": 1}), 1, "no backup of cctm"),
        "a newer format": (archive(manifest(GOOD, format_version=2), good), 4, "format is 2"),
        "an unknown part": (archive(manifest([row("future/x", b"")]), entry("future/x")), 4, "does not know"),
        "manifest not first": (archive(b"x")[:0] + tar_of(good), 4, "where its manifest lists manifest.json"),
        "absolute": (named("/etc/passwd"), 4, "must not"),
        "absolute behind the part": (named("configuration//etc/passwd"), 4, "must not"),
        "dots": (named("configuration/../../etc/passwd"), 4, "must not"),
        "a dot": (named("configuration/./cctm.yaml"), 4, "must not"),
        "newline": (named("configuration/a\nb"), 4, "must not"),
        "escape": (named("configuration/a\x1b[2Jb"), 4, "must not"),
        "backslash": (named("configuration/a\\b"), 4, "must not"),
        "no part": (named("cctm.yaml"), 4, "must not"),
        "long": (named("configuration/" + "a/" * 300 + "b"), 4, "must not"),
        "deep": (named("configuration/" + "a/" * 20 + "b"), 4, "must not"),
        "hook": (named("configuration/.git/hooks/post-commit"), 4, "no file of a stack belongs"),
        "hidden": (named("secrets/.bashrc"), 4, "no file of a stack belongs"),
        "ledger elsewhere": (named("ledger/bridge.json"), 4, "no file of a stack belongs"),
        "symbolic link": (archive(manifest(GOOD), entry("configuration/cctm.yaml", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
                          4, "is no file"),
        "hard link": (archive(manifest(GOOD), entry("configuration/cctm.yaml", type=tarfile.LNKTYPE, linkname="manifest.json")),
                      4, "is no file"),
        "device": (archive(manifest(GOOD), entry("configuration/cctm.yaml", type=tarfile.CHRTYPE)), 4, "is no file"),
        "fifo": (archive(manifest(GOOD), entry("configuration/cctm.yaml", type=tarfile.FIFOTYPE)), 4, "is no file"),
        "folder": (archive(manifest(GOOD), entry("configuration/cctm.yaml", type=tarfile.DIRTYPE)), 4, "where its manifest"),
        "twice": (archive(manifest(GOOD), good, good), 4, "more than its manifest lists"),
        "twice in the manifest": (archive(manifest(GOOD * 2), good, good), 4, "twice"),
        "a file and a folder": (archive(manifest([row("configuration/a", b""), row("configuration/a/b", b"")])), 4, "twice"),
        "more than listed": (archive(manifest(GOOD), good, entry("configuration/x", b"x")), 4, "more than its manifest lists"),
        "another order": (archive(manifest(GOOD + [row("configuration/x", b"x")]), entry("configuration/x", b"x"), good),
                          4, "where its manifest lists"),
        "less than listed": (archive(manifest(GOOD + [row("configuration/x", b"x")]), good), 1, "ends before"),
        "wrong sum": (archive(manifest([{**GOOD[0], "sha256": "0" * 64}]), good), 1, "SHA-256"),
        "wrong size": (archive(manifest([{**GOOD[0], "size": 3}]), good), 1, "size"),
        "no sum": (archive(manifest([{**GOOD[0], "sha256": ""}]), good), 1, "no proper row"),
        "negative size": (archive(manifest([{**GOOD[0], "size": -1}]), good), 1, "no proper row"),
        "too large": (archive(manifest([{**GOOD[0], "size": 1 << 50}]), good), 1, "no proper row"),
        "setuid": (archive(manifest([{**GOOD[0], "mode": "4755"}]), good), 1, "no proper row"),
        "counts that lie": (archive({**manifest(GOOD), "parts": [
            {"name": "configuration", "state": "saved", "files": 2, "bytes": len(YAML), "notes": []}]}, good), 1, "not what it lists"),
        "no parts": (archive({**manifest(GOOD), "parts": []}, good), 1, "list of parts"),
        "failed and whole": (archive({**manifest([]), "parts": [
            {"name": "ledger", "state": "failed", "files": 0, "bytes": 0, "notes": ["x"]}]}), 1, "not what it lists"),
        "notes that clear the screen": (archive({**manifest(GOOD), "parts": [
            {"name": "configuration", "state": "saved", "files": 1, "bytes": len(YAML), "notes": ["\x1b[2J"]}]}, good),
            1, "not what it lists"),
        "duplicate keys": (archive(b'{"format": "cctm-backup", "format": "x"}'), 1, "no JSON"),
        "a million files": (archive(manifest([row(f"configuration/{i}", b"") for i in range(20001)])), 4, "more than 20000"),
        "a large manifest": (archive(b" " * (9 << 20)), 4, "larger than"),
        "bomb": (archive(manifest(bomb), *[entry(file["path"], zeros) for file in bomb]), 4, "times as large"),
        "large configuration": (archive(manifest([row("configuration/x", bytes(9 << 20))]),
                                        entry("configuration/x", bytes(9 << 20))), 4, "larger than cctm saves"),
        "cut in the manifest": (archive(manifest(GOOD), good, mode="w")[:700], 1, "no whole tar"),
        "cut in a file": (archive(manifest(GOOD), good)[:-40], 1, ""),
        "no cctm.yaml": (archive(manifest([row("configuration/x", b"")]), entry("configuration/x")), 1, "has no cctm.yaml"),
        "cctm.yaml that is none": (archive(manifest([row("configuration/cctm.yaml", b"nonsense: [")]),
                                           entry("configuration/cctm.yaml", b"nonsense: [")), 1, "cctm.yaml"),
        "a ledger that is none": (archive(manifest(GOOD + [row("ledger/ledger.db", b"garbage " * 512)]), good,
                                          entry("ledger/ledger.db", b"garbage " * 512)), 1, "ledger"),
        "a ledger elsewhere": (archive(manifest([row("configuration/cctm.yaml", b"data: {bridge: /etc}\nruntime: embedded\n"),
                                                 row("ledger/ledger.db", b"")]),
                                       entry("configuration/cctm.yaml", b"data: {bridge: /etc}\nruntime: embedded\n"),
                                       entry("ledger/ledger.db", b"")), 4, "not this stack's"),
    }


def tar_of(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for info, body in entries:
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


class Hostile(unittest.TestCase):
    def test_every_one_is_refused_and_nothing_written(self):
        for name, (data, status, words) in hostile().items():
            for is_fresh in (True, False):
                with self.subTest(name, is_fresh=is_fresh), Stack(runtime="embedded", init=not is_fresh) as stack:
                    path = stack.scratch / "archive"
                    path.write_bytes(data)
                    before = {p: p.read_bytes() for p in stack.scratch.rglob("*") if p.is_file() and p.name != "lock"}
                    done = stack.run("restore", str(path), "--to", str(stack.dir), "--yes", "--no-start", status=None)
                    self.assertEqual((done.returncode, words in done.stderr), (status, True), done.stderr)
                    after = {p: p.read_bytes() for p in stack.scratch.rglob("*") if p.is_file() and p.name != "lock"}
                    safety = {p for p in after if "backups" in p.parts}
                    self.assertEqual({p: text for p, text in after.items() if p not in safety}, before)

    def test_the_same_archive_without_a_fault_is_restored(self):
        with Stack(runtime="embedded", init=False) as stack:
            path = stack.scratch / "archive"
            path.write_bytes(archive(manifest(GOOD), entry("configuration/cctm.yaml", YAML)))
            stack.run("restore", str(path), "--to", str(stack.dir), "--no-start")
            self.assertEqual(stack.read("cctm.yaml"), YAML.decode())

    def test_verify_says_so_too(self):
        broken = {name: row for name, row in hostile().items() if name in ("wrong sum", "bomb", "hard link", "a ledger that is none")}
        for name, (data, status, words) in broken.items():
            with self.subTest(name), Stack(init=False) as stack:
                path = stack.scratch / "archive"
                path.write_bytes(data)
                done = stack.run("backup", "verify", str(path), status=status)
                self.assertIn(words, done.stderr)


class Prune(unittest.TestCase):
    def test_what_is_kept_and_by_which_rule(self):
        with Stack(runtime="embedded") as stack:
            made = Path(json.loads(stack.run("-C", str(stack.dir), "backup", "--json").stdout)["archive"])
            stamps = ["20260101T120000Z", "20260131T120000Z", "20260201T080000Z", "20260201T120000Z", "20260202T120000Z"]
            for stamp in stamps:
                shutil.copy(made, made.with_name(f"cctm-claude-code-metrics-{stamp}.tar.zst"))
            made.unlink()
            (made.parent / "cctm-claude-code-metrics-20250101T000000Z.tar.zst").write_bytes(b"broken")
            (made.parent / "mine.tar.zst").write_bytes(b"mine")
            rules = ("--keep-daily", "2", "--keep-monthly", "2")
            would = json.loads(stack.run("-C", str(stack.dir), "backup", "prune", *rules, "--json", "--dry-run").stdout)
            self.assertEqual(len(list(made.parent.glob("*.zst"))), 7)
            done = json.loads(stack.run("-C", str(stack.dir), "backup", "prune", *rules, "--json").stdout)
            self.assertEqual(would["pruned"], done["pruned"])
            self.assertEqual([path[-24:-8] for path in done["pruned"]], ["20260201T080000Z", "20260101T120000Z"])
            stack.run("-C", str(stack.dir), "backup", "prune", "--keep-last", "1")
            self.assertEqual(sorted(path.name[-24:-8] for path in made.parent.glob("cctm-*")),
                             ["20250101T000000Z", "20260202T120000Z"])


class Schedule(unittest.TestCase):
    """With stand-ins for crontab and systemctl, which note what they are told."""

    def setUp(self):
        self.stack = Stack(runtime="embedded")
        self.addCleanup(self.stack.close)
        self.bin = self.stack.scratch / "bin"
        self.bin.mkdir()
        self.tab = self.stack.scratch / "tab"
        self.stack.environment["PATH"] = f"{self.bin}:{os.environ['PATH']}"
        self.stack.environment.pop("XDG_CONFIG_HOME", None)
        self.program("crontab", f'if [ "$1" = -l ]; then [ -e {self.tab} ] || {{ echo "no crontab for you" >&2; exit 1; }}; '
                                f"cat {self.tab}; else cat > {self.tab}; fi")
        self.program("systemctl", "exit 1")

    def program(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def schedule(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "backup", "schedule", *words, status=status)

    def test_a_line_in_the_crontab_that_works_and_goes_again(self):
        self.tab.write_text("0 1 * * * mine\n")
        self.schedule("--at", "02:30", "--keep-last", "3", "--no-secrets")
        self.schedule("--at", "04:05", "--keep-last", "3", "--no-secrets")
        mine, ours = self.tab.read_text().splitlines()
        self.assertEqual(mine, "0 1 * * * mine")
        self.assertTrue(ours.startswith("5 4 * * * '"), ours)
        subprocess.run(["sh", "-c", ours.split(" ", 5)[5]], check=True, env=self.stack.environment)
        saved = list((self.stack.dir / "backups").glob("cctm-*"))
        self.assertEqual(len(saved), 1)
        self.schedule("--remove")
        self.assertEqual(self.tab.read_text(), "0 1 * * * mine\n")
        self.assertIn("none was scheduled", self.schedule("--remove").stderr)

    def test_a_timer_of_systemd(self):
        told = self.stack.scratch / "told"
        self.program("systemctl", f'echo "$@" >> {told}')
        self.schedule()
        units = self.stack.scratch / ".config/systemd/user"
        timer, = units.glob("cctm-backup-*.timer")
        self.assertIn("OnCalendar=*-*-* 03:00:00\nPersistent=true", timer.read_text())
        service = timer.with_suffix(".service").read_text()
        self.assertIn(f'"-C" "{self.stack.dir}" "backup" "--keep-daily" "7"', service)
        self.assertIn(f"--user enable --now {timer.name}", told.read_text())
        self.schedule("--remove")
        self.assertEqual(list(units.iterdir()), [])
        self.assertIn(f"--user disable --now {timer.name}", told.read_text())

    def test_what_is_no_time_is_refused(self):
        for words in (("--at", "24:00"), ("--at", "3:00"), ("--at", "03:60"), ("--daily", "--at", "01:00")):
            self.schedule(*words, status=2)
        self.assertFalse(self.tab.exists())


if __name__ == "__main__":
    case.main()
