"""Issue 5.4: real Prometheus scrapes the bridge, and its totals are right.

Plain increase() equals the truth within Prometheus' own extrapolation, because a new series is shown as 0 for
--zero-hold first. What the stack's rules record equals it exactly. Both also when
the bridge is killed with signal 9 in the middle.

All times are scaled together: what is a minute in a real rule group is SCALE times shorter here.
"""

import subprocess
import time
import unittest

from lib import case, figures, programs, recordings
from lib.bridge import Bridge, free_port, wait_until
from lib.prometheus import SCRAPE_S, Prometheus, rendered_rules

SCALE = 30
SOURCES = ("multi-export-json", "resume-json-delta", "parallel-json-cumulative", "collide-6", "reorder-delta")


@unittest.skipUnless(programs.prometheus() and programs.promtools(), "prometheus is not installed")
class PrometheusTotals(unittest.TestCase):
    def test_promtool_finds_nothing_wrong_with_metrics(self):
        with Bridge() as bridge:
            for recording in recordings.recordings(*SOURCES, "unknownmodel-json", "resattr-5-json"):
                for request in recording.requests:
                    bridge.send(request)
            text = bridge.get("exporter", "/metrics").body
        for version, promtool in programs.promtools().items():
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
            # 0: fine; 3: parsed, with remarks on style. Names are the Collector's, so style is not ours to choose.
            self.assertIn(done.returncode, (0, 3), f"promtool {version}: {done.stderr.decode()}")
            remarks = [line for line in done.stderr.decode().splitlines() if line.startswith(("claude_code_", "cctm_"))]
            self.assertEqual(remarks, [], f"promtool {version}")

    def test_increase_and_recorded_rises_equal_what_was_sent_over_a_kill(self):
        port = free_port()
        bridge = Bridge(zero_hold=f"{2 * SCRAPE_S}s", ports={"exporter": port})
        prometheus = None
        try:
            bridge.start()
            prometheus = Prometheus({"bridge": port}, rendered_rules("--set", "ingest=bridge"), SCALE)
            prometheus.wait()
            totals = self.play(bridge, prometheus)
            self.assert_recorded(prometheus, totals)
            self.assert_increase(prometheus, totals)
        finally:
            bridge.close()
            if prometheus:
                prometheus.close()

    def play(self, bridge, prometheus):
        """The recordings side by side, a few requests per scrape; signal 9 in the middle, twice."""
        chosen = recordings.recordings(*SOURCES)
        queue = [r for group in zip_longest(*[c.requests for c in chosen]) for r in group if r]
        steps = 12
        size = -(-len(queue) // steps)
        for step in range(steps):
            for request in queue[step * size : (step + 1) * size]:
                bridge.send(request)
            if step in (4, 8):
                bridge.restart("kill")
            prometheus.wait_for_scrapes(1)
        totals = {}
        for recording in chosen:
            for figure, value in recording.truth["totals"].items():
                family = figures.FAMILIES[figure.split("|")[0]][0]
                totals[family] = totals.get(family, 0) + value
        return totals

    def assert_recorded(self, prometheus, totals):
        for family, truth in totals.items():
            name = family.removesuffix("_total")
            expression = f"sum(sum_over_time({name}:counted[1h]))"
            wait_until(
                lambda e=expression, t=truth: abs((prometheus.number(e) or 0) - t) <= 1e-9 * max(1, t),
                lambda e=expression, t=truth: f"{e} = {prometheus.number(e)}, not {t}", deadline_s=30, pause_s=0.2,
            )
        prometheus.wait_for_scrapes(3 * int(prometheus.interval_s))  # and it stays there
        for family, truth in totals.items():
            shown = prometheus.number(f"sum(sum_over_time({family.removesuffix('_total')}:counted[1h]))")
            self.assertAlmostEqual(shown, truth, delta=1e-9 * max(1, truth), msg=family)

    def assert_increase(self, prometheus, totals):
        for family, truth in totals.items():
            # Ending at the last sample there is nothing to extrapolate to, and the 0 stands at the beginning.
            last = prometheus.number(f"max(timestamp({family}))")
            shown = prometheus.number(f"sum(increase({family}[1h]))", at=last)
            self.assertAlmostEqual(shown, truth, delta=0.001 * truth, msg=f"increase({family}) at its last sample")
            # Ending anywhere, Prometheus extrapolates each series by up to 1.1 scrape intervals.
            now = time.time()
            first = prometheus.number(f"min(min_over_time(timestamp({family})[1h:{SCRAPE_S}s]))", at=now)
            lived = max(now - first, 1) if first else 1
            shown = prometheus.number(f"sum(increase({family}[1h]))", at=now)
            self.assertGreaterEqual(shown, truth * 0.999, family)
            self.assertLessEqual(shown, truth * (1.001 + 1.1 * SCRAPE_S / min(lived, 8)), family)


def zip_longest(*lists):
    for i in range(max(map(len, lists))):
        yield [items[i] if i < len(items) else None for items in lists]


if __name__ == "__main__":
    case.main()
