"""A record whose replay ends the bridge must not end it for ever: the second time it is noted, the third time passed
over, kept in a file and told of, and what comes behind it is replayed.
"""

import os
import shutil
import unittest

import workload
from lib import case
from tokens import Conversation, check, check_repeats, reported, shown, tokens
from workload import Player

CRASH = os.environ.get("CCTM_CRASH", "librecovery_crash.so")
TEXT = "this-label-cannot-be-replayed"
ABORTED = "status -6"


def unreplayable():
    metric = workload.histogram([1, 2, 0])
    metric["histogram"]["dataPoints"][0]["attributes"] = [{"key": "mark", "value": {"stringValue": TEXT}}]
    return workload.Said("the unreplayable", [metric])


class Replay(unittest.TestCase):
    def setUp(self):
        self.player = Player(workload.scratch())
        self.bridge = self.player.bridge
        self.addCleanup(shutil.rmtree, self.bridge.state)
        self.addCleanup(self.bridge.close)
        talk = self.talk = Conversation()
        self.sent = [talk.delta(1), talk.cumulative(3), talk.delta(2), talk.cumulative(4)]
        self.player.start()
        self.player.play([*self.sent[:2], unreplayable(), *self.sent[2:], workload.SCRAPE])
        self.bridge.kill()

    def start_badly(self):
        self.bridge.environment = {"LD_PRELOAD": CRASH, "CRASH_TEXT": TEXT, "ASAN_OPTIONS": "verify_asan_link_order=0"}
        try:
            self.bridge.start()
        finally:
            self.bridge.environment = None

    def abort(self):
        with self.assertRaisesRegex(AssertionError, ABORTED):
            self.start_badly()

    def damage(self):
        return self.bridge.metrics().value("cctm_journal_damage_total")

    def bad_files(self):
        return list(self.bridge.state.glob("journal-bad-*.bin"))

    def check_rest(self):
        """The record in front of it and those behind it are known: their requests and where their streams stand."""
        self.assertEqual(reported(self.bridge.state), tokens(self.sent))
        check_repeats(self.player, self.sent, len(self.sent))
        before, more = shown(self.player), self.talk.cumulative(5)
        self.bridge.send(more)
        self.sent.append(more)
        self.assertEqual(shown(self.player) - before, more.tokens)

    def test_record_that_aborts_twice_is_passed_over_and_told_of_and_the_rest_is_replayed(self):
        self.abort()
        self.abort()
        self.assertEqual(self.bad_files(), [])
        self.player.shown = {}  # a new epoch: what was lost had been shown
        self.start_badly()
        self.assertEqual(self.damage(), 1)
        self.assertEqual(shown(self.player), 0)
        (bad,) = self.bad_files()
        self.assertIn(TEXT.encode(), bad.read_bytes())
        self.assertRegex(self.bridge.errors(), f"ended the bridge twice; it is set aside in .*{bad.name}")
        self.check_rest()
        for how in ("stop", "kill"):
            self.bridge.restart(how)
            self.player.check_health()
            self.assertEqual(shown(self.player), self.sent[-1].tokens, how)
        self.assertEqual(self.damage(), 0)  # is told of by the bridge that found it
        self.assertEqual(reported(self.bridge.state), tokens(self.sent))

    def test_record_that_aborts_once_is_not_passed_over(self):
        self.abort()
        self.player.start()
        self.assertEqual((self.damage(), self.bad_files()), (0, []))
        check(self.player, self.sent)  # in the same epoch
        self.check_rest()

    def test_crashes_are_counted_anew_after_a_start_that_succeeds(self):
        self.abort()
        self.player.start()
        self.bridge.kill()
        self.abort()
        self.player.start()
        self.assertEqual((self.damage(), self.bad_files()), (0, []))
        check(self.player, self.sent)


if __name__ == "__main__":
    case.main()
