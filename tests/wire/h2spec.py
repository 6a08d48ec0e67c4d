"""h2spec, the conformance test of RFC 9113 and RFC 7541, against the gRPC door; strict cases too.

scripts/test builds it into the tests' cache; where it is missing this is skipped.
"""
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

from wire import Case, main

CACHE = os.environ.get("CCTM_TEST_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cctm-tests"
)
PROGRAM = os.path.join(CACHE, "h2spec", "h2spec")
SKIPPED = 77

# Section and description of what is not as h2spec wants it, and why.
EXCEPTIONS = {
    # What does not begin with the preface is HTTP/1.1 here: it gets an answer in HTTP/1.1 and then the end of the
    # connection, where h2spec waits for the end alone.
    ("3.5", "Sends invalid connection preface"),
}


class Conformance(Case):
    options = ("header_ms=5000",)

    def run_h2spec(self):
        port = str(self.server.ports["grpc"])
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.xml")
            command = [PROGRAM, "--host", "127.0.0.1", "--port", port, "--timeout", "2", "--strict", "--junit-report", report]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            return done.stdout, xml.etree.ElementTree.parse(report)

    def test_every_case_passes_but_for_the_exceptions(self):
        said, report = self.run_h2spec()
        cases, failed = 0, set()
        for case in report.iter("testcase"):
            cases += 1
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add((case.get("package").rsplit("/", 1)[-1], case.get("classname")))
        self.assertGreaterEqual(cases, 146)
        self.assertLessEqual(failed, EXCEPTIONS, said[said.find("Failures") :])
        self.assertEqual(self.server.seen()["requests"], 0)


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        print(f"no {PROGRAM}: scripts/test builds it", file=sys.stderr)
        sys.exit(SKIPPED)
    main()
