"""Bodies: chunks, compression, sizes, clients that leave, and answers that come later."""
import gzip
import os
import signal
import socket
import zlib

from wire import Case, chunked, fnv1a, main, post

JSON = "application/json"


def bomb(total):
    """gzip of `total` zero bytes: one block that says a mebibyte of zeros, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return header + block * (total >> 20)


class Bodies(Case):
    def taken(self, request, body):
        c = self.server.connect().send(request)
        self.assertEqual(c.answer().status, 200)
        c.close()
        seen = self.server.seen()
        self.assertEqual((seen["len"], seen["hash"]), (len(body), fnv1a(body)))

    def test_sizes_around_the_buffers(self):
        for size in (1, 65535, 65536, 65537, 262000, 262144, 262145, 700001):
            body = os.urandom(size)
            self.taken(post(body), body)
            self.taken(chunked([body[i : i + 7777] for i in range(0, size, 7777)]), body)

    def test_chunk_extensions_and_trailers_are_passed_over(self):
        head = chunked([]).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self.taken(head + b"2;a=b;c=\"d\"\r\nhe\r\n003 ; x\r\nllo\r\n0\r\nX: y\r\nZ: w\r\n\r\n", b"hello")

    def test_wrong_chunks_are_400(self):
        head = chunked([]).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for wrong in (
            b"x\r\n",
            b"-1\r\n",
            b"\r\n",
            b"2\nab",
            b"2\r\nabc\r\n",
            b"2\r\nab\n",
            b"fffffffffffffffff\r\n",
            b"2;" + b"a" * 2000,
            b"0\r\nX: \0\r\n\r\n",
        ):
            c = self.server.connect().send(head + wrong)
            self.assertEqual(c.answer().status, 400, wrong)
            self.assertTrue(c.is_closed())
            c.close()

    def test_endless_trailers_are_431(self):
        head = chunked([]).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        c = self.server.connect().send(head + b"0\r\n" + b"X: y\r\n" * 3000)
        self.assertEqual(c.answer().status, 431)
        c.close()

    def test_gzip_deflate_and_raw_deflate(self):
        body = os.urandom(3000) + bytes(50000)
        raw = zlib.compressobj(9, zlib.DEFLATED, -15)
        for coding, packed in (
            ("gzip", gzip.compress(body)),
            ("x-gzip", gzip.compress(body)),
            ("deflate", zlib.compress(body)),
            ("deflate", raw.compress(body) + raw.flush()),
            ("gzip", gzip.compress(body[:100]) + gzip.compress(body[100:])),
            ("identity", body),
        ):
            field = "Content-Encoding: " + coding
            self.taken(post(packed, "/v1/logs", JSON, field), body)
            half = len(packed) // 2
            self.taken(chunked([packed[:half], packed[half:]], "/v1/logs", JSON, field), body)

    def test_broken_compression_is_400_and_the_connection_lives(self):
        packed = gzip.compress(b"hello" * 100)
        c = self.server.connect()
        for wrong in (b"", b"hello", packed[:-1], packed[:-9], packed + b"x", packed[:30] + b"\0" + packed[31:]):
            c.send(post(wrong, "/v1/logs", JSON, "Content-Encoding: gzip"))
            a = c.answer()
            self.assertEqual((a.status, a.json()["code"]), (400, 3), wrong)
        self.assertEqual(self.server.seen()["refused"]["malformed_compression"], 6)
        c.close()

    def test_a_length_that_is_not_kept_reserves_nothing(self):
        clients = []
        for _ in range(40):
            c = self.server.connect().send(post(b"").replace(b"Length: 0", b"Length: 60000000") + b"x")
            clients.append(c)
        seen = self.server.wait_until(lambda seen: seen["connections"] >= 41)
        self.assertLess(seen["bodies_bytes"], 40 * 200000)
        for c in clients:
            c.close()
        seen = self.server.wait_until(lambda seen: seen["refused"].get("truncated") == 40)
        self.assertEqual(seen["bodies_bytes"], 0)


class Bombs(Case):
    def test_a_bomb_is_413_and_stays_small(self):
        packed = bomb(10 << 30)
        self.assertLess(len(packed), 11 << 20)
        c = self.server.connect().send(post(packed, "/v1/logs", JSON, "Content-Encoding: gzip"))
        self.assertEqual(c.answer().status, 413)
        self.assertEqual(self.server.seen()["requests"], 0)
        self.assertEqual(self.server.seen()["bodies_bytes"], 0)
        if not self.server.is_instrumented():
            self.assertLess(self.server.rss_kib(), 20 << 10)
        c.close()


class Limits(Case):
    options = ("body_max=100000",)

    def test_exactly_the_maximum_is_taken_and_one_more_is_not(self):
        for size, status in ((100000, 200), (100001, 413)):
            body = os.urandom(size)
            gzipped = "Content-Encoding: gzip"
            for request in (
                post(body),
                chunked([body[:99], body[99:]]),
                post(gzip.compress(bytes(size)), "/v1/logs", JSON, gzipped),
            ):
                c = self.server.connect().send(request)
                self.assertEqual(c.answer().status, status)
                c.close()


class Gone(Case):
    """A request whose body is there counts, whatever its client does next."""

    def test_half_closed(self):
        c = self.server.connect().send(post(b"half"))
        c.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(c.answer().status, 200)
        self.assertTrue(c.is_closed())

    def test_closed_and_reset(self):
        sent = 0
        for leave in ("close", "reset"):
            for size in (10, 100000, 3000000):
                for make in (post, lambda body: chunked([body])):
                    c = self.server.connect()
                    c.send(make(os.urandom(size)))
                    if leave == "reset":
                        # a reset throws away what the sender's kernel still holds
                        self.server.wait_until(lambda seen: seen["requests"] > sent or unsent(c) == 0)
                    getattr(c, leave)()
                    sent += 1
                    self.server.wait_until(lambda seen: seen["requests"] == sent)

    def test_pipelined_and_closed(self):
        c = self.server.connect().send(b"".join(post(b"x" * i) for i in range(100)))
        c.close()
        self.server.wait_until(lambda seen: seen["requests"] == 100)

    def test_cut_in_the_middle_is_counted_as_truncated(self):
        c = self.server.connect().send(post(b"hello", kind=JSON)[:-1])
        c.socket.shutdown(socket.SHUT_WR)
        a = c.answer()
        self.assertEqual((a.status, a.json()["code"]), (400, 3))
        c.close()
        seen = self.server.wait_until(lambda seen: seen["refused"].get("truncated") == 1)
        self.assertEqual(seen["requests"], 0)


def unsent(client):
    import fcntl
    import struct
    import termios

    return struct.unpack("i", fcntl.ioctl(client.socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0]


class Held(Case):
    options = ("hold=100",)

    def test_answers_may_come_later_and_stay_in_order(self):
        c = self.server.connect()
        c.send(b"".join(post(b"x" * i, kind=JSON) for i in range(5)))
        for i in range(5):
            message = c.answer().json()["partialSuccess"]["errorMessage"]
            self.assertEqual(message, "%d %d" % (i + 1, i))
        c.close()

    def test_many_connections_wait_together(self):
        bodies = [os.urandom(size) for size in (0, 1, 5000, 70000, 300000) for _ in range(20)]
        clients = [self.server.connect().send(post(body)) for body in bodies]
        for c in clients:
            self.assertEqual(c.answer().status, 200)
            c.close()
        seen = self.server.seen()
        total = sum(int(fnv1a(body), 16) for body in bodies) & 0xFFFFFFFFFFFFFFFF
        self.assertEqual(seen["hashes"], "%016x" % total)
        self.assertEqual(seen["bodies_bytes"], 0)

    def test_held_bodies_count_and_a_client_may_leave(self):
        body = gzip.compress(bytes(1 << 20))
        c = self.server.connect()
        c.send(post(body, "/v1/logs", JSON, "Content-Encoding: gzip"))
        seen = self.server.wait_until(lambda seen: seen["requests"] == 1)
        self.assertGreaterEqual(seen["bodies_bytes"], 1 << 20)
        c.reset()
        seen = self.server.wait_until(lambda seen: seen["bodies_bytes"] == 0)
        self.assertEqual(seen["requests"], 1)

    def test_stopping_answers_what_is_held(self):
        c = self.server.connect().send(post(b"x"))
        idle = self.server.connect()
        self.server.wait_until(lambda seen: seen["requests"] == 1)
        self.server.ask_to_stop()
        self.assertEqual(c.answer().fields["connection"], "close")
        self.assertTrue(idle.is_closed())
        c.close()


class HeldWithoutBody(Case):
    options = ("hold=200", "release=1")

    def test_a_body_that_is_done_costs_nothing_while_its_answer_waits(self):
        gzipped = "Content-Encoding: gzip"
        clients = [
            self.server.connect().send(request)
            for request in (
                post(b"x" * 5000) + post(b"y"),
                post(os.urandom(700000)),
                post(gzip.compress(bytes(1 << 20)), "/v1/logs", JSON, gzipped),
                chunked([b"abc"]),
            )
        ]
        seen = self.server.wait_until(lambda seen: seen["requests"] == 4)
        self.assertLess(seen["bodies_bytes"], 1000)
        for c in clients:
            self.assertEqual(c.answer().status, 200)
        self.assertEqual(clients[0].answer().status, 200)


class Stopping(Case):
    def test_what_the_kernel_holds_is_still_answered(self):
        """Requests that were sent before the signal, on an idle and on a new connection."""
        kept = self.server.connect().send(post(b"first"))
        self.assertEqual(kept.answer().status, 200)
        self.server.process.send_signal(signal.SIGSTOP)
        kept.send(post(b"second"))
        fresh = self.server.connect().send(post(b"third"))
        silent = self.server.connect()
        self.server.ask_to_stop()
        self.server.process.send_signal(signal.SIGCONT)
        for c in (kept, fresh):
            self.assertEqual(c.answer().status, 200)
            self.assertTrue(c.is_closed())
        self.assertTrue(silent.is_closed())
        self.assertEqual(silent.rest, b"")


class Unavailable(Case):
    options = ("status=503",)

    def test_503_has_retry_after(self):
        c = self.server.connect().send(post(b"x"))
        a = c.answer()
        self.assertEqual((a.status, a.fields["retry-after"]), (503, "1"))
        self.assertNotIn("connection", a.fields)
        c.close()


if __name__ == "__main__":
    main()
