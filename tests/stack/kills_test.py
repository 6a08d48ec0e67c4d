"""`cctm init` killed around each of its writes, and each of them failing once.

After a kill the next run completes: the files are those of a run that was never killed, nothing of the transaction is
left, and no secret was made anew. After a failure all files are the former ones, or the call did not matter and all are
the new ones. CCTM_RECOVERY=all tries every point instead of a choice.
"""

import concurrent.futures
import errno
import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from lib import case
from stacks import PROGRAM, Stack

FAULTS = os.environ.get("CCTM_FAULTS", "librecovery_faults.so")
IS_ALL = os.environ.get("CCTM_RECOVERY") == "all"
STEP = 1 if IS_ALL else 5

def is_leftover(path):
    name = path.rsplit("/", 1)[-1]
    return ".cctm-" in name or name.startswith("transaction-")



class Scenario:
    """A stack as it is before, and what init is then asked for."""

    def __init__(self, name, prepare, options, is_adoption=False):
        self.name, self.options, self.is_adoption, self.template = name, options, is_adoption, Stack(init=False)
        self.template.dir.mkdir()
        prepare(self.template)

    def copy(self):
        stack = Stack(init=False)
        shutil.copytree(self.template.dir, stack.dir)
        return stack

    def run(self, stack, faults=None):
        environment = {**stack.environment}
        if faults:
            environment |= {"LD_PRELOAD": FAULTS, "FAULTS_DIR": str(stack.dir), "ASAN_OPTIONS": "verify_asan_link_order=0",
                            **faults}
        named = ["--adopt", str(stack.dir), "--yes"] if self.is_adoption else [str(stack.dir)]
        return subprocess.run([PROGRAM, "init", *named, *self.options], capture_output=True, text=True, env=environment,
                              timeout=60)

    def count_points(self):
        """How many calls there are, and what an undisturbed run makes of the stack."""
        with self.copy() as stack:
            log = stack.scratch / "log"
            done = self.run(stack, {"FAULTS_LOG": str(log)})
            assert done.returncode in (0, 4), done.stderr
            numbers = [int(line.split()[0]) for line in log.read_text().splitlines()]
            return max(numbers), self.tree(stack)

    def tree(self, stack):
        """Everything but secrets, which are random, and the files' directory, which some of them name."""
        text = {path: content.replace(str(stack.scratch).encode(), b"SCRATCH") for path, content in stack.tree().items()}
        # Hashes of texts that name the directory differ with it.
        return {path: content for path, content in text.items() if path not in (".env", ".cctm/manifest.json")}


def secrets(stack):
    path = stack.dir / ".env"
    return [line for line in path.read_text().splitlines() if "=" in line and line[0] != "#"] if path.exists() else []


def check_env(stack, before):
    after = secrets(stack)
    if len(after) != 2 or any(line not in after for line in before):
        return f".env is {after}, and was {before}"
    if (stack.dir / ".env").stat().st_mode & 0o777 != 0o600:
        return ".env can be read by others"
    return None


def leftovers(stack):
    return [str(path) for path in stack.dir.rglob("*") if is_leftover(str(path))]


def kill_at(scenario, point, moment, expected):
    with scenario.copy() as stack:
        killed = scenario.run(stack, {"FAULTS_KILL": f"{point} {moment}"})
        where = f"{scenario.name}, killed {moment} {point}"
        if killed.returncode != -9:
            return f"{where}: not killed but {killed.returncode}"
        before = secrets(stack)
        again = scenario.run(stack)
        if again.returncode not in (0, 4):
            return f"{where}: the next run ends with {again.returncode}: {again.stderr}"
        if scenario.tree(stack) != expected:
            return f"{where}: other files than without a kill: {difference(scenario.tree(stack), expected)}"
        if leftovers(stack):
            return f"{where}: left are {leftovers(stack)}"
        wrong = check_env(stack, before)
        return f"{where}: {wrong}" if wrong else None


