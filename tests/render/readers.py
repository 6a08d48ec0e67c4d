#!/usr/bin/env python3
"""Hostile values through render_values and back by a reader that is not ours.

    readers.py yaml|compose|promtool PATH-OF-RENDER_VALUES
    readers.py env PATH-OF-ENV_VALUES

Ends with 77, skipped, where the reader is not there. PYTHONPATH names tests/integration.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from lib import programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTED = json.loads((ROOT / "tests/data/hostile/values.json").read_text())


def hostile_values(mixtures):
    source = random.Random(20261125)
    long = "".join(LISTED)
    values = LISTED + [long * (10240 // len(long) + 1)]
    values += ["".join(source.choices(LISTED, k=source.randint(2, 6))) for _ in range(mixtures)]
    return values


def render(program, path, template, values):
    data = {"values": [{"name": f"V{i}", "text": text} for i, text in enumerate(values)]}
    request = json.dumps({"template": template, "data": data})
    return subprocess.run([program, path], input=request.encode(), stdout=subprocess.PIPE, check=True).stdout


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def undo_dollars(text):
    """What is left of a text when $$ is a dollar and nothing else may begin with one."""
    parts = text.split("$$")
    assert not any("$" in part for part in parts), f"a dollar is left alone in {text!r}"
    return "$".join(parts)


def compare(where, sent, got):
    wrong = [i for i, text in enumerate(sent) if not isinstance(got[i], str) or got[i] != text]
    for i in wrong[:10]:
        print(f"{where}: value {i}: sent {sent[i]!r}, got {got[i]!r}")
    if wrong or len(sent) != len(got):
        sys.exit(f"{where}: {len(wrong)} of {len(sent)} values are not what was sent")
    print(f"{where}: {len(sent)} values are what was sent")


def check_yaml(program):
    """PyYAML is strict about what is printable and resolves types as YAML 1.1 has them."""
    try:
        import yaml
    except ImportError:
        skip("Python has no yaml")
    template = ("block:\n{{#values}}\n  - {{text}} # behind it\n{{/values}}\n"
                "flow: [{{#values}}{a: {{text}}, b: end}, {{/values}}]\n")
    values = hostile_values(500)
    for path, expands in [("config/rules/stack.yml", False), ("config/prometheus.yml", False),
                          ("docker-compose.yml", True), ("config/otel-collector-config.yaml", True),
                          ("config/grafana/provisioning/datasources/prometheus.yml", True)]:
        document = yaml.safe_load(render(program, path, template, values).decode())
        flow = [item["a"] for item in document["flow"]]
        for where, got in [("block", document["block"]), ("flow", flow)]:
            if expands:
                got = [undo_dollars(text) for text in got]
            compare(f"{path}, {where}", values, got)


def check_compose(program):
    """In the compose file itself, and from .env where the compose file refers to it. Both are interpolated."""
    command = programs.compose()
    if not command:
        skip("there is no docker compose")
    values = hostile_values(300)
    compose = ("{{=<% %>=}}\nservices:\n  a:\n    image: none\n"
               "    labels:\n<%#values%>\n      l<%&name%>: <%text%>\n<%/values%>\n"
               "    environment:\n<%#values%>\n      E<%&name%>: <%text%>\n      R<%&name%>: ${<%&name%>}\n<%/values%>\n")
    with tempfile.TemporaryDirectory() as folder:
        stack = pathlib.Path(folder)
        (stack / "docker-compose.yml").write_bytes(render(program, "docker-compose.yml", compose, values))
        (stack / ".env").write_bytes(render(program, ".env",
            "{{#values}}\n# {{text}}\n{{{name}}}={{text}}\n{{/values}}\n", values))
        done = subprocess.run([*command, "--project-name", "readback", "config", "--format", "json"], cwd=folder,
            stdout=subprocess.PIPE, check=True, env={**os.environ, "COMPOSE_FILE": "docker-compose.yml"})
    service = json.loads(done.stdout)["services"]["a"]
    for where, names in [("labels", "l"), ("environment", "E"), ("environment", "R")]:
        # The command writes a dollar as $$, so that its output can be read as a compose file again.
        got = [undo_dollars(service[where][f"{names}V{i}"]) for i in range(len(values))]
        compare(f"compose, {where} {names}", values, got)


ENV_BEGINNINGS = ["V=", "V=", "V = ", "V:", "export V=", "export\tV=", "  V=", "\ufeffV=", "# c\nV=", "V='", "V='", 'V="',
                  'V="', 'V="', "V='a'", "V", "V.x=1\nV=", "V-x=1\nV=", "V[0]=1\nV="]
ENV_PIECES = ["a", "b", "'", '"', "\\", "\\\\", "\\'", '\\"', "\\a", "\\b", "\\c", "\\f", "\\n", "\\r", "\\t", "\\v", "\\x",
              "\\0", "\\08", "\\0101", "\\0303", "\\0777", "\\u0041", " ", "\t", " #", "\t#", "#", "$", "$$", "$1", "$ ", "$)", "\\$",
              "\\$a", "$V", "${V}", "${", "${V:-x}", "{", "}", "=", ":", "\r", "\n", "\r\n", "\nW=1\n", "\v", "\x85", "\xa0",
              "\u2028", "\u3000", "\xe9", "export "]
ENV_ENDS = ["", "\n", "'", '"', "'\t# c\n", '"#c', "\nW=1\n"]


def env_texts(count):
    source = random.Random(20261125)
    return [source.choice(ENV_BEGINNINGS) + "".join(source.choices(ENV_PIECES, k=source.randint(0, 6))) +
            source.choice(ENV_ENDS) for _ in range(count)]


def env_of_compose(command, folder, name):
    """In the form of env_values: "=" and the value, "-", or "!"."""
    done = subprocess.run([*command, "--project-name", "env", "--env-file", name, "config", "--format", "json"],
        cwd=folder, capture_output=True, env={**os.environ, "COMPOSE_FILE": "docker-compose.yml"})
    if done.returncode:
        return "!"
    value = undo_dollars(json.loads(done.stdout)["services"]["a"]["environment"]["R"])
    return "-" if value == "it is not set" else f"={value}"


def check_env(program):
    """Random texts through our reader of .env and Compose's own: the same value, or both refuse."""
    command = programs.compose()
    if not command:
        skip("there is no docker compose")
    texts = env_texts(400)
    names = [f"{i}.env" for i in range(len(texts))]
    with tempfile.TemporaryDirectory() as folder:
        stack = pathlib.Path(folder)
        (stack / "docker-compose.yml").write_text(
            "services:\n  a:\n    image: none\n    environment:\n      R: ${V-it is not set}\n")
        for name, text in zip(names, texts):
            (stack / name).write_bytes(text.encode())
        ours = subprocess.run([program, *names], cwd=folder, stdout=subprocess.PIPE, check=True).stdout
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            theirs = list(pool.map(lambda name: env_of_compose(command, folder, name), names))
    agreed, wrong = {"=": 0, "!": 0, "-": 0}, []
    for text, our, their in zip(texts, ours.decode().split("\0"), theirs):
        # Ours is stricter behind a closing quote; what refers to others has no value of its own.
        if our.startswith("$") or "behind the closing quote" in our:
            continue
        if our == their or our[0] == their[0] == "!":
            agreed[our[0]] += 1
        else:
            wrong.append(f"{text!r}: ours {our!r}, Compose's {their!r}")
    print("\n".join(wrong), f"\n{agreed['=']} values alike, {agreed['!']} texts refused by both")
    sys.exit(bool(wrong) or agreed["="] < 100 or agreed["!"] < 50)


def check_promtool(program):
    promtools = programs.promtools()
    if not promtools:
        skip("there is no promtool")
    template = "global:\n  external_labels:\n{{#values}}\n    {{{name}}}: {{text}}\n{{/values}}\n"
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "prometheus.yml"
        config.write_bytes(render(program, "config/prometheus.yml", template, hostile_values(300)))
        statuses = {version: subprocess.run([promtool, "check", "config", config]).returncode
                    for version, promtool in promtools.items()}
    print(f"promtool's exit status by version: {statuses}")
    sys.exit(any(statuses.values()))


if __name__ == "__main__":
    checks = {"yaml": check_yaml, "compose": check_compose, "env": check_env, "promtool": check_promtool}
    checks[sys.argv[1]](sys.argv[2])
