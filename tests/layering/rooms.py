"""The rooms of src/, read from src/CMakeLists.txt, where they are declared."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"


def read_calls(cmake=SOURCES / "CMakeLists.txt"):
    """{room: the rooms it calls directly}"""
    text = re.sub(r"#.*", "", cmake.read_text())
    calls = {}
    for arguments in re.findall(r"^room\(([^)]*)\)", text, re.M):
        name, *words = arguments.split()
        keyword, calls[name] = None, []
        for word in words:
            if word in ("CALLS", "USES"):
                keyword = word
            elif keyword == "CALLS":
                calls[name].append(word)
    return calls


def closure(calls, room):
    below, pending = set(), [room]
    while pending:
        for name in calls[pending.pop()]:
            if name not in below:
                below.add(name)
                pending.append(name)
    return below


def room_of(path, calls):
    """The room that a path relative to src/ is in; None: the top."""
    parent = pathlib.PurePath(path).parent.as_posix()
    return parent if parent in calls else None


def files(*patterns):
    for pattern in patterns:
        yield from sorted(SOURCES.rglob(pattern))


def without_comments(text, keep_strings):
    """The code with comments, and on request strings, blanked; line numbers stay."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'" and keep_strings:
            return token
        return token[0] + "\n" * token.count("\n") + token[-1] if token[0] in "\"'" else "\n" * token.count("\n")

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)
