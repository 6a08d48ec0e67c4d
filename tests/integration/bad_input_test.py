"""Issue 5.5: bad input gets a clear answer, costs bounded memory, and honest clients are served meanwhile."""

import gzip
import json
import os
import random
import resource
import socket
import struct
import time
import unittest
import zlib

from lib import case, otlp, recordings
from lib.bridge import Bridge, wait_until
from lib.figures import differences, of_metrics

MIB = 1 << 20
BODY_MAX = 1 * MIB
BUILD_IS_SANITIZED = os.environ.get("CCTM_BUILD_TYPE") == "Debug"  # its memory is not the program's
# What the bridge may hold more than at rest, whatever is thrown at it with --max-body 1MiB.
GROWTH_MAX = (400 if BUILD_IS_SANITIZED else 48) * MIB


def first_metrics(name):
    (recording,) = recordings.recordings(name)
    return next(r for r in recording.requests if r.signal == "metrics")


PB, JSON = first_metrics("protobuf"), first_metrics("json")
PB_TYPE, JSON_TYPE = "application/x-protobuf", "application/json"


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def nested_json(depth):
    value = '{"arrayValue":{"values":[' * depth + '{"intValue":1}' + "]}}" * depth
    attributes = '[{"key":"deep","value":' + value + "}]"
    return ('{"resourceMetrics":[{"resource":{"attributes":' + attributes + "}}]}").encode()


def nested_protobuf(depth):
    value = b"\x18\x01"
    for _ in range(depth):  # AnyValue.array_value (5) of one value (1)
        inner = b"\x0a" + varint(len(value)) + value
        value = b"\x2a" + varint(len(inner)) + inner
    for tag in (b"\x12", b"\x0a", b"\x0a", b"\x0a"):  # KeyValue.value, Resource.attributes, .resource, request
        value = tag + varint(len(value)) + value
    return value


def status_of(answer, content_type):
    """The google.rpc.Status of an error answer: (code, message)."""
    if content_type == JSON_TYPE:
        status = answer.json()
        return status.get("code"), status.get("message")
    found = {number: value for number, _, value in otlp.fields(answer.body)}
    return found.get(1), found.get(2, b"").decode()


