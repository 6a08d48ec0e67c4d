"""Where the real programs are that tests run: on PATH, or in the cache where scripts/test unpacked or built them."""

import shutil
import subprocess

from . import case


def _kept(*parts):
    path = case.cache_folder().joinpath(*parts)
    return str(path) if path.exists() else None


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
    """The OpenTelemetry Collector that scripts/test builds from tests/data/collector/manifest.yaml; None."""
    found = sorted(case.cache_folder().glob("collector-*/otelcol"), key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None


def amtool():
    return shutil.which("amtool") or _kept("alertmanager", "usr", "bin", "amtool")


def caddy():
    return shutil.which("caddy") or _kept("caddy", "usr", "bin", "caddy")
