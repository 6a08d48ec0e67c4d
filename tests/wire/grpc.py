"""gRPC and HTTP/2 at the OTLP doors: what is taken, what is refused and how, and what a connection may cost."""
import base64
import gzip
import os
import signal
import socket
import struct
import time

import h2
from h2 import LOGS, METRICS, TRACES, H2, frame, head, message
from wire import Case, fnv1a, main, post

HEALTH = "/grpc.health.v1.Health/"
RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"


class H2Case(Case):
    def h2(self, *pairs, door="grpc"):
        client = H2(self.server.ports[door], *pairs)
        self.server.clients.append(client)
        return client

    def refused(self, reply, code, slug, count=1):
        """An answer of trailers alone."""
        self.assertEqual((reply.status, reply.body, len(reply.heads), reply.grpc), (200, b"", 1, code))
        self.assertTrue(reply.trailers["grpc-message"])
        self.assertEqual(self.server.seen()["refused"].get(slug), count)


class Exports(H2Case):
    options = ("echo=0", "hold=0")

    def test_each_service_is_taken_and_answered_with_an_empty_message(self):
        c = self.h2()
        for path, signal_name in ((METRICS, "metrics"), (LOGS, "logs"), (TRACES, "traces")):
            a = c.reply(c.call(b"x" * 300, path))
            self.assertEqual((a.status, a.fields["content-type"]), (200, "application/grpc"))
            self.assertEqual((a.messages(), a.grpc), ([b""], 0))
            self.assertEqual((self.server.seen()["signal"], self.server.seen()["len"]), (signal_name, 300))
        seen = self.server.seen()
        self.assertEqual((seen["grpc"], seen["http"], seen["http2"], seen["misdirected"]), (3, 0, 0, [0, 0, 0]))
        self.assertEqual(seen["bodies_bytes"], 0)

    def test_either_protocol_is_served_at_either_port_and_counted(self):
        for door in ("otlp", "grpc"):
            self.assertEqual(self.server.connect(door).send(post(b"x")).answer().status, 200)
            c = self.h2(door=door)
            self.assertEqual(c.reply(c.call(b"x")).grpc, 0)
            self.assertEqual(c.reply(c.post(b"x")).status, 200)
        seen = self.server.seen()
        self.assertEqual([seen[name] for name in ("http", "grpc", "http2")], [2, 2, 2])
        self.assertEqual(seen["misdirected"], [1, 1, 1])

    def test_many_calls_on_one_connection(self):
        c = self.h2()
        streams = [c.call(os.urandom(i * 37)) for i in range(100)]
        self.assertEqual([c.reply(stream).grpc for stream in streams], [0] * 100)

    def test_the_limits_are_announced(self):
        c = self.h2()
        c.until(lambda: c.settings)
        self.assertEqual(c.settings, {3: 128, 4: 262144, 6: 32768})


