"""The catalogue's words for metrics and events, so that a panel says what `cctm catalogue` says.

They stand in meanings.txt, which `dashboards/generate --meanings PROGRAM` brings up to date; a test holds the two equal.
Only what panels use is in there.
"""

import json
import subprocess
from pathlib import Path

FILE = Path(__file__).with_name("meanings.txt")
used = set()
_meanings = {}


def read():
    _meanings.update(line.split("\t") for line in FILE.read_text().splitlines())


def read_program(program):
    rows = json.loads(subprocess.run([program, "catalogue", "--json"], check=True, capture_output=True).stdout)["rows"]
    _meanings.update((f"{row['kind']} {row['name']}", row["meaning"]) for row in rows)


def write():
    FILE.write_text("".join(f"{name}\t{_meanings[name]}\n" for name in sorted(used)))


def means(kind, name):
    used.add(f"{kind} {name}")
    return _meanings[f"{kind} {name}"]


def metric(name, *more):
    """The metric's meaning and what is to be said besides."""
    return " ".join([means("metric", f"claude_code.{name}"), *more])


def event(name, *more):
    return " ".join([means("event", name), *more])
