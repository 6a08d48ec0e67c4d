"""The real OpenTelemetry Collector under test, as programs.collector() finds it.

    collector = Collector(stack.read("config/otel-collector-config.yaml"))
    collector.post("/v1/metrics", body)
    collector.get("8889", "/metrics")
    collector.close()
"""

import re
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from . import programs
from .bridge import free_port, wait_until


def fetch(url, data=None, headers=None):
    """(status, text); an answer of 400 and above is an HTTPError."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.status, answer.read().decode()


class Collector:
    """Runs with a configuration as it is rendered, but on loopback and on ports of its own; returns when it is healthy.

    Ports keep their names: get("8889", …) asks the one that the configuration calls 8889.
    """

    def __init__(self, configuration):
        self.folder = Path(tempfile.mkdtemp(prefix="cctm-collector-"))
        self.ports = {}
        text = re.sub(r"0\.0\.0\.0:(\d+)", lambda found: f"127.0.0.1:{self.port(found[1])}", configuration)
        text = re.sub(r"host: 0\.0\.0\.0, port: (\d+)",
                      lambda found: f"host: 127.0.0.1, port: {self.port(found[1])}", text)
        (self.folder / "config.yaml").write_text(text)
        self.log_file = open(self.folder / "log", "wb")
        self.start()

    def start(self):
        self.process = subprocess.Popen([programs.collector(), f"--config={self.folder}/config.yaml"],
                                        stdin=subprocess.DEVNULL, stdout=self.log_file, stderr=subprocess.STDOUT)
        try:
            wait_until(self.is_healthy, self.log, deadline_s=30)
        except BaseException:
            self.close()
            raise

    def restart(self):
        """As `docker restart` does it, on the same ports."""
        self.process.terminate()
        self.process.wait(20)
        self.start()

    def port(self, name):
        return self.ports.setdefault(name, free_port())

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def is_healthy(self):
        assert self.process.poll() is None, self.log()[-1500:]
        try:
            return self.get("13133") is not None
        except OSError:
            return False

    def url(self, port, path="/"):
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def get(self, port, path="/"):
        return fetch(self.url(port, path))[1]

    def post(self, path, body, headers=None):
        """The status of what is sent to the receiver, as JSON unless the headers say otherwise."""
        return fetch(self.url("4318", path), body, headers or {"content-type": "application/json"})[0]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log_file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