class Bodies(H2Case):
    def taken(self, c, stream, body):
        a = c.reply(stream)
        self.assertEqual((a.status, a.grpc), (200, 0))
        seen = self.server.seen()
        self.assertEqual((seen["len"], seen["hash"]), (len(body), fnv1a(body)))

    def opened(self, c, *fields):
        return c.open(*head("POST", METRICS), ("content-type", "application/grpc+proto"), *fields)

    def test_any_split_into_frames(self):
        body = os.urandom(40)
        c = self.h2()
        for step in (1, 2, 3, 4, 5, 6, 44, 45):
            stream = self.opened(c)
            c.data(stream, message(body), step=step)
            self.taken(c, stream, body)
        stream = self.opened(c)
        c.data(stream, message(body), ends=False).send(frame(h2.DATA, h2.END_STREAM, stream))
        self.taken(c, stream, body)
        stream = self.opened(c)
        whole = c.data(stream, message(body)[:7], ends=False)
        whole.send(frame(h2.DATA, h2.PADDED | h2.END_STREAM, stream, b"\x03" + message(body)[7:] + bytes(3)))
        self.taken(c, stream, body)

    def test_trailers_end_a_request_too(self):
        c = self.h2()
        stream = self.opened(c)
        c.data(stream, message(b"hello"), ends=False)
        c.send(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, h2.block(("x-sum", "1"))))
        self.taken(c, stream, b"hello")

    def test_sizes_around_the_buffers_and_windows(self):
        c = self.h2()
        for size in (0, 16383, 16384, 65535, 65536, 262139, 262144, 262145):
            body = os.urandom(size)
            self.taken(c, self.sent(c, body), body)

    def sent(self, c, body):
        """In steps that the announced window allows."""
        whole, stream = message(body), self.opened(c)
        first = whole[:200000]
        c.data(stream, first, ends=len(first) == len(whole))
        if len(first) < len(whole):
            self.server.wait_until(lambda seen: seen["bodies_bytes"] >= 190000)
            c.data(stream, whole[200000:])
        return stream

    def test_gzip_by_message(self):
        body = os.urandom(3000) + bytes(50000)
        c = self.h2()
        self.taken(c, c.call(gzip.compress(body), METRICS, ("grpc-encoding", "gzip"), flag=1), body)
        # A message may go as it is although gzip was announced.
        self.taken(c, c.call(body[:9000], METRICS, ("grpc-encoding", "gzip"), flag=0), body[:9000])
        self.taken(c, c.call(body[:9000], METRICS, ("grpc-encoding", "identity")), body[:9000])

    def test_the_message_of_a_partial_success_is_in_the_body(self):
        c = self.h2()
        a = c.reply(c.call(b"four"))
        self.assertEqual(a.messages(), [b"\x0a\x05\x12\x031 4"])
        self.assertEqual((a.grpc, len(a.heads)), (0, 2))

    def test_otlp_over_plain_http2(self):
        c = self.h2(door="otlp")
        a = c.reply(c.post(b"{}", "/v1/logs?a=b", "application/json; charset=utf-8"))
        self.assertEqual((a.status, a.fields["content-type"]), (200, "application/json"))
        self.assertEqual(a.fields["content-length"], str(len(a.body)))
        self.assertEqual(a.body, b'{"partialSuccess":{"errorMessage":"1 2"}}')
        body = os.urandom(5000)
        a = c.reply(c.post(gzip.compress(body), "/v1/traces", "application/x-protobuf", ("content-encoding", "gzip")))
        self.assertEqual(a.status, 200)
        seen = self.server.seen()
        self.assertEqual((seen["hash"], seen["signal"]), (fnv1a(body), "traces"))


