"""The recorded requests add up to what truth.json says, by a decoder that is not the program's."""

import unittest

from lib import case, recordings
from lib.figures import differences


class Recordings(unittest.TestCase):
    def test_truth_is_what_the_bodies_add_up_to(self):
        for recording in recordings.recordings():
            with self.subTest(recording.name):
                totals, events = recordings.add_up(recording.requests)
                self.assertEqual(differences(recording.truth["totals"], totals), [])
                self.assertEqual(recording.truth["events"], events)

    def test_totals_are_the_clients_own_account_where_everything_was_sent(self):
        for recording in recordings.recordings():
            if recording.folder.name.startswith(("hkill-", "prom-")):
                continue
            with self.subTest(recording.name):
                totals = recording.truth["totals"]
                shown = {figure: totals.get(figure, 0) for figure in recording.truth["client"]}
                self.assertEqual(differences(recording.truth["client"], shown), [])

    def test_readme_of_the_headless_run_holds(self):
        for recording in recordings.recordings("protobuf", "protobuf-gzip", "json", "grpc", "multi-export-json"):
            with self.subTest(recording.name):
                totals = recording.truth["totals"]
                self.assertAlmostEqual(totals["cost.usage|claude-opus-5-5"], 0.07932, places=12)
                tokens = [totals[f"token.usage|claude-opus-5-5|{t}"] for t in ("input", "output", "cacheRead", "cacheCreation")]
                self.assertEqual(tokens, [7755, 1515, 45000, 1800])


if __name__ == "__main__":
    case.main()
