"""Reads as much of OTLP as the tests of the bench need, with the reader of the integration tests."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from lib import otlp  # noqa: E402


def fields(data):
    """(field, value) pairs of one message: int for varint, bytes for the rest."""
    for field, _, value in otlp.fields(data):
        yield field, value


def attribute(data):
    pair = dict(fields(data))
    value = next(fields(pair[2]), (1, b""))
    return pair[1].decode(), value[1].decode() if value[0] == 1 else bool(value[1])


def point(data):
    out = {"attributes": []}
    for field, value in fields(data):
        if field == 2:
            out["start"] = struct.unpack("<Q", value)[0]
        elif field == 3:
            out["time"] = struct.unpack("<Q", value)[0]
        elif field == 4:
            out["value"] = struct.unpack("<d", value)[0]
        elif field == 7:
            out["attributes"].append(attribute(value))
    return out


def metrics(body):
    """Every metric of an ExportMetricsServiceRequest with its resource, scope and points."""
    for _, resource_metrics in fields(body):
        parts = list(fields(resource_metrics))
        resource = [attribute(v) for f, v in fields(parts[0][1]) if f == 1]
        for field, scope_metrics in parts[1:]:
            if field == 2:
                yield from scope(resource, list(fields(scope_metrics)))


def scope(resource, parts):
    for field, value in parts[1:]:
        if field != 2:
            continue
        metric = dict(fields(value))
        total = list(fields(metric[7]))
        yield {"resource": resource, "scope": [v.decode() for _, v in fields(parts[0][1])],
               "name": metric[1].decode(), "description": metric[2].decode(), "unit": metric[3].decode(),
               "sum": {f: v for f, v in total if f != 1}, "points": [point(v) for f, v in total if f == 1]}