class Refusals(H2Case):
    options = ("body_max=100000",)

    def test_an_unknown_method(self):
        c = self.h2()
        for i, path in enumerate((METRICS + "s", "/v1/metrics", "/grpc.health.v1.Health/List", "/")):
            self.refused(c.reply(c.call(b"x", path)), 12, "grpc_method", i + 1)

    def test_an_unknown_encoding_names_the_known_ones(self):
        c = self.h2()
        for i, name in enumerate(("snappy", "zstd", "deflate", "gzip, gzip")):
            a = c.reply(c.call(b"x", METRICS, ("grpc-encoding", name), flag=1))
            self.refused(a, 12, "grpc_encoding", i + 1)
            self.assertEqual(a.trailers["grpc-accept-encoding"], "identity,gzip")

    def test_a_flag_without_an_encoding(self):
        c = self.h2()
        self.refused(c.reply(c.call(gzip.compress(b"x"), flag=1)), 13, "grpc_compression")

    def test_what_is_not_one_message(self):
        c = self.h2()
        whole = message(b"hello")
        wrong = (b"", whole[:3], whole[:5], whole[:-1], whole + b"x", whole + whole, b"\x02" + whole[1:])
        for i, body in enumerate(wrong):
            stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"))
            c.data(stream, body)
            self.refused(c.reply(stream), 3, "malformed_grpc", i + 1)

    def test_compression_that_is_broken(self):
        c = self.h2()
        self.refused(c.reply(c.call(b"hello", METRICS, ("grpc-encoding", "gzip"), flag=1)), 3, "malformed_compression")

    def test_too_large_as_announced_and_inflated(self):
        c = self.h2()
        self.assertEqual(c.reply(c.call(bytes(100000))).grpc, 0)
        a = c.reply(c.call(bytes(100001)))
        self.refused(a, 8, "body_too_large")
        self.assertNotIn("grpc-status-details-bin", a.trailers)  # to come back would not help
        packed = gzip.compress(bytes(100001))
        self.refused(c.reply(c.call(packed, METRICS, ("grpc-encoding", "gzip"), flag=1)), 8, "body_too_large", 2)

    def test_the_length_alone_is_enough_to_refuse(self):
        c = self.h2()
        stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"))
        c.send(frame(h2.DATA, 0, stream, b"\0\xff\xff\xff\xff"))
        self.refused(c.reply(stream), 8, "body_too_large")
        self.assertEqual(self.server.seen()["bodies_bytes"], 0)

    def test_other_content_types_are_415(self):
        c = self.h2()
        for kind in ("application/json", "application/grpc-web+proto", "application/grpc+json", "text/plain"):
            a = c.reply(c.call(b"x", METRICS, kind=kind))
            self.assertEqual((a.status, "grpc-status" in a.trailers), (415, False), kind)

    def test_other_methods_and_paths_over_http2(self):
        c = self.h2()
        a = c.reply(c.open(*head("GET", METRICS), ("content-type", "application/grpc"), ends=True))
        self.assertEqual((a.status, a.fields["allow"]), (405, "POST"))
        a = c.reply(c.open(*head("GET", "/v1/metrics"), ends=True))
        self.assertEqual((a.status, a.fields["allow"]), (405, "POST"))
        self.assertEqual(c.reply(c.open(*head("GET", "/metrics"), ends=True)).status, 404)
        a = c.reply(c.open(*head("HEAD", "/v1/metrics"), ends=True))
        self.assertEqual((a.status, a.body), (405, b""))
        self.assertEqual(c.reply(c.post(b"x", "/v1/metrics", "text/plain")).status, 415)
        self.assertEqual(c.reply(c.post(bytes(100001))).status, 413)
        self.assertEqual(c.reply(c.post(b"x")).status, 200)

    def test_a_large_head(self):
        c = self.h2()
        a = c.reply(c.call(b"x", METRICS, *[("x-%d" % i, "y" * 500) for i in range(70)]))
        self.refused(a, 8, "header_too_large")
        a = c.reply(c.call(b"x", METRICS, *[("x-%d" % i, "y") for i in range(120)]))
        self.refused(a, 8, "header_too_large", 2)
        self.assertEqual(c.reply(c.call(b"x")).grpc, 0)

    def test_http2_elsewhere_is_refused_in_words(self):
        c = self.server.connect("exporter").send(h2.PREFACE)
        self.assertEqual(c.answer().status, 400)
        used = self.server.connect("grpc").send(post(b"x"))
        self.assertEqual(used.answer().status, 200)
        self.assertEqual(used.send(h2.PREFACE).answer().status, 400)
        self.assertEqual(self.server.seen()["refused"]["http2_not_here"], 2)


class Preflight(H2Case):
    options = ("cors=https://a.example",)

    def test_a_browser_may_ask_over_http2(self):
        c = self.h2()
        asked = (("origin", "https://a.example"), ("access-control-request-method", "POST"))
        stream = c.open(*head("OPTIONS", "/v1/logs"), *asked, ("access-control-request-headers", "x-a"), ends=True)
        a = c.reply(stream)
        self.assertEqual((a.status, a.fields["access-control-allow-headers"]), (204, "x-a"))
        a = c.reply(c.post(b"{}", "/v1/logs", "application/json", asked[0]))
        self.assertEqual((a.fields["access-control-allow-origin"], a.fields["vary"]), ("https://a.example", "Origin"))


