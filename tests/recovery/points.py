"""Trying many points at once."""

import concurrent.futures
import shutil
import sys
import time

import workload

# Read by the worker processes, which are forked when it is there.
shared = {}


def discard(player):
    player.bridge.close()
    shutil.rmtree(player.bridge.state, ignore_errors=True)


def run(function, points, name):
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(workload.WORKERS) as pool:
        wrong = [line for line in pool.map(function, points, chunksize=1) if line]
    print(f"{name}: {len(points)} points in {time.monotonic() - began:.1f} s, {len(wrong)} wrong", file=sys.stderr)
    return wrong
