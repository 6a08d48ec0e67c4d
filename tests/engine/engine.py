"""A Docker Engine of the tests' own, and images made FROM scratch of the real programs: nothing is pulled."""

import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lib import case, programs
from lib.bridge import wait_until

STAND_IN = os.environ.get("CCTM_STAND_IN", "")
BUSYBOX = shutil.which("busybox")
WHY_NOT = next((why for why, is_so in [
    ("not root", os.geteuid() != 0),
    ("there is no dockerd", not shutil.which("dockerd") or not shutil.which("docker")),
    ("there is no Compose", not (case.cache_folder() / "docker-compose").exists()),
    ("there is no Collector", not programs.collector()),
    ("there is no newer Prometheus", not (case.cache_folder() / "prometheus-newest").exists()),
    ("there is no static busybox", not BUSYBOX or b"statically linked" not in subprocess.run(
        ["file", "-L", BUSYBOX or "/"], capture_output=True).stdout),
] if is_so), None)


class Image:
    """A tar in memory that `docker import` takes."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w")

    def folder(self, path, mode=0o755, uid=0, gid=0):
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, uid, gid
        self.tar.addfile(entry)

    def file(self, source, path):
        entry = self.tar.gettarinfo(os.path.realpath(source), path)
        entry.mode, entry.uid, entry.gid = 0o755, 0, 0
        with open(source, "rb") as content:
            self.tar.addfile(entry, content)

    def program(self, source):
        """With the libraries that it is linked with, at their own places."""
        self.file(source, f"bin/{Path(source).name}")
        said = subprocess.run(["ldd", source], capture_output=True, text=True).stdout
        for library in re.findall(r"/\S+", said):
            self.file(library, library.lstrip("/"))

    def link(self, path, target):
        entry = tarfile.TarInfo(path)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(entry)

    def take(self):
        self.tar.close()
        return self.bytes.getvalue()


class Engine:
    def __init__(self, data_size=None):
        """With `data_size` ("200m") its data lie on a disk of their own, as large as that."""
        self.folder = Path(tempfile.mkdtemp(prefix="cctm-engine-"))
        self.has_disk = data_size is not None
        if self.has_disk:
            (self.folder / "data").mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={data_size}", "cctm-test", self.folder / "data"],
                           check=True)
        plugins = self.folder / "config" / "cli-plugins"
        plugins.mkdir(parents=True)
        shutil.copy(case.cache_folder() / "docker-compose/usr/libexec/docker/cli-plugins/docker-compose", plugins)
        self.environment = {"DOCKER_HOST": f"unix://{self.folder}/sock", "DOCKER_CONFIG": str(self.folder / "config")}
        self.log = open(self.folder / "log", "w")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile",
             self.folder / "pid", "--host", self.environment["DOCKER_HOST"]], stdout=self.log, stderr=subprocess.STDOUT)
        wait_until(self.is_up, lambda: (self.folder / "log").read_text()[-1500:], deadline_s=60, pause_s=0.2)

    def is_up(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-1500:]
        return self.docker("version", check=False).returncode == 0

    def docker(self, *words, check=True, **more):
        return subprocess.run(["docker", *words], env={**os.environ, **self.environment}, capture_output=True,
                              check=check, **more)

    def add_image(self, name, image, *changes):
        words = [word for change in changes for word in ("--change", change)]
        self.docker("import", *words, "-", name, input=image.take())

    def add_images(self):
        newest = case.cache_folder() / "prometheus-newest" / "usr" / "bin"
        prometheus = Image()
        prometheus.program(str(newest / "prometheus"))
        prometheus.file(newest / "promtool", "bin/promtool")
        prometheus.folder("prometheus", uid=65534, gid=65534)
        self.add_image("test/prometheus:1", prometheus, "USER 65534:65534", 'ENTRYPOINT ["/bin/prometheus"]',
                       "ENV PATH=/bin")
        collector = Image()
        collector.program(programs.collector())
        self.add_image("test/collector:1", collector, "USER 10001:10001", 'ENTRYPOINT ["/bin/otelcol"]')
        # A container's first process has no default for SIGTERM: without the trap each end would be waited for.
        asleep = '"/bin/busybox", "sh", "-c", "trap \'exit 0\' TERM; while :; do /bin/busybox sleep 1; done"'
        for name, entry in [("test/grafana:1", '"/bin/grafana_stand_in"'), ("test/broken:1", '"/bin/false"'),
                            ("test/asleep:1", asleep)]:
            grafana = Image()
            grafana.file(STAND_IN, "bin/grafana_stand_in")
            grafana.file(BUSYBOX, "bin/busybox")
            grafana.link("bin/wget", "busybox")
            grafana.link("bin/false", "busybox")
            grafana.folder("tmp", mode=0o1777)
            grafana.folder("var/lib/grafana", uid=472)
            self.add_image(name, grafana, "USER 472:0", f"ENTRYPOINT [{entry}]", "ENV PATH=/bin")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def close(self):
        self.stop()
        self.log.close()
        if self.has_disk:
            subprocess.run(["umount", "-l", self.folder / "data"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
