"""One fixed conversation with a bridge, what is true after each of its requests, and a player that survives the
bridge's death as the client does: what was not answered is sent again.
"""

import http.client
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from lib import bridge as bridges  # noqa: E402
from lib import figures, recordings  # noqa: E402
from lib.bridge import Bridge, wait_until  # noqa: E402

FAULTS = os.environ.get("CCTM_FAULTS", "librecovery_faults.so")
ALL = os.environ.get("CCTM_RECOVERY") == "all"
WORKERS = max(2, min(4, os.cpu_count() or 2))
SCRAPE = "scrape"
TERM, KILL = "stop", "kill"  # how a phase ends
BROKEN = (http.client.HTTPException, OSError)


def scratch():
    """A directory for state: in memory where there is such a place, since nobody pulls the plug here."""
    return tempfile.mkdtemp(prefix="cctm-recovery-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


class Clock:
    """The clock of the bridges that are started with faults(); wakes their loops up more often."""

    def __init__(self, folder, shift_ms=0):
        self.path, self.shift_ms = Path(folder) / "clock", 0
        self.path.write_bytes(bytes(8))
        self.turn(shift_ms)

    def turn(self, by_ms):
        self.shift_ms += by_ms
        with open(self.path, "r+b") as file:  # in place: it is mapped
            file.write(struct.pack("<q", self.shift_ms))

    def faults(self):
        return {"FAULTS_CLOCK": str(self.path)}


class Said:
    """A request of our own, beside the recorded ones; the same shape."""

    signal, url = "metrics", "/v1/metrics"

    def __init__(self, name, metrics):
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "recovery"}}]}
        message = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
        self.name, self.body = name, json.dumps(message).encode()

    def encoded(self, _how):
        return {"content-type": "application/json"}, self.body

    def decoded(self):
        return {}  # its figures are none of the client's

    def __repr__(self):
        return self.name


NOW = "1795600000000000000"


def histogram(counts):
    point = {"startTimeUnixNano": NOW, "timeUnixNano": NOW, "explicitBounds": [1, 5], "bucketCounts": counts}
    point |= {"count": sum(counts), "sum": 2.5 * sum(counts)}
    return {"name": "waited", "unit": "s", "histogram": {"aggregationTemporality": 1, "dataPoints": [point]}}


def gauge(value):
    return {"name": "depth", "gauge": {"dataPoints": [{"timeUnixNano": str(int(NOW) + value), "asInt": value}]}}


def _conversation():
    (delta,), (cumulative,) = recordings.recordings("multi-export-json"), recordings.recordings("resume-pb-cumulative")
    d, c = delta.requests, cumulative.requests
    withheld = d[7]
    assert withheld.signal == "logs"
    phases = [
        ([d[0], SCRAPE, d[1], d[2], SCRAPE, Said("histogram 1", [histogram([1, 0, 2]), gauge(3)]), d[3], SCRAPE], TERM),
        ([c[0], c[1], d[4], d[1], SCRAPE, c[3], c[5], SCRAPE, d[5], d[6], c[6], c[7], SCRAPE], KILL),
        ([c[8], d[8], SCRAPE, Said("histogram 2", [histogram([0, 4, 0]), gauge(5)]), d[9], c[9], d[8], SCRAPE], TERM),
        ([d[10], SCRAPE, d[11], c[10], d[12], d[13], SCRAPE], KILL),
    ]
    return phases, withheld


PHASES, WITHHELD = _conversation()
REQUESTS = [step for steps, _ in PHASES for step in steps if step != SCRAPE]


def lost_events():
    """How many records the request had that was never sent: true losses."""
    return sum(1 for _ in recordings.otlp.logs(WITHHELD.decoded()))


def shown_series(exposition):
    """Every series that the state holds, by name and labels with `start`; not what a process counts for itself."""
    out = {}
    for sample in exposition.samples:
        if "start" in sample.labels or not sample.name.startswith("cctm_"):
            out[sample.key()] = sample.value
    return out


