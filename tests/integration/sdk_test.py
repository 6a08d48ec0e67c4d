"""OpenTelemetry's SDKs export to the bridge: JavaScript's, the library inside Claude Code, and over gRPC Python's and Go's.

Delta and cumulative; protobuf and JSON over HTTP, gRPC at its own port and at the other; counters, up-down counters,
gauges, histograms, exponential histograms: every value arrives. The SDKs are installed into the user's cache, never
into the tree.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from lib import case, programs
from lib.bridge import Bridge

HERE = Path(__file__).resolve().parent / "sdk"
KINDS = ("a", "b", 'ü "quoted" \\ \n')
ROUNDS = (1, 2, 3, 4)


def installed_sdk():
    """The folder that holds export.mjs and its node_modules; installed once per version of the lock file."""
    folder = kept_folder("sdk", HERE / "package-lock.json")
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise unittest.SkipTest(f"npm could not install the SDK: {done.stderr[-400:]}")
        (folder / "complete").touch()
    shutil.copy(HERE / "export.mjs", folder)
    return folder


def kept_folder(name, lock):
    """A folder of the cache for what a version of a lock file brings; the test that finds it incomplete fills it."""
    return case.cache_folder() / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"


def run_or_skip(what, command, folder, **environment):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, **environment})
    if done.returncode:
        raise unittest.SkipTest(f"{what}: {done.stderr[-400:]}")


def python_exporter():
    """The command that exports with Python's SDK, from an environment of its own."""
    folder = kept_folder("sdk-python", HERE / "requirements.txt")
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run_or_skip("no venv", [sys.executable, "-m", "venv", str(folder)], HERE)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"]
        run_or_skip("pip could not install the SDK", install, HERE)
        (folder / "complete").touch()
    return [str(python), str(HERE / "export.py")]


