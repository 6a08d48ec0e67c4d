#!/usr/bin/env python3
"""Runs cases of the command line: tests/cli/<command>/<case>/.

    run.py --program build/cctm [--accept] tests/cli/help [tests/cli/report/no-data …]

A case is a folder of files:

    cmd      a shell script (a pipe fails with any part of it); runs in an empty scratch directory that is also HOME, cctm in front of PATH
    stdin    what it reads (absent: nothing)
    stdout   what it must print (absent: nothing)
    stderr   likewise
    exit     its exit status (absent: 0)
    terminal present: stdout is a terminal of 80 columns
    exact    present: nothing in stdout is a pattern

In stdout and stderr, {{…}} is a regular expression within its line and a line of "..." stands for any number
of lines. --accept writes what was printed over what was expected, but never over a pattern: that is edited by hand.
"""
import argparse
import difflib
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import threading

DEADLINE_S = 60


def line_pattern(line):
    if line == "...":
        return r"(?:[^\n]*\n)*?"
    parts = re.split(r"\{\{(.*?)\}\}", line)
    return "".join(p if i % 2 else re.escape(p) for i, p in enumerate(parts)) + r"\n"


def is_pattern(case, name, expected):
    if name == "stdout" and (case / "exact").exists():
        return False
    return "{{" in expected or "...\n" in expected


def matches(case, name, expected, actual):
    if expected == actual:
        return True
    if not is_pattern(case, name, expected):
        return False
    pattern = "".join(line_pattern(line) for line in expected.splitlines())
    return re.fullmatch(pattern, actual) is not None


def read(path, fallback=""):
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else fallback


def environment(program, scratch):
    kept = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    return {
        **kept,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        "TZ": "UTC",
        "CCTM_SOURCE": str(pathlib.Path(__file__).resolve().parents[2]),
    }


def drain(fd, chunks):
    while True:
        try:
            chunk = os.read(fd, 65536)
        except OSError:  # a terminal whose other side was closed
            return
        if not chunk:
            return
        chunks.append(chunk)


def run_on_terminal(arguments):
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "80", "rows", "24", "-onlcr"], stdin=theirs, check=True)
    chunks = []
    reader = threading.Thread(target=drain, args=(ours, chunks))
    reader.start()
    try:
        done = subprocess.run(stdout=theirs, stderr=subprocess.PIPE, **arguments)
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    return done.returncode, b"".join(chunks), done.stderr


def run(case, program):
    with tempfile.TemporaryDirectory(prefix="cctm-cli-") as scratch:
        arguments = {
            "args": ["/bin/bash", "-u", "-o", "pipefail", str(case / "cmd")],
            "cwd": scratch,
            "env": environment(program, scratch),
            "input": read(case / "stdin").encode("utf-8", "surrogateescape"),
            "timeout": DEADLINE_S,
        }
        if (case / "terminal").exists():
            status, out, err = run_on_terminal(arguments)
        else:
            done = subprocess.run(capture_output=True, **arguments)
            status, out, err = done.returncode, done.stdout, done.stderr
    decode = lambda b: b.decode("utf-8", "surrogateescape").replace(scratch, "SCRATCH")
    return {"stdout": decode(out), "stderr": decode(err), "exit": f"{status}\n"}


def write(path, text, fallback):
    if text == fallback:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


def check(case, program, is_accepting):
    try:
        actual = run(case, program)
    except subprocess.TimeoutExpired:
        return [f"did not end within {DEADLINE_S} s"]
    problems = []
    for name, fallback in (("exit", "0\n"), ("stderr", ""), ("stdout", "")):
        expected = read(case / name, fallback)
        if matches(case, name, expected, actual[name]):
            continue
        if is_accepting and not is_pattern(case, name, expected):
            write(case / name, actual[name], fallback)
            continue
        diff = difflib.unified_diff(
            expected.splitlines(), actual[name].splitlines(), f"expected {name}", f"actual {name}", lineterm="")
        problems.append("\n".join(diff))
    return problems


def find_cases(folders):
    for folder in folders:
        yield from sorted(p.parent for p in pathlib.Path(folder).resolve().rglob("cmd"))


def main():
    parser = argparse.ArgumentParser(description="Run cases of the command line.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--accept", action="store_true", help="expect from now on what is printed")
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    program = pathlib.Path(arguments.program).resolve()
    count = failed = 0
    for case in find_cases(arguments.folders):
        count += 1
        problems = check(case, program, arguments.accept)
        failed += bool(problems)
        for problem in problems:
            print(f"--- {case.parent.name}/{case.name}\n{problem}".encode("utf-8", "backslashreplace").decode())
    print(f"{count} cases, {failed} failed")
    sys.exit(failed > 0 or count == 0)


if __name__ == "__main__":
    main()
