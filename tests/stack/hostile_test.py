"""No value leaves its place: hostile texts through every key that takes them, into every file.

Each key is rendered with a harmless marker and with a hostile text; read by the files' own readers, the two stacks may
differ only in that the text stands where the marker stood. A key may refuse a text; then nothing is written.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

from lib import case, programs
from stacks import IS_SLOW, Stack

LISTED = json.loads((Path(__file__).parents[1] / "data" / "hostile" / "values.json").read_text())
VALUES = [text for text in LISTED if "\0" not in text] + ["".join(LISTED).replace("\0", "") * 3][:1]
THOROUGH = set() if IS_SLOW else {"grafana.admin_user"}  # every text; to other keys each text comes once in SHARE keys
SHARE = 48 if IS_SLOW else 16
BY_COMPOSE = {"grafana.admin_user", "otlp.tls_cert_file", "data.grafana"}  # read by Compose itself, not only as YAML
# A zone is no text: it has to be one that the system knows.
TYPES = {"text", "file", "place", "url", "origin", "image", "host", "project", "name", "pair"}
# What has to be set for a key to get into a file at all.
NEEDS = {
    "otlp.tls_": {"otlp.tls_cert_file": "/c", "otlp.tls_key_file": "/k"},
    "otlp.token_file": {"otlp.auth": "bearer"},
    "proxy.": {"proxy.host": "m.example.com", "proxy.tls_cert_file": "/c", "proxy.tls_key_file": "/k"},
    "alerts.": {"alerts.alertmanager": "true", "alerts.smtp_host": "mail:25", "alerts.email_to": "a@b",
                "alerts.email_from": "a@b"},
    "images.loki": {"events.store": "loki"}, "data.loki": {"events.store": "loki"},
    "images.proxy": {"proxy.host": "m.example.com"}, "data.proxy": {"proxy.host": "m.example.com"},
    "images.bridge": {"ingest": "bridge"}, "data.bridge": {"ingest": "bridge"},
    "images.alertmanager": {"alerts.alertmanager": "true"}, "data.alertmanager": {"alerts.alertmanager": "true"},
}
DOUBLES_DOLLARS = ("docker-compose.yml", "config/otel-collector-config.yaml", "config/grafana/")


MARKER = "zqmarker"
FORMS = {"file": "/{}", "place": "./{}", "url": "https://zq.example/{}", "host": "{}.example",
         "origin": "https://{}.example", "pair": "zq={}"}


def form(key, text):
    """A value for the key with the text in it."""
    return FORMS.get(key["type"].removeprefix("list of "), "{}").replace("{}", text)


def quoted(key, text):
    """As --set takes it: an item of a list in YAML's flow style, so that a comma in it is one."""
    return f"[{json.dumps(text)}]" if key["type"].startswith("list of ") else text


class Unread(Exception):
    pass


def documents(stack, compose):
    """{path: what the file's reader makes of it}"""
    read = {}
    for path in stack.tree():
        if path.startswith(".cctm/") or path in ("cctm.yaml", ".env"):
            continue
        text = stack.read(path)
        if path.endswith((".yml", ".yaml")):
            read[path] = yaml.safe_load(text)
        elif path.endswith(".json"):
            read[path] = json.loads(text)
        else:
            read[path] = text
    if compose:
        done = subprocess.run([*compose, "config", "--format", "json"], cwd=stack.dir, capture_output=True, text=True)
        if done.returncode:
            raise Unread(done.stderr)
        read["compose"] = json.loads(done.stdout)
    return read


def put(tree, marker, text):
    """The tree with the text in place of the marker."""
    if isinstance(tree, dict):
        return {put(k, marker, text): put(v, marker, text) for k, v in tree.items()}
    if isinstance(tree, list):
        return [put(item, marker, text) for item in tree]
    return tree.replace(marker, text) if isinstance(tree, str) else tree