def go_exporter():
    """The command that exports with Go's SDK, built from its modules."""
    go = programs.go()
    if not go:
        raise unittest.SkipTest("go is not installed")
    program = kept_folder("sdk-go", HERE / "go" / "go.sum") / "export"
    program.parent.mkdir(parents=True, exist_ok=True)
    own = {} if shutil.which("go") else {"GOPATH": str(program.parent / "go"), "GOFLAGS": "-modcacherw"}
    run_or_skip("go could not build the SDK's program", [go, "build", "-o", str(program), "."], HERE / "go",
                GOTOOLCHAIN="local", **own)
    return [str(program)]


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("node", "npm"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed")
        cls.folder = installed_sdk()

    def export(self, bridge, encoding, temporality, door=None):
        door = door or ("otlp_grpc" if encoding == "grpc" else "otlp_http")
        endpoint = f"http://127.0.0.1:{bridge.ready[f'{door}_port']}"
        done = subprocess.run(
            ["node", str(self.folder / "export.mjs"), endpoint, encoding, temporality],
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_everything_arrived(self, shown, times=1):
        """Gauges and up-down counters hold the last value; everything else adds up over `times` processes."""
        assert_essentials_arrived(self, shown, times)
        for kind in KINDS:
            self.assertEqual(shown.total("sdk_updown", kind=kind), 5 - 3 + 5 - 3)  # a level: the last process's
            self.assertEqual(shown.total("sdk_gauge", kind=kind), 6.0)
            self.assert_exponential(shown, kind, times)
        self.assertEqual(shown.total("sdk_observed_total"), times * 12)

    def assert_exponential(self, shown, kind, times):
        name = "sdk_exponential"  # 0.01, 0.1, 1, 10
        self.assertEqual(shown.total(f"{name}_count", kind=kind), times * 4)
        self.assertAlmostEqual(shown.total(f"{name}_sum", kind=kind), times * 11.11, places=9)
        buckets = [(float(s.labels["le"].replace("Inf", "inf")), s.value) for s in shown.named(f"{name}_bucket", kind=kind)]
        self.assertEqual(max(buckets)[1], times * 4)
        for value, below in ((0.02, 1), (0.2, 2), (2, 3)):  # a bound near enough lies between the values
            at = max((b for b in buckets if b[0] <= value * 4.9), default=(0, 0))
            self.assertEqual(at[1], times * below, f"at most {value}: {sorted(buckets)}")

    def test_every_value_arrives(self):
        for encoding in ("json", "proto", "grpc"):
            for temporality in ("delta", "cumulative"):
                with self.subTest(encoding=encoding, temporality=temporality), Bridge() as bridge:
                    self.export(bridge, encoding, temporality)
                    self.assert_everything_arrived(bridge.metrics())

    def test_two_processes_add_up_also_over_a_kill(self):
        for temporality in ("delta", "cumulative"):
            with self.subTest(temporality=temporality), Bridge() as bridge:
                self.export(bridge, "proto", temporality)
                bridge.restart("kill")
                self.assert_everything_arrived(bridge.metrics())
                self.export(bridge, "json", temporality)
                bridge.restart("kill")
                self.assert_everything_arrived(bridge.metrics(), times=2)
                self.export(bridge, "grpc", temporality)
                bridge.restart("kill")
                self.assert_everything_arrived(bridge.metrics(), times=3)

    def test_either_protocol_arrives_at_either_port(self):
        with Bridge() as bridge:
            self.export(bridge, "grpc", "delta", "otlp_http")
            self.assert_everything_arrived(bridge.metrics())
            self.export(bridge, "proto", "delta", "otlp_grpc")
            self.assert_everything_arrived(bridge.metrics(), times=2)
            strays = {p: bridge.metrics().total("cctm_requests_other_port_total", protocol=p) for p in ("http", "grpc")}
            self.assertEqual(strays, {"http": 9, "grpc": 9})  # four rounds and the end, three events, a span


class OtherSdks(unittest.TestCase):
    """Counters, a histogram, events and a span, over gRPC; and again after a kill."""

    def assert_exports(self, command):
        for temporality, packing, door in (
            ("delta", "none", "otlp_grpc"), ("cumulative", "gzip", "otlp_grpc"), ("delta", "gzip", "otlp_http"),
        ):
            with self.subTest(temporality=temporality, packing=packing, door=door), Bridge() as bridge:
                for times in (1, 2):
                    endpoint = f"127.0.0.1:{bridge.ready[f'{door}_port']}"
                    done = subprocess.run([*command, endpoint, temporality, packing], capture_output=True, text=True,
                                          timeout=60, check=False)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    bridge.restart("kill")
                    assert_essentials_arrived(self, bridge.metrics(), times)

    def test_python(self):
        self.assert_exports(python_exporter())

    def test_go(self):
        self.assert_exports(go_exporter())


def assert_essentials_arrived(test, shown, times=1):
    """What every SDK can count."""
    for kind in KINDS:
        test.assertAlmostEqual(shown.total("sdk_counter_USD_total", kind=kind), times * 1.0, places=9)
        test.assertEqual(shown.total("sdk_whole_total", kind=kind), times * sum(ROUNDS))
        assert_histogram(test, shown, kind, times)
    test.assertEqual(shown.total("cctm_events_total", event="sdk_event"), times * 3)


def assert_histogram(test, shown, kind, times):
    name = "sdk_histogram_milliseconds"  # 5, 10, 15, 20 into bounds 1, 10, 100
    for bound, count in (("1", 0), ("10", 2), ("100", 4), ("+Inf", 4)):
        found = [s for s in shown.named(f"{name}_bucket", kind=kind) if same_bound(s.labels["le"], bound)]
        test.assertEqual(sum(s.value for s in found), times * count, bound)
    test.assertEqual(shown.total(f"{name}_count", kind=kind), times * 4)
    test.assertAlmostEqual(shown.total(f"{name}_sum", kind=kind), times * 50)


def same_bound(shown, wanted):
    return float(shown.replace("Inf", "inf")) == float(wanted.replace("Inf", "inf"))


if __name__ == "__main__":
    case.main()
