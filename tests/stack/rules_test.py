"""The recording rules count exactly: promtool's own test runner over the rules as they are rendered."""

import re
import subprocess
import unittest
from pathlib import Path

from lib import case, programs
from stacks import Stack

CASES = Path(__file__).parents[1] / "data" / "rules"


def settings(**values):
    """--set group.key=value for each group__key=value."""
    return [word for key, value in values.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]


BUDGETS = settings(budgets__daily_usd=50, budgets__weekly_usd=200, budgets__monthly_usd=800, budgets__per_user__daily_usd=10,
                   budgets__per_team__weekly_usd=100, budgets__per_model__monthly_usd=300)
BRIDGE = settings(ingest="bridge")
SILENCE = settings(alerts__no_data_after="8h")
COPIES = settings(alerts__alertmanager="true", prometheus__retention_size="1GiB", prometheus__remote_write="https://b.example/")


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
        self.run_cases("bridge", *BRIDGE)

    def test_copies_limits_and_notifications_are_watched_where_there_are_any(self):
        self.run_cases("copies", *COPIES)
        self.run_cases("growth")

    def test_budgets_raise_alerts_at_their_steps_and_begin_anew_with_each_period(self):
        self.run_cases("budgets", *BUDGETS)

    def test_an_api_that_fails_and_lost_exports_raise_alerts(self):
        self.run_cases("usage", *BRIDGE)

    def test_an_hour_is_compared_with_the_same_one_of_four_weeks(self):
        self.run_cases("weeks")

    def test_commits_are_compared_with_four_weeks(self):
        self.run_cases("commits")

    def test_data_that_stay_away_are_missed_only_when_there_usually_are_some(self):
        self.run_cases("nodata", *SILENCE)

    def test_a_wait_of_more_than_a_week_looks_at_the_time_before_it(self):
        self.run_cases("longsilence", *settings(alerts__no_data_after="10d"))


class Alerts(unittest.TestCase):
    """What every alert keeps, whoever writes the next one."""

    @classmethod
    def setUpClass(cls):
        cls.alerts = []
        for options in ([*BUDGETS, *SILENCE, *COPIES], [*BUDGETS, *BRIDGE], []):
            with Stack(*options) as stack:
                for path in (stack.dir / "config" / "rules").glob("*.yml"):
                    cls.alerts += re.split(r"^      - (?=alert:|record:)", path.read_text(), flags=re.M)[1:]
        cls.alerts = [text for text in cls.alerts if text.startswith("alert: ")]

    def test_each_says_what_happens_and_what_to_do(self):
        for text in self.alerts:
            for part in ("summary", "description", "runbook", "severity", "service"):
                self.assertRegex(text, rf"\b{part}: \S", text)
            self.assertRegex(text, r"severity: (info|warning|critical)\b")

    def test_each_is_raised_by_a_case(self):
        cases = "".join(path.read_text() for path in CASES.glob("*.yml"))
        for name in {re.match(r"alert: (\w+)", text)[1] for text in self.alerts}:
            self.assertRegex(cases, rf'"{name}"|alertname: {name}\b', f"no case raises {name}")

    def test_each_runbook_is_a_command_that_there_is(self):
        with Stack(init=False) as stack:
            for line in {re.search(r'runbook: "cctm ([^"]*)"', text)[1] for text in self.alerts}:
                command, *words = line.split()
                said = stack.run("help", command).stdout
                for word in words:
                    self.assertTrue(word in said or not word.startswith("-"), f"cctm {line}: there is no {word}")


if __name__ == "__main__":
    case.main()
