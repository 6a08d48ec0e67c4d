#!/usr/bin/env python3
"""An interrupt ends cctm with status 130, also while it waits for whoever reads its output."""
import fcntl
import os
import signal
import subprocess
import sys
import time

DEADLINE_S = 20
F_SETPIPE_SZ = 1031


def full_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def catches_interrupts(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
    return False


def main():
    if not os.path.exists("/proc/self/status"):
        print("no /proc here")
        sys.exit(77)
    reader, writer = full_pipe()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([sys.argv[1], "help"], stdout=writer)
    end = time.monotonic() + DEADLINE_S
    while not catches_interrupts(process.pid):
        if time.monotonic() > end or process.poll() is not None:
            sys.exit("cctm did not get as far as catching interrupts")
    process.send_signal(signal.SIGINT)
    status = process.wait(timeout=DEADLINE_S)
    os.close(reader)
    print(f"exit status {status}")
    sys.exit(status != 130)


main()
