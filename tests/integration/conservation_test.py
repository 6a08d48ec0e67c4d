"""Issue 5.3: whatever the sequence of deltas, cumulatives, resets, late points, repeats and restarts, what is
shown equals what was sent.

A seeded generator plays several processes that export to the bridge; the truth is kept beside it by adding what
each process truly counted, in exact fractions, without knowing how the bridge does it.
CCTM_SEED repeats a run; CCTM_ROUNDS makes it longer.
"""

import http.client
import json
import os
import random
import threading
import time
import unittest
from fractions import Fraction

from lib import case, figures
from lib.bridge import Bridge, free_port, wait_until
from lib.figures import differences

ROUNDS = int(os.environ.get("CCTM_ROUNDS", "6"))
STEPS = 60
DELTA, CUMULATIVE = 1, 2
MODELS = ("alpha", "beta", 'with "quotes" \\ and\nnewline')
COST, TOKENS, STARTS = "claude_code.cost.usage", "claude_code.token.usage", "claude_code.session.count"
NS = 1_000_000_000


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


class Process:
    """One client process: a session, a temporality, and counters that it exports from time to time."""

    def __init__(self, rng, now_ns, session, temporality):
        self.rng, self.session, self.temporality = rng, session, temporality
        self.birth = now_ns - rng.randrange(2 * 3600 * NS)
        self.clock = self.birth
        self.totals, self.starts = {}, {}
        self.pending = {}
        # The real client sends its start with every cumulative export; another program may not.
        self.shows_birth = temporality == CUMULATIVE and rng.random() < 0.7

    def count(self, truth):
        """Something happened: some counters rise."""
        if self.shows_birth and not self.totals:
            truth[(STARTS, "", "")] = truth.get((STARTS, "", ""), 0) + 1
        for _ in range(self.rng.randint(1, 4)):
            model = self.rng.choice(MODELS)
            if self.rng.random() < 0.5:
                key, amount = (COST, model, ""), Fraction(self.rng.randint(0, 40000), 1000000)
            else:
                kind = self.rng.choice(("input", "output", "cacheRead"))
                key, amount = (TOKENS, model, kind), Fraction(self.rng.randint(0, 5000))
            self.totals[key] = self.totals.get(key, 0) + amount
            self.pending[key] = self.pending.get(key, 0) + amount
            self.starts.setdefault(key, self.clock)
            truth[key] = truth.get(key, 0) + amount

    def export(self):
        """One export request; the counters it holds belong to the receiver from now on."""
        self.clock += self.rng.randint(1, 60 * NS)
        values = self.pending if self.temporality == DELTA else self.totals
        points = [self._point(key, value) for key, value in sorted(values.items())]
        self.rng.shuffle(points)
        self.pending = {}
        if self.temporality == DELTA:
            self.starts = {}
        metrics = [self._metric(name, [p for n, p in points if n == name]) for name in (COST, TOKENS)]
        if self.shows_birth:
            metrics.append(self._metric(STARTS, [self._bare_point(1, self.birth)]))
        resource = {"attributes": [attribute("service.name", "claude-code")]}
        scope = {"scope": {"name": "com.anthropic.claude_code"}, "metrics": [m for m in metrics if m["sum"]["dataPoints"]]}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}

    def _metric(self, name, points):
        unit = {COST: "USD", TOKENS: "tokens"}.get(name, "")
        total = {"dataPoints": points, "aggregationTemporality": self.temporality, "isMonotonic": True}
        return {"name": name, "unit": unit, "sum": total}

    def _bare_point(self, value, start):
        attributes = [attribute("session.id", self.session)]
        times = {"startTimeUnixNano": str(start), "timeUnixNano": str(self.clock)}
        return {"attributes": attributes, **times, "asDouble": float(value)}

    def _point(self, key, value):
        name, model, kind = key
        point = self._bare_point(value, self.starts[key])
        point["attributes"] += [attribute("model", model)] + ([attribute("type", kind)] if kind else [])
        self.rng.shuffle(point["attributes"])
        if name == TOKENS and self.rng.random() < 0.5:
            del point["asDouble"]
            point["asInt"] = str(int(value)) if self.rng.random() < 0.5 else int(value)
        return name, point


class World:
    """Processes, the requests under way, and the truth."""

    def __init__(self, seed, bridge):
        self.rng, self.bridge = random.Random(seed), bridge
        self.now = time.time_ns()
        self.truth, self.processes, self.held, self.sent = {}, [], [], []
        self.floor = {}

    def step(self):
        act = self.rng.choices(
            (self.born, self.export, self.repeat, self.deliver_late, self.kill, self.stop, self.look),
            (2, 12, 3, 3, 1, 1, 2),
        )[0]
        act()

    def born(self):
        session = f"session-{self.rng.randint(1, 6)}"  # few: several processes share one
        self.processes.append(Process(self.rng, self.now, session, self.rng.choice((DELTA, CUMULATIVE))))

    def export(self):
        if not self.processes:
            return self.born()
        process = self.rng.choice(self.processes)
        process.count(self.truth)
        request = process.export()
        if self.rng.random() < 0.2:
            self.held.append(request)  # a retry that newer data will overtake
        else:
            self.deliver(request)
        if self.rng.random() < 0.1:
            self.processes.remove(process)  # it ended; the next one starts from 0
        return None

    def deliver(self, request):
        self.bridge.send_json("metrics", request)
        self.sent.append(request)

    def repeat(self):
        if self.sent:
            self.bridge.send_json("metrics", self.rng.choice(self.sent))

    def deliver_late(self):
        if self.held:
            self.deliver(self.held.pop(self.rng.randrange(len(self.held))))

    def kill(self):
        self.bridge.restart("kill")

    def stop(self):
        status, _ = self.bridge.stop()
        assert status == 0, status
        self.bridge.start()

    def look(self):
        """A scrape: no total is lower than it was shown before."""
        shown = {k: v for k, v in self.bridge.metrics().counters().items() if k[0].startswith("claude_code_")}
        lower = {k: (v, shown.get(k)) for k, v in self.floor.items() if shown.get(k, -1) < v}
        assert not lower, f"lower than shown before: {lower}"
        self.floor = shown

    def finish(self):
        while self.held:
            self.deliver_late()

    def expected(self):
        out = {}
        for (name, model, kind), value in self.truth.items():
            short = {COST: f"cost.usage|{model}", TOKENS: f"token.usage|{model}|{kind}", STARTS: "session.count"}[name]
            out[short] = out.get(short, 0) + value
        return {figure: float(value) for figure, value in out.items()}


