"""The command table, as the built program tells it, and where the things are that must agree with it."""
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = {"bash": ROOT / "completions/cctm.bash", "zsh": ROOT / "completions/_cctm",
               "fish": ROOT / "completions/cctm.fish"}
KEYS_PAGE = ROOT / "man/cctm.yaml.5"
CATALOGUE_PAGE = ROOT / "man/claude-code-telemetry.7"
MAN_PARTS = ("synopsis", "examples")


class Table:
    def __init__(self, program):
        self.program = str(pathlib.Path(program).resolve())
        document = json.loads(self.run("help", "--json"))
        self.commands = {command["name"]: command for command in document["commands"]}
        self.global_options = document["global_options"]
        self.errors = document["errors"]

    def run(self, *words):
        done = subprocess.run([self.program, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{self.program} {' '.join(words)}: exit status {done.returncode}\n{done.stderr}")
        return done.stdout

    def options_of(self, name):
        return self.commands[name]["options"] + self.global_options

    def man_pages(self):
        """{path of the page: the command, or None for cctm(1)}"""
        pages = {ROOT / "man/cctm.1": None}
        for name in self.commands:
            pages[ROOT / f"man/cctm-{name}.1"] = name
        return pages

    def man_parts(self, name):
        text = self.run("help", "--man", *([name] if name else []))
        return {part: cut(text, part) for part in MAN_PARTS}


def markers(part):
    return f'.\\" begin {part}\n', f'.\\" end {part}\n'


def cut(text, part):
    """What stands between a part's marker lines; None when they are not there."""
    begin, end = markers(part)
    if begin not in text or end not in text:
        return None
    return text.split(begin, 1)[1].split(end, 1)[0]


def paste(text, part, content):
    begin, end = markers(part)
    before, rest = text.split(begin, 1)
    return before + begin + content + end + rest.split(end, 1)[1]
