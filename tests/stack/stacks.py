"""Stacks under test: made by the real program in a directory of their own."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = os.environ.get("CCTM_PROGRAM", "cctm")
# With sanitizers everything is slower, and what other programs make of the files is the same: a share is tried there.
IS_SLOW = os.environ.get("CCTM_BUILD_TYPE") == "Debug"


class Stack:
    """with Stack("--profile", "team") as stack: …   `cctm init` has run there."""

    def __init__(self, *options, runtime="docker", init=True):
        self.scratch = Path(tempfile.mkdtemp(prefix="cctm-stack-"))
        self.dir = self.scratch / "stack"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CCTM_")}
        self.environment["HOME"] = str(self.scratch)
        if init:
            self.init(*(["--runtime", runtime] if runtime else []), *options)

    def run(self, *words, status=0, environment=None, timeout=60):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, cwd=self.scratch, timeout=timeout,
                              env={**self.environment, **(environment or {})})
        assert status is None or done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def init(self, *options, status=0, **more):
        return self.run("init", str(self.dir), *options, status=status, **more)

    def init_json(self, *options, status=0):
        return json.loads(self.init(*options, "--json", status=status).stdout)

    def actions(self, *options, status=0):
        """{path: action} of what an init does."""
        return {file["path"]: file["action"] for file in self.init_json(*options, status=status)["files"]}

    def read(self, path):
        return (self.dir / path).read_text()

    def write(self, path, text):
        (self.dir / path).parent.mkdir(parents=True, exist_ok=True)
        (self.dir / path).write_text(text)

    def replace(self, path, old, new):
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def tree(self):
        """{path: bytes} of all files but the lock."""
        return {str(path.relative_to(self.dir)): path.read_bytes() for path in sorted(self.dir.rglob("*"))
                if path.is_file() and path.name != "lock"}

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
