"""Over gRPC: killed under load, every acknowledged export counts once; a full disk holds exports as long as it takes,
for their client repeats none.

CCTM_RECOVERY=all plays 200 rounds of the first instead of 12.
"""

import random
import shutil
import threading
import time
import unittest
from pathlib import Path

import workload
from lib import case, grpc
from lib.bridge import Bridge, wait_until
from workload import ALL, Clock

SEED = 20261201
ROUNDS = 200 if ALL else 12
CALLS = 400
IN_FLIGHT = 20
FULL = "28 any journal-0"
HOLD_MS = 8000
BASE_NS = 1795600000000000000
# Ours: an unacknowledged export goes out again as it is, over the other protocol every second time. Claude Code itself
# sends it no more; then it may count or not.


class Load:
    """Exports of one counter, several at a time on one connection; what was not answered is sent again."""

    def __init__(self, bridge, rng):
        self.bridge, self.rng, self.made, self.open, self.client = bridge, rng, 0, {}, None
        self.again, self.sent = [], 0

    def next_body(self):
        if self.again:
            return self.again.pop()
        self.made += 1
        self.sent += self.made
        return grpc.counter("load", self.made, BASE_NS + self.made, kind=str(self.made % 7))

    def connect(self):
        if self.client:
            self.client.close()
        self.client, self.open = grpc.connect(self.bridge), {}

    def send_one(self):
        body = self.next_body()
        try:
            self.open[grpc.export(self.client, "metrics", body)] = body
        except grpc.GONE:
            self.again.append(body)
            raise

    def take_answers(self):
        self.client.until(lambda: any(self.client.replies[s].is_ended for s in self.open if s in self.client.replies))
        for stream in [s for s in self.open if s in self.client.replies and self.client.replies[s].is_ended]:
            reply = self.client.replies.pop(stream)
            assert reply.error is None and reply.grpc == 0, (reply.error, reply.heads)
            del self.open[stream]

    def drive(self, calls):
        """True: all were answered; False: the bridge is gone, what was open is to be sent again."""
        try:
            while calls or self.open:
                while calls and len(self.open) < IN_FLIGHT:
                    self.send_one()
                    calls -= 1
                self.take_answers()
            return True
        except grpc.GONE:
            self.again += self.open.values()
            self.open = {}
            return False

    def repeat_over_http(self):
        headers = {"content-type": "application/x-protobuf"}
        while self.again:
            assert self.bridge.post("/v1/metrics", headers, self.again.pop()).status == 200


class Kills(unittest.TestCase):
    def test_acknowledged_is_counted_once_wherever_the_bridge_is_killed(self):
        rng = random.Random(SEED)
        state = workload.scratch()
        bridge = Bridge(state=state)
        load = Load(bridge, rng)
        died = 0
        try:
            for number in range(ROUNDS):
                at = rng.randrange(20, 2 * CALLS)
                bridge.environment = {"LD_PRELOAD": workload.FAULTS, "FAULTS_DIR": state,
                                      "FAULTS_KILL": f"{at} {rng.choice(('before', 'middle', 'after'))}",
                                      "ASAN_OPTIONS": "verify_asan_link_order=0"}
                try:
                    bridge.start()
                except AssertionError:  # killed on its way
                    died += 1
                    continue
                load.connect()
                if not load.drive(CALLS):
                    died += 1
                bridge.kill()
                bridge.environment = None
                bridge.start()
                if number % 2:
                    load.repeat_over_http()
                load.connect()
                self.assertTrue(load.drive(len(load.again)))
                self.assertEqual(load.again, [])
                self.assertEqual(bridge.metrics().total("load_total"), load.sent)
                bridge.kill()
            self.assertGreater(died, ROUNDS // 3)
        finally:
            if load.client:
                load.client.close()
            bridge.close()
            shutil.rmtree(state, ignore_errors=True)


class Hold(unittest.TestCase):
    def setUp(self):
        self.folder = Path(workload.scratch())
        self.control = self.folder / "control"
        self.clock = Clock(self.folder)
        self.bridge = Bridge(state=workload.scratch())
        self.bridge.environment = {"LD_PRELOAD": workload.FAULTS, "FAULTS_DIR": str(self.bridge.state),
                                   "FAULTS_CONTROL": str(self.control), "ASAN_OPTIONS": "verify_asan_link_order=0",
                                   **self.clock.faults()}
        self.bridge.start()

    def tearDown(self):
        self.bridge.close()
        shutil.rmtree(self.bridge.state, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        client = grpc.connect(self.bridge)
        self.addCleanup(client.close)
        return client

    def wait_for_held(self, count):
        wait_until(lambda: self.bridge.health()["journal"]["held_requests"] == count, f"{count} held")

    def test_exports_are_held_until_the_disk_has_space_also_for_clients_that_left(self):
        client, gone = self.connect(), self.connect()
        watch = client.call(b"", grpc.HEALTH_WATCH)
        told = lambda: client.replies[watch].messages() if watch in client.replies else []
        client.until(lambda: told() == [b"\x08\x01"])
        self.control.write_text(FULL)
        stays = grpc.export(client, "metrics", grpc.counter("held", 1, BASE_NS + 1))
        grpc.export(gone, "metrics", grpc.counter("held", 2, BASE_NS + 2))
        late = grpc.export(client, "metrics", grpc.counter("held", 4, BASE_NS + 3), ("grpc-timeout", "9S"))
        self.wait_for_held(3)
        gone.reset()
        client.until(lambda: told()[-1] == b"\x08\x02")
        self.clock.turn(3 * HOLD_MS)
        reply = client.reply(late)
        self.assertEqual((reply.grpc, self.bridge.health()["journal"]["held_requests"]), (4, 3))
        self.control.write_text("")
        self.assertEqual(client.reply(stays).grpc, 0)
        self.wait_for_held(0)
        client.until(lambda: told()[-1] == b"\x08\x01")
        self.assertEqual(self.bridge.metrics().total("held_total"), 7)
        self.bridge.restart("kill")
        self.assertEqual(self.bridge.metrics().total("held_total"), 7)

    def test_http_behind_it_is_still_told_to_come_back(self):
        client = self.connect()
        self.control.write_text(FULL)
        first = grpc.export(client, "metrics", grpc.counter("held", 1, BASE_NS + 1))
        self.wait_for_held(1)
        answers = []
        headers = {"content-type": "application/x-protobuf"}
        body = grpc.counter("held", 2, BASE_NS + 2)
        thread = threading.Thread(target=lambda: answers.append(self.bridge.post("/v1/metrics", headers, body)))
        thread.start()
        self.wait_for_held(2)
        self.clock.turn(HOLD_MS + 500)
        thread.join(20)
        self.assertEqual((answers[0].status, answers[0].headers["retry-after"]), (503, "2"))
        self.wait_for_held(1)
        self.control.write_text("")
        self.assertEqual(client.reply(first).grpc, 0)
        self.assertEqual(self.bridge.metrics().total("held_total"), 1)

    def test_at_the_end_it_is_refused_as_unavailable(self):
        client = self.connect()
        self.control.write_text(FULL)
        stream = grpc.export(client, "metrics", grpc.counter("held", 1, BASE_NS + 1))
        self.wait_for_held(1)
        began = time.monotonic()
        self.bridge.process.terminate()
        reply = client.reply(stream)
        self.assertEqual(reply.grpc, 14)
        self.assertIn("grpc-status-details-bin", reply.trailers)
        self.assertLess(time.monotonic() - began, 6)


if __name__ == "__main__":
    case.main()