class Unavailable(H2Case):
    options = ("status=503",)

    def test_it_says_when_to_come_back(self):
        c = self.h2()
        a = c.reply(c.call(b"x"))
        self.assertEqual((a.status, a.grpc), (200, 14))
        details = a.trailers["grpc-status-details-bin"]
        details = base64.b64decode(details + "=" * (-len(details) % 4))
        self.assertTrue(details.startswith(b"\x08\x0e\x12"), details)
        self.assertIn(RETRY_INFO + b"\x12\x04\x0a\x02\x08\x01", details)
        self.assertEqual(c.reply(c.post(b"x")).fields["retry-after"], "1")


class Held(H2Case):
    options = ("hold=150",)

    def test_answers_may_come_later_each_on_its_stream(self):
        c = self.h2()
        streams = [c.call(b"x" * i) for i in (0, 5, 90000)]
        for stream in streams:
            self.assertRegex(c.reply(stream).messages()[0], rb"(?s)^....3 \d+$")
        self.assertEqual(self.server.seen()["bodies_bytes"], 0)

    def test_a_request_counts_though_its_client_left_or_reset(self):
        c = self.h2()
        stream = c.call(b"hello")
        self.server.wait_until(lambda seen: seen["requests"] == 1 and seen["bodies_bytes"] > 0)
        c.send(frame(h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL)))
        other = self.h2()
        other.call(b"world")
        self.server.wait_until(lambda seen: seen["requests"] == 2)
        other.reset()
        seen = self.server.wait_until(lambda seen: seen["bodies_bytes"] == 0)
        self.assertEqual((seen["requests"], seen["hash"]), (2, fnv1a(b"world")))
        self.assertEqual(c.reply(c.call(b"again")).grpc, 0)

    def test_a_half_closed_client_is_answered(self):
        c = self.h2()
        stream = c.call(b"x")
        c.until(lambda: c.settings)
        c.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(c.reply(stream).grpc, 0)
        c.ended()

    def test_stopping_finishes_what_is_under_way(self):
        c, idle = self.h2(), self.h2()
        idle.until(lambda: idle.settings)
        stream = c.call(b"x")
        self.server.wait_until(lambda seen: seen["requests"] == 1)
        self.server.ask_to_stop()
        self.assertEqual(c.reply(stream).grpc, 0)
        self.assertEqual(c.ended(), (stream, h2.NO_ERROR))
        self.assertEqual(idle.ended(), (0, h2.NO_ERROR))


class Deadlines(H2Case):
    options = ("hold=1500", "header_ms=400")

    def test_a_timeout_ends_the_wait_and_not_the_request(self):
        c = self.h2()
        a = c.reply(c.call(b"x", METRICS, ("grpc-timeout", "20m")))
        self.assertEqual((a.grpc, self.server.seen()["requests"]), (4, 1))
        self.assertIn("will be counted", a.trailers["grpc-message"])
        self.assertGreater(self.server.seen()["bodies_bytes"], 0)
        self.server.wait_until(lambda seen: seen["bodies_bytes"] == 0)
        self.assertEqual(c.reply(c.call(b"x", METRICS, ("grpc-timeout", "9S"))).grpc, 0)


class EndedWhileHeld(H2Case):
    options = ("hold=3000", "request_ms=500", "header_ms=400")

    def test_a_client_that_left_keeps_no_connection_while_its_request_is_held(self):
        c = self.h2()
        c.call(b"x")
        self.server.wait_until(lambda seen: seen["requests"] == 1)
        c.socket.shutdown(socket.SHUT_WR)
        seen = self.server.wait_until(lambda seen: seen["connections"] == 1)
        self.assertGreater(seen["bodies_bytes"], 0)
        self.server.wait_until(lambda seen: seen["bodies_bytes"] == 0)


