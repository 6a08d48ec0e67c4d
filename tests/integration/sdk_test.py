"""Issue 5.2: the OpenTelemetry JavaScript SDK, the library inside Claude Code, exports to the bridge.

Delta and cumulative, protobuf and JSON; counters, up-down counters, gauges, histograms, exponential histograms:
every value arrives. The SDK is installed into the user's cache, never into the tree.
"""

import hashlib
import shutil
import subprocess
import unittest
from pathlib import Path

from lib import case
from lib.bridge import Bridge

HERE = Path(__file__).resolve().parent / "sdk"
KINDS = ("a", "b", 'ü "quoted" \\ \n')
ROUNDS = (1, 2, 3, 4)


def installed_sdk():
    """The folder that holds export.mjs and its node_modules; installed once per version of the lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = case.cache_folder() / f"sdk-{hashlib.sha256(lock).hexdigest()[:12]}"
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


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("node", "npm"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed")
        cls.folder = installed_sdk()

    def export(self, bridge, encoding, temporality):
        endpoint = f"http://127.0.0.1:{bridge.ready['otlp_http_port']}"
        done = subprocess.run(
            ["node", str(self.folder / "export.mjs"), endpoint, encoding, temporality],
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_everything_arrived(self, shown, times=1):
        """Gauges and up-down counters hold the last value; everything else adds up over `times` processes."""
        for kind in KINDS:
            self.assertAlmostEqual(shown.total("sdk_counter_USD_total", kind=kind), times * 1.0, places=9)
            self.assertEqual(shown.total("sdk_whole_total", kind=kind), times * sum(ROUNDS))
            self.assertEqual(shown.total("sdk_updown", kind=kind), 5 - 3 + 5 - 3)  # a level: the last process's
            self.assertEqual(shown.total("sdk_gauge", kind=kind), 6.0)
            self.assert_histogram(shown, kind, times)
            self.assert_exponential(shown, kind, times)
        self.assertEqual(shown.total("sdk_observed_total"), times * 12)
        self.assertEqual(shown.total("cctm_events_total", event="sdk_event"), times * 3)

    def assert_histogram(self, shown, kind, times):
        name = "sdk_histogram_milliseconds"  # 5, 10, 15, 20 into bounds 1, 10, 100
        for bound, count in (("1", 0), ("10", 2), ("100", 4), ("+Inf", 4)):
            found = [s for s in shown.named(f"{name}_bucket", kind=kind) if same_bound(s.labels["le"], bound)]
            self.assertEqual(sum(s.value for s in found), times * count, bound)
        self.assertEqual(shown.total(f"{name}_count", kind=kind), times * 4)
        self.assertAlmostEqual(shown.total(f"{name}_sum", kind=kind), times * 50)

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
        for encoding in ("json", "proto"):
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


def same_bound(shown, wanted):
    return float(shown.replace("Inf", "inf")) == float(wanted.replace("Inf", "inf"))


if __name__ == "__main__":
    case.main()
