"""The journal's segments as kill points: the bridge is killed at each step of beginning a segment and of deleting one.
Nothing acknowledged is lost or doubled; a segment can be read without the ones before it, for it repeats the
definitions it needs; and a request of the last 15 minutes is known again after a restart, though its record lies
behind the checkpoint and in an older segment.
"""

import shutil
import sys
import unittest
from pathlib import Path

import workload
from lib import bridge as bridges
from lib import case
from points import discard, run, shared
from tokens import SESSIONS, Conversation, check, check_repeats, reported, shown, tokens
from workload import ALL, BROKEN, SCRAPE, Clock, Died, Player

SEGMENT = 16 << 20
RISES = 850  # of each stream in a request: 17,000 points, 1.3 MiB of journal in a few series
MINUTE_MS = 60_000
ROUNDS_MAX = 40


def fill(player, conversation):
    """Plays until one more large request fills the segment; returns what was played."""
    sent, size = [conversation.delta(0)], 0
    player.step(sent[0])
    while SEGMENT - player.bridge.health()["journal"]["end"] > size:
        before = player.bridge.health()["journal"]["end"]
        sent.append(conversation.cumulative(RISES))
        player.step(sent[-1])
        size = player.bridge.health()["journal"]["end"] - before
    return sent


def segments(state):
    return sorted(Path(state).glob("journal-*.log"))


def check_alone(state, expected, sessions):
    """What the kept segments hold can be told without the ledger, by the report and by a bridge."""
    copy = Path(workload.copy_state(state))
    try:
        for path in copy.glob("ledger.db*"):
            path.unlink()
        got = reported(copy)
        assert got == expected, f"the segments alone hold {got} instead of {expected}"
        rows = bridges.report(copy, "--until", "2100-01-01", "--by", "session")["groups"]
        keys = {row["key"]["session"] for row in rows}
        assert keys == sessions, f"sessions {keys} instead of {sessions}"
        player = Player(copy)
        try:
            player.start()
            got = shown(player)
            assert got == 0, f"a bridge that lost its ledger begins a new epoch, but not at {got}"
            player.bridge.send(shared["story"].rounds[-1])
            assert shown(player) == shared["story"].rounds[-1].tokens, shown(player)
            player.bridge.stop()
            got = reported(copy) - shared["story"].rounds[-1].tokens
            assert got == expected, f"a bridge on the segments alone has {got} instead of {expected}"
        finally:
            player.bridge.close()
    finally:
        shutil.rmtree(copy)


def sessions_of(requests):
    text = b"".join(said.body for said in requests if said != SCRAPE).decode()
    names = {f"{kind}-{n}" for kind in ("long", "short") for n in range(SESSIONS)}
    return {name for name in names if f'"{name}"' in text}


class Story:
    """Rehearsed once: a journal whose first segment is nearly full, what is sent then, and the calls it makes."""

    def __init__(self):
        conversation = Conversation()
        self.folder = Path(workload.scratch())
        player = Player(workload.scratch(), options=("--durability", "disk"))
        try:
            player.start()
            self.before = fill(player, conversation)
            player.bridge.kill()
            self.full = workload.copy_state(player.bridge.state)
            self.last_of_first = conversation.cumulative(RISES)
            self.behind = [conversation.delta(1), SCRAPE, conversation.cumulative(1), conversation.delta(2)]
            self.steps = [self.last_of_first, *self.behind]
            player.start({"FAULTS_LOG": str(self.folder / "begin")})
            ready = len(workload.read_log(self.folder / "begin"))
            player.play(self.steps)
            calls = workload.read_log(self.folder / "begin")
            self.begin_places = [p for p in workload.places(c for c in calls if c.number) if p[0] in calls[ready:]]
            player.end(workload.TERM)
            self.two = workload.copy_state(player.bridge.state)
            self.all = [*self.before, *self.steps]
            self.rounds = [conversation.delta(3 + n) for n in range(ROUNDS_MAX)]
            self.rehearse_release(player)
        finally:
            discard(player)

    def rehearse_release(self, player):
        clock = Clock(self.folder)
        player.start({"FAULTS_LOG": str(self.folder / "release"), **clock.faults()})
        rounds = iter(self.rounds)
        while len(segments(player.bridge.state)) > 1:
            age(player, clock, next(rounds))  # StopIteration: no segment was deleted
        calls = workload.counted(self.folder / "release")
        self.release_places = [p for p in workload.places(calls) if p[0].what == "unlink" and p[0].is_journal()]

    def player(self, state):
        return Player(workload.copy_state(state), options=("--durability", "disk"))

    def close(self):
        for path in (self.folder, self.full, self.two):
            shutil.rmtree(path, ignore_errors=True)