class Stopping(H2Case):
    def test_what_was_sent_before_the_signal_is_answered(self):
        c = self.h2()
        self.assertEqual(c.reply(c.call(b"first")).grpc, 0)
        self.server.process.send_signal(signal.SIGSTOP)
        second = c.call(b"second")
        fresh = self.h2()
        third = fresh.call(b"third")
        self.server.ask_to_stop()
        self.server.process.send_signal(signal.SIGCONT)
        self.assertEqual((c.reply(second).grpc, fresh.reply(third).grpc), (0, 0))
        self.assertEqual((c.ended(), fresh.ended()), ((second, h2.NO_ERROR), (third, h2.NO_ERROR)))

    def test_a_client_that_answers_no_ping_does_not_hold_it_up(self):
        c = self.h2()
        c.until(lambda: c.settings)
        c.answers_pings = False
        began = time.monotonic()
        self.server.ask_to_stop()
        self.assertEqual(c.ended(), (0, h2.NO_ERROR))
        self.assertLess(time.monotonic() - began, 4)


class Health(H2Case):
    def check(self, c, service, path="Check"):
        raw = service.encode()
        return c.call(b"\x0a" + bytes([len(raw)]) + raw if raw else b"", HEALTH + path)

    def turn(self):
        self.server.process.send_signal(signal.SIGUSR1)

    def test_check(self):
        c = self.h2()
        for service in ("", METRICS.split("/")[1], LOGS.split("/")[1], TRACES.split("/")[1]):
            a = c.reply(self.check(c, service))
            self.assertEqual((a.messages(), a.grpc), ([b"\x08\x01"], 0), service)
        self.refused(c.reply(self.check(c, "no.such.Service")), 5, "grpc_service")
        self.refused(c.reply(c.call(b"\x0a\x05x", HEALTH + "Check")), 3, "malformed_protobuf")
        self.turn()
        self.server.wait_until(lambda seen: c.reply(self.check(c, "")).messages() == [b"\x08\x02"])

    def test_watch_tells_each_change_and_the_end(self):
        c = self.h2()
        known, unknown = self.check(c, "", "Watch"), self.check(c, "no.such", "Watch")
        told = lambda stream: c.replies[stream].messages() if stream in c.replies else []
        c.until(lambda: told(known) == [b"\x08\x01"] and told(unknown) == [b"\x08\x03"])
        for status in (b"\x08\x02", b"\x08\x01"):
            self.turn()
            c.until(lambda: told(known)[-1:] == [status])
        self.assertEqual(c.reply(c.call(b"x")).grpc, 0)
        self.server.ask_to_stop()
        a = c.reply(known)
        self.assertEqual((a.messages()[-1], a.grpc), (b"\x08\x02", 0))
        c.ended()


