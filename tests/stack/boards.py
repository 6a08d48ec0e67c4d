"""Dashboards as a page would ask them: each query with its variables put in, to a real Prometheus."""

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from lib import programs
from lib.bridge import free_port, wait_until

FOLDER = Path(__file__).resolve().parents[2] / "dashboards"
EVERY = {name: [".*"] for name in ("model", "team", "department", "cost_center", "user")}


def read():
    """{file: dashboard}"""
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(board):
    """(title of the row, panel) of each panel that is no row, those in collapsed rows too."""
    row = ""
    for panel in board["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            yield row, panel
        for inner in panel.get("panels", []):
            yield row, inner


def ask_prometheus(panel):
    return [target for target in panel.get("targets", []) if target["datasource"]["type"] == "prometheus"]


def put_in(expression, span_s=3600, step_s=60, who="user", **chosen):
    """Grafana writes what was chosen as a regular expression, escaped for the string that it stands in."""
    def escaped(value):
        return value if value == ".*" else re.sub(r"[+.]", lambda found: "\\\\" + found[0], value)

    values = {name: "|".join(map(escaped, values)) for name, values in {**EVERY, **chosen}.items()}
    words = {**values, "who": who, "__range": f"{span_s}s", "__interval": f"{step_s}s", "__interval_ms": str(step_s * 1000)}
    return re.sub(r"\$(?:\{(\w+)\}|(\w*[a-z_]\w*))", lambda found: words[found[1] or found[2]], expression)


class Prometheus:
    """A real one over prepared blocks in folder/data; it scrapes nothing."""

    def __init__(self, folder, program):
        self.folder, self.port = folder, free_port()
        (folder / "prometheus.yml").write_text("global: {}\n")
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self.is_ready, lambda: (folder / "log").read_text()[-2000:], deadline_s=60)

    @classmethod
    def of(cls, program, promtool, openmetrics):
        """Over what the text says; close() deletes it."""
        folder = Path(tempfile.mkdtemp(prefix="cctm-boards-"))
        (folder / "data.om").write_text(openmetrics)
        # Hidden, and there in old ones as in new ones: else a block for every two hours, of which each takes a while.
        subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=720h", "-q",
                        folder / "data.om", folder / "data"], check=True, stdout=subprocess.DEVNULL)
        return cls(folder, program)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path, **parameters):
        body = urllib.parse.urlencode(parameters).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/{path}", body)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters['query']}\n{error.read().decode()}") from error

    def at(self, expression, at):
        """[(labels, value)] of one moment."""
        return [(row["metric"], float(row["value"][1])) for row in self.get("query", query=expression, time=at)]

    def over(self, expression, begin, end, step):
        """[(labels, {time: value})] of a graph."""
        rows = self.get("query_range", query=expression, start=begin, end=end, step=step)
        return [(row["metric"], {int(at): float(value) for at, value in row["values"]}) for row in rows]

    def timed(self, expression, begin, end, step):
        """Seconds that it takes, asked as the page asks it: one moment (step 0), or a graph."""
        started = time.monotonic()
        if step:
            self.over(expression, begin, end, step)
        else:
            self.at(expression, end)
        return time.monotonic() - started

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def have_programs():
    return set(programs.prometheuses()) & set(programs.promtools())
