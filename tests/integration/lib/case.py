"""How an integration test runs: unittest, with 77 when nothing could be run."""

import os
import sys
import unittest
from pathlib import Path

SKIPPED = 77


def cache_folder():
    """Where what the tests install is kept, outside the tree and over builds."""
    if os.environ.get("CCTM_TEST_CACHE"):
        return Path(os.environ["CCTM_TEST_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cctm-tests"


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
