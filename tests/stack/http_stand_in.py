"""A stand-in for whatever is asked or called over HTTP: it answers what a test puts there, and keeps what it was sent."""

import http.server
import json
import threading


class StandIn:
    """An HTTP server that answers GET with `pages` and POST with `status`, and keeps what was posted."""

    def __init__(self):
        self.pages, self.status, self.posted, self.answers = {}, 200, [], {}
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200 if self.path in stand_in.pages else 404, stand_in.pages.get(self.path, ""))

            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                stand_in.posted.append((self.path, text))
                self.answer(stand_in.status, stand_in.answers.get(self.path, "ok"))

            def answer(self, status, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def posts(self, path="/hook"):
        """What was posted there, as JSON."""
        return [json.loads(text) for where, text in self.posted if where == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
