"""Slow senders, slow readers, and the budget of bytes."""
import time

from wire import DEADLINE_S, Case, main, post

JSON = "application/json"


class Timeouts(Case):
    options = ("header_ms=300", "body_ms=300", "request_ms=1500", "idle_ms=900")

    def timed_out(self, client, least_s):
        began = time.monotonic()
        a = client.answer()
        self.assertEqual((a.status, a.fields["connection"]), (408, "close"))
        self.assertTrue(client.is_closed())
        self.assertGreaterEqual(time.monotonic() - began, least_s)
        self.assertLess(time.monotonic() - began, 5)

    def test_half_a_head(self):
        self.timed_out(self.server.connect().send(b"POST /v1/metrics HTTP/1.1\r\nHo"), 0.2)
        self.assertEqual(self.server.seen()["refused"]["timeout"], 1)

    def test_half_a_body(self):
        self.timed_out(self.server.connect().send(post(b"hello")[:-1]), 0.2)

    def test_a_drip_that_never_ends(self):
        c = self.server.connect().send(post(bytes(1000))[:-1000])
        began = time.monotonic()
        c.socket.settimeout(0.1)
        while True:
            try:
                c.send(b"x")
                if c.socket.recv(1 << 16):
                    break
            except TimeoutError:
                pass
            self.assertLess(time.monotonic() - began, 10)
        self.assertGreaterEqual(time.monotonic() - began, 1.2)
        c.close()

    def test_idle_connections_are_closed_without_a_word(self):
        c = self.server.connect().send(post(b"x"))
        self.assertEqual(c.answer().status, 200)
        fresh = self.server.connect()
        for client in (c, fresh):
            self.assertTrue(client.is_closed())
            self.assertEqual(client.rest, b"")


class SlowReader(Case):
    options = ("page=30000000", "body_ms=300", "header_ms=300")

    def test_a_page_nobody_reads_is_given_up(self):
        c = self.server.connect("exporter").send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        self.server.wait_until(lambda seen: seen["accepted"] > 1 and seen["connections"] == 1)
        with self.assertRaises(EOFError):
            c.answer()
        c.close()


class Budget(Case):
    """4 MiB for all bodies: big slow ones fill their part, small ones go on, waiting ones get room."""

    options = ("bodies_max=4194304", "body_ms=60000")

    def refused(self, answer):
        """Told to come back, or else taken."""
        if answer.status == 503:
            self.assertEqual(answer.fields["retry-after"], "2")
            return True
        self.assertEqual(answer.status, 200)
        return False

    def fill(self, client, body):
        """Sends what goes without waiting; returns what is left."""
        client.socket.setblocking(False)
        sent = 0
        try:
            while sent < len(body):
                sent += client.socket.send(body[sent:])
        except BlockingIOError:
            pass
        client.socket.settimeout(DEADLINE_S)
        return body[sent:]

    def test_small_requests_pass_big_slow_ones(self):
        big = post(bytes(3000000), kind=JSON)
        slow = [self.server.connect().send(big[:1600000]) for _ in range(2)]
        slow.append(self.server.connect())
        rests = [big[1600000:], big[1600000:], self.fill(slow[2], big)]
        seen = self.server.wait_until(lambda seen: seen["bodies_bytes"] > 3000000)
        self.assertLess(seen["bodies_bytes"], 4194304 + (1 << 20))
        small = self.server.connect()
        for _ in range(20):
            self.assertEqual(small.send(post(b"x" * 5000)).answer().status, 200)
        # There is room for one of them: who waits longer than its client would is told when to come back.
        for c, rest in zip(slow, rests):
            try:
                c.send(rest)
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertIn(False, [self.refused(c.answer()) for c in slow])
        for c in (*slow, small):
            c.close()
        self.server.wait_until(lambda seen: seen["bodies_bytes"] == 0)

    def test_room_that_comes_free_is_enough_for_those_that_wait(self):
        body = post(bytes(400000), kind=JSON)
        halves = [self.server.connect().send(body[:170000]) for _ in range(12)]
        self.server.wait_until(lambda seen: seen["bodies_bytes"] > 12 * 169000)
        greedy = self.server.connect()
        self.fill(greedy, post(bytes(3000000), kind=JSON))
        self.server.wait_until(lambda seen: seen["bodies_bytes"] >= 3145728)
        for c in halves:
            c.send(body[170000:])
        # It began to wait first, and what it held lets a few of the others go on, which let the rest go on.
        self.assertTrue(self.refused(greedy.answer()))
        self.assertEqual([self.refused(c.answer()) for c in halves], [False] * 12)


if __name__ == "__main__":
    main()
