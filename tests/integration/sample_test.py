"""What scripts/run feeds its bridge: recorded sessions, moved to the last days, counted whole and on their days."""

import subprocess
import sys
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lib import case, recordings
from lib.bridge import Bridge
from lib.figures import differences, of_report_totals, without_model

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import sample  # noqa: E402


class Sample(unittest.TestCase):
    def test_sample_is_counted_whole_and_on_its_days(self):
        with Bridge() as bridge:
            command = [sys.executable, "-B", SCRIPTS / "sample.py", str(bridge.ready["otlp_http_port"])]
            subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
            report = bridge.report("--by", "day", "--tz", "UTC", since="8d")
        totals = {}
        for _, name in sample.SESSIONS:
            for figure, value in recordings.recordings(name)[0].truth["totals"].items():
                totals[figure] = totals.get(figure, 0) + value
        sessions = totals.pop("session.count")
        self.assertEqual(differences(without_model(totals), of_report_totals(report["totals"])), [])
        self.assertEqual(report["totals"]["sessions"], sessions)
        now = datetime.now(timezone.utc)
        ends = {(now - timedelta(days=days)).date().isoformat() for days, _ in sample.SESSIONS}
        self.assertLessEqual(ends, {group["key"]["day"] for group in report["groups"]})


if __name__ == "__main__":
    case.main()