def figures_of(series):
    """The same without `start`."""
    return {tuple(part for part in key if part[0] != "start"): value for key, value in series.items()}


def starts_of(series):
    return {part[1] for key in series for part in key if part[0] == "start"}


def different(expected, got):
    lines = []
    for key in sorted(set(expected) | set(got), key=str):
        a, b = expected.get(key), got.get(key)
        if a is None or b is None or abs(a - b) > 1e-12 * max(1, abs(a)):
            lines.append(f"{key}: {b} instead of {a}")
    return lines


def report_of(state):
    report = bridges.report(state)
    return report["totals"]


class Truth:
    """What /metrics and the report say after each request when nothing goes wrong, checked against a sum of our own."""

    def __init__(self):
        with Bridge() as bridge:
            self.after = [{}]
            self.reports = [report_of(bridge.state)]
            for request in REQUESTS:
                bridge.send(request)
                exposition = bridge.metrics()
                self.after.append(figures_of(shown_series(exposition)))
                self.reports.append(report_of(bridge.state))
        totals, events = recordings.add_up([r for r in REQUESTS if not isinstance(r, Said)])
        wrong = figures.differences(totals, figures.of_metrics(exposition))
        wrong += figures.differences(events, figures.events_of_metrics(exposition))
        assert not wrong, f"even without faults: {wrong}"
        assert exposition.total("waited_seconds_count") == 7 and exposition.total("depth") == 5, exposition.text


class Died(Exception):
    """The bridge ended by the planned kill."""


class Refused(Exception):
    """The bridge said why it does not start."""


class Player:
    """Plays the conversation from `position` on and remembers what it was told."""

    def __init__(self, state, hold="0", position=0, taken=0, shown=None, options=()):
        self.bridge = Bridge(*options, state=state, zero_hold=hold)
        self.position = position  # of the next step in the whole conversation
        self.taken = taken  # requests acknowledged
        self.shown = dict(shown or {})  # highest value of every series a scrape returned

    def memory(self):
        return {"position": self.position, "taken": self.taken, "shown": dict(self.shown)}

    # ---- the bridge, which may die at any moment ----

    def start(self, faults=None):
        self.bridge.environment = {"LD_PRELOAD": FAULTS, "FAULTS_DIR": str(self.bridge.state), **faults} if faults else None
        if faults and "ASAN_OPTIONS" not in os.environ:
            self.bridge.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        try:
            self.bridge.start()
        except AssertionError as error:
            if faults and "status -9" in str(error):
                raise Died from None
            raise
        if "error" in self.bridge.ready:
            status = self.bridge.process.wait(5)
            self.bridge.kill()
            raise Refused(f"status {status}: {self.bridge.ready['error']}")

    def is_dead(self):
        return self.bridge.process.poll() is not None

    def _died(self):
        status = self.bridge.process.wait(10)
        assert status == -9, f"the bridge ended with {status}: {self.bridge.errors()}"
        self.bridge.kill()
        raise Died

    def end(self, how):
        if how == KILL:
            self.bridge.kill()
            return
        status, _ = self.bridge.stop()
        if status == -9:
            raise Died
        assert status == 0, f"SIGTERM: {status}: {self.bridge.errors()}"

    def step(self, what):
        try:
            if what == SCRAPE:
                self.see(self.bridge.metrics())
            else:
                self.bridge.send(what)
                self.taken += 1
        except BROKEN:
            self._died()
        except AssertionError:
            if not self.is_dead():
                raise
            self._died()
        self.position += 1

    def play(self, steps):
        for what in steps:
            self.step(what)

    # ---- what must hold ----

    def see(self, exposition):
        """A scrape: nothing that an earlier one returned is gone or lower."""
        now = shown_series(exposition)
        kinds = exposition.types
        for key, value in self.shown.items():
            assert key in now, f"{key} was shown as {value} and is gone; starts now {starts_of(now)}"
            is_gauge = kinds.get(key[0]) == "gauge"
            assert is_gauge or now[key] >= value, f"{key} fell from {value} to {now[key]}"
        self.shown.update(now)
        assert len(starts_of(self.shown)) <= 1, f"a new epoch without need: {starts_of(self.shown)}"
        return now

    def check_health(self):
        answer = self.bridge.get("health")
        assert answer.status == 200 and answer.json()["status"] == "ok", answer.body

    def check_exact(self, truth, requests=None):
        wrong = different(truth.after[self.taken if requests is None else requests], figures_of(self.see(self.bridge.metrics())))
        assert not wrong, f"after {self.taken} requests of {len(REQUESTS)}: {wrong[:5]}"

    def check_report(self, truth):
        got = report_of(self.bridge.state)
        assert got == truth.reports[self.taken], f"report: {got} instead of {truth.reports[self.taken]}"

    def check_acknowledged(self, truth, pending):
        """All of what was acknowledged and at most the one request that was under way; nothing in between."""
        now = figures_of(self.see(self.bridge.metrics()))
        wrong = different(truth.after[self.taken], now)
        if wrong and pending is not None and pending != SCRAPE:
            wrong = different(truth.after[self.taken + 1], now)
        assert not wrong, f"after {self.taken} acknowledged requests: {wrong[:5]}"


