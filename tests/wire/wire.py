"""A wire_server to talk to, and sockets to talk with; Python's standard library only."""
import json
import os
import socket
import subprocess
import sys
import time
import unittest

DEADLINE_S = 20
PROGRAM = None


def fnv1a(data):
    h = 14695981039346656037
    for byte in data:
        h = ((h ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return "%016x" % h


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection; reads answers one by one and keeps what comes behind them."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def more(self):
        try:
            piece = self.socket.recv(1 << 20)
        except ConnectionResetError:
            piece = b""
        self.rest += piece
        return bool(piece)

    def answer(self, is_head=False):
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                raise EOFError("no answer, only %r" % self.rest)
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            fields[name.lower()] = value
        length = 0 if is_head or status == 100 else int(fields.get("content-length", 0))
        while len(self.rest) < length:
            if not self.more():
                raise EOFError("the body of the answer ends early")
        body, self.rest = self.rest[:length], self.rest[length:]
        return Answer(status, fields, body)

    def is_closed(self):
        """Waits for the end; bytes that still come are kept in rest."""
        while self.more():
            pass
        return True

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a RST."""
        linger = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.PIPE)
        self.ports = json.loads(self.process.stdout.readline())
        self.clients = []
        self.is_asked_to_stop = False

    def connect(self, door="otlp"):
        self.clients.append(Client(self.ports[door]))
        return self.clients[-1]

    def seen(self):
        client = Client(self.ports["zpages"])
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = client.answer()
        client.close()
        return answer.json()

    def wait_until(self, condition):
        """Polls what the server has seen until condition(seen)."""
        until = time.monotonic() + DEADLINE_S
        while True:
            seen = self.seen()
            if condition(seen):
                return seen
            if time.monotonic() > until:
                raise AssertionError("never happened; last seen: %r" % seen)
            time.sleep(0.01)

    def rss_kib(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_instrumented(self):
        with open("/proc/%d/maps" % self.process.pid) as maps:
            return "libasan" in maps.read()

    def ask_to_stop(self):
        if not self.is_asked_to_stop:
            self.process.terminate()
        self.is_asked_to_stop = True

    def stop(self):
        """The sanitizers speak through the exit status."""
        for client in self.clients:
            client.close()
        self.ask_to_stop()
        status = self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
        return status


class Case(unittest.TestCase):
    options = ()

    def setUp(self):
        self.server = Server(*self.options)

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)


def post(body, path="/v1/metrics", kind="application/x-protobuf", *fields):
    lines = ["POST %s HTTP/1.1" % path, "Host: x"]
    if kind:
        lines.append("Content-Type: " + kind)
    lines.append("Content-Length: %d" % len(body))
    lines.extend(fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(pieces, path="/v1/metrics", kind="application/x-protobuf", *fields):
    lines = ["POST %s HTTP/1.1" % path, "Host: x", "Content-Type: " + kind]
    lines.append("Transfer-Encoding: chunked")
    lines.extend(fields)
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body + b"0\r\n\r\n"


def main():
    global PROGRAM
    import wire  # the module the cases use, not this run's __main__

    wire.PROGRAM = PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
