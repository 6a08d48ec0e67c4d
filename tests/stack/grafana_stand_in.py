"""A stand-in for Grafana that keeps strictly to what a real 12.3.0 was seen to answer; each answer names its row in the
measurements. What was not measured gets 501, so that no test leans on a guess."""

import base64
import copy
import http.server
import json
import re
import threading
import time


class Refusal(Exception):
    def __init__(self, status, document):
        super().__init__(status)
        self.status, self.document = status, document


def message(status, text, **more):
    return Refusal(status, {"message": text, **more})


class Grafana:
    LOCKED_AFTER = 5

    def __init__(self, user="admin", password="right"):
        self.user, self.password, self.token = user, password, None
        self.wrong = 0  # "Lock-out (user name, default): 5 wrong tries within 5 min"
        self.requests = []
        self.folders, self.dashboards, self.history = {}, {}, {}
        self.provisioned = {}
        self.datasources = [{"uid": "prometheus_claude_metrics", "name": "Prometheus", "type": "prometheus", "isDefault": True}]
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.requests.append((self.command, self.path))
                try:
                    status, document = outer.answer(self.command, self.path, self.headers, body)
                except Refusal as refusal:
                    status, document = refusal.status, refusal.document
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def check_login(self, headers):
        given = headers.get("Authorization", "")
        if not given:  # "any API path, known or not, no credentials | 401"
            raise message(401, "Unauthorized", messageId="auth.unauthorized", statusCode=401)
        if given.startswith("Bearer "):
            if given != f"Bearer {self.token}":  # "bearer, wrong token | 401"
                raise message(401, "Invalid API key", messageId="api-key.invalid", statusCode=401)
            return
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        # "from the 6th on even the right password gets the same 401 body as a wrong one"
        if given != f"Basic {pair}" or self.wrong >= self.LOCKED_AFTER:
            self.wrong += 1
            raise message(401, "Invalid username or password", messageId="password-auth.failed", statusCode=401)

    def answer(self, method, path, headers, body):
        if path == "/api/health":  # "GET/HEAD /api/health | 200"
            return 200, {"database": "ok", "version": "12.3.0", "commit": "none"}
        self.check_login(headers)
        found = re.fullmatch(r"/api/dashboards/uid/([^/?]+)", path)
        if method == "GET" and path == "/api/user":  # "GET /api/user | 200"
            return 200, {"id": 1, "uid": "1", "login": self.user, "isGrafanaAdmin": True}
        if method == "GET" and path == "/api/datasources":
            return 200, self.datasources
        if method == "GET" and path.startswith("/api/folders?limit="):
            return 200, [{"uid": uid, "title": title} for uid, title in self.folders.items()]
        if method == "POST" and path == "/api/folders":
            return self.make_folder(self.json_of(headers, body))
        if method == "GET" and found:
            return self.read(found.group(1))
        if method == "POST" and path == "/api/dashboards/db":
            return self.save(self.json_of(headers, body))
        return 501, {"message": f"{method} {path} was not measured"}

    def json_of(self, headers, body):
        # "missing or other Content-Type | 400", "broken JSON, empty body, BOM | 400"
        try:
            assert headers.get("Content-Type") == "application/json"
            document = json.loads(body)
            assert isinstance(document, dict)
        except (AssertionError, ValueError):
            raise message(400, "bad request data") from None
        return document

    def make_folder(self, body):
        if not body.get("title"):  # "no title 400"
            raise message(400, "folder title cannot be empty")
        if body.get("uid") in self.folders:  # "same uid again 412 (message only)"
            raise message(412, "the folder has been changed by someone else")
        self.folders[body["uid"]] = body["title"]
        return 200, {"uid": body["uid"], "title": body["title"]}

    def read(self, uid):
        if uid in self.provisioned:
            file, model = self.provisioned[uid]
            return 200, {"meta": {"provisioned": True, "provisionedExternalId": file, "version": 1}, "dashboard": model}
        if uid not in self.dashboards:
            raise message(404, "Dashboard not found")
        model, folder, user = self.dashboards[uid]
        return 200, {"meta": {"provisioned": False, "provisionedExternalId": "", "folderUid": folder, "updatedBy": user,
                              "updated": "2026-11-25T10:00:00Z", "version": model["version"]}, "dashboard": model}

    def save(self, body):
        model = copy.deepcopy(body.get("dashboard"))
        if not isinstance(model, dict):  # "no/null dashboard | 400"
            raise message(400, "bad request data")
        if model.get("id") is not None:  # "numeric id unknown here | 404, even with overwrite: always send id:null"
            raise message(404, "Dashboard not found", status="not-found")
        title, uid = model.get("title"), model.get("uid")
        if not isinstance(title, str) or not title.strip():  # "title missing, blank, not a string | 400"
            raise message(400, "Dashboard title cannot be empty", status="empty-name")
        if not uid or len(uid) > 40:  # "uid 41 | 400"
            raise message(400, "uid too long, max 40 characters")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", uid):
            raise message(400, "uid contains illegal characters")
        if len(body.get("message", "")) > 500:
            raise message(400, "message too long, max 500 characters")
        if body.get("folderUid") and body["folderUid"] not in self.folders:  # "folderUid unknown | 400"
            raise message(400, "folder not found")
        if uid in self.provisioned:
            raise message(400, "Cannot save provisioned dashboard")
        former = self.dashboards.get(uid)
        if former and not body.get("overwrite") and model.get("version") != former[0]["version"]:
            raise message(412, "The dashboard has been changed by someone else", status="version-mismatch")
        model["id"], model["version"] = len(self.dashboards) + 1, (former[0]["version"] if former else 0) + 1
        # "re-save without folderUid | 200 | moves to the root"
        self.dashboards[uid] = (model, body.get("folderUid", ""), self.user)
        self.history.setdefault(uid, []).append((body.get("message", ""), time.time()))
        # "the answer then shows the old number": whoever wants it reads it back
        return 200, {"id": model["id"], "uid": uid, "status": "success", "version": former[0]["version"] if former else 1}
