#!/usr/bin/env python3
"""Sends recorded sessions to a bridge as if they had taken place in the last days: sample.py PORT

The ledger keeps each point's own time, so the recordings' times are moved: the last one of each session
ends now, or so many days ago.
"""

import http.client
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "integration"))
from lib import otlp, recordings  # noqa: E402

DAY_NS = 86400 * 10**9
# Days ago and recording; JSON only, because times are moved in decoded bodies.
SESSIONS = (
    (5.2, "resume-json-delta"),
    (3.9, "parallel-json-cumulative"),
    (2.1, "tui-json-delta-ctrld"),
    (1.0, "agents-json-delta"),
    (0.2, "stream-json-delta"),
    (0.0, "multi-export-json"),
)


def moved(recording, now_ns, days):
    """The recording's requests, decoded, with every time moved."""
    messages = [(request, request.decoded()) for request in recording.requests]
    last = max(at for _, message in messages for at in otlp.times(message))
    by_ns = now_ns - int(days * DAY_NS) - last
    return [(request, otlp.shift(message, by_ns)) for request, message in messages]


def main():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    now_ns, sent, cost = time.time_ns(), 0, 0.0
    for days, name in SESSIONS:
        (recording,) = recordings.recordings(name)
        for request, message in moved(recording, now_ns, days):
            connection.request("POST", request.url, json.dumps(message), {"content-type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                sys.exit(f"sample.py: {request}: the bridge answered {answer.status}: {body[:300]!r}")
            sent += 1
        cost += sum(v for figure, v in recording.truth["totals"].items() if figure.startswith("cost.usage"))
    print(f"{sent} requests of {len(SESSIONS)} recordings; by the client's own account they cost ${cost:.6f}")


if __name__ == "__main__":
    main()
