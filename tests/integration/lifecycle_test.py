"""Starting, stopping, and what a state directory goes through: locks, taken ports, torn and damaged files."""

import json
import os
import socket
import tempfile
import time
import unittest
from pathlib import Path

from lib import bridge as bridges
from lib import case, recordings
from lib.bridge import Bridge, wait_until
from lib.figures import differences, of_metrics

PORTS = [w for door in ("otlp-http", "exporter", "health", "zpages") for w in (f"--{door}-port", "0")]


def feed(bridge, name="multi-export-json"):
    (recording,) = recordings.recordings(name)
    for request in recording.requests:
        bridge.send(request)
    return recording.truth["totals"]


def add(*all_figures):
    out = {}
    for figures in all_figures:
        for figure, value in figures.items():
            out[figure] = out.get(figure, 0) + value
    return out


def segments(state):
    return sorted(Path(state).rglob("journal-*.log"))


def journal_size(state):
    return sum(file.stat().st_size for file in segments(state))


def delete_ledger(state):
    for file in Path(state).glob("ledger.db*"):
        file.unlink()


class Lifecycle(unittest.TestCase):
    def assert_totals(self, bridge, totals):
        self.assertEqual(differences(totals, of_metrics(bridge.metrics())), [], "on /metrics")
        self.assert_report(bridge, totals)

    def assert_report(self, bridge, totals):
        self.assertAlmostEqual(bridge.report()["totals"]["cost_usd"], totals["cost.usage|claude-opus-5-5"], places=9)

    def assert_goes_on_counting(self, bridge, totals):
        """What comes now counts in full, on /metrics (perhaps under a new start) and in the report."""
        before = of_metrics(bridge.metrics())
        more = feed(bridge, "protobuf")
        after = of_metrics(bridge.metrics())
        self.assertEqual(differences(add(before, more), after), [])
        bridge.restart("kill")
        self.assertEqual(of_metrics(bridge.metrics()), after)
        self.assert_report(bridge, add(totals, more))

    def test_ready_line_names_what_was_opened(self):
        with Bridge() as bridge:
            self.assertEqual(bridge.ready["schema_version"], 1)
            self.assertEqual(bridge.ready["pid"], bridge.process.pid)
            self.assertTrue(os.path.samefile(bridge.ready["state"], bridge.state))
            for door in ("otlp_http", "otlp_grpc", "exporter", "health", "zpages"):
                with socket.create_connection(("127.0.0.1", bridge.ready[f"{door}_port"]), timeout=5):
                    pass

    def test_health_answers_json_on_any_path(self):
        with Bridge() as bridge:
            for path in ("/", "/health", "/any/thing"):
                answer = bridge.get("health", path)
                self.assertEqual(answer.status, 200)
                self.assertIn("application/json", answer.headers["content-type"])
                self.assertIn("status", answer.json())

    def test_metrics_say_what_the_bridge_itself_takes(self):
        with Bridge() as bridge:
            first, second = bridge.metrics(), bridge.metrics()
            self.assertAlmostEqual(first.value("cctm_memory_bytes"), bridge.resident_bytes(), delta=4 << 20)
            self.assertGreaterEqual(second.value("cctm_cpu_seconds_total"), first.value("cctm_cpu_seconds_total"))
            began = first.value("cctm_start_timestamp_seconds")
            self.assertAlmostEqual(began, time.time(), delta=20)
            self.assertEqual(second.value("cctm_start_timestamp_seconds"), began, "it moves with a restart alone")
            bridge.restart("kill")
            self.assertGreater(bridge.metrics().value("cctm_start_timestamp_seconds"), began)

    def test_status_page_is_one_plain_page(self):
        with Bridge() as bridge:
            answer = bridge.get("zpages", "/")
            self.assertEqual(answer.status, 200)
            self.assertIn("text/", answer.headers["content-type"])

    def test_second_bridge_on_one_state_refuses_and_names_the_first(self):
        with Bridge() as bridge:
            done = bridges.run("bridge", "--state", bridge.state, "--bind", "127.0.0.1", *PORTS, expected=4)
            self.assertIn(str(bridge.process.pid), done.stderr)
            feed(bridge)  # the first goes on

    def test_second_bridge_says_so_in_json_when_asked(self):
        with Bridge() as bridge:
            done = bridges.run("bridge", "--state", bridge.state, *PORTS, "--json", expected=4)
            error = json.loads(done.stdout or done.stderr)["error"]
            self.assertEqual(error["code"], "locked")

    def test_lock_of_a_killed_bridge_is_no_obstacle(self):
        with Bridge() as bridge:
            bridge.restart("kill")

    def test_taken_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as other, tempfile.TemporaryDirectory() as state:
            port = other.getsockname()[1]
            arguments = ["--exporter-port", "0", "--health-port", "0", "--zpages-port", "0"]
            done = bridges.run(
                "bridge", "--state", state, "--bind", "127.0.0.1", "--otlp-http-port", port, *arguments, expected=1
            )
            self.assertIn(str(port), done.stderr)
            self.assertIn("hint:", done.stderr)

    def test_sigterm_ends_with_0_within_5_s_and_keeps_everything(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            status, seconds = bridge.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 5)
            bridge.start()
            self.assert_totals(bridge, totals)

    def test_sigterm_with_an_open_connection_and_a_half_request_ends_within_5_s(self):
        with Bridge() as bridge:
            with socket.create_connection(("127.0.0.1", bridge.ready["otlp_http_port"])) as idle:
                with socket.create_connection(("127.0.0.1", bridge.ready["otlp_http_port"])) as half:
                    half.sendall(b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
                    idle.sendall(b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\n")
                    status, seconds = bridge.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 5)

    def test_sigint_ends_it_too(self):
        with Bridge() as bridge:
            bridge.process.send_signal(2)
            self.assertIn(bridge.process.wait(5), (0, 130))
            bridge.process.stdout.close()
            bridge.process = None

    def test_a_terminal_that_closes_ends_it_like_ctrl_c(self):
        with Bridge() as bridge:
            bridge.process.send_signal(1)
            self.assertIn(bridge.process.wait(5), (0, 130))
            bridge.process.stdout.close()
            bridge.process = None

    def test_tells_the_service_manager_that_it_is_ready(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "notify")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(path)
                notify.settimeout(10)
                with Bridge(environment={"NOTIFY_SOCKET": path}):
                    self.assertIn(b"READY=1", notify.recv(4096))

    def test_torn_last_record_is_cut_off_and_the_rest_kept(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("multi-export-json")
            *kept, torn = [r for r in recording.requests if r.signal == "metrics"]
            for request in kept:
                bridge.send(request)
            before = journal_size(bridge.state)
            bridge.send(torn)
            bridge.kill()
            (journal,) = segments(bridge.state)
            os.truncate(journal, (before + journal.stat().st_size) // 2)  # as if killed in the middle of its write
            bridge.start()
            self.assert_totals(bridge, recordings.add_up(kept)[0])
            bridge.send(torn)  # so it was not acknowledged, and the client repeats it
            bridge.restart("kill")
            self.assert_totals(bridge, recording.truth["totals"])

    def test_rubbish_behind_the_last_record_costs_no_record(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            bridge.kill()
            with open(segments(bridge.state)[-1], "ab") as file:
                file.write(b"\x5a" * 37)
            bridge.start()
            self.assert_report(bridge, totals)
            self.assert_goes_on_counting(bridge, totals)

    def test_damaged_record_in_the_middle_is_set_aside_and_the_rest_replayed(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("multi-export-json")
            sizes = []
            for request in recording.requests:
                sizes.append(journal_size(bridge.state))
                bridge.send(request)
            bridge.kill()
            (journal,) = segments(bridge.state)
            hit = next(i for i, request in enumerate(recording.requests) if i > 3 and request.signal == "metrics")
            flip(journal, (sizes[hit] + sizes[hit + 1]) // 2)
            delete_ledger(bridge.state)  # nothing but the journal is left to tell
            bridge.start()
            totals = recordings.add_up([r for i, r in enumerate(recording.requests) if i != hit])[0]
            self.assert_report(bridge, totals)
            self.assertTrue(list(Path(bridge.state).rglob("journal-bad-*")), "the damaged record is kept in a file")
            said = bridge.errors() + json.dumps(bridge.health()) + bridge.get("zpages").body.decode()
            self.assertIn("journal-bad-", said)
            self.assert_goes_on_counting(bridge, totals)

    def test_lost_ledger_is_rebuilt_from_the_journal(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            self.assertEqual(bridge.stop()[0], 0)
            delete_ledger(bridge.state)
            bridge.start()
            self.assert_report(bridge, totals)
            self.assert_goes_on_counting(bridge, totals)

    def test_lost_ledger_of_a_killed_bridge_is_rebuilt_too(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            bridge.metrics()
            bridge.kill()
            delete_ledger(bridge.state)
            bridge.start()
            self.assert_report(bridge, totals)
            self.assert_goes_on_counting(bridge, totals)

    def test_restarts_keep_every_value(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            before = {k: v for k, v in bridge.metrics().counters().items() if k[0].startswith("claude_code_")}
            for how in ("stop", "kill", "stop"):
                bridge.restart(how)
                after = {k: v for k, v in bridge.metrics().counters().items() if k[0].startswith("claude_code_")}
                self.assertEqual(before, after, how)
            self.assert_totals(bridge, totals)

    def test_report_works_without_a_bridge(self):
        with Bridge() as bridge:
            totals = feed(bridge)
            running = bridge.report()["totals"]
            bridge.kill()
            self.assertEqual(bridge.report()["totals"], running)
            self.assertAlmostEqual(running["cost_usd"], totals["cost.usage|claude-opus-5-5"], places=9)

    def test_durability_disk_keeps_what_was_acknowledged(self):
        with Bridge("--durability", "disk") as bridge:
            totals = feed(bridge)
            bridge.restart("kill")
            self.assert_totals(bridge, totals)

    @unittest.skipUnless(Path("/proc").exists(), "needs a place that even root cannot write")
    def test_state_that_cannot_be_written_is_an_error_that_says_why(self):
        done = bridges.run("bridge", "--state", "/proc/cctm-state", *PORTS, expected=1)
        self.assertIn("/proc/cctm-state", done.stderr)

    def test_new_series_is_shown_as_0_first_and_the_report_never_waits(self):
        with Bridge(zero_hold="1h") as bridge:
            totals = feed(bridge)
            shown = of_metrics(bridge.metrics())
            self.assertEqual({v for k, v in shown.items() if k.startswith("cost.")}, {0})
            bridge.restart("kill")
            self.assertEqual(of_metrics(bridge.metrics()), shown)
            self.assertAlmostEqual(bridge.report()["totals"]["cost_usd"], totals["cost.usage|claude-opus-5-5"], places=9)

    def test_zero_ends_when_the_hold_is_over(self):
        with Bridge(zero_hold="1s") as bridge:
            totals = feed(bridge)
            self.assertEqual(of_metrics(bridge.metrics())["commit.count"], 0)
            wait_until(lambda: differences(totals, of_metrics(bridge.metrics())) == [], "the true values", deadline_s=10)


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


if __name__ == "__main__":
    case.main()
