"""The kinds of panels. Each returns Grafana's JSON with a size instead of a place; board.place() gives it one."""

from query import ratio, sorted_down

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
LOKI = {"type": "loki", "uid": "${loki}"}
NOTHING = "nothing counted in this range"

# The same thing has the same colour wherever it is shown; models and people get theirs by name.
COLORS = {"type": {"input": "blue", "output": "green", "cacheRead": "purple", "cacheCreation": "orange", "added": "green",
                   "removed": "red", "user": "blue", "cli": "purple"},
          "query_source": {"main": "blue", "subagent": "purple", "auxiliary": "orange"}}
OF_BUDGET = [("green", None), ("yellow", 50), ("orange", 80), ("red", 100)]


def target(expression, legend, ref="A", instant=True, **more):
    return {"datasource": SOURCE, "refId": ref, "expr": expression, "legendFormat": legend, "editorMode": "code",
            "range": not instant, "instant": instant, **more}


def targets_of(expressions, instant):
    """One query, or pairs of query and legend."""
    return [target(expression, legend, chr(ord("A") + i), instant) for i, (expression, legend) in enumerate(expressions)]


def colored(legend):
    """The colours of what the legend shows, where they are given."""
    return [of_name(name, {"id": "color", "value": {"mode": "fixed", "fixedColor": color}})
            for name, color in sorted(COLORS.get(legend.strip("{}"), {}).items())]


def of_name(name, *properties):
    return {"matcher": {"id": "byName", "options": name}, "properties": [*properties]}


def panel(kind, title, description, targets, size, unit="short", decimals=None, options=None, custom=None, overrides=(),
          no_value=NOTHING, thresholds=None, limits=None, source=SOURCE, **more):
    steps = [{"color": color, "value": value} for color, value in thresholds or [("text", None)]]
    defaults = {"unit": unit, "color": {"mode": "thresholds" if thresholds else "palette-classic-by-name"},
                "custom": custom or {}, "mappings": [], "thresholds": {"mode": "absolute", "steps": steps},
                "noValue": no_value}
    if decimals is not None:
        defaults["decimals"] = decimals
    if limits:
        defaults["min"], defaults["max"] = limits
    return {"type": kind, "title": title, "description": description, "datasource": source, "targets": targets,
            "fieldConfig": {"defaults": defaults, "overrides": [*overrides]}, "options": options or {}, "size": size, **more}


def last(calc="lastNotNull"):
    return {"calcs": [calc], "fields": "", "values": False}


# ---- numbers ----


def stat(title, description, now, unit="short", decimals=None, size=(4, 4), no_value=NOTHING, before=None, calc="lastNotNull",
         **more):
    """A number, and its change against the span before where there is one to compare with."""
    instant = calc == "lastNotNull"
    targets, overrides = [target(now, "now", "A", instant)], []
    if before:
        targets.append(target(f"100 * (({now}) / (({before}) > 0) - 1)", "against before", "B"))
        overrides.append(of_name("against before", {"id": "unit", "value": "percent"}, {"id": "decimals", "value": 0},
                                 {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}}))
    options = {"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "horizontal",
               "reduceOptions": last(calc), "textMode": "value_and_name" if before else "value", "wideLayout": True}
    return panel("stat", title, description, targets, size, unit, decimals, options, overrides=overrides, no_value=no_value,
                 **more)


def counted(chosen, title, description, series, unit="short", decimals=None, size=(4, 4), **labels):
    return stat(title, description, chosen.total(series, **labels), unit, decimals, size,
                before=chosen.before(series, **labels))


def peak(title, description, expression, unit="short", decimals=None, size=(4, 4), no_value=NOTHING, step="1m"):
    """The highest of a graph's steps."""
    return stat(title, description, expression, unit, decimals, size, no_value, calc="max", interval=step, maxDataPoints=240)


def per(chosen, title, description, upper, lower, factor="", unit="currencyUSD", decimals=2, size=(4, 4),
        no_value="nothing to divide by in this range", labels=None, **lower_labels):
    """What was counted of one series, by what was counted of another."""
    now, before = (ratio(of(upper, **labels or {}), of(lower, **lower_labels), factor) for of in (chosen.total, chosen.before))
    return stat(title, description, now, unit, decimals, size, no_value, before=before)


def dial(title, description, expression, size, thresholds, no_value=NOTHING):
    options = {"reduceOptions": last(), "showThresholdLabels": False, "showThresholdMarkers": True, "orientation": "auto"}
    return panel("gauge", title, description, [target(expression, title)], size, "percent", 1, options, no_value=no_value,
                 limits=(0, 100), thresholds=thresholds)


# ---- comparisons ----


