"""The bridge is killed before, in the middle of, and after each write, sync, cut, rename and deletion it makes, in a
conversation with restarts; then it must show every acknowledged value once, and nothing lower than was shown.

CCTM_RECOVERY=all tries every point; otherwise a choice with a fixed seed. Each test prints how many it tried.
"""

import concurrent.futures
import random
import shutil
import sys
import time
import unittest
from pathlib import Path

import workload
from lib import case
from lib.bridge import wait_until
from workload import ALL, KILL, PHASES, TERM, Died, Player, Truth

SEED = 20261125


class Snapshot:
    """The state directory and the client's memory before a phase."""

    def __init__(self, player):
        self.state = workload.copy_state(player.bridge.state)
        self.memory = player.memory()

    def player(self, hold="0"):
        return Player(workload.copy_state(self.state), hold, **self.memory)


class Point:
    def __init__(self, phase, call, moment):
        self.phase, self.call, self.moment = phase, call, moment

    def __repr__(self):
        return f"phase {self.phase}: {self.moment} {self.call}"


def play_phase(player, phase, faults):
    parts, ending = PHASES[phase]
    player.start(faults)
    player.play(parts)
    player.end(ending)


def discard(player):
    player.bridge.close()
    shutil.rmtree(player.bridge.state, ignore_errors=True)


class Rehearsal:
    """The conversation without a fault: a snapshot before each phase, and the calls that each makes."""

    def __init__(self, hold="0"):
        self.snapshots, self.calls = [], []
        player = Player(workload.scratch(), hold)
        log = Path(workload.scratch())
        try:
            for phase in range(len(PHASES)):
                self.snapshots.append(Snapshot(player))
                name = log / f"{phase}"
                play_phase(player, phase, {"FAULTS_LOG": str(name)})
                self.calls.append(workload.counted(name))
            self.snapshots.append(Snapshot(player))
        finally:
            discard(player)
            shutil.rmtree(log)

    def close(self):
        for snapshot in self.snapshots:
            shutil.rmtree(snapshot.state, ignore_errors=True)


def points_of(rehearsal):
    for phase, calls in enumerate(rehearsal.calls):
        for call in calls:
            yield Point(phase, call, "before")
            if call.is_write():
                yield Point(phase, call, "middle")
            yield Point(phase, call, "after")


def is_always_tried(point):
    """The journal's every moment. Elsewhere the moment after a call is the moment before the next for what is on
    disk, and the copies of pages one after the other are alike."""
    call = point.call
    if call.is_journal():
        return True
    return point.moment == "before" and not (call.what == "pwrite" and "ledger.db" in call.path)


def choose(points, count):
    if ALL:
        return points
    first = [p for p in points if is_always_tried(p)]
    rest = [p for p in points if not is_always_tried(p)]
    return first + random.Random(SEED).sample(rest, min(count, len(rest)))


# Read by the worker processes, which are forked when it is there.
shared = {}


def kill_there(point, hold="0"):
    """None, or what is wrong."""
    rehearsal, truth = shared[hold], shared["truth"]
    player = rehearsal.snapshots[point.phase].player(hold)
    try:
        try:
            play_phase(player, point.phase, {"FAULTS_KILL": f"{point.call.number} {point.moment}"})
            return f"{point}: never reached"
        except Died:
            pass
        workload.finish(player, truth, is_held=hold != "0")
        return None
    except Exception as error:  # what is wrong with one point must not hide the others
        return f"{point}: {type(error).__name__}: {error}"
    finally:
        discard(player)


def kill_there_held(point):
    return kill_there(point, "1s")


def start_times(player, count, faults):
    """Starts that are killed on their way; returns how many were."""
    died = 0
    for _ in range(count):
        try:
            player.start(faults)
            player.bridge.kill()
        except Died:
            died += 1
    return died


def kill_starts_there(point):
    """Killed at the same call of start-up, four times in a row."""
    player = shared["0"].snapshots[point.phase].player()
    try:
        if start_times(player, 4, {"FAULTS_KILL": f"{point.call.number} {point.moment}"}) == 0:
            return f"{point}: never reached"
        workload.finish(player, shared["truth"])
        return None
    except Exception as error:
        return f"{point} (starts): {type(error).__name__}: {error}"
    finally:
        discard(player)


def run(function, points, name):
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(workload.WORKERS) as pool:
        wrong = [line for line in pool.map(function, points, chunksize=4) if line]
    print(f"{name}: {len(points)} points in {time.monotonic() - began:.1f} s, {len(wrong)} wrong", file=sys.stderr)
    return wrong


class Kills(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        shared["truth"] = Truth()
        shared["0"] = Rehearsal()
        cls.points = list(points_of(shared["0"]))
        print(f"calls by phase: {[len(c) for c in shared['0'].calls]}, {len(cls.points)} points", file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        for hold in ("0", "1s"):
            if hold in shared:
                shared.pop(hold).close()

    def assert_nothing_wrong(self, wrong):
        self.assertFalse(wrong, "\n".join([f"{len(wrong)} points", *wrong[:10]]))

    def test_every_acknowledged_request_counts_once_wherever_the_bridge_is_killed(self):
        self.assert_nothing_wrong(run(kill_there, choose(self.points, 60), "kills"))

    def test_what_was_shown_as_0_stays_shown_wherever_the_bridge_is_killed(self):
        shared["1s"] = Rehearsal("1s")
        points = list(points_of(shared["1s"]))
        if not ALL:
            points = random.Random(SEED).sample([p for p in points if p.call.is_journal()], 8)
        self.assert_nothing_wrong(run(kill_there_held, points, "kills with a hold of 1 s"))


if __name__ == "__main__":
    case.main()
