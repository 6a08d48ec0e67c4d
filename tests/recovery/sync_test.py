"""With --durability disk nothing is answered before the journal's bytes that it rests on are synced.

The log of faults.c has writes, syncs and answers in the order in which the loop made them.
"""

import shutil
import sys
import threading
import unittest
from pathlib import Path

import workload
from lib import case
from lib.bridge import Bridge
from workload import REQUESTS, SCRAPE, Player

WRITES, SYNCS = ("write", "writev"), ("fdatasync", "fsync")


def is_success(call):
    return call.what == "answer" and call.path.startswith("HTTP/1.1_200 ")


def early_answers(calls):
    """Answers 200 that were sent while the journal had bytes that no sync had followed."""
    unsynced, early = [], []
    for call in calls:
        if call.is_journal() and call.what in WRITES:
            unsynced.append(call)
        elif call.is_journal() and call.what in SYNCS:
            unsynced = []
        elif is_success(call) and unsynced:
            early.append(f"answered before a sync of {unsynced[-1]}")
    return early


class Taken:
    """A request that was acknowledged: something that stands only in its record, and its answer."""

    def __init__(self, mark, port, nth):
        self.mark, self.port, self.nth = mark, port, nth  # the nth answer on this connection

    def __repr__(self):
        return f"{self.mark}, answer {self.nth} to port {self.port}"


def write_of(calls, journal, mark):
    """Where in the log the write is that put `mark` into the journal; -1: none."""
    at, end = journal.find(mark.encode()), 0
    for i, call in enumerate(calls):
        if call.is_journal() and call.what in WRITES:
            end += call.bytes
            if 0 <= at < end:
                return i
    return -1


def answer_of(calls, taken):
    answers = [i for i, call in enumerate(calls) if is_success(call) and call.path.endswith(f" {taken.port}")]
    return answers[taken.nth] if taken.nth < len(answers) else -1


def not_synced(calls, journal, all_taken):
    """The requests without a sync behind the write of their own record and before their own answer."""
    wrong = []
    for taken in all_taken:
        written, answered = write_of(calls, journal, taken.mark), answer_of(calls, taken)
        assert written >= 0 and answered >= 0, f"{taken}: not in the log: {written}, {answered}"
        between = calls[written + 1 : answered]
        if written > answered or not any(call.is_journal() and call.what in SYNCS for call in between):
            wrong.append(f"{taken}: written at {written}, answered at {answered}")
    return wrong


def marked(mark):
    metric = workload.histogram([1, 2, 0])
    metric["histogram"]["dataPoints"][0]["attributes"] = [{"key": "mark", "value": {"stringValue": mark}}]
    return workload.Said(mark, [metric])


def answers_moved_forward(calls):
    """The same log with each answer in front of the sync it came behind: what a bridge would do that answers first."""
    moved = list(calls)
    for i in range(1, len(moved)):
        at = i
        while is_success(moved[at]) and at > 0 and (moved[at - 1].what in SYNCS or is_success(moved[at - 1])):
            moved[at - 1], moved[at] = moved[at], moved[at - 1]
            at -= 1
    return moved


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
        begun = next(i for i, c in enumerate(calls) if c.what == "answer")
        self.assertFalse([c for c in calls[begun:] if c.is_journal() and c.what in SYNCS])

    def test_os_start_is_known_to_the_disk_before_anything_is_answered(self):
        """Or a power cut would leave the mark of the clean end before, and what was lost would go unnoticed."""
        for durability in ("os", "disk"):
            player = Player(workload.scratch(), options=("--durability", "os"))
            try:
                player.start()
                player.play(REQUESTS[:1])
                player.end(workload.TERM)
                player.bridge.options[-1] = durability
                player.start({"FAULTS_LOG": str(self.log)})
                calls = workload.read_log(self.log)
                written = [i for i, c in enumerate(calls) if c.is_journal() and c.what in WRITES]
                synced = [i for i, c in enumerate(calls) if c.is_journal() and c.what in SYNCS]
                self.assertTrue(written and synced and synced[-1] > written[-1], calls)
            finally:
                player.bridge.close()
                shutil.rmtree(player.bridge.state)
                self.log.unlink(missing_ok=True)

    def send_at_once(self, durability):
        """(log, journal, requests) of eight senders with a connection each."""
        bridge, taken = Bridge("--durability", durability, state=workload.scratch()), []
        bridge.environment = {
            "LD_PRELOAD": workload.FAULTS,
            "FAULTS_DIR": str(bridge.state),
            "FAULTS_LOG": str(self.log),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }
        try:
            bridge.start()
            threads = [threading.Thread(target=self.send_many, args=(bridge, n, taken)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            bridge.kill()
            self.assertEqual(len(taken), 8 * 10)
            (journal,) = bridge.state.glob("journal-*.log")
            return workload.read_log(self.log), journal.read_bytes(), taken
        finally:
            bridge.close()
            shutil.rmtree(bridge.state, ignore_errors=True)

    def send_many(self, bridge, sender, taken):
        own = Bridge(state=bridge.state)  # a connection of its own
        own.ready, own.process = bridge.ready, bridge.process
        try:
            for n in range(10):
                mark = f"mark-{sender}-{n}-end"
                own.send(marked(mark))
                taken.append(Taken(mark, own._connection.sock.getsockname()[1], n))
        finally:
            own.disconnect()
            own.process = None  # not its own
            own.close()

    def test_disk_syncs_each_record_before_its_own_answer_when_many_send_at_once(self):
        log, journal, taken = self.send_at_once("disk")
        self.assertEqual(not_synced(log, journal, taken), [])
        syncs = sum(1 for call in log if call.is_journal() and call.what in SYNCS)
        print(f"{len(taken)} requests, {syncs} syncs", file=sys.stderr)

    def test_answers_in_front_of_their_syncs_would_be_noticed(self):
        log, journal, taken = self.send_at_once("disk")
        self.assertEqual(len(not_synced(answers_moved_forward(log), journal, taken)), len(taken))

    def test_os_syncs_none(self):
        log, journal, taken = self.send_at_once("os")
        self.assertEqual(len(not_synced(log, journal, taken)), len(taken))


if __name__ == "__main__":
    case.main()
