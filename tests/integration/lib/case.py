"""How an integration test runs: unittest, with 77 when nothing could be run."""

import sys
import unittest

SKIPPED = 77


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