def gauges(title, description, expressions, legend="", unit="short", decimals=None, size=(6, 8), no_value=NOTHING, **more):
    """Bars that lie below each other, the largest first; more than one query: each with its own legend."""
    pairs = [(sorted_down(expressions), legend)] if isinstance(expressions, str) else expressions
    options = {"displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "text",
               "namePlacement": "auto", "sizing": "auto", "minVizHeight": 16, "minVizWidth": 8, "reduceOptions": last()}
    return panel("bargauge", title, description, targets_of(pairs, True), size, unit, decimals, options,
                 overrides=colored(legend), no_value=no_value, **more)


def shares(title, description, expression, legend, unit="short", size=(6, 8)):
    options = {"legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "values": ["value", "percent"]},
               "pieType": "donut", "reduceOptions": last(), "tooltip": {"mode": "single", "sort": "none"}}
    return panel("piechart", title, description, [target(expression, legend)], size, unit, options=options,
                 overrides=colored(legend))


def columns(title, description, expression, label, unit="short", decimals=None, size=(12, 8)):
    """One column for each value of a label, from left to right as the values are sorted."""
    options = {"xField": label, "orientation": "auto", "barWidth": 0.85, "groupWidth": 0.7, "stacking": "none",
               "showValue": "never", "xTickLabelRotation": 0, "xTickLabelSpacing": 0, "fullHighlight": False,
               "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    transformations = [{"id": "sortBy", "options": {"fields": {}, "sort": [{"field": label, "desc": False}]}}]
    return panel("barchart", title, description, [target(expression, "", format="table")], size, unit, decimals, options,
                 {"fillOpacity": 80, "lineWidth": 0}, transformations=transformations)


def table(title, description, expression, hidden, size, no_value):
    transformations = [{"id": "organize", "options": {"excludeByName": {name: True for name in hidden}, "indexByName": {},
                                                      "renameByName": {}}}]
    return panel("table", title, description, [target(expression, "", format="table")], size,
                 options={"showHeader": True, "cellHeight": "sm"}, no_value=no_value, transformations=transformations)


# ---- graphs ----


def bars(title, description, expression, legend, unit="short", decimals=None, size=(12, 8), step="1m"):
    """What was counted in each step; no step is shorter than the minute for which the rules count."""
    custom = {"drawStyle": "bars", "stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 70, "lineWidth": 0,
              "axisSoftMin": 0, "barAlignment": -1, "showPoints": "never"}
    options = {"legend": {"calcs": ["sum"], "displayMode": "table", "placement": "right" if size[0] > 8 else "bottom",
                          "showLegend": True, "sortBy": "Total", "sortDesc": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, [target(expression, legend, "A", False)], size, unit, decimals, options,
                 custom, colored(legend), interval=step, maxDataPoints=240)


def adding_up(title, description, expression, unit, decimals, size):
    options = {"legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    custom = {"drawStyle": "line", "fillOpacity": 20, "lineWidth": 2, "axisSoftMin": 0, "showPoints": "never"}
    transformations = [{"id": "calculateField", "options": {
        "mode": "cumulativeFunctions", "cumulative": {"field": "cost", "reducer": "sum"}, "replaceFields": True,
        "alias": "cost so far"}}]
    return panel("timeseries", title, description, [target(expression, "cost", "A", False)], size, unit, decimals, options,
                 custom, interval="1m", maxDataPoints=240, transformations=transformations)


def lines(title, description, expressions, unit="short", size=(12, 8), decimals=None,
          no_value="this part does not run, or says nothing of it", thresholds=None, calcs=("lastNotNull", "max"), **more):
    options = {"legend": {"calcs": [*calcs], "displayMode": "table", "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "axisSoftMin": 0, "showPoints": "auto",
              "spanNulls": False}
    made = panel("timeseries", title, description, targets_of(expressions, False), size, unit, decimals, options, custom,
                 no_value=no_value, **more)
    if thresholds:
        made["fieldConfig"]["defaults"]["thresholds"]["steps"] = [{"color": c, "value": v} for c, v in thresholds]
        custom["thresholdsStyle"] = {"mode": "dashed"}
    return made


# ---- what asks Prometheus nothing ----


def text(title, content, size):
    return {"type": "text", "title": title, "description": "", "options": {"mode": "markdown", "content": content},
            "fieldConfig": {"defaults": {}, "overrides": []}, "size": size}


def logs(title, description, expression, size, no_value):
    query = {"datasource": LOKI, "refId": "A", "expr": expression, "queryType": "range", "editorMode": "code"}
    options = {"showTime": True, "showLabels": False, "showCommonLabels": False, "wrapLogMessage": True,
               "prettifyLogMessage": False, "enableLogDetails": True, "dedupStrategy": "none", "sortOrder": "Descending"}
    return panel("logs", title, description, [query], size, options=options, source=LOKI, no_value=no_value)


def row(title, is_collapsed=True):
    return {"type": "row", "title": title, "collapsed": is_collapsed, "size": (24, 1), "panels": []}


def linked(made, title, url):
    made["fieldConfig"]["defaults"]["links"] = [{"title": title, "url": url, "targetBlank": False}]
    return made