def difference(got, expected):
    return sorted(path for path in got.keys() | expected.keys() if got.get(path) != expected.get(path))


def fail_at(scenario, point, why, expected):
    with scenario.copy() as stack:
        former = scenario.tree(stack)
        where = f"{scenario.name}, {errno.errorcode[why]} at {point}"
        done = scenario.run(stack, {"FAULTS_FAIL": f"{point} 1 {why}"})
        now = scenario.tree(stack)
        if done.returncode < 0 or done.returncode not in (0, 1, 4):
            return f"{where}: ended with {done.returncode}: {done.stderr}"
        wanted = former if done.returncode == 1 else expected
        if now != wanted:
            # All may be written, and only the clearing up have failed: the next run does it.
            now = {path: content for path, content in now.items() if not is_leftover(path)}
            if now != expected:
                return f"{where} ({done.returncode}): {difference(now, wanted)}: {done.stderr}"
        if done.returncode == 1 and "cctm: " not in done.stderr:
            return f"{where}: nothing is said"
        again = scenario.run(stack)
        if again.returncode not in (0, 4) or scenario.tree(stack) != expected or leftovers(stack):
            return f"{where}: the next run does not complete: {again.stderr}"
        return None


def first(stack):
    pass


def stack_with_edits(stack):
    """Made once, then edited: one edit merges, one clashes, one file has gone, Loki comes and Alertmanager goes."""
    stack.init("--runtime", "docker", "--set", "alerts.alertmanager=true")
    stack.replace("config/prometheus.yml", "evaluation_interval: 15s", "evaluation_interval: 20s")
    stack.replace("docker-compose.yml", "stop_grace_period: 30s\n    ports", "stop_grace_period: 40s\n    ports")
    stack.replace("config/otel-collector-config.yaml", "debug: { verbosity: basic }", "debug: { verbosity: normal }")
    (stack.dir / "managed-settings.json").unlink()


def made_by_hand(stack):
    shutil.copytree(Path(__file__).parents[1] / "data" / "adopt" / "tutorial", stack.dir, dirs_exist_ok=True)


CHANGES = ["--set", "events.store=loki", "--set", "alerts.alertmanager=false", "--set", "collector.debug=detailed"]
SCENARIOS = [
    ("a first init", first, ["--runtime", "docker"]),
    ("a later init", stack_with_edits, CHANGES),
    ("a forced init", stack_with_edits, ["--force", *CHANGES]),
    # Once all is written, the next run has nothing to take over, and says so with 4.
    ("an adoption", made_by_hand, [], True),
]


def run_all(function, jobs):
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [line for line in pool.map(lambda job: function(*job), jobs) if line]
    print(f"{len(jobs)} points in {time.monotonic() - began:.1f} s", file=sys.stderr)
    return wrong


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scenarios = [Scenario(*row) for row in SCENARIOS]
        cls.known = [(scenario, *scenario.count_points()) for scenario in cls.scenarios]

    @classmethod
    def tearDownClass(cls):
        for scenario in cls.scenarios:
            scenario.template.close()

    def test_the_next_run_completes_what_was_killed(self):
        jobs = [(scenario, point, moment, expected) for scenario, count, expected in self.known
                for i, point in enumerate(range(1, count + 1)) for moment in ("before", "after")
                if (2 * point + (moment == "after")) % STEP == 0]
        self.assertGreater(len(jobs), 50)
        self.assertEqual(run_all(kill_at, jobs)[:5], [])

    def test_a_write_that_fails_changes_nothing(self):
        kinds = (errno.ENOSPC, errno.EACCES, errno.EIO)
        jobs = [(scenario, point, why, expected) for scenario, count, expected in self.known
                for point in range(1, count + 1) for i, why in enumerate(kinds) if (point + i) % (STEP + 1) == 0]
        self.assertGreater(len(jobs), 50)
        self.assertEqual(run_all(fail_at, jobs)[:5], [])


if __name__ == "__main__":
    case.main()
