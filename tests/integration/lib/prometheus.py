"""The real Prometheus under test, with the rules of a stack and all its times scaled together.

    prometheus = Prometheus({"bridge": port}, rules, scale=30)
    prometheus.wait_for_scrapes(2)
    prometheus.number("sum(sum_over_time(claude_code_cost_usage_USD:counted[1h]))")
    prometheus.close()
"""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from . import programs
from .bridge import free_port, wait_until

RULES_INTERVAL_S = 60
SCRAPE_S = 1


def rendered_rules(*options):
    """config/rules/claude-code.yml of a new stack."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.environ["CCTM_PROGRAM"], "init", f"{folder}/stack", "--runtime", "docker", "-q", *options],
                       check=True, capture_output=True, stdin=subprocess.DEVNULL)
        return Path(folder, "stack", "config", "rules", "claude-code.yml").read_text()


def scaled(rules, scale):
    """The rules with an interval that is `scale` times as short, and with it all that follows from it.

    What looks back for days stays: it only has to be longer than the test.
    """
    interval_ms = RULES_INTERVAL_S * 1000 // scale
    half_ms = interval_ms // 2
    for written, new in (("interval: 1m", f"interval: {interval_ms}ms"), ("offset 30s", f"offset {half_ms}ms"),
                         ("[30s]", f"[{half_ms}ms]"), (window(rules), f"[{int(window(rules)[1:-2]) * interval_ms}ms]"),
                         ("interval: 5m", f"interval: {5 * interval_ms}ms"), ("offset 2m30s", f"offset {5 * half_ms}ms"),
                         ("[2m30s]", f"[{5 * half_ms}ms]")):
        if written not in rules:
            raise AssertionError(f"the rules say no {written}")
        rules = rules.replace(written, new)
    return rules


def window(rules):
    """How far back they look for what is new: longer where it is pushed."""
    return "[70m]" if "[70m]" in rules else "[10m]"


class Prometheus:
    """Scrapes loopback ports as jobs of the given names, with rules or (None) without; it can be killed and started again
    on its data. At a port that is named others push to it."""

    def __init__(self, jobs, rules, scale, scrape_s=SCRAPE_S, pushed_port=None):
        self.folder = Path(tempfile.mkdtemp(prefix="cctm-prometheus-"))
        self.port, self.jobs, self.scrape_s, self.process = pushed_port or free_port(), jobs, scrape_s, None
        self.more = ["--web.enable-remote-write-receiver"] if pushed_port else []
        self.interval_s = RULES_INTERVAL_S / scale
        rule_files = "rule_files: [rules.yml]\n" if rules else ""
        times = f"scrape_interval: {int(scrape_s * 1000)}ms, scrape_timeout: {int(scrape_s * 1000)}ms, evaluation_interval: 1s"
        targets = "".join(f"  - {{job_name: {job}, honor_labels: true, static_configs: "
                          f"[{{targets: ['127.0.0.1:{port}'], labels: {{instance: {job}}}}}]}}\n" for job, port in jobs.items())
        late = "storage: {tsdb: {out_of_order_time_window: 1h}}\n" if pushed_port else ""
        (self.folder / "prometheus.yml").write_text(f"global: {{{times}}}\n{late}{rule_files}scrape_configs:\n{targets}")
        if rules:
            (self.folder / "rules.yml").write_text(scaled(rules, scale))
        self.log = open(self.folder / "log", "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [programs.prometheus(), f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             "--web.console.templates=/nonexistent", "--web.console.libraries=/nonexistent", *self.more],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression, at=None):
        return self.get("/api/v1/query", query=expression, **({"time": f"{at:.3f}"} if at else {}))["result"]

    def number(self, expression, at=None):
        result = self.query(expression, at)
        return float(result[0]["value"][1]) if result else None

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"prometheus ended: {(self.folder / 'log').read_text()[-800:]}")
        try:
            return self.number("min(up)") == 1 and len(self.query("up")) == len(self.jobs)
        except OSError:
            return False

    def wait(self):
        wait_until(self.is_up, "prometheus scrapes its targets", deadline_s=60, pause_s=0.1)

    def scrapes(self):
        return self.number("min(count_over_time(up[1h]))") or 0

    def wait_for_scrapes(self, count):
        wanted = self.scrapes() + count
        wait_until(lambda: self.scrapes() >= wanted, f"{count} scrapes", deadline_s=60, pause_s=0.1)

    def failed_rules(self):
        """What is wrong with rules, one line each."""
        rules = [rule for group in self.get("/api/v1/rules")["groups"] for rule in group["rules"]]
        return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]

    def kill(self):
        """Right behind an evaluation: one that is cut between the two rules of a pair loses that rise, as the rules say."""
        group = lambda: self.get("/api/v1/rules")["groups"]
        before = [g["lastEvaluation"] for g in group()]
        wait_until(lambda: [g["lastEvaluation"] for g in group()] != before or not before, "an evaluation", deadline_s=60)
        self.process.kill()
        self.process.wait()

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
