"""The disk refuses: full for a while, full for too long, failing below the ledger. Requests wait, then are refused for
the client to send again, and each counts once; health and /metrics say what is wrong until it is not.
"""

import shutil
import threading
import time
import unittest
from pathlib import Path

import workload
from lib import case
from lib.bridge import wait_until
from points import discard, run, shared
from workload import ALL, REQUESTS, SCRAPE, Clock, Player, Refused, Said, Truth, histogram

FULL = "28 any journal-0"
LEDGER_FAILS = "5 any ledger.db"
SYNC_FAILS = "5 sync journal-0"
HOLD_MS = 8000
TICK_S = 0.2
CHECKPOINT_MS, LEDGER_RETRY_MS = 15_000, 5_000


class Background:
    """A request that may have to wait for its answer."""

    def __init__(self, bridge, request):
        self.began, self.answer, self.seconds = time.monotonic(), None, None
        self._thread = threading.Thread(target=self._send, args=(bridge, request))
        self._thread.start()

    def _send(self, bridge, request):
        headers, body = request.encoded("recorded")
        self.answer = bridge.post(request.url, headers, body)
        self.seconds = time.monotonic() - self.began

    def wait(self):
        self._thread.join(20)
        assert self.answer, "no answer within 20 s"
        return self.answer


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.truth = Truth()

    def setUp(self):
        self.folder = Path(workload.scratch())
        self.control = self.folder / "control"
        self.player = Player(workload.scratch())
        self.bridge = self.player.bridge
        self.clock = Clock(self.folder)
        self.player.start({"FAULTS_CONTROL": str(self.control), **self.clock.faults()})

    def tearDown(self):
        self.bridge.close()
        shutil.rmtree(self.bridge.state, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def refuse(self, rule):
        self.control.write_text(rule)

    def work_again(self):
        self.control.write_text("")

    def health_status(self):
        return self.bridge.get("health").status

    def stays(self, condition):
        """For five ticks of a bridge whose clock is its own."""
        end = time.monotonic() + 5 * TICK_S
        while time.monotonic() < end:
            self.assertTrue(condition())

    def wait_for_health(self, status, deadline_s=5):
        wait_until(lambda: self.health_status() == status, lambda: f"health {status}: {self.bridge.health()}", deadline_s)

    def held(self):
        return self.bridge.metrics().value("cctm_requests_held")

    def check_restart(self):
        """Killed and started on a disk that works: all of it is there, once."""
        self.bridge.kill()
        self.player.start()
        self.player.check_health()
        self.player.check_exact(self.truth)
        self.player.check_report(self.truth)

    def test_request_is_held_while_the_disk_is_full_and_counted_when_it_is_not(self):
        self.player.play([*REQUESTS[:3], SCRAPE])
        self.refuse(FULL)
        waiting = Background(self.bridge, REQUESTS[3])
        wait_until(lambda: self.held() == 1, "one request held", 5)
        self.assertEqual(self.health_status(), 503)
        self.assertEqual(self.bridge.health()["status"], "degraded")
        self.player.check_exact(self.truth)  # nothing of it shows
        self.assertIsNone(waiting.answer)
        self.work_again()
        self.assertEqual(waiting.wait().status, 200)
        self.assertLess(waiting.seconds, HOLD_MS / 1000)
        self.player.taken += 1
        self.wait_for_health(200)
        self.player.play(REQUESTS[4:6])
        self.player.check_exact(self.truth)
        self.check_restart()

    def test_series_that_could_not_be_noted_as_shown_is_not_shown(self):
        self.player.play([*REQUESTS[:2]])
        self.refuse(FULL)
        self.assertEqual(workload.shown_series(self.bridge.metrics()), {})
        self.work_again()
        self.player.check_exact(self.truth)
        self.check_restart()

    def test_request_is_refused_after_8_s_and_counted_once_when_sent_again(self):
        self.player.play([*REQUESTS[:3], SCRAPE])
        self.refuse(FULL)
        answer = Background(self.bridge, REQUESTS[3])
        wait_until(lambda: self.held() == 1, "one request held", 5)
        # The bridge's clock is turned and also goes on by itself: a slow machine has four seconds for this.
        self.clock.turn(HOLD_MS - 4000)
        self.assertEqual(self.health_status(), 503)
        self.stays(lambda: answer.answer is None)
        self.clock.turn(4000)
        self.assertEqual(answer.wait().status, 503)
        self.assertLess(answer.seconds, HOLD_MS / 1000)  # by the clock that was turned
        self.assertGreaterEqual(int(answer.answer.headers["retry-after"]), 1)
        self.assertEqual(self.health_status(), 503)
        metrics = self.bridge.metrics()
        self.assertEqual(metrics.total("cctm_rejected_total", reason="journal_full"), 1)
        self.player.check_exact(self.truth)
        self.work_again()
        self.wait_for_health(200)  # by itself, without a request
        self.player.play(REQUESTS[3:6])
        self.player.check_exact(self.truth)
        self.check_restart()

    def test_failing_ledger_degrades_health_loses_nothing_and_recovers_by_itself(self):
        self.refuse(LEDGER_FAILS)
        self.player.play(REQUESTS[:5])
        self.clock.turn(CHECKPOINT_MS)
        self.wait_for_health(503)
        self.player.play(REQUESTS[5:8])  # taken all the same
        self.player.check_exact(self.truth)
        self.work_again()  # and nothing is sent from here on
        self.clock.turn(LEDGER_RETRY_MS)
        self.wait_for_health(200)
        self.assertGreater(self.bridge.health()["ledger"]["position"], 0)
        self.check_restart()

    def test_ledger_that_fails_at_the_end_is_told_and_loses_nothing(self):
        self.player.play(REQUESTS[:5])
        self.refuse(LEDGER_FAILS)
        status, _ = self.bridge.stop()
        self.assertEqual(status, 1)
        self.assertIn("ledger", self.bridge.errors())
        self.player.start()
        self.player.check_health()
        self.player.check_exact(self.truth)

    def test_lost_events_that_could_not_be_noted_are_counted_once(self):
        self.player.play(REQUESTS)
        self.bridge.kill()
        self.player.start({"FAULTS_CONTROL": str(self.control), "FAULTS_SKEW_MS": "3600000"})
        self.refuse(FULL)
        waiting = Background(self.bridge, Said("later", [histogram([1, 0, 0])]))
        self.assertEqual(waiting.wait().status, 503)  # 8 s: the gaps were judged meanwhile, more than once
        self.work_again()
        lost = workload.lost_events()
        wait_until(lambda: self.lost() >= lost, lambda: f"{lost} lost events told: {self.lost()}", 10)
        self.assertEqual(self.lost(), lost)
        self.bridge.kill()
        self.player.start({"FAULTS_SKEW_MS": "3600000"})
        self.assertEqual(self.lost(), lost)

    def lost(self):
        return self.bridge.metrics().total("cctm_client_lost_events_total")

    def test_failing_sync_under_disk_is_answered_and_degrades_health_until_the_disk_syncs_again(self):
        """The request is applied: to refuse it would make the client repeat what counts already."""
        self.bridge.options += ["--durability", "disk"]
        self.bridge.kill()
        self.player.start({"FAULTS_CONTROL": str(self.control)})
        self.player.play(REQUESTS[:2])
        self.refuse(SYNC_FAILS)
        self.player.play(REQUESTS[2:4])
        self.assertIn("sync", self.bridge.health()["problems"][0])
        self.stays(lambda: self.health_status() == 503)  # nothing is sent, and nothing gets better
        self.player.check_exact(self.truth)
        self.player.play(REQUESTS[4:6])
        self.assertEqual(self.health_status(), 503)
        self.assertEqual(self.bridge.errors().count("requests are taken, but"), 1, self.bridge.errors())
        self.work_again()
        self.wait_for_health(200)
        self.player.play(REQUESTS[6:8])
        self.check_restart()

    def test_any_single_call_that_fails_loses_nothing(self):
        """The bridge goes on or says why it does not; then all that was acknowledged is there."""
        self.bridge.kill()
        shared["truth"] = self.truth
        works = [(number, "28", "os") for number in range(1, 140, 1 if ALL else 5)]
        works += [(number, "5", "disk") for number in range(1, 150, 1 if ALL else 5)]
        wrong = run(fail_once, works, "single failures")
        self.assertFalse(wrong, "\n".join(wrong[:10]))


def fail_once(work):
    number, why, durability = work
    player = Player(workload.scratch(), options=("--durability", durability))
    try:
        play_failing(player, f"{number} 1 {why}")
        player.start()
        player.check_health()
        player.check_exact(shared["truth"])
        player.check_report(shared["truth"])
        return None
    except Exception as error:
        return f"call {number}, {durability}: {type(error).__name__}: {error}"
    finally:
        discard(player)


def play_failing(player, rule):
    try:
        player.start({"FAULTS_FAIL": rule})
        for request in REQUESTS[:6]:
            player.bridge.send(request)  # a held one is taken soon
            player.taken += 1
        player.see(player.bridge.metrics())
        player.bridge.stop()
    except Refused as error:
        assert "status 1" in str(error), error


if __name__ == "__main__":
    case.main()
