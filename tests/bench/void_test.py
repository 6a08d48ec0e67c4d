#!/usr/bin/env python3
"""A run counts against an honest server and is void against one that gets a total or an answer wrong.

usage: void_test.py BUILD
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def run(build, fault, case):
    return subprocess.run([HERE / "run", "--build", build, "--cctm", HERE / "fake_bridge.py", "--only", case,
                           "--seconds", "0.1", "--rounds", "1", "--starts", "1", "--json"],
                          env={**os.environ, "FAULT": fault}, capture_output=True, text=True)


CASES = [
    # fault, case, exit status, what stderr says
    ("", "small/1", 0, ""),
    ("", "small/8", 0, ""),
    ("", "batch/1", 0, ""),
    ("loses", "small/8", 1, "void: claude_code_session_count_total"),
    ("doubles", "small/8", 1, "void: claude_code_session_count_total"),
    ("mislabels", "small/1", 1, "void: claude_code_token_usage_tokens_total model=claude-opus-5-5"),
    ("drifts", "small/1", 1, "void: claude_code_cost_usage_USD_total"),
    ("refuses", "small/8", 1, "a request was refused: HTTP/1.1 503"),
    ("partial", "small/8", 1, "an answer is not an empty success"),
    ("hides", "small/1", 1, "/metrics has a line that is no sample"),
]


def main():
    wrong = 0
    for fault, case, status, text in CASES:
        done = run(sys.argv[1], fault, case)
        if done.returncode != status or text not in done.stderr:
            wrong += 1
            print(f"fault {fault!r} in {case}: status {done.returncode}, expected {status} and {text!r}\n{done.stderr}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