def expected(key, path, tree, text):
    if path.startswith(DOUBLES_DOLLARS) or path == "compose":
        text = text.replace("$", "$$")
    # Mail addresses go through Alertmanager's templates.
    if key["key"].startswith("alerts.email_"):
        text = text.replace("{{", '{{"{{"}}')
    # Attributes become labels.
    if key["key"].startswith("labels."):
        text = re.sub(r"\W", "_", text)
    return put(tree, MARKER, text)


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Stack() as stack:
            cls.keys = [key for key in json.loads(stack.run("config", "--json").stdout)["keys"]
                        if key["type"].removeprefix("list of ") in TYPES]

    def settings(self, key, text):
        name, needed = key["key"], {}
        for prefix, needs in NEEDS.items():
            if name.startswith(prefix):
                needed |= needs
        needed[name] = quoted(key, text)
        for one, value in needed.items():
            yield from ("--set", f"{one}={value}")

    def stack(self):
        """Two stacks shall not differ in their secrets."""
        stack = Stack(init=False)
        stack.write(".env", "GRAFANA_ADMIN_PASSWORD=a\nOTLP_BEARER_TOKEN=b\n")
        return stack

    def check_key(self, number, key):
        """How many texts the key took; None when it gets into no file."""
        if key["key"] == "time_zone":  # only one that the system knows comes that far
            return None
        compose = programs.compose() if key["key"] in BY_COMPOSE else None
        with self.stack() as plain:
            plain.init("--runtime", "docker", *self.settings(key, form(key, MARKER)))
            reference = documents(plain, compose)
            if not any(MARKER in repr(tree) for tree in reference.values()):
                return None
            # A text by itself where any will do; behind something that makes it a path or an address elsewhere.
            texts = VALUES if key["key"] in THOROUGH else VALUES[number % SHARE :: SHARE]
            values = [text if key["type"].endswith("text") else MARKER + text for text in texts]
            if key["type"] in ("file", "place"):  # Compose tidies paths
                values = [text for text in values if "/" not in text]
            if "null" in key["allowed"]:
                values = [text for text in values if text.lower() not in ("null", "~")]
            return sum(self.check_value(key, value, reference, plain, compose) for value in values if value)

    def check_value(self, key, text, reference, plain, compose):
        with self.stack() as stack:
            done = stack.init("--runtime", "docker", *self.settings(key, form(key, text)), status=None)
            if done.returncode == 2 or (done.returncode == 1 and key["key"] in done.stderr):
                return 0
            self.assertEqual(done.returncode, 0, f"{key['key']} = {text!r}: {done.stderr}")
            try:
                got = documents(stack, compose)
            except (yaml.YAMLError, json.JSONDecodeError, Unread) as why:
                self.fail(f"{key['key']} = {text!r}: {why}")
            # Both stacks name their own directories.
            got = put(got, str(stack.scratch), "SCRATCH")
            for path, tree in reference.items():
                wanted = put(expected(key, path, tree, text), str(plain.scratch), "SCRATCH")
                self.assertEqual(got[path], wanted, f"{path}, {key['key']} = {text!r}")
            return 1

    def test_every_text_stays_where_it_was_put(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            taken = list(pool.map(lambda item: self.check_key(*item), enumerate(self.keys)))
        counts = {key["key"]: count for key, count in zip(self.keys, taken) if count is not None}
        print(json.dumps(counts), file=sys.stderr)
        self.assertGreater(len(counts), 20)
        all_texts = 1 if THOROUGH else SHARE
        self.assertGreater(counts["grafana.admin_user"], len(VALUES) // all_texts * 2 // 3)
        self.assertGreater(counts["otlp.tls_cert_file"], len(VALUES) // SHARE // 2)

    def test_a_nul_is_refused(self):
        with Stack() as stack:
            stack.write("cctm.yaml", 'version: 1\ngrafana:\n  admin_user: "a\\0b"\n')
            before = stack.tree()
            self.assertIn("cctm.yaml:3", stack.init(status=1).stderr)
            self.assertEqual(stack.tree(), before)


if __name__ == "__main__":
    case.main()
