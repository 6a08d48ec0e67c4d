"""The bridge is killed before, in the middle of, and after each write, sync, cut, rename and deletion it makes, in a
conversation with restarts; then it must show every acknowledged value once, and nothing lower than was shown.

CCTM_RECOVERY=all tries every point; otherwise a choice with a fixed seed. Each test prints how many it tried.
"""

import random
import shutil
import sys
import unittest
from pathlib import Path

import workload
from lib import case
from lib.bridge import wait_until
from points import discard, run, shared
from workload import ALL, PHASES, Died, Player, Truth

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


def told_lost(player):
    """How many events the bridge says were lost, an hour later."""
    player.bridge.kill()
    player.start({"FAULTS_SKEW_MS": "3600000"})
    lost = workload.lost_events()

    def told():
        return player.bridge.metrics().total("cctm_client_lost_events_total")

    wait_until(told, "lost events told", deadline_s=12)
    assert told() == lost, f"{told()} events lost instead of {lost}"


def kill_there_and_count_lost(point):
    return kill_there(point, then=told_lost)


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


def kill_there(point, hold="0", then=None):
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
        if then:
            then(player)
        return None
    except Exception as error:  # what is wrong with one point must not hide the others
        return f"{point}: {type(error).__name__}: {error}"
    finally:
        discard(player)


def kill_there_held(point):
    return kill_there(point, "1s")


def start_until_killed(player, times, point, step=0):
    """Starts that are to die on their way, each `step` calls later than the one before; returns how many did."""
    died, (call, moment) = 0, point
    for n in range(times):
        try:
            player.start({"FAULTS_KILL": f"{call.number + n * step} {moment}"})
            player.bridge.kill()
        except Died:
            died += 1
    return died


def kill_starts_there(point):
    """Killed on its way four times in a row, at the same call or a little later each time: a bridge that is killed
    while it replays (out of memory, impatient supervisor) has met no bad record."""
    point, step = point
    player = shared["0"].snapshots[point.phase].player()
    try:
        if start_until_killed(player, 4, (point.call, point.moment), step) == 0:
            return f"{point}: never reached"
        workload.finish(player, shared["truth"])
        bad = sorted(path.name for path in player.bridge.state.glob("*bad*"))
        return f"{point}: set aside: {bad}" if bad else None
    except Exception as error:
        return f"{point}, four starts: {type(error).__name__}: {error}"
    finally:
        discard(player)


class Damage:
    """What a disk does to a state directory, and what may then be shown."""

    def __init__(self, name, phase, apply):
        self.name, self.phase, self.apply = name, phase, apply


def journal_of(state):
    return sorted(state.glob("journal-*.log"))[-1]


def flip_in_the_middle(state):
    path = journal_of(state)
    data = bytearray(path.read_bytes())
    data[len(data) * 4 // 5] ^= 0x40
    path.write_bytes(data)


def flip_in_the_last_record(state):
    path = journal_of(state)
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x40
    path.write_bytes(data)


def spoil_ledger(state):
    path = state / "ledger.db"
    path.write_bytes(b"no database" * 800)


def lose_journal(state):
    journal_of(state).unlink()


DAMAGES = [
    Damage("journal damaged in the middle", 2, flip_in_the_middle),
    Damage("journal damaged at its end", 2, flip_in_the_last_record),
    Damage("ledger spoilt", 2, spoil_ledger),
    Damage("journal lost", 2, lose_journal),
]


def damaged_player(damage):
    player = shared["0"].snapshots[damage.phase].player()
    damage.apply(player.bridge.state)
    return player


def see_by_epoch(player):
    """Under one start nothing is lower than it was shown, whatever was lost; a new start is allowed."""
    now = workload.shown_series(player.bridge.metrics())
    for key, value in player.shown.items():
        is_of_an_epoch = any(part[0] == "start" for part in key)
        if is_of_an_epoch and workload.starts_of(now) & workload.starts_of([key]):
            assert now.get(key, -1) >= value, f"{key}: {now.get(key)} after {value} under the same start"
    player.shown.update(now)
    return now


def check_goes_on(player):
    """What comes after the damage counts, once: the same rise on /metrics and in the report."""
    before = workload.figures_of(see_by_epoch(player))
    player.bridge.send(workload.PHASES[3][0][0])
    after = workload.figures_of(see_by_epoch(player))
    assert sum(after.values()) > sum(before.values()), "a request after the damage counted for nothing"
    player.bridge.restart("kill")
    again = workload.figures_of(see_by_epoch(player))
    assert not workload.different(after, again), workload.different(after, again)[:5]


def kill_start_after_damage(work):
    damage, call, moment = work
    player = damaged_player(damage)
    try:
        if start_until_killed(player, 1, (call, moment)) == 0:
            return f"{damage.name}: {moment} {call}: never reached"
        player.start()
        see_by_epoch(player)
        check_goes_on(player)
        return None
    except Exception as error:
        return f"{damage.name}, {moment} {call}: {type(error).__name__}: {error}"
    finally:
        discard(player)


def starts_after_damage():
    for damage in DAMAGES:
        player, log = damaged_player(damage), Path(workload.scratch())
        try:
            player.start({"FAULTS_LOG": str(log / "log")})
            player.bridge.kill()
            for call in workload.counted(log / "log"):
                if "ledger.db-" not in call.path:
                    yield damage, call, "before"
                    if call.is_write():
                        yield damage, call, "middle"
        finally:
            discard(player)
            shutil.rmtree(log)


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
        self.assertFalse(wrong, "\n".join([f"{len(wrong)} points", *wrong[:40]]))

    def test_every_acknowledged_request_counts_once_wherever_the_bridge_is_killed(self):
        self.assert_nothing_wrong(run(kill_there, choose(self.points, 60), "kills"))

    def test_what_was_shown_as_0_stays_shown_wherever_the_bridge_is_killed(self):
        shared["1s"] = Rehearsal("1s")
        points = [p for p in points_of(shared["1s"]) if p.call.is_journal()]
        points = random.Random(SEED).sample(points, 60 if ALL else 6)  # each waits for the hold, twice
        self.assert_nothing_wrong(run(kill_there_held, points, "kills with a hold of 1 s"))

    def test_what_is_told_lost_is_what_was_never_sent(self):
        points = [p for p in self.points if p.call.is_journal() and p.moment != "before"]
        points = random.Random(SEED).sample(points, 12 if ALL else 2)
        self.assert_nothing_wrong(run(kill_there_and_count_lost, points, "kills, then lost events"))

    def test_a_start_killed_again_and_again_loses_nothing(self):
        points = [p for p in self.points if p.phase in (2, 3) and p.call.number <= self.ready_at(p.phase)]
        points = [p for p in points if p.moment != "after"]
        works = [(point, step) for point in choose(points, 12) for step in (0, 6)]
        self.assert_nothing_wrong(run(kill_starts_there, works, "starts killed four times"))

    def ready_at(self, phase):
        """The number of the last call before the bridge says that it is ready."""
        return max(c.number for c in shared["0"].calls[phase] if c.what == "rename" and c.path == "/bridge.json")

    def test_a_start_killed_while_it_mends_damage_shows_nothing_lower_under_the_same_start(self):
        works = list(starts_after_damage())
        if not ALL:
            works = random.Random(SEED).sample(works, min(60, len(works)))
        self.assert_nothing_wrong(run(kill_start_after_damage, works, "starts killed while mending"))


if __name__ == "__main__":
    case.main()
