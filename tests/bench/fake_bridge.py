#!/usr/bin/env python3
"""Stands in for `cctm bridge` where the bench's own checks are tested: it adds up what arrives and, when the
environment variable FAULT says so, gets it wrong in one way:

  loses     every third request is answered but not counted
  doubles   one point is counted twice
  mislabels input tokens are shown as output tokens
  drifts    the cost is off by one part in 100 million
  refuses   the third request gets 503
  partial   the third request gets a partial success
  hides     /metrics has a line that is no sample
"""

import argparse
import http.server
import json
import os
import signal
import sys
import threading

import otlp_lite

NAMES = {
    "claude_code.session.count": "claude_code_session_count_total",
    "claude_code.lines_of_code.count": "claude_code_lines_of_code_count_total",
    "claude_code.commit.count": "claude_code_commit_count_total",
    "claude_code.cost.usage": "claude_code_cost_usage_USD_total",
    "claude_code.token.usage": "claude_code_token_usage_tokens_total",
    "claude_code.code_edit_tool.decision": "claude_code_code_edit_tool_decision_total",
    "claude_code.active_time.total": "claude_code_active_time_seconds_total",
}
FAULT = os.environ.get("FAULT", "")

series = {}
bodies = set()
lock = threading.Lock()
requests = 0


def label_text(attributes):
    pairs = sorted((k.replace(".", "_"), v) for k, v in attributes if k != "session.id")
    if FAULT == "mislabels":
        pairs = [(k, "output" if v == "input" else v) for k, v in pairs]
    return ",".join(f'{k}="{str(v).lower() if isinstance(v, bool) else v}"' for k, v in pairs)


def count(body):
    """Sums are kept as lists of values and their counts, so that nothing is rounded before it is shown."""
    assert body not in bodies, "a body came twice"
    bodies.add(body)
    for metric in otlp_lite.metrics(body):
        for point in metric["points"]:
            key = f"{NAMES[metric['name']]}{{{label_text(point['attributes'])}}}"
            seen = series.setdefault(key, {})
            seen[point["value"]] = seen.get(point["value"], 0) + 1


def page():
    lines = ["# HELP claude_code_cost_usage_USD_total Cost", "# TYPE claude_code_cost_usage_USD_total counter",
             'cctm_odd{text="a \\"quoted\\" \\\\ {brace} = value"} 1 1700000000000']
    for number, (key, seen) in enumerate(series.items()):
        total = sum(value * times for value, times in seen.items())
        if FAULT == "doubles" and number == 0:
            total += next(iter(seen))
        if FAULT == "drifts" and "cost" in key:
            total *= 1 + 1e-8
        lines.append(f"{key} {total!r}")
    if FAULT == "hides":
        lines.append("claude_code_commit_count_total{user_id=} 1")
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global requests
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            requests += 1
            is_third = requests % 3 == 0
            if not (is_third and FAULT in ("loses", "refuses")):
                count(body)
        if is_third and FAULT == "refuses":
            self.answer(503, b"")
        else:
            self.answer(200, b"\x0a\x02\x08\x01" if is_third and FAULT == "partial" else b"")

    def do_GET(self):
        with lock:
            self.answer(200, page().encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["bridge"])
    parser.add_argument("--json", action="store_true")
    for name in ("state", "bind", "zero-hold", "otlp-http-port", "otlp-grpc-port", "exporter-port", "health-port",
                 "zpages-port"):
        parser.add_argument(f"--{name}")
    parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    doors = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    threading.Thread(target=doors[1].serve_forever, daemon=True).start()
    print(json.dumps({"schema_version": 1, "otlp_http_port": doors[0].server_port, "otlp_grpc_port": 0,
                      "exporter_port": doors[1].server_port, "pid": os.getpid()}), flush=True)
    doors[0].serve_forever()


if __name__ == "__main__":
    sys.exit(main())
