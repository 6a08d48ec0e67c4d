#!/usr/bin/env python3
"""How long each query of the dashboards takes over a year of data of a team, on real Prometheus with backfilled blocks.

    CCTM_TEST_CACHE=~/.cache/cctm-tests tests/bench/boards_year.py [--people 20] [--minutes 90] [--keep DIR] [--ranges 1,7,30,365]

Made-up data as the recording rules record them: per person and working day so many minutes in which something was counted.
Takes some minutes and some gigabytes of room; --keep leaves the blocks in DIR and uses them the next time. Prints the
slowest queries of each range, the best of three runs.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "stack")]
sys.dont_write_bytecode = True

import boards  # noqa: E402
from lib import programs  # noqa: E402

NOW = 1_796_000_000
DAY = 86400
BOUNDS = ("0.1", "0.25", "0.5", "1", "2.5", "5", "10", "20", "30", "60", "120", "300", "+Inf")
MODELS = ("claude-opus-4-8", "claude-sonnet-5", "claude-haiku-4-5")
LIMIT_S = 0.2


class Writer:
    """A file for each family, since a family's samples stand together; one sample a series and minute."""

    def __init__(self, folder):
        self.folder, self.files, self.last, self.count = folder, {}, {}, 0
        self.times = {}  # of distributions, which are everybody's: {(series, labels): {when}}

    def put(self, family, labels, at, value):
        key = (family, labels)
        if self.last.get(key) == at:
            return
        self.last[key] = at
        self.count += 1
        if family not in self.files:
            self.files[family] = open(self.folder / family.replace(":", "-"), "w", buffering=1 << 20)
            self.files[family].write(f"# TYPE {family} gauge\n")
        self.files[family].write(f"{family}{{{labels}}} {value} {at}\n")

    def end(self, path):
        with open(path, "wb") as out:
            for family in sorted(self.files):
                self.files[family].close()
                with open(self.files[family].name, "rb") as part:
                    shutil.copyfileobj(part, out, 1 << 20)
                Path(self.files[family].name).unlink()
            out.write(b"# EOF\n")