class BadInput(unittest.TestCase):
    """One bridge for all: it must live through everything, and count only what the honest client sends."""

    @classmethod
    def setUpClass(cls):
        cls.bridge = Bridge("--max-body", "1MiB")
        cls.bridge.start()
        cls.honest = 0
        cls.serve_honest_client(cls)
        cls.resting = cls.bridge.resident_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.bridge.close()

    def setUp(self):
        self.bridge.disconnect()

    def tearDown(self):
        self.serve_honest_client()
        self.assertLess(self.bridge.resident_bytes() - self.resting, GROWTH_MAX)

    def serve_honest_client(self):
        """A small request, each time another one, answered within a second; and the total is exact."""
        cls = BadInput
        cls.honest += 1
        point = {
            "asDouble": 1.0,
            "startTimeUnixNano": str(time.time_ns() - 1),
            "timeUnixNano": str(time.time_ns()),
            "attributes": [{"key": "n", "value": {"stringValue": "honest"}}],
        }
        total = {"dataPoints": [point], "aggregationTemporality": 1, "isMonotonic": True}
        message = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "honest", "sum": total}]}]}]}
        began = time.monotonic()
        cls.bridge.send_json("metrics", message)
        took = time.monotonic() - began
        assert took < 2, f"the honest client waited {took:.1f} s"
        assert cls.bridge.metrics().total("honest_total") == cls.honest

    def refused(self, path, content_type, body, status, **headers):
        fields = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
        try:
            answer = self.bridge.post(path, fields, body)
        except (BrokenPipeError, ConnectionResetError):
            self.assertEqual(status, 413, "cut without an answer")  # a bridge may stop reading what is too large
            return None
        self.assertEqual(answer.status, status, answer.body[:200])
        self.bridge.disconnect()
        return answer

    # ---- bytes that are no request ----

    def test_truncated_bodies_are_400_with_a_status_in_the_requests_encoding(self):
        for request, content_type in ((PB, PB_TYPE), (JSON, JSON_TYPE)):
            for cut in (1, len(request.body) // 3, len(request.body) - 1):
                answer = self.bridge.post(request.url, {"content-type": content_type}, request.body[:cut])
                self.assertEqual(answer.status, 400, (request, cut))
                self.assertIn(content_type, answer.headers["content-type"])
                code, message = status_of(answer, content_type)
                self.assertEqual(code, 3)
                self.assertTrue(message)

    def test_bit_flips_never_take_the_bridge_down(self):
        rng = random.Random(20261125)
        for request, content_type in ((PB, PB_TYPE), (JSON, JSON_TYPE)):
            for _ in range(300):
                body = bytearray(request.body)
                for _ in range(rng.randint(1, 4)):
                    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
                # To another signal's path: what can be decoded by chance must not touch the totals.
                answer = self.bridge.post("/v1/traces", {"content-type": content_type}, bytes(body))
                self.assertIn(answer.status, (200, 400))
        self.bridge.metrics()  # still a well-formed exposition

    def test_bit_flipped_metrics_leave_a_well_formed_exposition(self):
        rng = random.Random(2)
        with Bridge() as bridge:
            for request, content_type in ((PB, PB_TYPE), (JSON, JSON_TYPE)) * 100:
                body = bytearray(request.body)
                body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
                answer = bridge.post(request.url, {"content-type": content_type}, bytes(body))
                self.assertIn(answer.status, (200, 400))
            before = bridge.metrics().counters()
            bridge.restart("kill")
            after = bridge.metrics().counters()
            lower = [k for k, v in before.items() if not k[0].startswith("cctm_") and after.get(k, -1) < v]
            self.assertEqual(lower, [])

    def test_deep_nesting_is_400_and_cheap(self):
        for content_type, make in ((JSON_TYPE, nested_json), (PB_TYPE, nested_protobuf)):
            for depth in (1000, 20000):
                self.refused("/v1/metrics", content_type, make(depth), 400)
        self.refused("/v1/metrics", JSON_TYPE, b"[" * 500000, 400)

    def test_wrong_types_in_json_are_400(self):
        bodies = (
            b"[]", b"null", b"7", b'"x"', b"{", b'{"resourceMetrics":{}}', b'{"resourceMetrics":[7]}',
            b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":7}]}]}]}', b'{} trailing', b"\xff\xfe{}",
            b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{"dataPoints":[{"asDouble":true}]}}]}]}]}',
        )
        for body in bodies:
            with self.subTest(body=body):
                self.refused("/v1/metrics", JSON_TYPE, body, 400)

    def test_an_empty_request_is_a_success(self):
        for content_type, body in ((JSON_TYPE, b"{}"), (PB_TYPE, b"")):
            answer = self.bridge.post("/v1/metrics", {"content-type": content_type}, body)
            self.assertEqual(answer.status, 200, content_type)

    def test_protobuf_of_wrong_wire_types_is_400(self):
        for body in (b"\x08\x01", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0a\x05abc", b"\x0b", b"\xff" * 20):
            with self.subTest(body=body):
                answer = self.bridge.post("/v1/metrics", {"content-type": PB_TYPE}, body)
                self.assertIn(answer.status, (400,) if body != b"\x08\x01" else (200, 400))

    def test_invalid_utf8_never_reaches_the_exposition(self):
        bad = b"caf\xe9\xff"
        value = b"\x0a" + varint(len(bad)) + bad
        pair = b"\x0a\x01k\x12" + varint(len(value)) + value
        stamp = struct.pack("<Q", time.time_ns())
        point = b"\x11" + stamp + b"\x19" + stamp + b"\x21" + struct.pack("<d", 2.0) + b"\x3a" + varint(len(pair)) + pair
        total = b"\x0a" + varint(len(point)) + point + b"\x10\x01\x18\x01"
        body = b"\x0a\x08bad_utf8\x3a" + varint(len(total)) + total
        for tag in (b"\x12", b"\x12", b"\x0a"):  # ScopeMetrics.metrics, ResourceMetrics.scope_metrics, request
            body = tag + varint(len(body)) + body
        answer = self.bridge.post("/v1/metrics", {"content-type": PB_TYPE}, body)
        self.assertIn(answer.status, (200, 400))
        shown = self.bridge.metrics()  # decoding as UTF-8 is part of it
        if answer.status == 200:
            self.assertEqual(shown.total("bad_utf8_total"), 2.0)

    # ---- HTTP ----

    def test_paths_methods_and_types_have_their_statuses(self):
        self.refused("/v1/nothing", JSON_TYPE, b"{}", 404)
        self.refused("/v1/metrics", "text/plain", b"{}", 415)
        self.refused("/v1/metrics", JSON_TYPE, b"{}", 415, content_encoding="br")
        answer = self.bridge.get("otlp_http", "/v1/metrics")
        self.assertEqual(answer.status, 405)
        self.assertIn("POST", answer.headers["allow"])

    def test_oversized_bodies_are_413(self):
        self.refused("/v1/metrics", JSON_TYPE, b" " * (BODY_MAX + 1), 413)
        self.refused("/v1/metrics", PB_TYPE, b"\0" * (8 * BODY_MAX), 413)
        answer = self.raw(b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])

    def test_oversized_chunked_body_is_413_while_reading(self):
        head = b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        answer = self.raw(head + chunk * 64)
        self.assertTrue(answer == b"" or b" 413 " in answer.split(b"\r\n")[0], answer[:100])

    def test_gzip_bombs_are_413_and_cheap(self):
        bomb = gzip.compress(b"\0" * (256 * MIB), 9)
        self.assertLess(len(bomb), BODY_MAX)
        for content_type in (PB_TYPE, JSON_TYPE):
            self.refused("/v1/metrics", content_type, bomb, 413, content_encoding="gzip")
        self.refused("/v1/metrics", PB_TYPE, zlib.compress(b"\0" * (64 * MIB), 9), 413, content_encoding="deflate")

    def test_broken_compression_is_400(self):
        good = gzip.compress(JSON.body)
        for body in (good[:-9], b"\x1f\x8b" + b"\0" * 20, b"plain", good[:30] + b"\xff" * 20 + good[50:]):
            self.refused("/v1/metrics", JSON_TYPE, body, 400, content_encoding="gzip")

    def test_absurd_requests_are_4xx_and_the_connection_ends(self):
        heads = (
            b"GARBAGE\r\n\r\n",
            b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /v1/metrics HTTP/1.1\r\n" + b"X-Y: z\r\n" * 20000 + b"\r\n",
            os.urandom(5000),
        )
        for head in heads:
            with self.subTest(head=head[:60]):
                first = self.raw(head).split(b"\r\n")[0]
                self.assertTrue(first == b"" or first.split(b" ")[1][:1] in (b"4", b"5"), first)

    def raw(self, data, wait_s=15):
        """Sends bytes, half-closes, and reads until the other side ends."""
        with socket.create_connection(("127.0.0.1", self.bridge.ready["otlp_http_port"]), timeout=wait_s) as s:
            out = b""
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has seen enough
            try:
                while part := s.recv(65536):
                    out += part
            except ConnectionResetError:
                pass
            return out

    # ---- peers that take their time ----

    def test_half_requests_and_slow_senders_do_not_hold_up_others(self):
        port = self.bridge.ready["otlp_http_port"]
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        try:
            for i, s in enumerate(slow):
                s.sendall((b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 1000\r\n\r\n{")[: 20 + i])
            for _ in range(3):
                self.serve_honest_client()
                for s in slow:
                    try:
                        s.sendall(b" ")
                    except OSError:
                        pass  # refused already: what it sent is no HTTP
        finally:
            for s in slow:
                s.close()

    def test_a_sender_that_stops_in_its_header_is_let_go(self):
        with socket.create_connection(("127.0.0.1", self.bridge.ready["otlp_http_port"]), timeout=30) as s:
            s.sendall(b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\n")
            answer = s.recv(4096)
            self.assertTrue(answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer)

    def test_a_client_that_leaves_after_its_body_is_counted(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("multi-export-json")
            for request in recording.requests:
                with socket.create_connection(("127.0.0.1", bridge.ready["otlp_http_port"])) as s:
                    head = f"POST {request.url} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON_TYPE}\r\nContent-Length: {len(request.body)}\r\n\r\n"
                    s.sendall(head.encode() + request.body)
            totals = recording.truth["totals"]
            wait_until(lambda: differences(totals, of_metrics(bridge.metrics())) == [], "the totals of a client that left")

    def test_ten_thousand_idle_connections_cost_little_and_nobody_waits(self):
        wanted = 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < wanted + 500:
            self.skipTest(f"only {hard} file descriptors allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 500, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        idle = []
        try:
            for _ in range(wanted):
                idle.append(socket.create_connection(("127.0.0.1", self.bridge.ready["otlp_http_port"]), timeout=20))
            self.serve_honest_client()
            grown = self.bridge.resident_bytes() - self.resting
            print(f"\n10,000 idle connections: {grown / MIB:.1f} MiB more", flush=True)
            self.assertLess(grown, GROWTH_MAX)
            s = idle[-1]
            body = json.dumps({}).encode()
            s.sendall(b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n" + body)
            self.assertIn(b" 200 ", s.recv(4096).split(b"\r\n")[0])
        finally:
            for s in idle:
                s.close()


if __name__ == "__main__":
    case.main()
