"""The figures of truth.json, read off /metrics and off `cctm report --json`."""

FAMILIES = {
    "cost.usage": ("claude_code_cost_usage_USD_total", ("model",)),
    "token.usage": ("claude_code_token_usage_tokens_total", ("model", "type")),
    "lines_of_code.count": ("claude_code_lines_of_code_count_total", ("type",)),
    "active_time.total": ("claude_code_active_time_seconds_total", ("type",)),
    "code_edit_tool.decision": ("claude_code_code_edit_tool_decision_total", ("decision",)),
    "session.count": ("claude_code_session_count_total", ()),
    "commit.count": ("claude_code_commit_count_total", ()),
    "pull_request.count": ("claude_code_pull_request_count_total", ()),
}


def of_metrics(exposition):
    """Totals in truth.json's keys, summed over all series."""
    out = {}
    for short, (family, labels) in FAMILIES.items():
        for sample in exposition.named(family):
            figure = "|".join([short, *(sample.labels.get(name, "") for name in labels)])
            out[figure] = out.get(figure, 0) + sample.value
    return out


def events_of_metrics(exposition):
    out = {}
    for sample in exposition.named("cctm_events_total"):
        out[sample.labels["event"]] = out.get(sample.labels["event"], 0) + sample.value
    return out


def of_report_totals(totals):
    """What `totals` (or one group) of a report says, in the same keys; models are not told apart there."""
    out = {"cost.usage": totals["cost_usd"]}
    out.update({f"token.usage|{kind}": n for kind, n in totals["tokens"].items()})
    out.update({f"lines_of_code.count|{kind}": n for kind, n in totals["lines"].items()})
    out.update({f"active_time.total|{kind}": n for kind, n in totals["active_seconds"].items()})
    out.update({f"code_edit_tool.decision|{kind}": n for kind, n in totals["edit_decisions"].items()})
    out["commit.count"] = totals["commits"]
    out["pull_request.count"] = totals["pull_requests"]
    return out


def without_model(figures):
    """Adds up over models, as the report's totals do."""
    out = {}
    for figure, value in figures.items():
        parts = figure.split("|")
        if parts[0] in ("cost.usage", "token.usage"):
            del parts[1]
        key = "|".join(parts)
        out[key] = out.get(key, 0) + value
    return out


def differences(expected, shown, within=1e-9):
    """Lines that say what differs; a figure that is absent is 0."""
    out = []
    for figure in sorted(set(expected) | set(shown)):
        wanted, got = expected.get(figure, 0), shown.get(figure, 0) or 0
        if abs(wanted - got) > within * max(1, abs(wanted)):
            out.append(f"{figure}: {got} instead of {wanted}")
    return out
