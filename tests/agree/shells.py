#!/usr/bin/env python3
"""Completion in the real shells: what is offered behind a line when Tab is pressed.

    shells.py build/cctm bash|zsh|fish

bash and zsh run on a terminal of their own, with a spy in front of what they would offer, because only an
interactive shell splits a line into words as it does for a user. fish tells it without one.
"""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

from table import Table

DEADLINE_S = 30

BASH = """PS1='ready> '
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
source {script}
spy() {{ _cctm "$@"; printf '%s\\n' "${{COMPREPLY[@]}}" > {offers}.part; mv {offers}.part {offers}; }}
complete -F spy cctm
"""

ZSH = """PS1='ready> '
unset zle_bracketed_paste
unsetopt prompt_cr prompt_sp
fpath=({folder} $fpath)
autoload -Uz compinit && compinit -u -D
typeset -ga offered
compadd() {{
	if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)\\ * ]]; then
		local -a hits
		builtin compadd -A hits "$@"
		offered+=($hits)
	fi
	builtin compadd "$@"
}}
spy() {{
	offered=()
	zle list-choices
	print -rl -- $offered > {offers}.part
	command mv {offers}.part {offers}
}}
zle -N spy
bindkey '^I' spy
"""


class Terminal:
    """A shell on a terminal, and the file in which its spy leaves what was offered."""

    def __init__(self, arguments, scratch):
        self.offers = scratch / "offers"
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(scratch / "place")
            environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
            os.execvpe(arguments[0], arguments, environment)
        self.seen = b""

    def wait(self, is_done):
        end = time.monotonic() + DEADLINE_S
        while not is_done():
            if time.monotonic() > end:
                raise TimeoutError(self.seen.decode(errors="replace"))
            if select.select([self.fd], [], [], 0.02)[0]:
                self.seen += os.read(self.fd, 65536)

    def set_up(self, path):
        os.write(self.fd, f" source {path}\n".encode())
        self.wait(lambda: self.seen.endswith(b"ready> "))

    def offer(self, line):
        self.offers.unlink(missing_ok=True)
        os.write(self.fd, line.encode() + b"\t")
        self.wait(self.offers.exists)
        self.seen = b""
        os.write(self.fd, b"\x15\n")  # clear the line and ask for a new prompt
        self.wait(lambda: self.seen.endswith(b"ready> "))
        return {word.rstrip("/ ") for word in self.offers.read_text().splitlines() if word}

    def close(self):
        os.write(self.fd, b"\x15exit\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Fish:
    def __init__(self, scratch):
        self.place = scratch / "place"
        self.script = scratch / "completions/fish"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "LC_ALL": "C.UTF-8"}

    def offer(self, line):
        script = f"source {self.script}; complete -C \"{line}\""
        done = subprocess.run(["fish", "--no-config", "-c", script], cwd=self.place, env=self.environment,
                              check=True, capture_output=True, text=True)
        words = {row.split("\t")[0].rstrip("/") for row in done.stdout.splitlines()}
        return {word.split("=", 1)[1] if word.startswith("--") and "=" in word else word for word in words}

    def close(self):
        pass


def open_shell(shell, scratch):
    if shell == "fish":
        return Fish(scratch)
    text, arguments = {"bash": (BASH, ["bash", "--norc", "--noprofile", "-i"]), "zsh": (ZSH, ["zsh", "-f", "-i"])}[shell]
    path = scratch / "setup"
    path.write_text(text.format(script=scratch / "completions/bash", folder=scratch / "completions", offers=scratch / "offers"))
    terminal = Terminal(arguments, scratch)
    terminal.set_up(path)
    return terminal


def write_script(table, shell, scratch):
    folder = scratch / "completions"
    folder.mkdir()
    (folder / ("_cctm" if shell == "zsh" else shell)).write_text(table.run("completion", shell))


def make_place(place):
    """Where the shell is: two directories and a file."""
    (place / "folder").mkdir(parents=True)
    (place / "folder two").mkdir()
    (place / "file").write_text("")


FOLDERS, FILE = {"folder", "folder two"}, {"file"}


def cases_of_frame(commands):
    """(line, words that must be offered, words that must not)"""
    yield "cctm ", commands, {"--json"} | FOLDERS | FILE
    yield "cctm hel", {"help"}, {"completion"}
    yield "cctm --", {"--json", "--dir", "--color"}, {"help"}
    yield "cctm completion ", {"bash", "zsh", "fish"}, commands | FILE
    yield "cctm completion bash ", set(), {"bash", "zsh", "fish"} | FILE
    yield "cctm help ", commands, FILE
    yield "cctm --json help -q comp", {"completion"}, {"help"}
    yield "cctm --color ", {"auto", "always", "never"}, commands
    yield "cctm --color=a", {"auto", "always"}, {"never"}
    yield "cctm -C ", FOLDERS, commands | FILE
    yield "cctm --dir fold", FOLDERS, FILE
    yield "cctm -C folder comp", {"completion"}, {"folder"}
    yield "cctm --color never --dir folder completion z", {"zsh"}, {"bash"}


def cases_of_option(name, option, commands):
    words = [f"--{option['name']}"] + ([f"-{option['letter']}"] if option["letter"] else [])
    for word in words:
        line = f"cctm {name} {word} "
        if option["choices"]:
            yield line, set(option["choices"]), (commands | FILE) - set(option["choices"])
        elif option["argument"] == "DIR":
            yield line, FOLDERS, commands | FILE
        elif option["argument"] == "FILE":
            yield line, FOLDERS | FILE, commands
        elif option["argument"]:
            yield line, set(), commands | FOLDERS | FILE


def cases_of_command(name, command, commands):
    expected = {f"--{option['name']}" for option in command["options"]}
    expected |= {f"--no-{option['name']}" for option in command["options"] if option["negatable"]}
    yield f"cctm {name} --", expected | {"--json"}, commands
    for option in command["options"]:
        yield from cases_of_option(name, option, commands)
    if not command["arguments"]:
        yield f"cctm {name} ", set(), commands | FOLDERS | FILE
    line = f"cctm {name} "
    for argument in command["arguments"]:
        if argument["choices"] or argument["suggestions"]:
            yield line, set(argument["choices"] or argument["suggestions"]), FILE
        elif argument["name"] == "FILE":
            yield line, FILE, commands
        line += f"{argument['choices'][0] if argument['choices'] else 'word'} "
        if argument["repeated"] and argument["name"] == "FILE":
            yield line, FILE, commands


def cases(table):
    commands = set(table.commands)
    yield from cases_of_frame(commands)
    for name, command in table.commands.items():
        yield from cases_of_command(name, command, commands)


def main():
    program, shell = sys.argv[1:]
    if not shutil.which(shell):
        print(f"{shell} is not here")
        sys.exit(77)
    table = Table(program)
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        make_place(scratch / "place")
        write_script(table, shell, scratch)
        session = open_shell(shell, scratch)
        for line, wanted, unwanted in cases(table):
            offered = {word.replace("\\", "") for word in session.offer(line)}
            count += 1
            if wanted - offered or unwanted & offered:
                failed += 1
                print(f"\"{line}\": offered {sorted(offered)}\n  missing {sorted(wanted - offered)}, "
                      f"unwanted {sorted(unwanted & offered)}")
        session.close()
    print(f"{count} lines, {failed} failed")
    sys.exit(failed > 0)


main()
