"""A bridge under test: started, asked, stopped and killed as a user's machine would.

Nothing here sleeps for a guess: every wait is for a condition and ends with an error at its deadline.
"""

import http.client
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import exposition

PROGRAM = os.environ.get("CCTM_PROGRAM", "cctm")
READY_S = 20
STOP_S = 5


_claims = []


def free_port():
    """A port that nobody listens on, for what must keep its address over a restart or be told it before it starts.

    It lies below those that the kernel gives to clients and to port 0, or another test would get it before it is
    used; and a name bound for the life of this process keeps other tests' free_port() from it.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(10240, max(low, 20480)), 1000):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0cctm-test-port-{port}")
            with socket.create_server(("127.0.0.1", port)):
                _claims.append(claim)
                return port
        except OSError:
            claim.close()
    raise AssertionError("no free port")


def wait_until(condition, what, deadline_s=20, pause_s=0.02):
    """The first true value of condition(); an error that says what was waited for, at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what() if callable(what) else what}")
        time.sleep(pause_s)  # between two looks, not instead of one


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Bridge:
    """with Bridge() as bridge: …   A state directory of its own unless one is given; kept over restarts."""

    def __init__(self, *options, state=None, zero_hold="0", environment=None, ports=None):
        self._own = None if state else tempfile.mkdtemp(prefix="cctm-test-")
        self.state = Path(state or self._own)
        self.options = ["--zero-hold", zero_hold, *options]
        self.environment = environment
        self.ports = ports or {}  # by door; free ones unless given
        self.process = None
        self.ready = None
        self._errors = tempfile.TemporaryFile()
        self._connection = None

    def command(self):
        doors = ("otlp-http", "otlp-grpc", "exporter", "health", "zpages")
        ports = [word for door in doors for word in (f"--{door}-port", str(self.ports.get(door, 0)))]
        return [PROGRAM, "bridge", "--state", str(self.state), "--bind", "127.0.0.1", *ports, "--json", *self.options]

    # ---- life ----

    def start(self):
        """Returns when the bridge has said that it is ready, or, in `ready` as well, what its error is."""
        assert not self.process
        environment = {**os.environ, **(self.environment or {})}
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, env=environment
        )
        self.ready = json.loads(self._first_line())
        return self

    def _first_line(self):
        descriptor, end, line = self.process.stdout.fileno(), time.monotonic() + READY_S, b""
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            readable, _, _ = select.select([descriptor], [], [], max(left, 0))
            part = os.read(descriptor, 65536) if readable else b""
            if not part:
                self._give_up(f"no ready line (had {line!r})")
            line += part
        return line

    def _give_up(self, why):
        self.process.kill()
        status = self.process.wait()
        self.process = None
        raise AssertionError(f"the bridge did not start: {why}, status {status}: {self.errors()}")

    def errors(self):
        """What it wrote to stderr so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self):
        """SIGTERM; returns (exit status, seconds)."""
        self.disconnect()
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end the bridge within {STOP_S} s: {self.errors()}") from None
        finally:
            self._forget()
        return status, time.monotonic() - began

    def kill(self):
        """Signal 9: nothing is flushed, nothing said."""
        self.disconnect()
        self.process.kill()
        self.process.wait()
        self._forget()

    def _forget(self):
        self.process.stdout.close()
        self.process = None

    def restart(self, how):
        self.kill() if how == "kill" else self.stop()
        return self.start()

    def close(self):
        try:
            if self.process:
                self.kill()
        finally:
            self._errors.close()
            if self._own:
                shutil.rmtree(self._own, ignore_errors=True)

    def __enter__(self):
        try:
            self.start()
            assert "error" not in self.ready, self.ready
            return self
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def resident_bytes(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    # ---- talk ----

    def disconnect(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def post(self, path, headers, body):
        """On one kept-alive connection, as the client does."""
        if not self._connection:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.ready["otlp_http_port"], timeout=20)
        try:
            self._connection.request("POST", path, body=body, headers=headers)
            return Answer(self._connection.getresponse())
        except (http.client.HTTPException, OSError):
            self.disconnect()
            self.assert_lives()
            raise

    def assert_lives(self):
        """A connection that breaks is one thing; a bridge that died is another, and its last words tell why."""
        try:
            status = self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"the bridge ended by itself, status {status}: {self.errors()[-4000:]}")

    def send(self, request, how="recorded"):
        """A recorded request; anything but 200 is an error."""
        headers, body = request.encoded(how)
        answer = self.post(request.url, headers, body)
        assert answer.status == 200, f"{request} ({how}): {answer.status} {answer.body[:300]!r}"
        return answer

    def send_json(self, signal_name, message):
        answer = self.post(f"/v1/{signal_name}", {"content-type": "application/json"}, json.dumps(message).encode())
        assert answer.status == 200, f"{answer.status} {answer.body[:300]!r}"
        return answer

    def get(self, door, path="/", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ready[f"{door}_port"], timeout=20)
        try:
            connection.request("GET", path, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def metrics(self):
        answer = self.get("exporter", "/metrics")
        assert answer.status == 200, f"/metrics: {answer.status}"
        return exposition.parse(answer.body.decode())

    def health(self):
        return self.get("health").json()

    def report(self, *options, since="2000-01-01"):
        return report(self.state, *options, since=since)


def run(*arguments, expected=0, deadline_s=30, environment=None):
    """Runs the program to its end; returns the finished process."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=deadline_s,
        stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, check=False,
    )
    assert expected is None or done.returncode == expected, f"{arguments}: {done.returncode}: {done.stdout}{done.stderr}"
    return done


def report(state, *options, since="2000-01-01"):
    return json.loads(run("report", "--state", state, "--since", since, "--json", *options).stdout)
