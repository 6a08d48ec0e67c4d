"""Issue 5.1: the real client's requests, sent as recorded, give exactly the recorded totals.

On /metrics (the sum over all series), in `cctm report --json`, however the bodies are encoded, however often
they are repeated, and whenever the bridge is killed.
"""

import unittest

from lib import case, recordings
from lib.bridge import Bridge
from lib.figures import differences, events_of_metrics, of_metrics, of_report_totals, without_model


class Captures(unittest.TestCase):
    def assert_shows(self, bridge, totals, events):
        shown = bridge.metrics()
        self.assertEqual(differences(totals, of_metrics(shown)), [], "on /metrics")
        self.assertEqual(differences(events, events_of_metrics(shown)), [], "events on /metrics")
        report = bridge.report()["totals"]
        wanted = without_model({f: v for f, v in totals.items() if f != "session.count"})
        self.assertEqual(differences(wanted, of_report_totals(report)), [], "in the report")
        self.assertEqual(report["api_requests"] or 0, events.get("api_request", 0), "API requests in the report")

    def each(self, act, *names):
        """act(bridge, recording) on a fresh bridge for every recording; then the totals must be right."""
        for recording in recordings.recordings(*names):
            with self.subTest(recording.name), Bridge() as bridge:
                act(bridge, recording)
                self.assert_shows(bridge, recording.truth["totals"], recording.truth["events"])

    def test_every_recording_as_sent_gives_its_exact_totals(self):
        def act(bridge, recording):
            for request in recording.requests:
                bridge.send(request)

        self.each(act)

    def test_every_request_sent_twice_in_a_row_counts_once(self):
        def act(bridge, recording):
            for request in recording.requests:
                first, second = bridge.send(request), bridge.send(request)
                self.assertEqual(first.status, second.status)

        self.each(act)

    def test_content_codings_do_not_change_a_total(self):
        for how in ("identity", "gzip", "deflate"):

            def act(bridge, recording, how=how):
                for request in recording.requests:
                    bridge.send(request, how)

            self.each(act, "protobuf-gzip", "multi-export-json", "resume-pb-cumulative", "agents-json-delta")

    def test_a_repeat_in_another_coding_is_still_the_same_request(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("multi-export-json")
            for request in recording.requests:
                for how in ("recorded", "gzip", "deflate"):
                    bridge.send(request, how)
            self.assert_shows(bridge, recording.truth["totals"], recording.truth["events"])

    def test_killed_after_every_request_it_shows_the_same_and_never_less(self):
        def act(bridge, recording):
            floor = {}
            for request in recording.requests:
                bridge.send(request)
                bridge.restart("kill")
                shown = bridge.metrics().counters()
                lower = [(k, v, shown.get(k)) for k, v in floor.items() if shown.get(k, -1) < v]
                self.assertEqual(lower, [], f"lower than a scrape before, after {request}")
                floor = {k: v for k, v in shown.items() if is_total(k)}

        self.each(act)

    def test_killed_between_request_and_repeat_it_counts_once(self):
        def act(bridge, recording):
            for request in recording.requests:
                bridge.send(request)
                bridge.restart("kill")
                bridge.send(request)

        self.each(act, "multi-export-json", "resume-json-delta", "reorder-cumulative", "tempo-nonsense")

    def test_all_recordings_on_one_bridge_add_up(self):
        totals, events = {}, {}
        with Bridge() as bridge:
            for recording in recordings.recordings():
                for request in recording.requests:
                    bridge.send(request)
                add(totals, recording.truth["totals"])
                add(events, recording.truth["events"])
            self.assert_shows(bridge, totals, events)
            bridge.restart("kill")
            self.assert_shows(bridge, totals, events)
            bridge.restart("stop")
            self.assert_shows(bridge, totals, events)

    def test_sessions_of_the_report_are_the_recorded_ones(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("protobuf")
            for request in recording.requests:
                bridge.send(request)
            self.assertEqual(bridge.report()["totals"]["sessions"], 1)

    def test_session_id_is_a_label_only_when_asked_for(self):
        (recording,) = recordings.recordings("resume-json-delta")
        for options, expected in ((), False), (("--session-label",), True):
            with self.subTest(options=options), Bridge(*options) as bridge:
                for request in recording.requests:
                    bridge.send(request)
                shown = bridge.metrics()
                labels = {name for s in shown.named("claude_code_cost_usage_USD_total") for name in s.labels}
                self.assertEqual("session_id" in labels, expected)
                self.assertEqual(differences(recording.truth["totals"], of_metrics(shown)), [])

    def test_every_series_has_a_start(self):
        with Bridge() as bridge:
            (recording,) = recordings.recordings("json")
            for request in recording.requests:
                bridge.send(request)
            for sample in bridge.metrics().samples:
                if sample.name.startswith("claude_code_"):
                    self.assertRegex(sample.labels.get("start", ""), r"^[0-9]{19}$", sample)


def is_total(key):
    """What must survive a kill: the client's totals and the events. The process's own counters begin again."""
    return key[0].startswith("claude_code_") or key[0] == "cctm_events_total"


def add(into, figures):
    for figure, value in figures.items():
        into[figure] = into.get(figure, 0) + value


if __name__ == "__main__":
    case.main()
