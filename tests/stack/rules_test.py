"""The recording rules count exactly: promtool's own test runner over the rules as they are rendered."""

import re
import subprocess
import unittest
import zoneinfo
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lib import case, programs
from stacks import Stack

CASES = Path(__file__).parents[1] / "data" / "rules"


def slowed(rules):
    """The rules with an interval sixty times as long, so that a month is not forty thousand evaluations."""
    for short, long in (("interval: 1m", "interval: 1h"), ("offset 30s", "offset 30m"), ("[30s]", "[30m]"), ("[10m]", "[10h]")):
        if short not in rules:
            raise AssertionError(f"the rules say no {short}")
        rules = rules.replace(short, long)
    return rules


def evaluated(expression, now):
    """What PromQL makes of a sum of steps, worked out by other means."""
    base, *steps = [line.strip() for line in expression.strip().splitlines()]
    total = int(re.fullmatch(r"vector\((-?\d+)\)", base)[1])
    for step in steps:
        sign, seconds, at = re.fullmatch(r"([-+]) (\d+) \* \(time\(\) >= bool (\d+)\)", step).groups()
        total += int(f"{sign}{seconds}") * (now >= int(at))
    return total


@unittest.skipUnless(programs.promtools(), "there is no promtool")
class Rules(unittest.TestCase):
    def run_cases(self, name, *options, rewrite=None):
        with Stack(*options) as stack:
            rules = stack.dir / "config" / "rules" / "claude-code.yml"
            if rewrite:
                rules.write_text(rewrite(rules.read_text()))
            for version, promtool in programs.promtools().items():
                # Beside the rules, since the cases name them so.
                copy = rules.with_name(f"{name}.cases")
                copy.write_text((CASES / f"{name}.yml").read_text())
                done = subprocess.run([promtool, "test", "rules", copy], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"promtool {version}: {done.stdout}{done.stderr}")

    def test_sessions_of_every_kind_count_once(self):
        self.run_cases("sessions")

    def test_a_laptop_that_slept_counts_once(self):
        self.run_cases("sleep")

    def test_labels_say_who_and_what(self):
        self.run_cases("labels")

    def test_days_begin_where_the_time_zone_has_it(self):
        self.run_cases("periods", "--set", "time_zone=+01:00")

    def test_weeks_begin_on_mondays_and_months_on_their_first(self):
        self.run_cases("months", "--set", "time_zone=+01:00", rewrite=slowed)

    def test_the_clocks_of_a_zone_change_when_they_do(self):
        for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"):
            with Stack("--set", f"time_zone={name}") as stack:
                text = (stack.dir / "config" / "rules" / "claude-code.yml").read_text()
            expression = re.search(r"utc_offset_seconds\n\s+expr: \|\n((?:\s+(?:vector\(|[-+] \d).*\n)+)", text)[1]
            for hours in range(0, 24 * 4200, 7):
                moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(hours=hours)
                truth = moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset().total_seconds()
                self.assertEqual(evaluated(expression, moment.timestamp()), truth, f"{name} at {moment}")

    def test_parts_that_are_down_or_refuse_raise_alerts(self):
        self.run_cases("stack")

    def test_the_bridge_has_alerts_of_its_own(self):
        self.run_cases("bridge", "--set", "ingest=bridge")


if __name__ == "__main__":
    case.main()
