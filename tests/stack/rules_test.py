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

    def test_what_is_to_be_dropped_is_in_nothing_that_is_counted(self):
        self.run_cases("dropped", "--set", "labels.drop=user.email,user.account_uuid,team.id")

    def test_distributions_keep_what_quantiles_need(self):
        self.run_cases("distributions")

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
