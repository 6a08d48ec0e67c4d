"""OTLP export requests as Python objects, written apart from the program under test.

Both encodings give the same shape: that of OTLP/JSON, with 64-bit integers as int. Only what the tests
read is decoded: sums, gauges, histograms and log records with their attributes.
"""

import json
import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Malformed(Exception):
    """The bytes are not the message they were taken for."""


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """Yields (number, wire type, value) of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
        elif wire == FIXED64:
            value, at = data[at : at + 8], at + 8
        elif wire == FIXED32:
            value, at = data[at : at + 4], at + 4
        elif wire == BYTES:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise Malformed(f"wire type {wire}")
        if at > len(data):
            raise Malformed("truncated")
        yield number, wire, value


def _signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def _u64(data):
    return struct.unpack("<Q", data)[0]


def _f64(data):
    return struct.unpack("<d", data)[0]


def _any_value(data):
    for number, _, value in fields(data):
        if number == 1:
            return {"stringValue": value.decode()}
        if number == 2:
            return {"boolValue": bool(value)}
        if number == 3:
            return {"intValue": _signed(value)}
        if number == 4:
            return {"doubleValue": _f64(value)}
        if number == 5:
            return {"arrayValue": {"values": [_any_value(v) for n, _, v in fields(value) if n == 1]}}
    return {}


def _key_value(data):
    pair = {"key": "", "value": {}}
    for number, _, value in fields(data):
        if number == 1:
            pair["key"] = value.decode()
        elif number == 2:
            pair["value"] = _any_value(value)
    return pair


def _number_point(data):
    point = {"attributes": []}
    for number, _, value in fields(data):
        if number == 2:
            point["startTimeUnixNano"] = _u64(value)
        elif number == 3:
            point["timeUnixNano"] = _u64(value)
        elif number == 4:
            point["asDouble"] = _f64(value)
        elif number == 6:
            point["asInt"] = _signed(_u64(value))
        elif number == 7:
            point["attributes"].append(_key_value(value))
    return point


def _sum(data):
    out = {"dataPoints": [], "aggregationTemporality": 0, "isMonotonic": False}
    for number, _, value in fields(data):
        if number == 1:
            out["dataPoints"].append(_number_point(value))
        elif number == 2:
            out["aggregationTemporality"] = value
        elif number == 3:
            out["isMonotonic"] = bool(value)
    return out


def _metric(data):
    metric = {"name": "", "unit": ""}
    for number, _, value in fields(data):
        if number == 1:
            metric["name"] = value.decode()
        elif number == 3:
            metric["unit"] = value.decode()
        elif number == 5:
            metric["gauge"] = _sum(value)
        elif number == 7:
            metric["sum"] = _sum(value)
    return metric


def _log(data):
    record = {"attributes": []}
    for number, _, value in fields(data):
        if number == 1:
            record["timeUnixNano"] = _u64(value)
        elif number == 11:
            record["observedTimeUnixNano"] = _u64(value)
        elif number == 5:
            record["body"] = _any_value(value)
        elif number == 6:
            record["attributes"].append(_key_value(value))
    return record


def _scope(data, name, item):
    out = {"scope": {}, name: []}
    for number, _, value in fields(data):
        if number == 1:
            out["scope"] = {"name": text.decode() for n, _, text in fields(value) if n == 1}
        elif number == 2:
            out[name].append(item(value))
    return out


def _request(data, resources, scopes, name, item):
    out = []
    for number, _, value in fields(data):
        if number != 1:
            continue
        entry = {"resource": {"attributes": []}, scopes: []}
        for inner, _, part in fields(value):
            if inner == 1:
                entry["resource"]["attributes"] = [_key_value(v) for n, _, v in fields(part) if n == 1]
            elif inner == 2:
                entry[scopes].append(_scope(part, name, item))
        out.append(entry)
    return {resources: out}


def decode(signal, encoding, body):
    """signal: metrics or logs; encoding: json or pb; body: inflated bytes."""
    if encoding == "json":
        return json.loads(body)
    if signal == "metrics":
        return _request(body, "resourceMetrics", "scopeMetrics", "metrics", _metric)
    return _request(body, "resourceLogs", "scopeLogs", "logRecords", _log)


def value_of(any_value):
    """The Python value of an AnyValue; JSON writes 64-bit integers as text or as a number."""
    if "intValue" in any_value:
        return int(any_value["intValue"])
    for value in any_value.values():
        return value
    return None


def attributes(pairs):
    return {pair["key"]: value_of(pair["value"]) for pair in pairs or []}


def number_of(point):
    return point["asDouble"] if "asDouble" in point else int(point.get("asInt", 0))


def sums(request):
    """Yields (resource entry, metric, point) of every sum in a decoded metrics request."""
    for resource in request.get("resourceMetrics", []):
        for scope in resource.get("scopeMetrics", []):
            for metric in scope.get("metrics", []):
                for point in metric.get("sum", {}).get("dataPoints", []):
                    yield resource, metric, point


def logs(request):
    for resource in request.get("resourceLogs", []):
        for scope in resource.get("scopeLogs", []):
            yield from scope.get("logRecords", [])


SHIFTED = ("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")


def times(node):
    """Every timestamp in a decoded request, in ns; 0 is "not sent"."""
    if isinstance(node, list):
        for item in node:
            yield from times(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in SHIFTED and int(value):
                yield int(value)
            else:
                yield from times(value)


def shift(node, by_ns):
    """Moves every timestamp of a decoded request by by_ns, in place."""
    if isinstance(node, list):
        for item in node:
            shift(item, by_ns)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in SHIFTED and int(value):
                node[key] = str(int(value) + by_ns)
            else:
                shift(value, by_ns)
    return node
