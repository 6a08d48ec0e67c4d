"""A stand-in for Grafana that keeps strictly to what a real 12.3.0 was seen to answer; each answer names its row in the
measurements. What was not measured gets 501, so that no test leans on a guess."""

import base64
import copy
import http.server
import json
import re
import threading
import time
import urllib.parse


class Refusal(Exception):
    def __init__(self, status, document):
        super().__init__(status)
        self.status, self.document = status, document


def message(code, text, **more):
    return Refusal(code, {"message": text, **more})


class Grafana:
    LOCKED_AFTER = 5

    def __init__(self, user="admin", password="right"):
        self.user, self.password, self.token = user, password, None
        self.wrong = 0  # "Lock-out (user name, default): 5 wrong tries within 5 min"
        self.requests = []
        self.folders, self.dashboards, self.history = {}, {}, {}
        self.provisioned = {}
        self.org, self.may_save = 1, True
        self.before_save = None  # who saves between somebody's look and their save
        self.has_old_api = True  # or /apis alone, as it may be one day
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

    def check_org(self, headers):
        # "X-Grafana-Org-Id of another org | 401 token (api-key.organization-mismatch), 403 basic"
        if headers.get("X-Grafana-Org-Id", str(self.org)) == str(self.org):
            return
        if headers["Authorization"].startswith("Bearer "):
            raise message(401, "API key organization mismatch", messageId="api-key.organization-mismatch", statusCode=401)
        raise message(403, "You do not have access to this organization")

    def answer(self, method, path, headers, body):
        if path == "/api/health":  # "GET/HEAD /api/health | 200"
            return 200, {"database": "ok", "version": "12.3.0", "commit": "none"}
        self.check_login(headers)
        self.check_org(headers)
        if path.startswith("/apis/"):
            return self.resource(method, path, headers, body)
        address, _, query = path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        found = re.fullmatch(r"/api/dashboards/uid/([^/?]+)(/versions)?", path)
        if not self.has_old_api and re.match("/api/(dashboards|folders|search)", path):
            return 404, {"message": "Not found"}  # "With login an unknown path or wrong method: 404"
        if method == "GET" and path == "/api/user":  # "GET /api/user | 200"
            return 200, {"id": 1, "uid": "1", "login": self.user, "isGrafanaAdmin": True}
        if method == "GET" and path == "/api/datasources":
            return 200, self.datasources
        if method == "GET" and address == "/api/search":
            return self.search(query)
        if method == "POST" and path == "/api/folders":
            return self.make_folder(self.json_of(headers, body))
        if method == "GET" and found and found.group(2):
            return self.versions(found.group(1))
        if method == "GET" and found:
            return self.read(found.group(1))
        if method == "DELETE" and found and not found.group(2):
            return self.delete(found.group(1))
        if method == "POST" and path == "/api/dashboards/db":
            if len(body) > 16_700_000:  # "16.7 MB and more | 413"
                raise message(413, "Dashboard is too large, max is 16 MB")
            return self.save(self.json_of(headers, body))
        return 501, {"message": f"{method} {path} was not measured"}

    def search(self, query):
        # "GET /api/search?type=dash-db&limit=&page= | 200 | page 0 = page 1; past the end []; limit > 5000: 422"
        limit, page = int(query.get("limit", 1000)), max(int(query.get("page", 1)), 1)
        if limit > 5000:
            raise message(422, "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit")
        if query["type"] == "dash-folder":
            found = [{"uid": uid, "title": title, "type": "dash-folder"} for uid, title in self.folders.items()]
        else:
            found = [{"uid": uid, "title": model["title"], "type": "dash-db", "folderUid": folder}
                     for uid, (model, folder, _) in self.dashboards.items()]
        return 200, found[limit * (page - 1):limit * page]

    def versions(self, uid):
        # "GET …/uid/:uid/versions[/n] | 200 | {versions:[{version,message,created,createdBy,data}],continueToken}"
        if uid not in self.dashboards:
            raise message(404, "Dashboard not found")
        return 200, {"versions": [{"version": model["version"], "message": said, "created": "2026-11-25T10:00:00Z",
                                   "createdBy": self.user, "data": model} for said, _, model in reversed(self.history[uid])],
                     "continueToken": ""}

    def delete(self, uid):
        if uid in self.provisioned:  # "provisioned: 400 | provisioned dashboard cannot be deleted"
            raise message(400, "provisioned dashboard cannot be deleted")
        if uid not in self.dashboards:  # "200 / 404"
            raise message(404, "Dashboard not found")
        model = self.dashboards.pop(uid)[0]
        self.history.pop(uid)  # "The uid is free at once, history gone"
        return 200, {"message": f"Dashboard {model['title']} deleted", "title": model["title"], "uid": uid}

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
        uid = body.get("uid") or f"folder{len(self.folders)}"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid):  # "uid rules as dashboards"
            raise message(400, "uid contains illegal characters")
        if body["title"] == "General":  # "General 400"
            raise message(400, "A folder with that name already exists")
        self.folders[uid] = body["title"]
        return 200, {"uid": uid, "title": body["title"]}

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
        if self.before_save:
            self.before_save()
        if not self.may_save:  # "missing right | 403 | {"accessErrorId","title":"Access denied","message":"… Permissions needed: …"}"
            raise message(403, "You'll need additional permissions to perform this action. Permissions needed: dashboards:create",
                          accessErrorId="ACE0123", title="Access denied")
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
        self.history.setdefault(uid, []).append((body.get("message", ""), time.time(), copy.deepcopy(model)))
        # "the answer then shows the old number": whoever wants it reads it back
        return 200, {"id": model["id"], "uid": uid, "status": "success", "version": former[0]["version"] if former else 1}

    # "/apis in 12.3": "Create 201, exists 409 AlreadyExists, unknown folder 404, PUT without or with stale resourceVersion 200
    # (no conflict), delete 200, errors are Status objects"; "no v1 (404)"; "folder.grafana.app/v1beta1 works".

    def resource(self, method, path, headers, body):
        if re.fullmatch("/apis/(dashboard|folder)\\.grafana\\.app/v1", path):
            raise self.status(404, "NotFound")
        found = re.fullmatch("/apis/(dashboard|folder)\\.grafana\\.app/v1beta1/namespaces/default/(dashboards|folders)(?:/(.+))?", path)
        if not found:
            raise self.status(404, "NotFound")
        kind, uid = found.group(1), found.group(3)
        document = self.json_of(headers, body) if method in ("POST", "PUT") else None
        if kind == "folder" and method == "GET" and not uid:
            return 200, {"items": [{"metadata": {"name": name}, "spec": {"title": title}} for name, title in self.folders.items()]}
        if kind == "folder" and method == "POST":
            return 201, self.folder_resource(document)
        if kind == "dashboard" and method == "GET" and uid:
            return 200, self.dashboard_resource(uid)
        if kind == "dashboard" and method == "DELETE":
            return self.delete(uid)
        if kind == "dashboard" and document:
            return self.save_resource(method, document)
        return 501, {"message": f"{method} {path} was not measured"}

    @staticmethod
    def status(status, reason):
        return Refusal(status, {"kind": "Status", "status": "Failure", "reason": reason, "message": reason, "code": status})

    def folder_resource(self, document):
        name = document["metadata"]["name"]
        if name in self.folders:
            raise self.status(409, "AlreadyExists")
        self.folders[name] = document["spec"]["title"]
        return document

    def dashboard_resource(self, uid):
        if uid not in self.dashboards:
            raise self.status(404, "NotFound")
        model, folder, user = self.dashboards[uid]
        # "v1beta1 answers with migrated JSON (schemaVersion 42, defaults filled in)"
        spec = {key: value for key, value in model.items() if key not in ("id", "version")}
        spec = {**spec, "schemaVersion": 42, "fiscalYearStartMonth": 0, "editable": True}
        return {"metadata": {"name": uid, "generation": model["version"], "resourceVersion": str(1000 + model["version"]),
                             "annotations": {"grafana.app/folder": folder, "grafana.app/updatedBy": user,
                                             "grafana.app/updatedTimestamp": "2026-11-25T10:00:00Z"}}, "spec": spec}

    def save_resource(self, method, document):
        uid, notes = document["metadata"]["name"], document["metadata"]["annotations"]
        if method == "POST" and uid in self.dashboards:
            raise self.status(409, "AlreadyExists")
        if notes.get("grafana.app/folder", "") not in (*self.folders, ""):
            raise self.status(404, "NotFound")
        version = self.dashboards[uid][0]["version"] + 1 if uid in self.dashboards else 1
        model = {**document["spec"], "uid": uid, "version": version}
        self.dashboards[uid] = (model, notes.get("grafana.app/folder", ""), self.user)
        self.history.setdefault(uid, []).append((notes["grafana.app/message"], time.time(), copy.deepcopy(model)))
        return 201 if method == "POST" else 200, self.dashboard_resource(uid)
