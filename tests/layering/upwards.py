#!/usr/bin/env python3
"""A call upwards does not link: two rooms, built by the same room() as src/, the lower calling the upper."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import rooms

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(upwards LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_library(cctm_flags INTERFACE)
include({rooms}/rooms.cmake)
room(low)
room(high CALLS low)
"""
HIGH = "int high_answer(void);\nint low_answer(void);\nint high_answer(void)\n{\n\treturn low_answer();\n}\n"
LOW = "int low_answer(void);\nint low_answer(void)\n{\n\treturn 1;\n}\n"
LOW_CALLS_UP = "int high_answer(void);\nint low_answer(void);\nint low_answer(void)\n{\n\treturn high_answer();\n}\n"


def build(folder, low, compiler):
    for name, text in (("low/low.c", low), ("high/high.c", HIGH), ("empty.c", "typedef int empty;\n"),
                       ("CMakeLists.txt", PROJECT.format(rooms=rooms.SOURCES))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    configure = ["cmake", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Release",
                 f"-DCMAKE_C_COMPILER={compiler}"]
    if shutil.which("ninja"):
        configure.append("-GNinja")
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["cmake", "--build", folder / "build"], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        status, text = build(folder, LOW, sys.argv[1])
        if status != 0:
            sys.exit(f"a call downwards must link, and does not:\n{text}")
        status, text = build(folder, LOW_CALLS_UP, sys.argv[1])
        if status == 0 or "high_answer" not in text:
            sys.exit(f"a call upwards must be an undefined reference, and is not:\n{text}")
    print("a call upwards does not link")


main()
