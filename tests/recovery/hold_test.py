"""What a scraper was shown as 0, and what with its value, is known after a restart, whatever the clock and the options
say by then.
"""

import shutil
import unittest

import workload
from lib import case
from workload import SCRAPE, Player, Said

DAYS_MS = 86400000


def delta(value):
    point = {"startTimeUnixNano": "1", "asDouble": value}
    return Said("delta", [{"name": "held", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}])


class Hold(unittest.TestCase):
    def setUp(self):
        self.state = workload.scratch()
        self.bridge = None

    def tearDown(self):
        if self.bridge:
            self.bridge.close()
        shutil.rmtree(self.state, ignore_errors=True)

    def player(self, hold, shown=None, skew_ms=0, options=()):
        if self.bridge:
            self.bridge.close()
        player = Player(self.state, hold=hold, shown=shown, options=options)
        self.bridge = player.bridge
        player.start({"FAULTS_SKEW_MS": str(skew_ms)})
        return player

    def total(self):
        return self.bridge.metrics().total("held_total")

    def test_value_that_was_shown_is_not_held_by_the_next_start(self):
        for end in (workload.KILL, workload.TERM):
            with self.subTest(end):
                player = self.player("0")
                player.play([delta(3), SCRAPE])
                self.assertGreaterEqual(self.total(), 3)
                player.end(end)
                player = self.player("1h", player.shown)
                player.play([SCRAPE])
                player.end(end)

    def test_value_that_was_shown_is_not_held_when_the_clock_goes_back(self):
        player = self.player("1s", skew_ms=DAYS_MS)
        player.play([delta(3), SCRAPE])
        workload.wait_until(lambda: self.total() == 3, "the value shown", 5)
        player.play([SCRAPE])
        player.end(workload.TERM)
        player = self.player("1s", player.shown, skew_ms=DAYS_MS - 500)
        player.play([SCRAPE])
        player.end(workload.TERM)

    def test_value_that_was_shown_as_zero_is_carried_into_the_epoch_after_a_gap(self):
        for end in (workload.KILL, workload.TERM):
            with self.subTest(end):
                player = self.player("1h")
                before = self.total()
                player.play([delta(3), SCRAPE])
                self.assertEqual(self.total(), before)
                player.end(end)
                self.player("0", skew_ms=8 * DAYS_MS)
                self.assertEqual(self.total(), 3)
                self.bridge.close()
                shutil.rmtree(self.state)
                self.state = workload.scratch()

    def test_value_that_no_scrape_has_shown_outlives_a_change_of_the_labels(self):
        player = self.player("0")
        player.play([delta(3), SCRAPE, delta(4)])
        player.end(workload.TERM)
        self.player("0", options=("--session-label",))
        self.assertEqual(self.total(), 4)


if __name__ == "__main__":
    case.main()
