"""Reads as much protobuf as the tests of the bench need; shares no code with what it judges."""

import struct


def fields(data):
    """(field, value) pairs of one message: int for varint and fixed64 (as 8 bytes), bytes for the rest."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(data):
            raise ValueError("truncated")
        yield field, value


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


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
