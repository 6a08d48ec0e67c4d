"""Is the stack itself well? Each panel asks for what one of its parts says of itself."""

import board
from panel import gauges, lines, panel, row, stat, table, target

UP = [("red", None), ("green", 1)]
SILENT = "this part does not run, or says nothing of it"
RULES_TIME = [("green", None), ("yellow", 20), ("red", 60)]


def either(collector, bridge):
    """The Collector's counter (older ones have no _total) or the bridge's: a stack has one of the two."""
    return f'{{__name__=~"{collector}(_total)?|{bridge}"}}' if bridge else f'{{__name__=~"{collector}(_total)?"}}'


def rate(selector, by=""):
    return f"sum{f' by ({by})' if by else ''} (rate({selector}[5m]))"


def numbers():
    answering = panel("stat", "Parts that answer", "Each target that Prometheus reads: up, or down.",
                      [target("min by (job) (up)", "{{job}}")], (12, 5), no_value="Prometheus reads nothing", thresholds=UP,
                      options={"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
                               "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                               "textMode": "value_and_name", "wideLayout": True})
    answering["fieldConfig"]["defaults"]["mappings"] = [
        {"type": "value", "options": {"0": {"text": "down", "index": 0}, "1": {"text": "up", "index": 1}}}]
    return [
        answering,
        stat("Verified", "When 'cctm up' last sent a sample and read it back.",
             "time() - max(stack_verified_timestamp_seconds)", "s", 0, (4, 5), "not since the receiver started"),
        stat("Last data", "How long ago the last export came. Only the bridge tells.",
             "time() - max(cctm_last_sample_timestamp_seconds > 0)", "s", 0, (4, 5), "the Collector does not say"),
        stat("Alerts", "Alerts that fire now.", 'count(ALERTS{alertstate="firing"}) or 0 * count(up)', "short", 0, (4, 5),
             "unknown", thresholds=[("green", None), ("red", 1)]),
    ]


def receiving():
    return [
        row("Receiving", False),
        lines("Taken", "Data points and events a second that the receiver took.",
              [(rate(either("otelcol_receiver_accepted_metric_points", "cctm_points_total")), "points"),
               (rate(either("otelcol_receiver_accepted_log_records", "cctm_log_records_total")), "events")], "cps"),
        lines("Refused", "What the receiver refused, a second; the bridge says why. What is refused is in no total.",
              [(rate(either("otelcol_receiver_refused_metric_points", "cctm_rejected_total"), "reason"), "refused {{reason}}"),
               (rate(either("otelcol_receiver_refused_log_records", "")), "events refused")], "cps"),
        lines("Handed on", "Data points a second that the Collector handed on, and those that it could not. The bridge hands on "
              "nothing: Prometheus reads it.",
              [(rate(either("otelcol_exporter_sent_metric_points", ""), "exporter"), "{{exporter}}"),
               (rate(either("otelcol_exporter_send_failed_metric_points", ""), "exporter"), "{{exporter}} failed")], "cps"),
        lines("Waiting in the receiver", "Requests in the Collector's queue, and requests that wait for the bridge's journal.",
              [("sum by (exporter) (otelcol_exporter_queue_size)", "{{exporter}}"), ("sum(cctm_requests_held)", "journal")]),
    ]


def reading():
    behind = "prometheus_remote_storage_highest_timestamp_in_seconds - ignoring (remote_name, url) group_right () " \
        "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
    return [
        row("Prometheus: scrapes, rules, copies"),
        lines("Time of a scrape", "How long each target takes to be read.",
              [("max by (job) (scrape_duration_seconds)", "{{job}}")], "s"),
        lines("Samples of a scrape", "How many samples each target gives.",
              [("sum by (job) (scrape_samples_scraped)", "{{job}}")]),
        lines("Time of the rules", "How long the rules of a group take, of the minute that they have.",
              [("max by (rule_group) (prometheus_rule_group_last_duration_seconds)", "{{rule_group}}")], "s",
              thresholds=RULES_TIME),
        lines("Rules that failed or came late", "Rules a second that could not be evaluated, and evaluations that were left out. "
              "Totals are too low while rules fail, and right again afterwards.",
              [(rate("prometheus_rule_evaluation_failures_total", "rule_group"), "{{rule_group}} failed"),
               (rate("prometheus_rule_group_iterations_missed_total", "rule_group"), "{{rule_group}} left out")], "cps"),
        lines("Copies behind", "How far remote write is behind, by where it goes. Past about two hours samples are given up.",
              [(f"max by (url) ({behind})", "{{url}}")], "s", no_value="no prometheus.remote_write is set"),
        lines("Copies that failed", "Samples a second that remote write could not send, and those that it gave up.",
              [(rate("prometheus_remote_storage_samples_retried_total", "url"), "{{url}} tried again"),
               (rate("prometheus_remote_storage_samples_failed_total", "url"), "{{url}} given up")], "cps",
              no_value="no prometheus.remote_write is set"),
    ]


def series():
    return [
        row("Series, and what causes them"),
        lines("Series held", "Series in Prometheus' memory.", [("prometheus_tsdb_head_series", "series")], size=(8, 8)),
        lines("New series", "How many series are new, a second. New sessions make some; labels of many values make many.",
              [(rate("prometheus_tsdb_head_series_created_total"), "new")], "cps", (8, 8)),
        lines("Series known to the bridge", "What the bridge exposes, and the streams that it remembers.",
              [("sum(cctm_series)", "series"), ("sum(cctm_streams)", "streams")], size=(8, 8)),
        gauges("Which targets give most", "Samples that each target gave at its last scrape, after relabelling. Cheap, unlike a "
               "count by name over all series; Prometheus' page /tsdb-status says more.",
               "topk(10, sum by (job) (scrape_samples_post_metric_relabeling))", "{{job}}", "short", 0, (12, 8), SILENT),
        gauges("Which targets give most new ones", "Series that were new in scrapes of the last hour, by target.",
               "topk(10, sum by (job) (sum_over_time(scrape_series_added[1h])))", "{{job}}", "short", 0, (12, 8), SILENT),
    ]


def machine():
    blocks, log = "prometheus_tsdb_storage_blocks_bytes", "prometheus_tsdb_wal_storage_size_bytes"
    return [
        row("Machine"),
        lines("Memory", "Resident memory of each part.",
              [(f"max by (job) ({memory})", "{{job}}")
               for memory in ("process_resident_memory_bytes", "otelcol_process_memory_rss", "cctm_memory_bytes")],
              "bytes"),
        lines("Processor", "Cores that each part takes.",
              [(f"max by (job) (rate({time}[5m]))", "{{job}}")
               for time in ("process_cpu_seconds_total", either("otelcol_process_cpu_seconds", "cctm_cpu_seconds_total"))],
              decimals=3),
        lines("Disk", "What Prometheus keeps on disk in blocks and in its log, and the bridge's journal.",
              [(blocks, "blocks"), (log, "log"), ("sum(cctm_journal_bytes)", "journal")], "bytes"),
        stat("Disk in 30 days", "What the blocks will take in 30 days if they grow as in the last 2; old ones that are dropped "
             "by then still count.", f"predict_linear({blocks}[2d], 30 * 86400) > 0", "bytes", 1, (6, 8), "not known yet"),
        stat("Certificate ends in", "Until the first certificate ends that a blackbox or x509 exporter of yours looks at. No "
             "part of this stack says it by itself.",
             "min(probe_ssl_earliest_cert_expiry or x509_cert_not_after) - time()", "s", 0, (6, 8),
             "nothing looks at a certificate", thresholds=[("red", None), ("yellow", 7 * 86400), ("green", 30 * 86400)]),
        row("Alerts"),
        table("Alerts that fire", "What fires now; annotations of the alert say what to do: 'cctm status', or Prometheus' page "
              "/alerts.", 'sum by (alertname, severity, service) (ALERTS{alertstate="firing"})', ("Time", "Value"), (12, 8),
              "none fires"),
        lines("Alerts over time", "How many fired, by name.",
              [('count by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}")],
              no_value="none fired"),
    ]


def make():
    return board.dashboard(
        "cctm-health", "Claude Code: stack health", "Is the stack itself well? What it cannot see is said by 'cctm status'.",
        [*numbers(), *receiving(), *reading(), *series(), *machine()], [board.datasource()])
