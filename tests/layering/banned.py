#!/usr/bin/env python3
"""Functions that are not called, or only in the one file that wraps them, each with the reason."""
import re
import sys

import rooms

UNBOUNDED = "writes without knowing how much room there is; use core/buf or snprintf"
PARSING = "takes trailing text and hides errors; use core/str"
SHARED_STATE = "answers in a buffer that the next call overwrites; use the _r form"
SHELL = "runs a shell on text; programs are started with an argument list"
MEMORY = "out of memory is handled in core/mem and nowhere else"
TIME = "a test must be able to set the time; use core/clock"
STDOUT = "results go through core/out, which notices a full disk and keeps --json one document"
PROCESS = "children are started in core/proc, which closes descriptors and reaps"

# name: (the one file that may call it, why)
BANNED = {
    **dict.fromkeys(["strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "gets"], (None, UNBOUNDED)),
    "strncpy": (None, "leaves the end without a NUL; use core/buf or snprintf"),
    "strncat": (None, "its length is not what one thinks; use core/buf"),
    **dict.fromkeys(["atoi", "atol", "atoll", "atof"], (None, PARSING)),
    **dict.fromkeys(["strtol", "strtoll", "strtoul", "strtoull", "strtod", "strtof"], ("core/str.c", PARSING)),
    "strtok": (None, "keeps state between calls and writes into its input"),
    **dict.fromkeys(["localtime", "gmtime", "ctime", "asctime", "ctime_r", "asctime_r"], (None, SHARED_STATE)),
    **dict.fromkeys(["system", "popen"], (None, SHELL)),
    "alloca": (None, "a size from outside would run off the stack"),
    **dict.fromkeys(["mktemp", "tmpnam", "tempnam"], (None, "names a file that another may make first; use mkstemp")),
    **dict.fromkeys(["malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup", "asprintf", "vasprintf"],
                    ("core/mem.c", MEMORY)),
    **dict.fromkeys(["time", "clock_gettime", "gettimeofday"], ("core/clock.c", TIME)),
    **dict.fromkeys(["printf", "vprintf", "puts", "putchar"], ("core/out.c", STDOUT)),
    **dict.fromkeys(["fork", "vfork", "execv", "execve", "execvp", "execl", "execlp", "posix_spawn", "posix_spawnp"],
                    ("core/proc.c", PROCESS)),
}
# A test may start a process of itself and print.
FREE_IN_TESTS = (PROCESS, STDOUT)

CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")


def problems_in(path, text):
    code = rooms.without_comments(text, keep_strings=False)
    for number, line in enumerate(code.splitlines(), 1):
        for name in CALL.findall(line):
            home, reason = BANNED[name]
            is_free = path.endswith("_test.c") and reason in FREE_IN_TESTS
            if path != home and not is_free:
                yield f"src/{path}:{number}: {name}: {reason}"


def self_test():
    assert list(problems_in("core/x.c", "\tstrcpy (a, b);"))
    assert list(problems_in("core/x.c", "x = malloc(1);"))
    assert not list(problems_in("core/mem.c", "x = malloc(1);"))
    assert not list(problems_in("core/x.c", "/* strcpy(a, b) */ my_strcpy(a); s.time(); \"system(\""))
    assert not list(problems_in("core/x_test.c", "fork();"))


def main():
    self_test()
    problems = []
    for file in rooms.files("*.c", "*.h"):
        problems += problems_in(file.relative_to(rooms.SOURCES).as_posix(), file.read_text())
    print("\n".join(problems) or "no banned function is called")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
