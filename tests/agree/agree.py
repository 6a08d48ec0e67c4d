#!/usr/bin/env python3
"""What must say the same as the command table, and does:  agree.py build/cctm CHECK

A check yields one line for each disagreement.
"""
import json
import re
import shutil
import subprocess
import sys

from table import CATALOGUE_PAGE, COMPLETIONS, KEYS_PAGE, ROOT, Table, cut

PROPER_NAMES = {"Claude", "Grafana", "Prometheus"}
REFRESH = "run tests/agree/refresh"


def sources():
    return sorted((ROOT / "src").rglob("*.c"))


def check_files(table):
    """A file in src/cmd is a command's, and a command has a file."""
    stems = {path.stem for path in (ROOT / "src/cmd").glob("*.c") if not path.stem.endswith("_test")}
    rows = {name.replace("-", "_") for name in table.commands}
    for stem in sorted(stems):
        parts = stem.split("_")
        if not any("_".join(parts[:i]) in rows for i in range(1, len(parts) + 1)):
            yield f"src/cmd/{stem}.c has no row in main.c"
    for row in sorted(rows - stems):
        yield f"the command {row} is not in src/cmd/{row}.c"


def check_rows(table):
    """Rows stand by group and are written alike, and a command's options do not hide the global ones."""
    groups = [command["group"] for command in table.commands.values()]
    if [group for i, group in enumerate(groups) if groups.index(group) < i and groups[i - 1] != group]:
        yield f"main.c: the rows of a group stand together, these do not: {groups}"
    for name, command in table.commands.items():
        options = table.options_of(name)
        names = [option["name"] for option in options]
        names += [f"no-{option['name']}" for option in options if option["negatable"]]
        letters = [option["letter"] for option in options if option["letter"]]
        for what, words in (("option", names), ("letter", letters)):
            for word in {word for word in words if words.count(word) > 1}:
                yield f"{name}: the {what} {word} is there twice"
        for option in options:
            if bool(option["argument"]) == (option["type"] == "flag"):
                yield f"{name}: --{option['name']}: flags have no argument, all others have one"
        texts = {"summary": command["summary"]}
        texts.update({f"--{option['name']}": option["help"] for option in command["options"]})
        texts.update({argument["name"]: argument["help"] for argument in command["arguments"]})
        for where, text in texts.items():
            is_capital = text[0].isupper() and text[1:2].islower() and text.split()[0] not in PROPER_NAMES
            if text.endswith(".") or is_capital:
                yield f"{name}: {where}: begins in lower case and has no full stop at the end"
        if not command["text"] or not command["examples"]:
            yield f"{name}: has a text and examples"


def words_of_help(text):
    """Help as one line, since it is wrapped."""
    return " ".join(text.split())


def check_help(table):
    """--help says all that is in the rows."""
    overview = words_of_help(table.run("help"))
    for name, command in table.commands.items():
        if f"{name} {command['summary']}" not in overview:
            yield f"'cctm help' does not list {name}"
        if table.run("help", name) != table.run(name, "--help"):
            yield f"'cctm help {name}' and 'cctm {name} --help' differ"
        text = words_of_help(table.run("help", name))
        expected = [command["usage"], command["text"].split("\n")[0].split(". ")[0]]
        for option in table.options_of(name):
            expected.append(f"--{'[no-]' if option['negatable'] else ''}{option['name']}")
            expected.append(option["help"])
            if option["default"]:
                expected.append(f"default: {option['default']})")
            expected += option["choices"]
        expected += [argument["help"] for argument in command["arguments"]]
        expected += [example["command_line"] for example in command["examples"]]
        for piece in expected:
            if words_of_help(piece) not in text:
                yield f"'cctm help {name}' does not say: {piece}"


def option_words(table, name):
    words = set()
    for option in table.options_of(name):
        words.add(f"--{option['name']}")
        if option["negatable"]:
            words.add(f"--no-{option['name']}")
        if option["letter"]:
            words.add(f"-{option['letter']}")
    return words


def check_mentions(table, where, text):
    """Of each `cctm WORD` in the text: there is such a command, and it has the options named behind it."""
    for match in re.finditer(r"\bcctm ((?:-[\w-]+(?: [A-Z/][\w/]*)? )*)([a-z][a-z-]*)([^|;&'`\n]*)", text):
        name = match.group(2)
        if name not in table.commands:
            yield f"{where}: there is no command {name}"
            continue
        for word in re.findall(r"(?<!\S)(--[a-z][a-z-]*|-[A-Za-z])(?=[\s=,.)]|$)", match.group(3)):
            if word not in option_words(table, name):
                yield f"{where}: cctm {name} has no option {word}"


def check_examples(table):
    """Examples are command lines that cctm would take."""
    for name, command in table.commands.items():
        for example in command["examples"]:
            line = example["command_line"]
            if "cctm " not in line:
                yield f"{name}: the example \"{line}\" does not call cctm"
            yield from check_mentions(table, f"{name}: example", line)


def check_hints(table):
    """Every command that a hint or a help text names exists."""
    literal = r'"(?:[^"\\]|\\.)*"'
    for path in sources():
        if path.stem.endswith("_test"):
            continue
        text = path.read_text()
        where = path.relative_to(ROOT)
        for call in re.finditer(r"error_hint\(([^;]*);", text):
            strings = "".join(s[1:-1] for s in re.findall(literal, call.group(1)))
            for line in re.findall(r"(?:'|\b(?:run|try|with|see) )(cctm [a-z][^']*)", strings):
                yield from check_mentions(table, where, line)
        joined = "".join(s[1:-1] for s in re.findall(literal, text))
        for quoted in re.findall(r"'(cctm [a-z][^'\\]*)'", joined):
            yield from check_mentions(table, where, quoted)