class Slow(H2Case):
    options = ("header_ms=400", "body_ms=400", "request_ms=1500", "idle_ms=900")

    def test_a_preface_without_settings(self):
        c = self.server.connect("grpc").send(h2.PREFACE)
        self.assertTrue(c.is_closed())
        self.assertEqual(self.server.seen()["refused"], {"": 0, "timeout": 1})

    def test_half_a_block_of_fields(self):
        c = self.h2()
        c.until(lambda: c.settings)
        c.send(frame(h2.HEADERS, 0, 1, h2.block(*head("POST", METRICS))))
        self.assertEqual(c.ended()[1], h2.NO_ERROR)
        self.assertEqual(self.server.seen()["refused"]["timeout"], 1)

    def test_half_a_body_is_refused_and_the_connection_lives(self):
        c = self.h2()
        stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"))
        c.data(stream, message(b"hello")[:-1], ends=False)
        self.refused(c.reply(stream), 4, "timeout")
        self.assertEqual(c.reply(c.call(b"x")).grpc, 0)

    def test_a_drip_that_never_ends(self):
        c = self.h2()
        stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"))
        c.socket.settimeout(0.1)
        began = time.monotonic()
        c.send(frame(h2.DATA, 0, stream, b"\0\0\0\xff\xff"))
        while stream not in c.replies:
            c.send(frame(h2.DATA, 0, stream, b"x"))
            try:
                c.next_frame()
            except TimeoutError:
                pass
            self.assertLess(time.monotonic() - began, 10)
        self.assertGreaterEqual(time.monotonic() - began, 1.4)
        self.assertEqual(c.replies[stream].grpc, 4)

    def test_a_deadline_of_the_client_that_passes_before_its_body(self):
        c = self.h2()
        stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"), ("grpc-timeout", "50m"))
        self.refused(c.reply(stream), 4, "timeout")
        self.assertEqual(self.server.seen()["requests"], 0)

    def test_idle_connections_close_with_a_goaway_also_if_they_ping(self):
        c = self.h2()
        stream = c.call(b"x")
        self.assertEqual(c.reply(stream).grpc, 0)
        c.send(frame(h2.PING, 0, 0, b"12345678"))
        self.assertEqual(c.ended(), (stream, h2.NO_ERROR))
        self.assertEqual(c.pongs, [b"12345678"])

    def test_a_watch_keeps_a_connection_while_its_client_answers(self):
        c = self.h2()
        c.call(b"", HEALTH + "Watch")
        c.until(lambda: c.pings == 2)
        c.answers_pings = False
        self.assertEqual(c.ended(), (1, h2.NO_ERROR))

    def test_an_answer_that_its_client_lets_nowhere(self):
        c = self.h2((4, 0))
        stream = c.call(b"x")
        self.assertEqual(c.reply(stream).error, h2.CANCEL)

    def test_a_client_that_never_reads(self):
        c = self.h2()
        c.socket.settimeout(0.2)
        try:
            while True:
                c.send(b"".join(frame(h2.HEADERS, 5, c.next_id + 2 * i, h2.block(*head("GET", "/x"))) for i in range(1000)))
                c.next_id += 2000
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        self.server.wait_until(lambda seen: seen["connections"] == 1)


