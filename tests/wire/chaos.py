"""Many clients doing random things at once: nothing that was whole is lost, nothing is held at the end."""
import gzip
import random
import socket
import time

from wire import Case, chunked, main, post

JSON = "application/json"
SECONDS = 3


class Honest:
    """Sends a request in random pieces, waits for its answer, and begins again."""

    def __init__(self, server, rng, statuses):
        self.server, self.rng, self.statuses = server, rng, statuses
        self.client, self.left, self.taken = server.connect(), b"", 0
        self.waits = False

    def request(self):
        body = self.rng.randbytes(self.rng.choice((0, 10, 3000, 9000, 80000)))
        kind = self.rng.randrange(4)
        if kind == 0 and len(body) > 3:
            return chunked([body[: len(body) // 3], body[len(body) // 3 :]])
        if kind == 1:
            return post(gzip.compress(body), "/v1/logs", JSON, "Content-Encoding: gzip")
        return post(body)

    def step(self):
        if self.waits:
            answer = self.client.answer()
            assert answer.status in self.statuses, answer.status
            self.taken += answer.status == 200
            self.waits = False
        elif self.left:
            size = self.rng.choice((1, 100, 5000, len(self.left)))
            self.client.send(self.left[:size])
            self.left = self.left[size:]
            self.waits = not self.left
        else:
            self.left = self.request()

    def finish(self):
        while self.left or self.waits:
            self.step()


class Rude:
    """Sends noise, parts of requests, lies and pages nobody reads; leaves in every way."""

    def __init__(self, server, rng):
        self.server, self.rng, self.client = server, rng, None

    def noise(self):
        rng = self.rng
        request = post(rng.randbytes(rng.choice((0, 100, 100000))), kind=JSON)
        kind = rng.randrange(7)
        if kind == 0:
            return rng.randbytes(rng.randrange(1, 300))
        if kind == 1:
            spot = rng.randrange(len(request))
            return request[:spot] + rng.randbytes(3) + request[spot:]
        if kind == 2:
            return request.replace(b"Length: ", b"Length: 9")
        if kind == 3:
            return b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 5
        if kind == 4:
            return chunked([b"x" * 10])[: rng.randrange(10, 100)]
        if kind == 5:
            return b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" * 3
        return request[: rng.randrange(len(request))]

    def step(self):
        if not self.client:
            self.client = self.server.connect(self.rng.choice(("otlp", "exporter")))
            self.client.socket.setblocking(False)
        try:
            self.client.socket.send(self.noise())
            if self.rng.randrange(3) == 0:
                self.client.socket.recv(1000)
        except OSError:
            pass
        if self.rng.randrange(2):
            self.leave()

    def leave(self):
        if not self.client:
            return
        kind = self.rng.randrange(3)
        try:
            if kind == 0:
                self.client.socket.shutdown(socket.SHUT_WR)
            elif kind == 1:
                self.client.reset()
        except OSError:
            pass
        self.client.close()
        self.client = None


class Chaos(Case):
    # Time enough for an honest client to be worked on by a slow machine.
    options = ("page=6000000", "body_ms=60000", "header_ms=60000")
    statuses = (200,)

    def test_the_honest_are_counted_and_the_rude_leave_nothing(self):
        rng = random.Random(3)
        honest = [Honest(self.server, random.Random(i), self.statuses) for i in range(20)]
        rude = [Rude(self.server, random.Random(100 + i)) for i in range(30)]
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for client in honest:
                client.step()
            rng.choice(rude).step()
        for client in honest:
            client.finish()
        for client in rude:
            client.leave()
        self.assertGreater(sum(client.taken for client in honest), 20)
        seen = self.server.wait_until(lambda seen: seen["connections"] == 21)
        self.assertEqual(seen["bodies_bytes"], 0)
        self.assertGreaterEqual(seen["requests"], sum(client.taken for client in honest))


class ChaosHeld(Chaos):
    options = (*Chaos.options, "hold=5")


class ChaosTight(Chaos):
    """Little room for bodies: on a slow machine the rude hold all of it for so long that an honest client is told to come again."""

    options = (*Chaos.options, "bodies_max=1000000")
    statuses = (200, 503)


if __name__ == "__main__":
    main()
