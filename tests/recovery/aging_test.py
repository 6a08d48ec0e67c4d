"""What the bridge does by itself as time goes by, as kill points: a checkpoint by its timer, the expiry of history, and
the new epoch when no scrape came for a week. The clock is turned, nothing is waited for.
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
from tokens import Conversation, check, check_repeats, reported, shown, tokens
from workload import ALL, BROKEN, SCRAPE, Clock, Died, Player

SEED = 20261125
CHECKPOINT_MS = 15_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
KEPT_MS = 3 * DAY_MS  # the shortest retention there is


class Age:
    """A step: so much time passes, and what is due then is done."""

    def __init__(self, ms):
        self.ms = ms

    def __repr__(self):
        return f"{self.ms} ms later"


class Ager:
    """A player with a clock; plays Age steps too."""

    def __init__(self, state, options=()):
        self.player = Player(state, options=options)
        self.folder = Path(workload.scratch())
        self.clock = Clock(self.folder)

    def start(self, faults=None):
        self.player.start({**(faults or {}), **self.clock.faults()})
        self.player.check_health()

    def step(self, what):
        if not isinstance(what, Age):
            self.player.step(what)
            return
        self.player.bridge.disconnect()  # an idle connection would be closed
        self.clock.turn(what.ms)
        self.wait()
        self.player.position += 1

    def wait(self):
        try:
            workload.wait_for_checkpoint(self.player.bridge)
        except BROKEN:
            self.player._died()

    def play(self, steps):
        for what in steps:
            self.step(what)

    def close(self):
        discard(self.player)
        shutil.rmtree(self.folder, ignore_errors=True)


def requests_of(steps):
    return [step for step in steps if step != SCRAPE and not isinstance(step, Age)]


class Story:
    """Steps that end with what is to be killed, their calls, and what must hold behind them."""

    def __init__(self, name, before, steps, options=(), pause_ms=0, forgets=False, is_new_epoch=False):
        self.name, self.before, self.steps = name, before, steps
        self.options = options
        self.pause_ms = pause_ms  # that no bridge ran before the steps
        self.forgets = forgets  # history from before the steps expires in them
        self.is_new_epoch = is_new_epoch

    def rehearse(self):
        ager = Ager(workload.scratch(), self.options)
        try:
            ager.start()
            ager.play(self.before)
            ager.player.bridge.kill()
            self.state, self.memory = workload.copy_state(ager.player.bridge.state), ager.player.memory()
            ager.clock.turn(self.pause_ms)
            self.begin_ms = ager.clock.shift_ms
            if self.is_new_epoch:
                ager.player.shown = {}
            log = ager.folder / "log"
            ager.start({"FAULTS_LOG": str(log)})
            ready = len(workload.read_log(log))
            self.play_steps(ager)
            calls = workload.read_log(log)
            later = set(map(id, calls[ready:]))
            self.places = [p for p in workload.places(c for c in calls if c.number) if id(p[0]) in later]
            self.finish(ager)
        finally:
            ager.close()
        return self

    def ager(self):
        ager = Ager(workload.copy_state(self.state), self.options)
        ager.player.shown = {} if self.is_new_epoch else dict(self.memory["shown"])
        ager.clock.turn(self.begin_ms)
        return ager

    def play_steps(self, ager):
        ager.player.position = 0
        for step in self.steps:
            ager.step(step)

    def counted(self):
        """What of `before` /metrics shows during the steps: a new epoch begins with what no scrape had returned."""
        return requests_of(self.before)[-1:] if self.is_new_epoch else requests_of(self.before)

    def finish(self, ager):
        """Behind the steps and over restarts, /metrics and the report."""
        before, sent = requests_of(self.before), requests_of(self.steps)
        in_report = tokens(sent) if self.forgets else tokens([*before, *sent])
        player = ager.player
        for how in (None, workload.KILL, workload.TERM):
            if how:
                player.end(how)
                ager.start()
            check(player, [*self.counted(), *sent])
            self.wait_for_report(player.bridge.state, in_report)
        if not self.forgets:  # there it lies hours back
            check_repeats(player, sent, len(sent))

    def wait_for_report(self, state, expected):
        """An expiry with nothing else to do cannot be seen from outside."""
        wait_until(lambda: reported(state) == expected, lambda: f"report: {reported(state)} instead of {expected}", 3)

    def points(self):
        for call, place in self.places:
            for moment in ("before", "middle", "after"):
                if moment != "middle" or call.is_write():
                    yield self.name, call, f"{place} {moment}"


def kill_there(point):
    name, _, place = point
    story = shared[name]
    ager = story.ager()
    player = ager.player
    try:
        try:
            ager.start({"FAULTS_KILL_AT": place})
            story.play_steps(ager)
            return f"{name}: {place}: never reached"
        except Died:
            pass
        left = story.steps[player.position :]
        ager.start()
        pending = left[0] if left and not isinstance(left[0], Age) else None
        check(player, [*story.counted(), *requests_of(story.steps[: player.position])], pending)
        ager.play(left)
        story.finish(ager)
        return None
    except Exception as error:
        return f"{name}: {place}: {type(error).__name__}: {error}"
    finally:
        ager.close()


def stories():
    d = [Conversation().delta(n) for n in range(4)]
    talk = Conversation()
    c = [talk.cumulative(3 + n) for n in range(4)]
    now = Conversation().delta(4, is_timed=False)
    yield Story(
        "checkpoint by time",
        [d[0], c[0], SCRAPE, Age(CHECKPOINT_MS), d[1], c[1]],
        [Age(CHECKPOINT_MS), d[2], SCRAPE, c[2], Age(CHECKPOINT_MS)],
    )
    yield Story(
        "expiry",
        [d[0], c[0], SCRAPE, Age(CHECKPOINT_MS)],
        [now, Age(2 * HOUR_MS)],
        forgets=True,
        pause_ms=KEPT_MS + 2 * HOUR_MS,
        options=("--retention", f"{KEPT_MS // DAY_MS}d"),
    )
    yield Story(
        "new epoch",
        [d[0], c[0], SCRAPE, d[1], Age(CHECKPOINT_MS)],
        [SCRAPE, d[2], SCRAPE, Age(CHECKPOINT_MS)],
        pause_ms=8 * DAY_MS,
        is_new_epoch=True,
    )


def choose(points):
    """The journal's always; of the ledger's each kind of write, and some more."""
    if ALL:
        return points
    first = [p for p in points if p[1].is_journal()]
    rest = [p for p in points if not p[1].is_journal()]
    return first + random.Random(SEED).sample(rest, min(16, len(rest)))


class Aging(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for story in stories():
            shared[story.name] = story.rehearse()
            print(f"{story.name}: {[p for _, p in story.places]}", file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        for story in list(shared.values()):
            shutil.rmtree(story.state, ignore_errors=True)
        shared.clear()

    def kill(self, name):
        points = list(shared[name].points())
        wrong = run(kill_there, choose(points), f"{name}, {len(points)} points in all")
        self.assertFalse(wrong, "\n".join(wrong[:10]))

    def test_checkpoint_by_time_loses_and_doubles_nothing_wherever_it_is_killed(self):
        self.assertTrue([c for c, _ in shared["checkpoint by time"].places if "ledger.db" in c.path])
        self.kill("checkpoint by time")

    def test_expiry_forgets_what_is_old_and_nothing_else_wherever_it_is_killed(self):
        self.kill("expiry")

    def test_new_epoch_begins_with_what_no_scrape_has_returned_wherever_it_is_killed(self):
        self.kill("new epoch")


if __name__ == "__main__":
    case.main()
