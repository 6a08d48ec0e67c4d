#!/usr/bin/env python3
"""Every call of a transaction that changes the file system is one that faults.c counts.

    wrapped.py "OBJECT;OBJECT…" NAME…      NAME: what is wrapped
"""
import subprocess
import sys

CHANGES = set("""
    chmod fchmod fchmodat lchmod chown fchown lchown fchownat
    open open64 openat openat64 openat2 creat creat64 fopen fopen64 freopen fdopen mkstemp mkostemp mkdtemp tmpfile
    write pwrite pwrite64 writev pwritev pwritev2 fwrite fputs fputc fprintf dprintf sendfile splice
    copy_file_range ftruncate ftruncate64 truncate truncate64 fallocate posix_fallocate
    fsync fdatasync sync syncfs sync_file_range msync
    rename renameat renameat2 remove unlink unlinkat rmdir
    link linkat symlink symlinkat mkdir mkdirat mknod mknodat mkfifo mkfifoat
    setxattr lsetxattr fsetxattr removexattr utime utimes utimensat futimens
""".split())
FORTIFIED = {"__open_2": "open", "__openat_2": "openat"}


def calls(path):
    out = subprocess.run(["nm", "-P", "--undefined-only", path], check=True, capture_output=True, text=True).stdout
    names = {line.split()[0].split("@")[0] for line in out.splitlines()}
    return {FORTIFIED.get(name, name) for name in names}


def main():
    objects, wrapped = sys.argv[1].split(";"), set(sys.argv[2:])
    assert len(objects) >= 4, f"these are not a transaction's objects: {objects}"
    made = set().union(*map(calls, objects)) & CHANGES
    assert {"renameat", "unlinkat", "fsync"} <= made, "nm does not show the calls"
    missing = made - wrapped
    print(f"not wrapped: {', '.join(sorted(missing))}" if missing else f"all wrapped: {', '.join(sorted(made))}")
    sys.exit(bool(missing))


main()
