#!/usr/bin/env python3
"""The driver's bodies have the shape of the recorded client's, and no two of them are equal.

usage: shape_test.py LOAD CAPTURE
"""

import pathlib
import subprocess
import sys

import otlp_lite


def body(load, kind):
    return subprocess.run([load, "--dump", "--kind", kind], stdout=subprocess.PIPE, check=True).stdout


def shape(metric):
    """Everything but ids, times, values, and how many points there are."""
    changing = ("user.id", "session.id", "model", "query_source")
    points = {tuple((k, len(v) if k.endswith(".id") else None if k in changing else v) for k, v in p["attributes"])
              for p in metric["points"]}
    return {**{k: metric[k] for k in ("resource", "scope", "name", "description", "unit", "sum")}, "points": points}


def check_shape(sent, recorded):
    assert [m["name"] for m in sent] == [m["name"] for m in recorded], [m["name"] for m in sent]
    for ours, theirs in zip(sent, recorded):
        assert shape(ours) == shape(theirs), f"{shape(ours)}\n  is not\n{shape(theirs)}"


def check_times(sent):
    for metric in sent:
        for point in metric["points"]:
            assert 0 < point["start"] < point["time"], point


def sessions_of(sent):
    return {dict(p["attributes"])["session.id"] for m in sent for p in m["points"]}


def main():
    load, capture = sys.argv[1], pathlib.Path(sys.argv[2])
    if not capture.exists():
        print(f"{capture} is not there")
        return 77
    small = body(load, "small")
    one = list(otlp_lite.metrics(small))
    check_shape(one, list(otlp_lite.metrics(capture.read_bytes())))
    check_times(one)
    assert sum(len(m["points"]) for m in one) == 17
    assert len(sessions_of(one)) == 1
    assert small != body(load, "small"), "two requests of two runs are equal"

    many = list(otlp_lite.metrics(body(load, "batch")))
    check_times(many)
    assert sum(len(m["points"]) for m in many) == 17000
    assert len(sessions_of(many)) == 1000
    times = {p["time"] for m in many for p in m["points"]}
    assert len(times) == 1000, "each session of a batch has a time of its own"
    return 0


if __name__ == "__main__":
    sys.exit(main())
