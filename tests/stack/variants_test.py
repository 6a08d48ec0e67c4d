"""Every variant of a stack is accepted by the programs that read it: promtool (an old and a new one), Compose, the
Collector, amtool, Caddy. Variants are the whole product of what decides about a file; a text that many of them share is
read once.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lib import case, programs
from stacks import IS_SLOW, Stack

CHOICES = {
    "profile": ["local", "team"],
    "ingest": ["collector", "bridge"],
    "events.store": ["none", "loki"],
    "collector.export": ["scrape", "remote_write"],
    "storage": ["volumes", "bind"],
    "otlp.auth": ["none", "bearer"],
    "alerts.alertmanager": ["false", "true"],
    "proxy.host": ["null", "metrics.example.com"],
}
# Keys that change texts and are independent of the above: one variant each.
SINGLES = [
    {"prometheus.retention_size": "50GiB", "prometheus.remote_write": "https://mimir.example.com/api/v1/push"},
    {"otlp.cors_origins": "https://a.example,https://b.example:8443", "collector.debug": "off"},
    {"collector.debug": "detailed", "prometheus.admin_api": "false"},
    {"bind": "0.0.0.0"},
    {"bind": "::1", "ports.grafana": "3001"},
    {"grafana.plugins": "grafana-clock-panel,volkovlabs-form-panel", "grafana.anonymous": "true"},
    {"otlp.tls_cert_file": "/etc/cctm/a.crt", "otlp.tls_key_file": "/etc/cctm/a.key",
     "otlp.tls_client_ca_file": "ca/clients.crt"},
    {"otlp.auth": "bearer", "otlp.token_file": "/etc/cctm/tokens"},
    {"proxy.host": "m.example.com", "proxy.tls_cert_file": "tls/p.crt", "proxy.tls_key_file": "tls/p.key",
     "proxy.bind": "0.0.0.0", "ports.proxy": "8443"},
    {"alerts.alertmanager": "true", "alerts.webhook_url_file": "/etc/cctm/webhook",
     "alerts.email_to": "ada@example.com,{{ .X }}@example.com", "alerts.email_from": "cctm@example.com",
     "alerts.smtp_host": "mail.example.com:587", "alerts.slack_url_file": "/etc/cctm/slack",
     "budgets.daily_usd": "50", "budgets.per_team.weekly_usd": "0.01", "alerts.no_data_after": "90d"},
    {"ingest": "bridge", "alerts.slack_url_file": "slack", "alerts.alertmanager": "true", "budgets.per_user.monthly_usd": "1000000000",
     "alerts.no_data_after": "5m"},
    {"data.prometheus": "/srv/prometheus", "data.grafana": "old-project_grafana"},
    {"limits.grafana.cpus": "0.5", "limits.prometheus.memory": "6GiB"},
    {"prometheus.scrape_interval": "2s", "bridge.zero_hold": "2s", "prometheus.lookback": "36h"},
]


def variants():
    for values in itertools.product(*CHOICES.values()):
        yield dict(zip(CHOICES, values))
    yield from SINGLES


def options(settings):
    for key, value in settings.items():
        yield from ("--set", f"{key}={value}")


class Reader:
    """Runs a check once for each distinct input."""

    def __init__(self):
        self.seen, self.failures = set(), []

    def check(self, what, texts, command, cwd=None, variant=None):
        key = hashlib.sha256(repr((what, texts, command)).encode()).hexdigest()
        if key in self.seen:
            return
        self.seen.add(key)
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "OTLP_BEARER_TOKEN": "0123456789abcdef"})
        if done.returncode:
            self.failures.append(f"{what} of {variant}:\n{done.stdout}{done.stderr}")


class Variants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.stacks = []
        for settings in list(variants())[:: 5 if IS_SLOW else 1]:
            stack = Stack(*options(settings))
            stack.settings = settings
            cls.stacks.append(stack)

    @classmethod
    def tearDownClass(cls):
        for stack in cls.stacks:
            stack.close()
        cls.folder.cleanup()

    def read_all(self, path, command_of):
        reader = Reader()
        for stack in self.stacks:
            if (stack.dir / path).exists():
                for what, texts, command in command_of(stack):
                    reader.check(what, texts, command, cwd=stack.dir, variant=stack.settings)
        self.assertTrue(reader.seen)
        print(f"{path}: {len(reader.seen)} readings for {len(self.stacks)} variants", file=sys.stderr)
        self.assertEqual(reader.failures[:3], [], f"{len(reader.failures)} in all")

    def test_promtool_accepts_configurations_and_rules(self):
        tools = programs.promtools()
        if not tools:
            self.skipTest("there is no promtool")
        files = ["config/prometheus.yml", "config/rules/alerts.yml", "config/rules/claude-code.yml", "config/rules/stack.yml"]

        def commands(stack):
            texts = tuple(stack.read(path) for path in files)
            for version, promtool in tools.items():
                yield f"promtool {version} check config", texts, (promtool, "check", "config", files[0])
                yield f"promtool {version} check rules", texts[1:], (promtool, "check", "rules", *files[1:])

        self.read_all(files[0], commands)

    def test_compose_accepts_compose_files(self):
        compose = programs.compose()
        if not compose:
            self.skipTest("there is no docker compose")

        def commands(stack):
            yield "compose", stack.read("docker-compose.yml"), (*compose, "config", "--quiet")

        self.read_all("docker-compose.yml", commands)

    def test_the_collector_accepts_its_configurations(self):
        collector = programs.collector()
        if not collector:
            self.skipTest("there is no Collector")
        path = "config/otel-collector-config.yaml"

        def commands(stack):
            text, copy = self.with_certificates(stack.read(path))
            yield "otelcol validate", text, (collector, "validate", f"--config={copy}")

        self.read_all(path, commands)

    def with_certificates(self, text):
        """The text and a file of it, with certificates that exist: they are looked for when a configuration is checked."""
        folder = Path(self.folder.name)
        if not (folder / "a.crt").exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-subj", "/CN=localhost", "-keyout", folder / "a.key", "-out", folder / "a.crt"],
                           check=True, capture_output=True)
            (folder / "tokens").write_text("0123456789abcdef\n")
        for name, here in [("otlp.crt", "a.crt"), ("otlp.key", "a.key"), ("otlp-clients.crt", "a.crt"),
                           ("proxy.crt", "a.crt"), ("proxy.key", "a.key"), ("otlp-tokens", "tokens")]:
            text = text.replace(f"/run/cctm/{name}", str(folder / here))
        copy = folder / hashlib.sha256(text.encode()).hexdigest()
        copy.write_text(text)
        return text, copy

    def test_amtool_accepts_alertmanager_configurations(self):
        amtool = programs.amtool()
        if not amtool:
            self.skipTest("there is no amtool")
        path = "config/alertmanager.yml"
        self.read_all(path, lambda stack: [("amtool", stack.read(path), (amtool, "check-config", path))])

    def test_caddy_accepts_caddyfiles(self):
        caddy = programs.caddy()
        if not caddy:
            self.skipTest("there is no caddy")
        path = "config/Caddyfile"

        def commands(stack):
            text, copy = self.with_certificates(stack.read(path))
            yield "caddy validate", text, (caddy, "validate", "--adapter", "caddyfile", "--config", str(copy))

        self.read_all(path, commands)

    def test_json_files_are_json(self):
        for stack in self.stacks:
            settings = json.loads(stack.read("managed-settings.json"))
            self.assertEqual(settings["env"]["CLAUDE_CODE_ENABLE_TELEMETRY"], "1")
            has_helper = (stack.dir / "claude-code-headers.sh").exists()
            self.assertEqual(settings.get("otelHeadersHelper"),
                             f"{stack.dir}/claude-code-headers.sh" if has_helper else None)

    def test_rendering_is_deterministic(self):
        for stack in self.stacks[:: max(1, len(self.stacks) // 10)]:
            before = stack.tree()
            self.assertEqual(set(stack.actions().values()), {"unchanged"})
            self.assertEqual(stack.tree(), before)

    def test_nothing_is_published_beyond_loopback_unless_asked(self):
        for stack in self.stacks:
            if "bind" in stack.settings or "proxy.bind" in stack.settings:
                continue
            for line in stack.read("docker-compose.yml").splitlines():
                if line.strip().startswith('- "') and line.count(":") >= 2 and "://" not in line:
                    self.assertIn('"127.0.0.1:', line)

    def test_no_secret_stands_outside_of_env(self):
        for stack in self.stacks[:: max(1, len(self.stacks) // 20)]:
            secrets = [line.split("=")[1] for line in stack.read(".env").splitlines() if "=" in line and line[0] != "#"]
            self.assertEqual(len(secrets), 2)
            self.assertEqual((stack.dir / ".env").stat().st_mode & 0o777, 0o600)
            for path, content in stack.tree().items():
                if path != ".env":
                    for secret in secrets:
                        self.assertNotIn(secret.encode(), content, path)


if __name__ == "__main__":
    case.main()
