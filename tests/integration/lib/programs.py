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
    return _by_version("promtool")


def prometheuses():
    """The same of Prometheus itself."""
    return _by_version("prometheus")


def _by_version(name):
    paths = [shutil.which(name), _kept("prometheus", "usr", "bin", name), _kept("prometheus-newest", "usr", "bin", name)]
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


def alertmanager():
    """The program; None. To run it, see alertmanager_in()."""
    return (shutil.which("alertmanager") or shutil.which("prometheus-alertmanager") or
            _kept("alertmanager", "usr", "bin", "prometheus-alertmanager"))


def alertmanager_in(folder):
    """Alertmanager's command and the directory it must run in. Debian's reads templates below /usr/share: where it is
    unpacked and not installed, a copy in `folder` reads them below its working directory instead."""
    kept = alertmanager()
    if not kept.startswith(str(case.cache_folder())):
        return kept, str(folder)
    copy = Path(folder) / "alertmanager"
    copy.write_bytes(Path(kept).read_bytes().replace(b"/usr/share/prometheus/", b"usr//share/prometheus/"))
    copy.chmod(0o755)
    return str(copy), str(case.cache_folder() / "alertmanager")


def caddy():
    return shutil.which("caddy") or _kept("caddy", "usr", "bin", "caddy")
