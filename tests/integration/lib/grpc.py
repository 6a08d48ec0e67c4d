"""gRPC to a bridge, by the hand-made HTTP/2 of tests/wire: no client library retries or waits behind a test's back."""

import importlib.util
import sys
from pathlib import Path

WIRE = Path(__file__).resolve().parents[2] / "wire"


def _load(name):
    """By its file: that folder has names of the standard library's."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, WIRE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_load("wire")
h2 = _load("h2")
PATHS = {"metrics": h2.METRICS, "logs": h2.LOGS, "traces": h2.TRACES}
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
GONE = (EOFError, OSError)


def connect(bridge, door="otlp_grpc"):
    return h2.H2(bridge.ready[f"{door}_port"])


def export(client, signal, body, *fields, flag=0):
    """Sends one call; the number of its stream."""
    return client.call(body, PATHS[signal], *fields, flag=flag)


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3 | 1) + content.to_bytes(8, "little")
    return varint(number << 3 | 2) + varint(len(content)) + content


def counter(name, value, time_ns, kind="x"):
    """An ExportMetricsServiceRequest of one delta point of a counter."""
    attribute = field(7, field(1, b"kind") + field(2, field(1, kind.encode())))
    point = field(2, time_ns - 1) + field(3, time_ns) + field(6, value) + attribute
    sums = field(1, point) + b"\x10\x01\x18\x01"  # delta, monotonic
    metric = field(1, name.encode()) + field(7, sums)
    resource = field(1, field(1, b"service.name") + field(2, field(1, b"grpc-test")))
    return field(1, field(1, resource) + field(2, field(2, metric)))
