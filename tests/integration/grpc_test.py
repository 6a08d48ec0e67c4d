"""gRPC against the whole bridge: recorded exports, repeats across protocols, the wrong port, health, the end."""

import gzip
import http.client
import signal
import unittest

from lib import case, figures, grpc, recordings
from lib.bridge import Bridge, wait_until


class Grpc(unittest.TestCase):
    def connect(self, *arguments):
        client = grpc.connect(*arguments)
        self.addCleanup(client.close)
        return client

    def exported(self, client, signal_name, body, *fields, flag=0):
        reply = client.reply(grpc.export(client, signal_name, body, *fields, flag=flag))
        self.assertEqual((reply.status, reply.grpc, reply.messages()), (200, 0, [b""]))

    def test_recorded_exports_add_up_over_kills(self):
        (recording,) = recordings.recordings("claude-code-2.1.328/grpc")
        totals, events = recordings.add_up(recording.requests)
        with Bridge() as bridge:
            for i, request in enumerate(recording.requests):
                client = self.connect(bridge)
                is_packed = i % 2 == 1
                body = gzip.compress(request.body) if is_packed else request.body
                self.exported(client, request.signal, body, ("grpc-encoding", "gzip"), flag=int(is_packed))
                if i % 5 == 4:
                    bridge.restart("kill")
            shown = bridge.metrics()
            self.assertEqual(figures.differences(totals, figures.of_metrics(shown)), [])
            self.assertEqual(figures.differences(events, figures.events_of_metrics(shown)), [])

    def test_a_repeat_over_another_protocol_counts_once(self):
        body = grpc.counter("twice", 7, 1795600000000000000)
        with Bridge() as bridge:
            headers = {"content-type": "application/x-protobuf"}
            self.assertEqual(bridge.post("/v1/metrics", headers, body).status, 200)
            client = self.connect(bridge)
            self.exported(client, "metrics", body)
            self.exported(client, "metrics", gzip.compress(body), ("grpc-encoding", "gzip"), flag=1)
            self.assertEqual(client.reply(client.post(body)).status, 200)
            shown = bridge.metrics()
            self.assertEqual(shown.total("twice_total"), 7)
            self.assertEqual(shown.total("cctm_requests_repeated_total"), 3)

    def test_what_comes_to_the_wrong_port_is_served_counted_and_named(self):
        with Bridge() as bridge:
            client = self.connect(bridge, "otlp_http")
            self.exported(client, "metrics", grpc.counter("a", 1, 1795600000000000001))
            wrong = http.client.HTTPConnection("127.0.0.1", bridge.ready["otlp_grpc_port"], timeout=20)
            for _ in range(2):
                wrong.request("POST", "/v1/logs", b"{}", {"content-type": "application/json"})
                answer = wrong.getresponse()
                answer.read()
                self.assertEqual(answer.status, 200)
            wrong.close()
            shown = bridge.metrics()
            self.assertEqual(shown.total("a_total"), 1)
            for name, http1, http2, rpc in (("by_protocol", 2, 0, 1), ("other_port", 2, 0, 1)):
                for protocol, count in (("http", http1), ("h2", http2), ("grpc", rpc)):
                    self.assertEqual(shown.total(f"cctm_requests_{name}_total", protocol=protocol), count)
            self.assertEqual(bridge.health()["requests"], {"http": 2, "grpc": 1, "h2": 0, "other_port": 3})
            page = bridge.get("zpages").body.decode()
            self.assertRegex(page, r"gRPC at the HTTP port +1, served; OTEL_EXPORTER_OTLP_ENDPOINT")
            self.assertRegex(page, r"HTTP at the gRPC port +2, served; OTEL_EXPORTER_OTLP_ENDPOINT")

    def test_refusals_are_counted_by_reason(self):
        with Bridge("--max-body", "2KiB") as bridge:
            client = self.connect(bridge)
            for body, code in ((b"\x0a\x05x", 3), (bytes(2049), 8)):
                self.assertEqual(client.reply(grpc.export(client, "metrics", body)).grpc, code)
            shown = bridge.metrics()
            for reason in ("truncated", "body_too_large"):
                self.assertEqual(shown.total("cctm_rejected_total", reason=reason), 1, reason)

    def test_a_watcher_hears_of_the_end_and_open_calls_are_finished(self):
        with Bridge("--durability", "disk") as bridge:
            client = self.connect(bridge)
            watch = client.call(b"", grpc.HEALTH_WATCH)
            client.until(lambda: watch in client.replies and client.replies[watch].messages() == [b"\x08\x01"])
            streams = [grpc.export(client, "metrics", grpc.counter("many", 1, 1795600000000000000 + i)) for i in range(50)]
            bridge.process.send_signal(signal.SIGTERM)
            self.assertEqual([client.reply(stream).grpc for stream in streams], [0] * 50)
            self.assertEqual(client.reply(watch).messages()[-1], b"\x08\x02")
            self.assertEqual(client.ended(), (streams[-1], 0))
            self.assertEqual(bridge.process.wait(5), 0)
            bridge.restart("kill")
            self.assertEqual(bridge.metrics().total("many_total"), 50)

    def test_answers_of_one_turn_share_a_sync(self):
        """Under durability disk many calls on one connection are answered together, and each is."""
        with Bridge("--durability", "disk") as bridge:
            client = self.connect(bridge)
            streams = [grpc.export(client, "metrics", grpc.counter("synced", 2, 1795600000000000000 + i)) for i in range(120)]
            self.assertEqual({client.reply(stream).grpc for stream in streams}, {0})
            wait_until(lambda: bridge.metrics().total("synced_total") == 240, "240")


if __name__ == "__main__":
    case.main()
