"""With --durability disk nothing is answered before the journal's bytes that it rests on are synced.

The log of faults.c has writes, syncs and answers in the order in which the loop made them.
"""

import shutil
import threading
import unittest
from pathlib import Path

import workload
from lib import case
from lib.bridge import Bridge
from workload import REQUESTS, SCRAPE, Player

WRITES, SYNCS = ("write", "writev"), ("fdatasync", "fsync")


def early_answers(calls):
    """Answers 200 that were sent while the journal had bytes that no sync had followed."""
    unsynced, early = [], []
    for call in calls:
        if call.is_journal() and call.what in WRITES:
            unsynced.append(call)
        elif call.is_journal() and call.what in SYNCS:
            unsynced = []
        elif call.what == "answer" and call.path.endswith("200") and unsynced:
            early.append(f"answered before a sync of {unsynced[-1]}")
    return early


def answers_and_synced(calls):
    """After each answer: how many were sent, and how many records were written and synced before it."""
    written = synced = answers = 0
    for call in calls:
        if call.is_journal() and call.what in WRITES:
            written += 1
        elif call.is_journal() and call.what in SYNCS:
            synced = written
        elif call.what == "answer" and call.path.endswith("200"):
            answers += 1
            yield answers, synced


class Sync(unittest.TestCase):
    def setUp(self):
        self.folder = Path(workload.scratch())
        self.log = self.folder / "log"
        self.addCleanup(shutil.rmtree, self.folder)

    def play(self, durability, steps):
        player = Player(workload.scratch(), options=("--durability", durability))
        try:
            player.start({"FAULTS_LOG": str(self.log)})
            player.play(steps)
            player.bridge.kill()
            return workload.read_log(self.log)
        finally:
            player.bridge.close()
            shutil.rmtree(player.bridge.state)

    def test_disk_answers_behind_the_sync_of_what_it_took(self):
        calls = self.play("disk", REQUESTS[:8])
        self.assertEqual(sum(1 for c in calls if c.what == "answer"), 8)
        self.assertEqual(early_answers(calls), [])

    def test_disk_shows_a_new_series_behind_the_sync_of_having_shown_it(self):
        calls = self.play("disk", [REQUESTS[0], SCRAPE, REQUESTS[1], REQUESTS[2], SCRAPE])
        self.assertEqual(early_answers(calls), [])

    def test_os_does_not_wait_for_the_disk(self):
        """Also shows that the tests above can fail."""
        calls = self.play("os", REQUESTS[:8])
        self.assertGreaterEqual(len(early_answers(calls)), 8)
        self.assertFalse([c for c in calls if c.is_journal() and c.what in SYNCS])

    def test_disk_answers_no_more_than_is_synced_when_many_send_at_once(self):
        bridge = Bridge("--durability", "disk", state=workload.scratch())
        bridge.environment = {
            "LD_PRELOAD": workload.FAULTS,
            "FAULTS_DIR": str(bridge.state),
            "FAULTS_LOG": str(self.log),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }
        try:
            bridge.start()
            before = len(workload.read_log(self.log))
            threads = [threading.Thread(target=self.send_many, args=(bridge, n)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            bridge.kill()
            pairs = list(answers_and_synced(workload.read_log(self.log)[before:]))
            self.assertEqual(len(pairs), 8 * 10)
            self.assertEqual([p for p in pairs if p[0] > p[1]], [])
        finally:
            bridge.close()
            shutil.rmtree(bridge.state, ignore_errors=True)

    def send_many(self, bridge, sender):
        own = Bridge(state=bridge.state)  # a connection of its own
        own.ready, own.process = bridge.ready, bridge.process
        for n in range(10):
            own.send(workload.Said(f"{sender} {n}", [workload.histogram([1 + sender, 1 + n, 0])]))
        own.disconnect()
        own.process = None


if __name__ == "__main__":
    case.main()
