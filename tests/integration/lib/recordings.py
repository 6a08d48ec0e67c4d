"""The recorded requests under tests/data/captures: read, varied and added up."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path

from . import otlp

ROOT = Path(__file__).resolve().parents[2] / "data" / "captures"

# What the bridge tells apart and the Collector cannot: processes that share all attributes and the millisecond of their
# start; a resource that says of itself what its points say.
BEYOND_THE_COLLECTOR = ("collide-6", "resattr-5-json")


class Request:
    """One recorded request: where it went, its headers, its body as sent and inflated."""

    def __init__(self, path, headers):
        self.path = path
        self.signal = path.name.split("-", 1)[1].split(".", 1)[0]
        self.encoding = "json" if ".json" in path.name else "pb"
        self.is_grpc = ".grpc." in path.name
        self.sent = path.read_bytes()
        self.body = gzip.decompress(self.sent) if path.suffix == ".gz" else self.sent
        self.url = f"/v1/{self.signal}" if self.is_grpc else headers["url"]
        self.headers = self._headers(headers)

    def _headers(self, recorded):
        """As recorded. What a gRPC call carried goes as protobuf over HTTP: the message is the same."""
        if self.is_grpc:
            return {"content-type": "application/x-protobuf", "user-agent": recorded["user-agent"]}
        # In one folder the bodies were compressed again, so the recorded length can differ by some bytes.
        return {k: v for k, v in recorded.items() if k not in ("url", "content-length", "connection")}

    def encoded(self, how):
        """(headers, body) as recorded, or with the content coding `how`: identity, gzip or deflate."""
        if how == "recorded":
            return self.headers, self.sent
        headers = {k: v for k, v in self.headers.items() if k != "content-encoding"}
        if how == "identity":
            return headers, self.body
        headers["content-encoding"] = how
        return headers, gzip.compress(self.body) if how == "gzip" else zlib.compress(self.body)

    def decoded(self):
        return otlp.decode(self.signal, self.encoding, self.body)

    def __repr__(self):
        return f"{self.path.parent.name}/{self.path.name}"


class Recording:
    """One folder: its requests in order, and what is right about them (truth.json)."""

    def __init__(self, folder):
        self.folder = folder
        self.name = f"{folder.parent.name}/{folder.name}"
        self.truth = json.loads((folder / "truth.json").read_text())
        self.requests = list(self._read())

    def _read(self):
        if not (self.folder / "headers.txt").exists():  # one folder: its headers were not kept
            for path in sorted(self.folder.glob("[0-9]*.json")):
                signal = path.name.split("-", 1)[1].split(".", 1)[0]
                yield Request(path, {"url": f"/v1/{signal}", "content-type": "application/json"})
            return
        for line in (self.folder / "headers.txt").read_text().splitlines():
            name, rest = line.split(" ", 1)
            yield Request(self.folder / name, json.loads(rest[rest.index("{") :]))


def recordings(*names):
    """Every recording, or those named "version/folder" or "folder"."""
    folders = sorted(path.parent for path in ROOT.glob("*/*/truth.json"))
    found = [Recording(f) for f in folders if not names or f.name in names or f"{f.parent.name}/{f.name}" in names]
    assert found, f"no recordings {names} under {ROOT}"
    return found


def _key(metric, attributes):
    """How truth.json names a figure: metric|model|type, as far as the metric has them."""
    short = metric.removeprefix("claude_code.")
    labels = {
        "cost.usage": ("model",),
        "token.usage": ("model", "type"),
        "lines_of_code.count": ("type",),
        "active_time.total": ("type",),
        "code_edit_tool.decision": ("decision",),
    }.get(short, ())
    return "|".join([short, *(str(attributes.get(name, "")) for name in labels)])


def add_up(requests):
    """What a receiver of all these requests must show, by the plain rule, in the simplest code for it:
    a body counts once; a delta adds; a cumulative stream (attributes, start, earliest start of the
    resource) adds its highest value. Returns (totals by figure, events by name)."""
    seen, deltas, highest, events = set(), {}, {}, {}
    for request in requests:
        digest = hashlib.sha256(request.signal.encode() + request.body).digest()
        if digest in seen:
            continue
        seen.add(digest)
        message = request.decoded()
        for record in otlp.logs(message):
            name = otlp.attributes(record["attributes"]).get("event.name", "")
            events[name] = events.get(name, 0) + 1
        _add_sums(message, deltas, highest)
    totals = dict(deltas)
    for (figure, *_), value in highest.items():
        totals[figure] = totals.get(figure, 0) + value
    return totals, events


def _add_sums(message, deltas, highest):
    earliest = {}
    for resource, _, point in otlp.sums(message):
        start = int(point["startTimeUnixNano"])
        earliest[id(resource)] = min(earliest.get(id(resource), start), start)
    for resource, metric, point in otlp.sums(message):
        attributes = otlp.attributes(point["attributes"])
        figure = _key(metric["name"], attributes)
        value = otlp.number_of(point)
        if metric["sum"]["aggregationTemporality"] == 1:
            deltas[figure] = deltas.get(figure, 0) + value
            continue
        stream = (
            figure,
            metric["name"],
            json.dumps(otlp.attributes(resource["resource"]["attributes"]), sort_keys=True),
            json.dumps(attributes, sort_keys=True),
            int(point["startTimeUnixNano"]),
            earliest[id(resource)],
        )
        highest[stream] = max(highest.get(stream, 0), value)
