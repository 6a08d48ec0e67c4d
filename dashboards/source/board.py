"""A dashboard around its panels: places, variables, links between the dashboards, and what is marked in graphs."""

import zlib

from panel import SOURCE
from query import COST, LABELS

STACK_SOURCE = "prometheus_claude_metrics"
LOKI_SOURCE = "loki_claude_events"
TAGS = ["claude", "productivity", "ai", "development"]
WIDTH = 24


# ---- places ----


class Flow:
    """From left to right, a new line where a panel does not fit."""

    def __init__(self, y):
        self.x, self.y, self.height = 0, y, 0

    def put(self, width, height):
        if self.x + width > WIDTH:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        at = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x, self.height = self.x + width, max(self.height, height)
        return at

    def end(self):
        return self.y + self.height


def number(row, title):
    """A panel's number is made of its names: it stays when others come or go, and what people changed in it is found again."""
    return 1 + zlib.crc32(f"{row}/{title}".encode()) % 99_999


def place(panels):
    """Numbers and places. A collapsed row holds what follows it, and takes one line itself."""
    flow, inner, holder, placed, row = Flow(0), None, None, [], ""
    for item in panels:
        width, height = item.pop("size")
        row = item["title"] if item["type"] == "row" else row
        item["id"] = number(row, "" if item["type"] == "row" else item["title"])
        if item["type"] == "row":
            flow = Flow(flow.end())
            item["gridPos"] = flow.put(width, height)
            holder, inner = (item, Flow(flow.end())) if item["collapsed"] else (None, None)
            placed.append(item)
        else:
            item["gridPos"] = (inner or flow).put(width, height)
            (holder["panels"] if holder else placed).append(item)
    return placed


# ---- variables ----


def datasource(name="datasource", label="Datasource", kind="prometheus", uid=STACK_SOURCE, text="Prometheus"):
    return {"name": name, "label": label, "type": "datasource", "query": kind, "hide": 0,
            "current": {"text": text, "value": uid}, "refresh": 1, "regex": "", "multi": False, "includeAll": False,
            "options": []}


def loki():
    return datasource("loki", "Events", "loki", LOKI_SOURCE, "Loki")


def choice(name, title):
    query = f"label_values({COST}:counted, {LABELS[name]})"
    return {"name": name, "label": title, "type": "query", "datasource": SOURCE, "definition": query,
            "query": {"qryType": 1, "query": query, "refId": "variable"}, "refresh": 2, "regex": "", "sort": 1, "hide": 0,
            "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]},
            "options": []}


def who():
    """Which label tells people apart: their names, or their installations, which say nothing of who they are."""
    options = [("names", "user"), ("pseudonyms", "installation")]
    return {"name": "who", "label": "Show", "type": "custom", "hide": 0, "multi": False, "includeAll": False,
            "query": ", ".join(f"{text} : {value}" for text, value in options),
            "current": {"text": options[0][0], "value": options[0][1]},
            "options": [{"text": text, "value": value, "selected": value == "user"} for text, value in options]}


TITLES = {"model": "Model", "team": "Team", "department": "Department", "cost_center": "Cost centre", "user": "Person"}


def choices(*names):
    """Switch first: what people are called decides what the last one offers."""
    return [*(who() for name in names if name == "user"), *(choice(name, TITLES[name]) for name in names)]


# ---- links ----


def ranges(uid):
    """Links to the same dashboard over longer spans; variables stay."""
    return [{"title": title, "type": "link", "url": f"/d/{uid}?from=now-{span}&to=now", "includeVars": True,
             "keepTime": False, "targetBlank": False, "asDropdown": False, "icon": "clock", "tags": [], "tooltip": ""}
            for title, span in (("24 hours", "24h"), ("7 days", "7d"), ("30 days", "30d"))]


def others():
    """The other dashboards of this stack, over the same range and with the same choices."""
    return [{"title": "Claude Code", "type": "dashboards", "tags": ["claude"], "asDropdown": True, "includeVars": True,
             "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": ""}]


def drill(uid, **variables):
    """Where a click on a bar leads: another dashboard over the same range, narrowed to what was clicked at. A variable
    without a label is handed on as it is.
    """
    given = "".join(f"&var-{name}=${{__field.labels.{label}:percentencode}}" if label else f"&${{{name}:queryparam}}"
                    for name, label in variables.items())
    return f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}{given}"


# ---- marks ----


def mark(name, color, expression, title, text=""):
    return {"name": name, "datasource": SOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expression,
            "step": "60s", "titleFormat": title, "textFormat": text, "tagKeys": "", "useValueForTime": False}


def marks():
    return [{"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
             "iconColor": "blue", "name": "Annotations & Alerts", "type": "dashboard"},
            mark("cctm up", "green", "max(changes(stack_verified_timestamp_seconds[2m])) > 0", "cctm up",
                 "the stack was brought up and verified"),
            mark("Restarts", "orange", 'max by (job) (changes({__name__=~"process_start_time_seconds|'
                 'cctm_start_timestamp_seconds"}[2m]) or resets(otelcol_process_uptime[2m])) > 0', "{{job}} was started"),
            mark("Alerts", "red", 'max by (alertname, severity) (ALERTS{alertstate="firing"})', "{{alertname}}",
                 "{{severity}}")]


def dashboard(uid, title, description, panels, variables, begin="now-1h"):
    return {"uid": uid, "title": title, "description": description, "tags": TAGS, "timezone": "browser", "editable": True,
            "graphTooltip": 1, "schemaVersion": 41, "refresh": "30s", "time": {"from": begin, "to": "now"},
            "timepicker": {}, "fiscalYearStartMonth": 0, "liveNow": False, "links": [*ranges(uid), *others()],
            "preload": False, "annotations": {"list": marks()}, "templating": {"list": variables}, "panels": place(panels)}
