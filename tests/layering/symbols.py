#!/usr/bin/env python3
"""No function of ours has the name of a library's: the linker would give ours to whoever means theirs.

    symbols.py build/cctm

It happened: a JSON reader's json_array() took the place of jansson's, and the first --json crashed.
"""
import re
import subprocess
import sys

SYSTEM = ("libc.", "libm.", "ld-linux", "linux-vdso", "libasan", "libubsan", "libtsan", "libgcc")


def names(*arguments):
    out = subprocess.run(["nm", "-P", "--defined-only", *arguments], check=True, capture_output=True, text=True).stdout
    return {fields[0].split("@")[0] for fields in map(str.split, out.splitlines()) if fields[1] in "TDBR"}


def libraries(program):
    out = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    paths = re.findall(r"=> (/\S+)", out)
    return [path for path in paths if not path.rsplit("/", 1)[1].startswith(SYSTEM)]


def main():
    program = sys.argv[1]
    # What the linker itself puts at the ends of sections, and what sanitizers add, is in every library.
    ours = {name for name in names(program) if not name.startswith("_")}
    assert "main" in ours and len(ours) > 50, "nm does not show the program's functions"
    problems, found = [], libraries(program)
    assert any("jansson" in path for path in found), "ldd does not show the program's libraries"
    for path in found:
        for name in sorted(ours & names("-D", path)):
            problems.append(f"{name} is a function of {path.rsplit('/', 1)[1]} too: rename ours")
    print("\n".join(problems) or "no name is a library's")
    sys.exit(bool(problems))


main()