def steps():
    return [step for part, _ in PHASES for step in part]


def finish(player, truth, is_held=False):
    """After a death: start again, check, repeat what was not answered, play the rest, check, restart, check."""
    pending = (steps() + [None])[player.position]
    player.start()
    player.check_health()
    if not is_held:
        player.check_acknowledged(truth, pending)
    player.play([pending] if pending is not None else [])
    if not is_held:
        player.check_exact(truth)
    player.play(steps()[player.position :])
    settle(player, truth, is_held)
    player.check_report(truth)
    player.bridge.restart("kill")
    player.check_health()
    settle(player, truth, is_held)
    player.check_report(truth)


def settle(player, truth, is_held):
    if not is_held:
        player.check_exact(truth)
        return

    def differences():
        return different(truth.after[player.taken], figures_of(player.see(player.bridge.metrics())))

    wait_until(lambda: not differences(), lambda: differences()[:5], deadline_s=6)


def copy_state(source):
    target = scratch()
    shutil.rmtree(target)
    shutil.copytree(source, target)
    return target


class Call:
    """A line of the log of faults.c."""

    def __init__(self, line):
        number, self.what, size, path = line.rstrip("\n").split(" ", 3)
        self.number, self.bytes, self.path = int(number), int(size), path

    def is_write(self):
        return "write" in self.what and self.bytes > 1

    def is_journal(self):
        return self.path.startswith("/journal-") and self.path.endswith(".log")

    def __repr__(self):
        return f"{self.number} {self.what} {self.bytes} {self.path}"


def read_log(path):
    return [Call(line) for line in Path(path).read_text().splitlines()]


def counted(path):
    return [call for call in read_log(path) if call.number]


def places(calls):
    """(call, "WHAT NAME N" for FAULTS_KILL_AT) of each call: what stays the same when threads overtake each other."""
    seen = {}
    for call in calls:
        key = f"{call.what} {call.path[1:] or '.'}"
        seen[key] = seen.get(key, 0) + 1
        yield call, f"{key} {seen[key]}"


def wait_for_checkpoint(bridge):
    """All of the journal is in the ledger; the bridge's death ends the wait."""

    def is_there():
        if bridge.process.poll() is not None:
            raise ConnectionResetError("the bridge is dead")
        health = bridge.health()
        return not health["ledger"]["is_busy"] and health["ledger"]["position"] == health["journal"]["end"]

    wait_until(is_there, lambda: f"a checkpoint: {bridge.health()}", 20, 0.002)
