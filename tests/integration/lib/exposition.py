"""Prometheus text format 0.0.4, read strictly: a line that does not belong there is an error."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
COUNTER_SUFFIXES = ("_bucket", "_sum", "_count")


class Sample:
    def __init__(self, name, labels, value):
        self.name, self.labels, self.value = name, labels, value

    def key(self):
        return (self.name, *sorted(self.labels.items()))

    def __repr__(self):
        return f"{self.name}{self.labels} {self.value}"


class Exposition:
    def __init__(self, text):
        self.text = text
        self.types, self.helps, self.samples = {}, {}, []

    def named(self, name, **labels):
        return [s for s in self.samples if s.name == name and all(s.labels.get(k) == v for k, v in labels.items())]

    def total(self, name, **labels):
        return sum(s.value for s in self.named(name, **labels))

    def value(self, name, **labels):
        found = self.named(name, **labels)
        assert len(found) == 1, f"{name}{labels}: {found}"
        return found[0].value

    def counters(self):
        """Everything that may only rise, by its identity."""
        out = {}
        for sample in self.samples:
            kind = self.types.get(self.family_of(sample.name))
            if kind == "counter" or (kind in ("histogram", "summary") and sample.name.endswith(("_bucket", "_count"))):
                out[sample.key()] = sample.value
        return out

    def family_of(self, name):
        if name in self.types:
            return name
        for suffix in COUNTER_SUFFIXES:
            if name.endswith(suffix) and name.removesuffix(suffix) in self.types:
                return name.removesuffix(suffix)
        return name


def _unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m.group(1), m.group(1)), text)


def _labels(text, line):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"label in {line!r}"
        assert match.group(1) not in labels, f"label twice in {line!r}"
        labels[match.group(1)] = _unescape(match.group(2))
        at = match.end()
        if at < len(text):
            assert text[at] == ",", f"between labels in {line!r}"
            at += 1
    return labels


def _sample(line):
    name = NAME.match(line)
    assert name, f"not a sample: {line!r}"
    rest, labels = line[name.end() :], {}
    if rest.startswith("{"):
        end = rest.rindex("}")
        labels, rest = _labels(rest[1:end], line), rest[end + 1 :]
    words = rest.split()
    assert len(words) in (1, 2), f"value of {line!r}"
    return Sample(name.group(), labels, float(words[0].replace("Inf", "inf")))


def parse(text):
    out = Exposition(text)
    assert not text or text.endswith("\n"), "the last line has no end"
    seen = set()
    for line in text.split("\n"):  # not splitlines: label values may hold other ends of line
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in out.types, f"TYPE twice: {name}"
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
            out.types[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in out.helps, f"HELP twice: {name}"
            out.helps[name] = line.split(" ", 3)[3] if line.count(" ") > 2 else ""
        elif line and not line.startswith("#"):
            sample = _sample(line)
            assert sample.key() not in seen, f"sample twice: {line!r}"
            seen.add(sample.key())
            out.samples.append(sample)
    return out
