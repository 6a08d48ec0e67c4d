#!/usr/bin/env python3
"""How long `cctm up` takes beside `docker compose up --wait`, on a stack that runs and on one that is down, in one run.

    tests/bench/up.py [build/release/cctm]      root; starts an engine of its own with images made on this machine

What `cctm up` does more is to look first and to send a sample and read it back: through the receiver it takes the Collector's
batch of one second, through Prometheus up to a scrape interval. With --no-wait there is only the looking.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/cctm").resolve())
os.environ["CCTM_PROGRAM"] = PROGRAM
os.environ.setdefault("CCTM_STAND_IN", str(Path(PROGRAM).parent / "tests/engine/grafana_stand_in"))
for folder in ("integration", "stack", "engine"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import engine  # noqa: E402
from lib.bridge import free_port  # noqa: E402
from stacks import Stack  # noqa: E402

IMAGES = {name: f"test/{name}:1" for name in ("collector", "prometheus", "grafana")}
PORTS = ("grafana", "otlp_grpc", "otlp_http", "exporter", "prometheus", "health", "zpages")


def seconds(stack, *argv):
    began = time.monotonic()
    done = subprocess.run(argv, cwd=stack.dir, env=stack.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def main():
    if engine.WHY_NOT:
        sys.exit(f"not here: {engine.WHY_NOT}")
    own = engine.Engine()
    try:
        own.add_images()
        settings = [f"images.{name}={image}" for name, image in IMAGES.items()]
        settings += [f"ports.{name}={free_port()}" for name in PORTS]
        with Stack(*[word for setting in settings for word in ("--set", setting)]) as stack:
            stack.environment |= own.environment
            compose = ["docker", "compose", "up", "--wait", "--pull", "never"]
            up = [PROGRAM, "up", "--pull", "never"]
            print(f"{'':28}{'down':>8}{'running':>9}   (seconds)")
            for name, argv in (("docker compose up --wait", compose), ("cctm up --no-wait", [*up, "--no-wait"]),
                               ("cctm up", up)):
                down = seconds(stack, *argv)
                running = sorted(seconds(stack, *argv) for _ in range(5))[2]
                print(f"{name:28}{down:8.2f}{running:9.2f}")
                seconds(stack, PROGRAM, "down", "-q")
            seconds(stack, PROGRAM, "down", "--volumes", "--yes", "-q")
    finally:
        own.close()


if __name__ == "__main__":
    main()
