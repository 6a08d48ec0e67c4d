"""The recording rules count exactly: promtool's own test runner over the rules as they are rendered."""

import subprocess
import unittest
from pathlib import Path

from lib import case, programs
from stacks import Stack

CASES = Path(__file__).parents[1] / "data" / "rules"


@unittest.skipUnless(programs.promtools(), "there is no promtool")
class Rules(unittest.TestCase):
    def run_cases(self, name, *options):
        with Stack(*options) as stack:
            for version, promtool in programs.promtools().items():
                # Beside the rules, since the cases name them so.
                copy = stack.dir / "config" / "rules" / f"{name}.cases"
                copy.write_text((CASES / f"{name}.yml").read_text())
                done = subprocess.run([promtool, "test", "rules", copy], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"promtool {version}: {done.stdout}{done.stderr}")

    def test_sessions_of_every_kind_count_once(self):
        self.run_cases("sessions")

    def test_a_laptop_that_slept_counts_once(self):
        self.run_cases("sleep")

    def test_parts_that_are_down_or_refuse_raise_alerts(self):
        self.run_cases("stack")

    def test_the_bridge_has_alerts_of_its_own(self):
        self.run_cases("bridge", "--set", "ingest=bridge")


if __name__ == "__main__":
    case.main()