def check_man(table):
    """The manual pages hold what the rows say, one page a command."""
    pages = table.man_pages()
    for path, name in pages.items():
        if not path.exists():
            yield f"man/{path.name} is missing: {REFRESH}"
            continue
        text = path.read_text()
        for part, content in table.man_parts(name).items():
            if cut(text, part) != content:
                yield f"man/{path.name}: the part \"{part}\" lags behind the rows: {REFRESH}"
    for path in sorted((ROOT / "man").glob("cctm*.1")):
        if path not in pages:
            yield f"man/{path.name} has no command"
        for other in re.findall(r"^\.Xr (cctm\S*) 1", path.read_text(), re.M):
            if ROOT / "man" / f"{other.replace(chr(92), '')}.1" not in pages:
                yield f"man/{path.name} refers to {other}(1), which is not there"


def check_errors(table):
    """cctm(1) explains each error code with its exit status, and --help each status."""
    help_statuses = set(re.findall(r"^  (\d+) ", table.run("help", "help").split("Exit status:")[1], re.M))
    if help_statuses != {"0"} | {str(error["exit_status"]) for error in table.errors}:
        yield f"--help explains the exit statuses {sorted(help_statuses)}, the error codes have others"
    page = (ROOT / "man/cctm.1").read_text()
    for error in table.errors:
        if f".It {error['exit_status']} {error['code']}\n{error['meaning']}\n" not in page:
            yield f"man/cctm.1 does not explain {error['code']}: {REFRESH}"


def check_mandoc(table):
    """The pages are clean."""
    if not shutil.which("mandoc"):
        print("mandoc is not here")
        sys.exit(77)
    for path in [*table.man_pages(), KEYS_PAGE, CATALOGUE_PAGE]:
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(path)], capture_output=True, text=True)
        yield from done.stdout.splitlines()


def keys_in_sample(text):
    """The paths of all settings in the sample, switched on or off."""
    groups = []
    for line in text.splitlines():
        match = re.match(r"#?((?:  )*)([a-z_]+):(.*)", line)
        if not match or re.match(r"# \S", line):
            continue
        depth = len(match.group(1)) // 2
        groups = groups[:depth] + [match.group(2)]
        if match.group(3):
            yield ".".join(groups)


def check_keys(table):
    """The table of keys ↔ cctm.yaml(5) ↔ the sample ↔ completion ↔ the keys that code asks for."""
    listed = json.loads(table.run("-C", str(ROOT), "config", "--json"))["keys"]
    keys = [key["key"] for key in listed]
    page = KEYS_PAGE.read_text()
    if cut(page, "keys") != cut(table.run("config", "--man"), "keys"):
        yield f"man/{KEYS_PAGE.name} lags behind the table of keys: {REFRESH}"
    if cut(CATALOGUE_PAGE.read_text(), "catalogue") != cut(table.run("catalogue", "--man"), "catalogue"):
        yield f"man/{CATALOGUE_PAGE.name} lags behind the catalogue: {REFRESH}"
    for key in keys:
        if f".It Ic {key}\n" not in page:
            yield f"man/{KEYS_PAGE.name} does not explain {key}"
    sample = list(keys_in_sample(table.run("config", "sample")))
    if sample != keys:
        yield f"the sample has other keys than the table, or another order: {sorted(set(sample) ^ set(keys))}"
    offered = {argument["name"]: argument["suggestions"] for argument in table.commands["config"]["arguments"]}
    if offered["KEY"] != keys or set(offered["ACTION"]) - set(keys) != {"get", "set", "unset", "check", "sample"}:
        yield "completion of 'cctm config' offers other keys or actions"
    asked = re.compile(r'\bconfig_(?:text|number|is|is_null|is_set|setting)\([^,()]+,\s*"([^"]+)"\)')
    for path in sources():
        for name in asked.findall(path.read_text()):
            if name not in keys:
                yield f"{path.relative_to(ROOT)} asks for the key {name}, which is not in the table"


def check_completions(table):
    """The scripts kept in completions/ are those that cctm prints."""
    for shell, path in COMPLETIONS.items():
        if not path.exists() or path.read_text() != table.run("completion", shell):
            yield f"completions/{path.name} lags behind the table: {REFRESH}"


def check_readme(table):
    """A section of the README that lists commands lists all of them and no others."""
    readme = ROOT / "README.md"
    text = readme.read_text() if readme.exists() else ""
    for section in re.findall(r"^#+ (?:The )?Commands\n(.*?)(?=^#|\Z)", text, re.M | re.S | re.I):
        named = set(re.findall(r"`cctm ([a-z][a-z-]*)", section))
        for name in sorted(set(table.commands) - named):
            yield f"README.md does not list cctm {name} among the commands"
        for name in sorted(named - set(table.commands)):
            yield f"README.md lists cctm {name}, which is no command"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items())
          if name.startswith("check_") and name != "check_mentions"}


def main():
    table = Table(sys.argv[1])
    problems = [str(problem) for problem in CHECKS[sys.argv[2]](table)]
    print("\n".join(problems) or CHECKS[sys.argv[2]].__doc__)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
