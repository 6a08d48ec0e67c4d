#!/usr/bin/env python3
"""Every #include of ours goes to the same room or one below it, and through that room's door.

The linker sees calls; this sees what it cannot: inline functions, macros and types.
"""
import pathlib
import re
import sys

import rooms

# What a room shows to other rooms, where that is less than all its headers. The rules of who is below whom are
# in src/CMakeLists.txt; these are the doors.
DOORS = {
    "bridge": {"bridge/bridge.h"},
    "bridge/otlp": {"bridge/otlp/decode.h", "bridge/otlp/wire.h", "bridge/otlp/reasons.h", "bridge/otlp/types.h"},
    "bridge/journal": {"bridge/journal/journal.h", "bridge/journal/record.h"},
    "bridge/serve": {"bridge/serve/serve.h"},
    "bridge/ledger": {"bridge/ledger/cells.h", "bridge/ledger/copy.h", "bridge/ledger/history.h", "bridge/ledger/ledger.h", "bridge/ledger/sum.h"},
    "render": {"render/check.h", "render/escape.h", "render/mustache.h", "render/data.h", "render/env_file.h", "render/own_files.h",
               "render/model.h", "render/plan.h", "render/provision.h", "render/manifest.h", "render/stack_files.h"},
    "stack": {"stack/bridge_image.h", "stack/causes.h", "stack/compose.h", "stack/containers.h", "stack/crontab.h", "stack/embedded.h", "stack/engine.h", "stack/hops.h", "stack/ports.h",
              "stack/preflight.h", "stack/probes.h", "stack/runtime.h", "stack/systemd.h", "stack/volumes.h"},
    "doctor": {"doctor/doctor.h"},
    "adopt": {"adopt/adopt.h", "adopt/faults.h"},
    "prometheus": {"prometheus/prometheus.h", "prometheus/rules.h", "prometheus/alertmanager.h"},
}
# What rooms outside of the bridge may see of it.
BRIDGE_FROM_OUTSIDE = {
    "cmd": {"bridge/bridge.h", "bridge/ledger/history.h"},
    "report": {"bridge/ledger/history.h"},
    "backup": {"bridge/ledger/copy.h", "bridge/ledger/history.h"},
}


def is_bridge(room):
    return room == "bridge" or room.startswith("bridge/")


def own_headers_of_command(path):
    """cmd/help_json.c belongs to cmd/help.c and shares cmd/help_internal.h with it."""
    word = pathlib.PurePath(path).stem
    return {"cmd/cmd.h"} | {f"cmd/{word[:i]}_internal.h" for i in range(1, len(word) + 1)}


def problem_of(path, header, calls):
    here, there = rooms.room_of(path, calls), rooms.room_of(header, calls)
    is_test = path.endswith(("_test.c", "_testing.h"))
    if header.endswith("_testing.h") and not is_test and pathlib.PurePath(path).stem != pathlib.PurePath(header).stem:
        return "this header is for tests only"
    if header == "command.h":
        return None if here in (None, "cmd") else "only main.c and cmd/ know what a command is"
    if there is None:
        return "includes are written from src/: \"room/header.h\""
    if not (rooms.SOURCES / header).exists():
        return "there is no such header"
    if here is None:
        return None if there in ("core", "cmd") else "main.c knows core and cmd/cmd.h only"
    if here == "cmd" and there == "cmd":
        return None if header in own_headers_of_command(path) else "commands do not know each other"
    if here == there:
        return None
    if there not in rooms.closure(calls, here):
        return f"src/CMakeLists.txt does not let {here} call {there}"
    if header.endswith("_internal.h"):
        return f"this header is for files of {there} only"
    if is_test:  # it may fill a lower room's store to read it back
        return None
    if is_bridge(there) and not is_bridge(here):
        allowed = BRIDGE_FROM_OUTSIDE.get(here, set())
    else:
        allowed = DOORS.get(there)
    if allowed is not None and header not in allowed:
        return f"{here} may see of {there}: {', '.join(sorted(allowed)) or 'nothing'}"
    return None


def check(calls):
    for file in rooms.files("*.c", "*.h"):
        path = file.relative_to(rooms.SOURCES).as_posix()
        code = rooms.without_comments(file.read_text(), keep_strings=True)
        for number, line in enumerate(code.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            problem = match and problem_of(path, match.group(1), calls)
            if problem:
                yield f"src/{path}:{number}: \"{match.group(1)}\": {problem}"


def self_test():
    """The rules must be able to say no."""
    calls = {"core": [], "bridge": ["bridge/serve", "bridge/ledger"], "bridge/serve": ["bridge/otlp"],
             "bridge/otlp": ["core"], "bridge/ledger": ["core"], "report": ["bridge/ledger"], "cmd": ["report", "bridge"]}
    refused = [
        ("core/str.c", "bridge/otlp/types.h"),
        ("bridge/otlp/pb.c", "bridge/serve/serve.h"),
        ("bridge/daemon.c", "bridge/serve/serve_internal.h"),
        ("report/report.c", "bridge/ledger/ledger.h"),
        ("cmd/report.c", "bridge/serve/serve.h"),
        ("cmd/report.c", "cmd/help_internal.h"),
        ("core/str.c", "command.h"),
        ("report/report.c", "bridge/ledger/ledger_testing.h"),
        ("report/report_test.c", "bridge/serve/serve.h"),
        ("core/str.c", "str.h"),
        ("core/str.c", "core/nosuch.h"),
    ]
    allowed = [
        ("bridge/serve/answer.c", "bridge/otlp/types.h"),
        ("bridge/daemon.c", "bridge/serve/serve.h"),
        ("report/report.c", "bridge/ledger/history.h"),
        ("report/report_test.c", "bridge/ledger/ledger.h"),
        ("bridge/ledger/ledger_testing.h", "core/tempdir_testing.h"),
        ("cmd/help_json.c", "cmd/help_internal.h"),
        ("main.c", "cmd/cmd.h"),
        ("report/report.c", "core/str.h"),
    ]
    for path, header in refused:
        assert problem_of(path, header, calls), f"{path} may include {header}"
    for path, header in allowed:
        assert not problem_of(path, header, calls), f"{path} may not include {header}"


def main():
    self_test()
    problems = list(check(rooms.read_calls()))
    print("\n".join(problems) or "every include goes downwards")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