class Floods(H2Case):
    """Each ends with ENHANCE_YOUR_CALM, long before it costs anything, and is counted."""

    def calmed(self, c, flood, count=200):
        try:
            for _ in range(count):
                c.send(flood)
        except (BrokenPipeError, ConnectionResetError):
            pass
        last = c.ended()
        c.close()
        self.assertEqual(last and last[1], h2.CALM)
        self.server.wait_until(lambda seen: seen["refused"].get("http2_flood") == 1 and seen["connections"] == 1)

    def test_pings(self):
        self.calmed(self.h2(), frame(h2.PING, 0, 0, bytes(8)) * 100)

    def test_settings(self):
        self.calmed(self.h2(), h2.settings() * 100)

    def test_empty_data(self):
        c = self.h2()
        stream = c.open(*head("POST", METRICS), ("content-type", "application/grpc"))
        self.calmed(c, frame(h2.DATA, 0, stream) * 100)

    def test_priorities_and_unknown_frames(self):
        self.calmed(self.h2(), (frame(h2.PRIORITY, 0, 7, bytes(4) + b"\x10") + frame(0xEE, 0, 0)) * 100)

    def test_window_updates(self):
        self.calmed(self.h2(), frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\1") * 100)

    def test_rapid_reset(self):
        c = self.h2()
        fields = h2.block(*head("POST", METRICS), ("content-type", "application/grpc"))
        flood = b""
        for i in range(1, 20000, 2):
            flood += frame(h2.HEADERS, h2.END_HEADERS, i, fields) + frame(h2.RST_STREAM, 0, i, struct.pack(">I", h2.CANCEL))
        self.calmed(c, flood, 1)

    def test_rapid_reset_of_whole_requests(self):
        c = self.h2()
        fields = h2.block(*head("GET", "/x"))
        flood = b""
        for i in range(1, 20000, 2):
            flood += frame(h2.HEADERS, 5, i, fields) + frame(h2.RST_STREAM, 0, i, struct.pack(">I", h2.CANCEL))
        self.calmed(c, flood, 1)

    def test_streams_that_make_the_server_reset(self):
        c = self.h2()
        fields = h2.block(*head("POST", METRICS), ("content-type", "application/grpc"))
        flood = b""
        for i in range(1, 20000, 2):
            flood += frame(h2.HEADERS, h2.END_HEADERS, i, fields) + frame(h2.WINDOW_UPDATE, 0, i, b"\x7f\xff\xff\xff")
        self.calmed(c, flood, 1)

    def test_continuations(self):
        c = self.h2()
        c.send(frame(h2.HEADERS, 0, 1, h2.block(*head("POST", METRICS))))
        try:
            for _ in range(2000):
                c.send(frame(h2.CONTINUATION, 0, 1, h2.block(("x", "y" * 8000))))
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(c.ended() and c.goaway[1], (h2.CALM, h2.PROTOCOL_ERROR, None))
        c.close()
        self.server.wait_until(lambda seen: seen["connections"] == 1)
        refused = self.server.seen()["refused"]
        self.assertEqual(refused.get("http2_flood", 0) + refused.get("http2_broken", 0), 1)

    def test_an_honest_client_may_ping_once_a_request(self):
        c = self.h2()
        for _ in range(1500):
            c.send(frame(h2.PING, 0, 0, bytes(8)) + frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\1"))
            self.assertEqual(c.reply(c.call(b"x")).grpc, 0)
            c.replies.clear()


class Limits(H2Case):
    options = ("hold=300", "http2_max=4")

    def test_streams_past_the_maximum_are_refused_and_may_come_again(self):
        c = self.h2()
        streams = [c.call(b"x") for _ in range(140)]
        answers = [c.reply(stream) for stream in streams]
        taken = [a for a in answers if a.error is None]
        self.assertEqual((len(taken), {a.error for a in answers} - {None}), (128, {7}))
        self.assertEqual({a.grpc for a in taken}, {0})

    def test_the_longest_idle_connection_makes_room(self):
        clients = [self.h2() for _ in range(4)]
        for c in clients:
            c.until(lambda c=c: c.settings)
        busy = clients[0].call(b"x")
        self.server.wait_until(lambda seen: seen["requests"] == 1)
        late = self.h2()
        self.assertEqual(late.reply(late.call(b"x")).grpc, 0)
        self.assertEqual(clients[1].ended(), (0, h2.NO_ERROR))
        self.assertEqual(clients[0].reply(busy).grpc, 0)


class Budget(H2Case):
    """32 MiB for all bodies: one connection with more than that under way stays below it, every stream gets its turn,
    and pages are answered meanwhile."""

    options = ("bodies_max=33554432", "body_ms=60000")

    def test_streams_of_one_connection_share_it(self):
        c = self.h2()
        body = os.urandom(1500000)
        streams = [c.open(*head("POST", METRICS), ("content-type", "application/grpc")) for _ in range(30)]
        left = {stream: message(body) for stream in streams}
        windows = dict.fromkeys(streams, 262144)
        c.until(lambda: c.settings)
        most = 0
        take = c.take

        def taken(kind, flags, stream, payload):
            if kind == h2.WINDOW_UPDATE and stream:
                windows[stream] += int.from_bytes(payload, "big")
            take(kind, flags, stream, payload)

        c.take = taken
        while any(left.values()):
            moved = False
            for stream in streams:
                for _ in range(4):
                    piece = left[stream][: min(windows[stream], 16384)]
                    if piece:
                        left[stream] = left[stream][len(piece) :]
                        windows[stream] -= len(piece)
                        c.send(frame(h2.DATA, 0 if left[stream] else h2.END_STREAM, stream, piece))
                        moved = True
            most = max(most, self.server.seen()["bodies_bytes"])
            if not moved:
                self.assertTrue(c.next_frame())
        for stream in streams:
            self.assertEqual(c.reply(stream).grpc, 0)
        self.assertGreater(most, 33554432 // 2)
        self.assertLess(most, 33554432)
        self.assertEqual(self.server.seen()["bodies_bytes"], 0)


if __name__ == "__main__":
    main()