class Client(threading.Thread):
    """Sends deltas of 1, each another one, and repeats a request, byte for byte, until it is answered."""

    def __init__(self, number, port, requests):
        super().__init__(daemon=True)
        self.number, self.port, self.requests = number, port, requests
        self.answered, self.repeated, self.failure, self.connection = 0, 0, None, None

    def run(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            for i in range(self.requests):
                self.deliver(json.dumps(one_delta(f"client-{self.number}-{i}")).encode())
                self.answered += 1
        except AssertionError as error:
            self.failure = error
        finally:
            self.connection.close()

    def deliver(self, body):
        wait_until(lambda: self.is_taken(body), "an answer of 200", deadline_s=60, pause_s=0.01)

    def is_taken(self, body):
        try:
            self.connection.request("POST", "/v1/metrics", body, {"content-type": "application/json"})
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.repeated += 1
            return False
        assert answer.status in (200, 429, 502, 503, 504), f"answered {answer.status}"
        return answer.status == 200


def one_delta(session, model="alpha"):
    at = time.time_ns()
    attributes = [attribute("session.id", session), attribute("model", model)]
    point = {"asInt": "1", "startTimeUnixNano": str(at - 1), "timeUnixNano": str(at), "attributes": attributes}
    total = {"dataPoints": [point], "aggregationTemporality": DELTA, "isMonotonic": True}
    metrics = [{"name": TOKENS, "unit": "tokens", "sum": total}]
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}


class Conservation(unittest.TestCase):
    def play(self, seed):
        zero_hold = random.Random(seed).choice(("0", "200ms", "2s"))
        with Bridge(zero_hold=zero_hold) as bridge:
            world = World(seed, bridge)
            for _ in range(STEPS):
                world.step()
            world.finish()

            def missing():
                return differences(world.expected(), figures.of_metrics(bridge.metrics()))

            if zero_hold == "0":
                self.assertEqual(missing(), [], "on /metrics")
            else:
                wait_until(lambda: not missing(), lambda: f"the totals on /metrics: {missing()}", deadline_s=10)
            wanted = figures.without_model(world.expected())
            wanted.pop("session.count", None)
            report = figures.of_report_totals(bridge.report()["totals"])
            self.assertEqual(differences(wanted, report), [], "in the report")

    def test_past_series_max_the_total_still_holds(self):
        series_max, sent = 100, 300
        with Bridge("--series-max", str(series_max)) as bridge:
            for i in range(sent):
                message = one_delta(f"session-{i}", f"model-{i}")
                bridge.send_json("metrics", message)
                bridge.send_json("metrics", one_delta(f"session-{i}", f"model-{i % 7}"))
            for _ in range(2):
                shown = bridge.metrics()
                self.assertEqual(shown.total("claude_code_token_usage_tokens_total"), 2 * sent)
                count = len([s for s in shown.samples if s.name.startswith("claude_code_")])
                self.assertLessEqual(count, series_max + 1, "one overflow series")
                bridge.restart("kill")

    def test_clients_that_repeat_until_answered_count_once_over_kills(self):
        requests, clients, kills = 200, 4, 10
        with Bridge(ports={"otlp-http": free_port()}) as bridge:
            crowd = [Client(i, bridge.ports["otlp-http"], requests) for i in range(clients)]
            for client in crowd:
                client.start()
            for kill in range(1, kills + 1):
                goal = kill * requests * clients // (kills + 1)
                wait_until(
                    lambda g=goal: sum(c.answered for c in crowd) >= g or any(c.failure for c in crowd),
                    f"{goal} answers", deadline_s=60, pause_s=0.001,
                )
                bridge.restart("kill")
            for client in crowd:
                client.join(60)
                self.assertIsNone(client.failure)
            self.assertEqual(bridge.metrics().total("claude_code_token_usage_tokens_total"), requests * clients)
            self.assertEqual(sum(c.answered for c in crowd), requests * clients)

    def test_what_is_shown_equals_what_was_sent(self):
        first = int(os.environ.get("CCTM_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
        began = time.monotonic()
        for seed in range(first, first + ROUNDS):
            print(f"seed {seed}", flush=True)
            with self.subTest(seed=seed):
                self.play(seed)
            if time.monotonic() - began > 60:
                break


if __name__ == "__main__":
    case.main()
