"""Where the real programs are that tests run: on PATH, or in the cache where scripts/test unpacked or built them."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from . import case

COLLECTOR_MANIFEST = Path(__file__).parents[2] / "data" / "collector" / "manifest.yaml"


def _kept(*parts):
    path = case.cache_folder().joinpath(*parts)
    return str(path) if path.exists() else None


def prometheus():
    """The older one, Debian 12's, unless PATH has one."""
    return shutil.which("prometheus") or _kept("prometheus", "usr", "bin", "prometheus")


def promtools():
    """{version: path} of every promtool: an older and a newer one where scripts/test has been."""
    paths = [shutil.which("promtool"), _kept("prometheus", "usr", "bin", "promtool"),
             _kept("prometheus-newest", "usr", "bin", "promtool")]
    found = {}
    for path in filter(None, paths):
        said = subprocess.run([path, "--version"], capture_output=True, text=True)
        found[(said.stdout + said.stderr).split("version ")[1].split(",")[0]] = path
    return found


def compose():
    """Compose v2 as a command: the plug-in of docker, else the same program by itself; None."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    kept = _kept("docker-compose", "usr", "libexec", "docker", "cli-plugins", "docker-compose")
    return [kept] if kept else None


def collector():
    """The OpenTelemetry Collector that scripts/test has built from the manifest as it is now; None."""
    return _kept(f"collector-{hashlib.sha256(COLLECTOR_MANIFEST.read_bytes()).hexdigest()[:12]}", "otelcol")


def h2spec():
    """Of the version that scripts/test builds."""
    return _kept("h2spec", "h2spec")


def go():
    """The machine's, or the one that scripts/test has unpacked."""
    return shutil.which("go") or _kept("go", "usr", "lib", "go-1.26", "bin", "go")


def amtool():
    return shutil.which("amtool") or _kept("alertmanager", "usr", "bin", "amtool")


def caddy():
    return shutil.which("caddy") or _kept("caddy", "usr", "bin", "caddy")
