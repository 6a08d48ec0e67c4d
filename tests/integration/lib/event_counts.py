"""What of Claude Code's events is counted: reckoned from recorded requests, apart from the programs under test, and read
off /metrics of either of them.

A figure is (name of the series, its labels as sorted pairs); a histogram has one for each bucket, its sum and its count.
"""

import hashlib
import math
import re

from . import otlp

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, math.inf)
OWNER = ("user.id", "user.email", "user.account_uuid", "user.account_id", "organization.id", "terminal.type", "app.version",
         "enduser.id")
TEXTS = ("model", "query_source", "tool_name", "mcp_server.name", "mcp_server_name", "skill.name", "agent.name")
WORDS = ("success", "decision", "decision_source", "status_code", "error_type", "permission_mode", "trigger", "hook_event",
         "status")
OWN_WORDS = {
    "tool_decision": ("source", "decision_source"),
    "permission_mode_changed": ("to_mode", "permission_mode"),
    "auth": ("error_category", "error_type"),
    "internal_error": ("error_name", "error_type"),
    "mcp_server_connection": ("error_code", "error_type"),
    "subagent_completed": ("agent_type", "agent.name"),
}
HISTOGRAMS = (
    ("claude_code_api_request_duration_seconds", "api_request", "duration_ms", ("model", "query_source")),
    ("claude_code_api_request_ttft_seconds", "api_request", "ttft_ms", ("model", "query_source")),
    ("claude_code_tool_duration_seconds", "tool_result", "duration_ms", ("tool_name",)),
)
# What a client's library says of itself and its machine, which is nobody's label.
OF_THE_SDK = re.compile(r"(service|host|os|process|telemetry|wsl|container|k8s|cloud|faas|device)\.|session\.id$")


def _text(value):
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _cut(text, size=256):
    return text.encode()[:size].decode(errors="ignore")


def _word(text):
    return text if re.fullmatch(r"[A-Za-z0-9_.:-]{0,64}", text) else "other"


def _name(record, attributes):
    name = attributes.get("event.name") or record.get("eventName") or otlp.value_of(record.get("body", {}))
    name = str(name).removeprefix("claude_code.")
    return name if re.fullmatch(r"[a-z_.]{1,64}", name) else "other"


def _said(name, attributes):
    """The labels that an event's own attributes give, by key."""
    out = {key: _text(attributes[key]) for key in OWNER if key in attributes}
    if name == "other":
        return out
    given, label = OWN_WORDS.get(name, (None, None))
    if given in attributes:
        attributes = {**attributes, label: attributes[given]}
    out.update({key: _cut(_text(attributes[key])) for key in TEXTS if key in attributes})
    out.update({key: _word(_text(attributes[key])) for key in WORDS if key in attributes})
    return out


def _labels(resource, said, keys=None, **more):
    """As a series has them: what the user set on the resource where the event does not say it, and what has a value."""
    out = {key: value for key, value in said.items() if keys is None or key in keys or key in OWNER}
    for key, value in resource.items():
        if not OF_THE_SDK.match(key):
            out.setdefault(key, _text(value))
    out.update({"job": resource.get("service.name"), "instance": resource.get("service.instance.id"), **more})
    return tuple(sorted((re.sub(r"\W", "_", key), value) for key, value in out.items() if value))


def _milliseconds(value):
    """Digits or a number; None: it is neither."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e12 else None


def _add(figures, name, labels, amount):
    figures[name, labels] = figures.get((name, labels), 0) + amount


def _observe(figures, name, labels, seconds):
    for bound in BOUNDS:
        _add(figures, f"{name}_bucket", tuple(sorted([*labels, ("le", bound)])), seconds <= bound)
    _add(figures, f"{name}_count", labels, 1)
    _add(figures, f"{name}_sum", labels, seconds)


def _count(figures, resource, record):
    attributes = otlp.attributes(record["attributes"])
    name = _name(record, attributes)
    said = _said(name, attributes)
    _add(figures, "claude_code_events_total", _labels(resource, said, event_name=name), 1)
    for family, event, value, keys in HISTOGRAMS:
        milliseconds = _milliseconds(attributes.get(value)) if name == event else None
        if milliseconds is not None:
            _observe(figures, family, _labels(resource, said, keys), milliseconds / 1000)


def distinct(requests):
    """The requests with events, a repeated body once."""
    seen = set()
    for request in requests:
        digest = hashlib.sha256(request.body).digest()
        if request.signal == "logs" and digest not in seen:
            seen.add(digest)
            yield request


def of_messages(messages):
    """{figure: value} of decoded log requests."""
    figures = {}
    for message in messages:
        for entry in message.get("resourceLogs", []):
            resource = otlp.attributes(entry["resource"]["attributes"])
            for scope in entry["scopeLogs"]:
                if scope.get("scope", {}).get("name", "").startswith("com.anthropic.claude_code"):
                    for record in scope["logRecords"]:
                        _count(figures, resource, record)
    return figures


# What a receiver adds to every series, each in its way.
OF_THE_RECEIVER = ("start", "source", "service_name", "service_instance_id", "otel_scope_name")


def of_metrics(exposition):
    """{figure: value} as either program shows them, over all starts."""
    figures = {}
    families = ("claude_code_events_total", *(f"{family}_{part}" for family, *_ in HISTOGRAMS
                                              for part in ("bucket", "count", "sum")))
    for sample in exposition.samples:
        if sample.name not in families:
            continue
        labels = {k: v for k, v in sample.labels.items() if v and k not in OF_THE_RECEIVER}
        if "le" in labels:
            labels["le"] = float(labels["le"].replace("Inf", "inf"))
        _add(figures, sample.name, tuple(sorted(labels.items())), sample.value)
    return figures


def differences(expected, shown):
    """Lines that say what differs, sums to nine digits."""
    out = []
    for figure in sorted(set(expected) | set(shown), key=str):
        wanted, got = expected.get(figure), shown.get(figure)
        if wanted is None or got is None or abs(wanted - got) > 1e-9 * max(1, abs(wanted)):
            out.append(f"{figure}: {got} instead of {wanted}")
    return out