def age(player, clock, said):
    """A minute later a request comes, and a minute after that it is in the ledger."""
    clock.turn(MINUTE_MS)
    player.step(said)
    clock.turn(16_000)
    try:
        workload.wait_for_checkpoint(player.bridge)
    except BROKEN:
        player._died()


def moments(places):
    for call, place in places:
        yield f"{place} before"
        if call.is_write():
            yield f"{place} middle"
    yield f"{places[-1][1]} after"


def all_moments(places):
    for call, place in places:
        for moment in ("before", "middle", "after"):
            if moment != "middle" or call.is_write():
                yield f"{place} {moment}"


def kill_at_begin(place):
    story = shared["story"]
    player = story.player(story.full)
    try:
        try:
            player.start({"FAULTS_KILL_AT": place})
            player.play(story.steps)
            return f"{place}: never reached"
        except Died:
            pass
        player.start()
        player.check_health()
        done, left = story.steps[: player.position], story.steps[player.position :]
        check(player, [*story.before, *done], left[0])
        player.play(left)
        check(player, story.all)
        assert len(segments(player.bridge.state)) == 2, segments(player.bridge.state)
        player.bridge.restart("kill")
        check(player, story.all)
        assert reported(player.bridge.state) == tokens(story.all), reported(player.bridge.state)
        check_behind_checkpoint(player, story)
        return None
    except Exception as error:
        return f"{place}: {type(error).__name__}: {error}"
    finally:
        discard(player)


def check_behind_checkpoint(player, story):
    """With everything in the ledger: repeats from both segments; then the second segment alone."""
    player.bridge.restart("stop")
    check(player, story.all)
    check_repeats(player, [story.before[0], story.before[1], story.last_of_first, story.behind[0], story.behind[2]], 5)
    player.bridge.kill()
    segments(player.bridge.state)[0].unlink()
    check_alone(player.bridge.state, tokens(story.behind), sessions_of(story.behind))


def kill_at_release(place):
    story = shared["story"]
    player, folder = story.player(story.two), Path(workload.scratch())
    clock = Clock(folder)
    try:
        try:
            player.start({"FAULTS_KILL_AT": place, **clock.faults()})
            for said in story.rounds:
                age(player, clock, said)
            return f"{place}: never reached"
        except Died:
            pass
        done, pending, last = story.rounds[: player.taken], story.rounds[player.taken], story.rounds[-2]
        assert clock.shift_ms >= 15 * MINUTE_MS, f"deleted after {clock.shift_ms} ms, and requests of it may be repeated"
        player.start(clock.faults())
        player.check_health()
        check(player, [*story.all, *done], pending)
        done.append(pending)
        for said in (pending, last):
            player.bridge.send(said)
        check(player, [*story.all, *done, last])
        check_repeats(player, [*done[-11:], last], 12)  # 76 s each: they are younger than 15 minutes
        player.bridge.restart("kill")
        check(player, [*story.all, *done, last])
        player.bridge.stop()
        for path in segments(player.bridge.state)[:-1]:
            path.unlink()
        check_alone(player.bridge.state, tokens([*story.behind, *done, last]), sessions_of([*story.behind, *done, last]))
        return None
    except Exception as error:
        return f"{place}: {type(error).__name__}: {error}"
    finally:
        discard(player)
        shutil.rmtree(folder)


class Segments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.story = shared["story"] = Story()
        begin, release = cls.story.begin_places, cls.story.release_places
        print(f"begin: {[p for _, p in begin]}\nrelease: {[p for _, p in release]}", file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        shared.pop("story").close()

    def assert_nothing_wrong(self, wrong):
        self.assertFalse(wrong, "\n".join(wrong))

    def test_second_segment_is_begun_in_the_rehearsal(self):
        """Or the points below would be none of those meant."""
        new = [(call.what, call.bytes) for call, _ in self.story.begin_places]
        at = new.index(("create", 0))
        self.assertEqual([what for what, _ in new[at - 1 : at + 3]], ["fdatasync", "create", "write", "fsync"], new)

    def test_nothing_is_lost_or_doubled_wherever_the_beginning_of_a_segment_is_killed(self):
        points = list((all_moments if ALL else moments)(self.story.begin_places))
        self.assert_nothing_wrong(run(kill_at_begin, points, "beginning a segment"))

    def test_nothing_is_lost_or_doubled_when_the_deletion_of_a_segment_is_killed(self):
        self.assertTrue(self.story.release_places)
        points = list(all_moments(self.story.release_places))
        self.assert_nothing_wrong(run(kill_at_release, points, "deleting a segment"))


if __name__ == "__main__":
    case.main()