def minute(out, pick, at, who, team):
    model, source = pick.choice(MODELS), pick.choice(("main", "main", "subagent", "auxiliary"))
    asked = f'{who},model="{model}",query_source="{source}"'
    out.put("claude_code_cost_usage_USD:counted", f'{asked},effort="high"', at, round(pick.random() / 3, 6))
    for kind in ("input", "output", "cacheRead", "cacheCreation"):
        out.put("claude_code_token_usage_tokens:counted", f'{asked},effort="high",type="{kind}"', at, pick.randrange(1, 20000))
    out.put("claude_code_active_time_seconds:counted", f'{who},type="cli"', at, pick.randrange(1, 60))
    if pick.random() < 0.5:
        out.put("claude_code_active_time_seconds:counted", f'{who},type="user"', at, pick.randrange(1, 20))
    if pick.random() < 0.3:
        for kind in ("added", "removed"):
            out.put("claude_code_lines_of_code_count:counted", f'{who},model="{model}",type="{kind}"', at, pick.randrange(1, 50))
        out.put("claude_code_code_edit_tool_decision:counted", f'{who},tool_name="Edit",decision="accept",source="config",'
                f'language="{pick.choice(("C", "Go", "Python"))}"', at, 1)
    tool = pick.choice(("Bash", "Edit", "Read", "Grep"))
    for name, more in (("api_request", f',model="{model}",query_source="{source}"'), ("tool_decision", f',tool_name="{tool}",'
                       'decision="accept",decision_source="config",permission_mode="default"'),
                       ("tool_result", f',tool_name="{tool}",success="true"')):
        out.put("claude_code_events:counted", f'{who},event_name="{name}"{more}', at, pick.randrange(1, 5))
    if pick.random() < 0.2:
        out.put("claude_code_events:counted", f'{who},event_name="user_prompt"', at, 1)
    if pick.random() < 0.02:
        out.put("claude_code_events:counted", f'{who},event_name="api_error",model="{model}",status_code="529"', at, 1)
    for series, labels in (("api_request_duration", f'model="{model}"'), ("api_request_ttft", f'model="{model}"'),
                           ("tool_duration", f'tool_name="{tool}"')):
        out.times.setdefault((f"claude_code_{series}_seconds", labels), set()).add(at // 300 * 300 + 137)


def distributions(out):
    """Counted every five minutes, all buckets of one."""
    for (series, labels), times in sorted(out.times.items()):
        for at in sorted(times):
            for number, bound in enumerate(BOUNDS):
                out.put(f"{series}_bucket:counted", f'{labels},le="{bound}"', at, number)
            for part in ("sum", "count"):
                out.put(f"{series}_{part}:counted", f'{labels},query_source="main"' if "api" in series else labels, at, 12)


def person(out, number, minutes):
    pick = random.Random(number)
    team = f'user="dev{number:02}@example.com",team_id="team{number % 4}"'
    who = f'{team},installation="{number:08x}",department="d{number % 3}",cost_center="c{number % 3}",terminal_type="vscode"'
    for day in range(365, 0, -1):
        if day % 7 in (0, 6):
            continue
        at, left = NOW - day * DAY + pick.randrange(60) * 60 + 17, minutes
        while left > 0:
            length = pick.randrange(5, 30)
            out.put("claude_code_session_count:counted", f'{who},start_type="fresh"', at, 1)
            for step in range(min(length, left)):
                minute(out, pick, at + step * 60, who, team)
            if pick.random() < 0.3:
                out.put("claude_code_commit_count:counted", who, at, 1)
            left, at = left - length, at + (length + pick.randrange(5, 40)) * 60


def so_far(out, people):
    """What is recorded each minute; here of the last days, since only the newest sample is asked for."""
    for at in range(NOW - 31 * DAY, NOW, 240):
        out.put("claude_code:utc_offset_seconds", "", at, 3600)
    for period, name in (("day", "today"), ("week", "week"), ("month", "month")):
        out.put("claude_code:passed", f'period="{period}"', NOW - 20, 0.5)
        out.put("claude_code:budget_usd", f'period="{period}",scope="all"', NOW - 20, 100)
        for number in range(people):
            for model in MODELS:
                out.put(f"claude_code_cost_usage_USD:{name}", f'user="dev{number:02}@example.com",team_id="team{number % 4}",'
                        f'model="{model}"', NOW - 20, number)


def blocks(folder, arguments):
    out = Writer(folder)
    for number in range(arguments.people):
        person(out, number, arguments.minutes)
    distributions(out)
    so_far(out, arguments.people)
    out.end(folder / "data.om")
    print(f"{out.count} samples of {len(out.last)} series", flush=True)
    newest = sorted(programs.promtools().items())[-1][1]
    subprocess.run([newest, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", "-q", folder / "data.om",
                    folder / "data"], check=True, stdout=subprocess.DEVNULL)
    (folder / "data.om").unlink()


def measure(prometheus, days):
    """[(seconds, where)], the slowest first."""
    span = int(days * DAY)
    found = []
    for name, board in boards.read().items():
        for _, panel in boards.panels(board):
            step = max(60, span // panel.get("maxDataPoints", 700) // 60 * 60)
            for target in boards.ask_prometheus(panel):
                expression = boards.put_in(target["expr"], span, step)
                took = min(prometheus.timed(expression, NOW - span, NOW, 0 if target["instant"] else step) for _ in range(3))
                found.append((took, f"{name}: {panel['title']} {target['refId']}"))
    return sorted(found, reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=int, default=90)
    parser.add_argument("--ranges", default="1,7,30,365", help="days")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="cctm-year-"))
    folder.mkdir(exist_ok=True)
    if not (folder / "data").exists():
        blocks(folder, arguments)
    prometheus = boards.Prometheus(folder, sorted(programs.prometheuses().items())[-1][1])
    try:
        for days in map(float, arguments.ranges.split(",")):
            found = measure(prometheus, days)
            slow = sum(took > LIMIT_S for took, _ in found)
            print(f"\n{days:g} days: {len(found)} queries, {slow} above {LIMIT_S * 1000:.0f} ms, "
                  f"together {sum(took for took, _ in found):.1f} s", flush=True)
            for took, where in found[:max(8, min(slow, 40))]:
                print(f"  {took * 1000:6.0f} ms  {where}")
    finally:
        prometheus.stop()
        if not arguments.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
