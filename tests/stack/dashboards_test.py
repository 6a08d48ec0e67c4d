"""`cctm import-dashboard` against a strict stand-in for Grafana, and what every bundled dashboard has to keep."""

import copy
import http.server
import json
import os
import pty
import re
import shutil
import ssl
import subprocess
import sys
import threading
import unittest
import zlib
from pathlib import Path

import boards
from grafana_stand_in import Grafana
from lib import case, programs
from stacks import PROGRAM, Stack

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"id": 77, "uid": "mine", "title": "Mine", "version": 9, "schemaVersion": 41, "panels": []}


class Web:
    """with Web({path: (status, headers, text)}) as web: … a server on this machine."""

    def __init__(self, pages):
        self.logins = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, text = pages[self.path]
                outer.logins |= {self.headers[name] for name in ("Authorization", "Cookie") if self.headers[name]}
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(text.encode())
                except ConnectionError:  # too large for whom it is for
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Import(unittest.TestCase):
    def setUp(self):
        self.grafana = Grafana()
        self.addCleanup(self.grafana.close)
        self.stack = Stack("--set", f"ports.grafana={self.grafana.port}")
        self.addCleanup(self.stack.close)
        self.grafana.password = next(line.split("=", 1)[1] for line in self.stack.read(".env").splitlines()
                                     if line.startswith("GRAFANA_ADMIN_PASSWORD="))

    def run_import(self, *words, status=0, **more):
        return self.stack.run("-C", str(self.stack.dir), "import-dashboard", *words, status=status, **more)

    def write(self, document, name="mine.json"):
        path = self.stack.scratch / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    def results(self, *words, status=0):
        return json.loads(self.run_import(*words, "--json", status=status).stdout)["dashboards"]

    def saves(self):
        return [path for method, path in self.grafana.requests if method == "POST" and path.endswith("/db")]

    def test_bundled_ones_are_created_once_in_a_folder_of_their_own(self):
        self.assertEqual({result["action"] for result in self.results("--all")}, {"created"})
        self.assertEqual(self.grafana.folders, {"claude-code": "Claude Code"})
        self.assertEqual(self.grafana.dashboards["cctm-overview"][1], "claude-code")
        self.assertIn("imported by cctm", self.grafana.history["cctm-overview"][0][0])
        again = self.results("--all")
        self.assertEqual({(result["action"], result["version"]) for result in again}, {("unchanged", 1)})
        self.assertEqual(len(self.saves()), len(again), "the same content makes no new version")

    def test_another_version_is_left_alone_unless_it_is_to_be_overwritten(self):
        path = self.write(SMALL)
        self.run_import(path)
        self.grafana.dashboards["mine"][0]["title"] = "Edited in the page"
        refused = self.results(path, status=4)[0]
        self.assertEqual(refused["action"], "refused")
        self.assertIn("another version of it, 1 by admin of 2026-11-25T10:00:00Z", refused["why"])
        self.grafana.dashboards["mine"] = (*self.grafana.dashboards["mine"][:1], "claude-code", "ada")
        done = self.results(path, "--overwrite")[0]
        self.assertEqual((done["action"], done["version"]), ("updated", 2), "the version is read back")
        self.assertEqual(self.grafana.dashboards["mine"][1], "claude-code", "it stays in its folder")

    def test_a_dry_run_changes_nothing(self):
        self.assertEqual(self.results("--all", "--dry-run")[0]["action"], "created")
        self.assertEqual((self.grafana.dashboards, self.grafana.folders), ({}, {}))

    def test_every_classic_form_is_taken(self):
        forms = {"alone": SMALL, "wrapped": {"meta": {"slug": "x"}, "dashboard": SMALL},
                 "resource": {"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "metadata": {}, "spec": SMALL},
                 "with a mark": "\ufeff" + json.dumps(SMALL)}
        for name, document in forms.items():
            with self.subTest(name):
                self.grafana.dashboards.clear()
                self.run_import(self.write(document))
                self.assertEqual(self.grafana.dashboards["mine"][0]["title"], "Mine")
        done = subprocess.run([PROGRAM, "-C", str(self.stack.dir), "import-dashboard", "-"], input=json.dumps(SMALL).encode(),
                              env=self.stack.environment, capture_output=True, check=False)
        self.assertIn(b"unchanged", done.stdout)

    def test_what_is_no_dashboard_is_refused_with_the_reason(self):
        cases = {"{": "line 1", "[]": "no object", "{}": "no title", '{"title": " "}': "no title",
                 '{"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {"elements": {}}}': "schema v2",
                 '{"title": "x", "uid": "a b"}': "no uid", '{"title": "x", "uid": "' + "a" * 41 + '"}': "no uid",
                 '{"title": "x", "title": "y"}': "duplicate"}
        for text, why in cases.items():
            with self.subTest(text[:40]):
                result = self.run_import(self.write(text), status=None)
                self.assertIn(why, result.stdout)
                self.assertIn(result.returncode, (1, 2))
        self.assertEqual(self.saves(), [])

    def test_inputs_are_resolved_as_the_page_does_it(self):
        document = {**SMALL, "__inputs": [{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"},
                                          {"name": "VAR_X", "type": "constant", "value": "seven"}],
                    "__requires": [{"type": "grafana"}],
                    "panels": [{"datasource": {"uid": "${DS_PROM}"}, "title": "a ${VAR_X} b ${VAR_X}", "list": ["${DS_PROM}"]}]}
        said = self.run_import(self.write(document)).stderr
        self.assertIn("${DS_PROM} is prometheus_claude_metrics", said)
        stored = self.grafana.dashboards["mine"][0]
        self.assertEqual(stored["panels"], [{"datasource": {"uid": "prometheus_claude_metrics"}, "title": "a seven b seven",
                                             "list": ["prometheus_claude_metrics"]}])
        self.assertFalse({"__inputs", "__requires"} & set(stored))

    def test_values_of_inputs_are_put_in_once_and_within_bounds(self):
        inputs = [{"name": "A", "type": "constant", "value": "${B}${B}"}, {"name": "B", "type": "constant", "value": "${A}${A}"}]
        self.run_import(self.write({**SMALL, "__inputs": inputs, "description": "${A} ${C} ${"}))
        self.assertEqual(self.grafana.dashboards["mine"][0]["description"], "${B}${B} ${C} ${")
        large = [{"name": "A", "type": "constant", "value": "x" * 1_000_000}]
        said = self.run_import(self.write({**SMALL, "__inputs": large, "list": ["${A}"] * 20}), status=1).stdout
        self.assertIn("larger than 16 MB", said)

    def test_two_candidates_have_to_be_told_apart(self):
        document = {**SMALL, "__inputs": [{"name": "DS", "type": "datasource", "pluginId": "loki"}]}
        path = self.write(document)
        self.assertIn("Grafana has none", self.run_import(path, status=1).stdout)
        self.grafana.datasources += [{"uid": "one", "name": "One", "type": "loki"}, {"uid": "two", "name": "Two", "type": "loki"}]
        self.assertIn("--datasource", self.run_import(path, status=2).stdout)
        self.assertIn("no datasource", self.run_import(path, "--datasource", "three", status=1).stdout)
        self.run_import(path, "--datasource", "Two")

    def test_a_dashboard_without_a_uid_is_the_same_one_each_time(self):
        path = self.write({"title": "Mine, and yours!", "panels": []})
        self.assertEqual(self.results(path)[0]["uid"], "mine-and-yours-")
        self.assertEqual(self.results(path)[0]["action"], "unchanged")
        self.assertEqual(self.results(path, "--uid", "other")[0]["uid"], "other")

    def test_a_provisioned_one_is_refused_with_its_file(self):
        self.grafana.provisioned["mine"] = ("/etc/grafana/mine.json", SMALL)
        result = self.results(self.write(SMALL), "--overwrite", status=4)[0]
        self.assertIn("/etc/grafana/mine.json", result["why"])

    def test_one_of_several_that_fails_does_not_keep_the_others_back(self):
        folder = self.stack.scratch / "boards"
        folder.mkdir()
        (folder / "a.json").write_text(json.dumps(SMALL))
        (folder / "b.json").write_text("{")
        (folder / "c.json").write_text(json.dumps({**SMALL, "uid": "third"}))
        self.assertEqual([result["action"] for result in self.results(str(folder), status=1)], ["created", "failed", "created"])

    def test_a_wrong_password_is_tried_once(self):
        self.grafana.password = "else"
        said = self.run_import("--all", status=1).stderr
        self.assertIn("does not take the login", said)
        self.assertEqual((self.grafana.wrong, len(self.grafana.requests)), (1, 1))

    def test_another_grafana_is_reached_with_a_token(self):
        self.grafana.token = "glsa_secret"
        path = self.write("glsa_secret\n", "token")
        with Stack(init=False) as nothing:
            done = nothing.run("import-dashboard", "--all", "--grafana-url", self.grafana.url + "/", "--token-file", path)
            self.assertIn("created", done.stdout)
            self.assertNotIn("glsa_secret", done.stdout + done.stderr)
            nothing.run("import-dashboard", "--all", "--grafana-url", self.grafana.url, status=2)

    def test_without_a_grafana_that_is_said(self):
        self.grafana.close()
        self.assertIn("cctm up", self.run_import("--all", status=1).stderr)
        with Stack(runtime="embedded") as embedded:
            self.assertIn("no Grafana", embedded.run("-C", str(embedded.dir), "import-dashboard", "--all", status=2).stderr)

    # What is on the web.

    def test_what_is_on_the_web_is_fetched(self):
        board = json.dumps(SMALL)
        pages = {"/mine.json": (200, {}, board), "/moved": (302, {"Location": "/mine.json"}, ""), "/page": (200, {}, "<html>"),
                 "/private": (404, {"Content-Type": "application/json"}, '{"message": "Not for you"}'),
                 "/round": (302, {"Location": "/round"}, ""), "/out": (302, {"Location": "http://192.0.2.1/"}, ""),
                 "/large": (200, {}, " " * (17 << 20))}
        with Web(pages) as web:
            self.assertEqual(self.results(web.url + "/mine.json")[0]["action"], "created")
            self.assertEqual(self.results(web.url + "/moved")[0]["action"], "unchanged")
            for path, why in {"/page": "is a page and no dashboard", "/private": "answered 404: Not for you",
                              "/round": "sent on more than 5 times", "/out": "http://192.0.2.1/ is not encrypted",
                              "/large": "larger than"}.items():
                self.assertIn(why, self.run_import(web.url + path, status=None).stderr)
            self.assertEqual(web.logins, set(), "nobody but Grafana is given the login")
        self.assertIn("is not encrypted", self.run_import("http://192.0.2.1/x.json", status=2).stderr)
        self.assertIn("holds a user", self.run_import("https://ada:secret@localhost/x.json", status=2).stderr)
        self.assertNotIn("secret", self.run_import("https://ada:secret@localhost/x.json", status=2).stderr)
        self.assertIn("no address", self.run_import("ftp://localhost/x.json", status=2).stderr)
        self.assertEqual(len(self.saves()), 1)

    def test_a_file_is_a_file_though_its_name_is_a_number(self):
        (self.stack.scratch / "1860").write_text(json.dumps(SMALL))
        self.assertEqual(self.results("1860")[0]["action"], "created")

    # Edits and updates.

    def theirs(self):
        """overview as this cctm brings it."""
        return json.loads(self.dashboards("export", "overview").stdout)

    def former(self):
        """The same as an older cctm may have brought it: two panels fewer, one more, one with another unit."""
        board = self.theirs()
        board.pop("id")
        removed = [panel["title"] for panel in board["panels"][-2:]]
        board["panels"] = board["panels"][:-2]
        board["panels"][0]["description"] = "As it was described."
        board["panels"].append({"id": 900, "type": "stat", "title": "Gone", "targets": [],
                                "gridPos": {"x": 0, "y": 900, "w": 24, "h": 4}})
        return board, removed

    def store(self, uid, model, said):
        """As a version of Grafana's, the newest."""
        self.grafana.folders["claude-code"] = "Claude Code"
        version = self.grafana.dashboards[uid][0]["version"] + 1 if uid in self.grafana.dashboards else 1
        stored = {**copy.deepcopy(model), "id": 1, "version": version}
        self.grafana.dashboards[uid] = (stored, "claude-code", "ada")
        self.grafana.history.setdefault(uid, []).append((said, 0, copy.deepcopy(stored)))

    def there(self, uid="cctm-overview"):
        return self.grafana.dashboards[uid][0]

    def panel(self, title):
        return next(panel for panel in self.there()["panels"] if panel["title"] == title)

    def test_an_older_one_that_nobody_edited_is_brought_up_to_date(self):
        board, removed = self.former()
        self.store("cctm-overview", board, "imported by cctm 0.0.1 (content 0123456789abcdef)")
        self.assertEqual(self.state(), "older")
        result = self.results("overview")[0]
        self.assertEqual((result["action"], result["version"], result["former"]), ("updated", 2, 1))
        self.assertEqual({key: value for key, value in self.there().items() if key not in ("id", "version")},
                         {key: value for key, value in self.theirs().items() if key not in ("id", "version")})
        self.assertEqual(self.grafana.dashboards["cctm-overview"][1], "claude-code", "it stays in its folder")
        self.assertTrue(removed)

    def edited(self, base_said="imported by cctm 0.0.1 (content 0123456789abcdef)"):
        board, removed = self.former()
        self.store("cctm-overview", board, base_said)
        mine = copy.deepcopy(board)
        mine["panels"][0]["description"] = "As I describe it."
        mine["panels"][1]["fieldConfig"]["defaults"]["unit"] = "mine"
        mine["panels"].insert(0, {"id": 901, "type": "text", "title": "My own", "gridPos": {"x": 0, "y": 1000, "w": 24, "h": 3}})
        self.store("cctm-overview", mine, "")
        return mine, removed

    def check_merged(self, removed):
        self.assertEqual(self.panel("My own")["id"], 901)
        self.assertEqual(self.there()["panels"][0]["description"], "As I describe it.")
        self.assertEqual(self.there()["panels"][1]["fieldConfig"]["defaults"]["unit"], "mine")
        for title in removed:
            self.assertGreaterEqual(self.panel(title)["gridPos"]["y"], 1003, "new ones lie below")
        self.assertNotIn("Gone", [panel["title"] for panel in self.there()["panels"]])

    def test_edits_stay_when_a_newer_one_comes(self):
        _, removed = self.edited()
        self.assertEqual(self.state(), "edited-older")
        looked = self.results("overview", "--dry-run")[0]
        self.assertEqual((looked["action"], len(self.saves())), ("merged", 0))
        result = self.results("overview")[0]
        self.assertEqual((result["action"], result["version"], result["former"]), ("merged", 3, 2))
        self.assertIn("Spend: description: you and cctm changed it: yours stays", result["notes"])
        self.check_merged(removed)
        self.assertRegex(self.grafana.history["cctm-overview"][-1][0], r"^merged with your edits by cctm .* \(content [0-9a-f]{16}\)$")
        # What was brought is known now, though no version of Grafana's is like it.
        self.assertEqual(self.state(), "edited")
        self.assertEqual(self.results("overview")[0]["action"], "edited")
        self.assertEqual(len(self.saves()), 1)

    def test_edits_are_merged_again_with_the_next_one(self):
        """Grafana's newest version of ours is a merge: the copy beside the stack says what was brought."""
        _, removed = self.edited()
        self.run_import("overview")
        copies = self.stack.dir / ".cctm/dashboards"
        [brought] = copies.glob("cctm-overview.*.json")
        older = json.loads(brought.read_text())
        older["panels"][2]["description"] = "As it was described."
        brought.unlink()
        (copies / "cctm-overview.fedcba9876543210.json").write_text(json.dumps(older))
        said, *rest = self.grafana.history["cctm-overview"][-1]
        said = re.sub("content [0-9a-f]+", "content fedcba9876543210", said)
        self.grafana.history["cctm-overview"][-1] = (said, *rest)
        self.there()["panels"][2]["description"] = "As it was described."
        self.assertEqual(self.results("overview")[0]["action"], "merged")
        self.check_merged(removed)
        self.assertNotEqual(self.there()["panels"][2]["description"], "As it was described.")
        self.assertEqual(len(list(copies.glob("cctm-overview.*.json"))), 1, "the former copy is gone")

    def test_a_history_that_was_cut_off_is_made_up_for_by_the_copy(self):
        """Grafana keeps 20 versions; who saves often loses the one that cctm saved."""
        _, removed = self.edited("")
        self.assertEqual(self.state(), "other")
        self.assertIn("another version", self.results("overview", status=4)[0]["why"])
        copies = self.stack.dir / ".cctm/dashboards"
        copies.mkdir()
        (copies / "cctm-overview.0123456789abcdef.json").write_text(json.dumps(self.former()[0]))
        self.assertEqual(self.results("overview")[0]["action"], "merged")
        self.check_merged(removed)

    def test_edits_are_put_back_with_overwrite(self):
        self.edited()
        self.assertEqual(self.results("overview", "--overwrite")[0]["action"], "updated")
        self.assertEqual(self.state(), "same")

    def test_an_update_over_a_clash_is_said_once(self):
        board = self.former()[0]
        self.store("cctm-overview", board, "imported by cctm 0.0.1 (content 0123456789abcdef)")
        mine = self.theirs()
        mine["panels"][0]["description"] = "As I describe it."
        self.store("cctm-overview", mine, "")
        self.assertIn("yours stays", self.results("overview")[0]["notes"])
        self.assertEqual(self.results("overview")[0]["action"], "edited")

    def test_a_diff_shows_what_changes(self):
        self.run_import("overview")
        self.there()["panels"][0]["description"] = "As I describe it."
        said = self.dashboards("diff", "overview").stdout
        self.assertIn('+      "description": "As I describe it."', said)
        self.assertIn("+++ b/cctm-overview in Grafana, version 1 by admin", said)
        said = self.run_import("overview", "--overwrite", "--dry-run", "--diff").stdout
        self.assertIn('-      "description": "As I describe it."', said)
        self.assertIn("--- a/cctm-overview in Grafana, version 1", said)
        self.assertEqual(len(self.saves()), 1)
        self.assertIn("--- /dev/null", self.run_import("cost", "--dry-run", "--diff").stdout)
        self.assertIn("@@", self.results("overview", "--overwrite", "--diff")[0]["diff"])
        self.assertIn("as it came", self.dashboards("diff", "overview").stderr)
        self.assertIsNone(self.results("overview", "--diff")[0]["diff"])
        self.assertIn("brings no dashboard mine", self.dashboards("diff", "mine", status=2).stderr)

    def test_one_is_deleted_when_that_is_meant(self):
        self.run_import(self.write(SMALL))
        self.assertIn("--yes", self.dashboards("delete", "mine", status=2).stderr)
        self.assertIn("mine", self.grafana.dashboards)
        self.assertIn("deleted", self.dashboards("delete", "mine", "--yes").stdout)
        self.assertNotIn("mine", self.grafana.dashboards)
        self.assertIn("no dashboard mine", self.dashboards("delete", "mine", "--yes", status=1).stderr)
        self.run_import("overview")
        self.dashboards("delete", "overview", "--yes")
        self.assertEqual(self.state(), "deleted")
        self.grafana.provisioned["mine"] = ("/etc/grafana/mine.json", SMALL)
        self.assertIn("/etc/grafana/mine.json", self.dashboards("delete", "mine", "--yes", status=4).stderr)
        self.dashboards("delete", "a/b", "--yes", status=2)

    def test_a_question_answered_with_no_deletes_nothing(self):
        self.run_import(self.write(SMALL))
        said, status = self.on_terminal("dashboards", "delete", "mine", answer="n")
        self.assertIn('Delete "Mine" (version 1 by admin', said)
        self.assertEqual((status, list(self.grafana.dashboards)), (130, ["mine"]))
        said, status = self.on_terminal("dashboards", "delete", "mine", answer="y")
        self.assertEqual((status, list(self.grafana.dashboards)), (0, []))

    def on_terminal(self, *words, answer):
        master, slave = pty.openpty()
        process = subprocess.Popen([PROGRAM, "-C", str(self.stack.dir), *words], stdin=slave, stdout=slave, stderr=slave,
                                   env=self.stack.environment)
        os.close(slave)
        os.write(master, f"{answer}\n".encode())
        said = b""
        try:
            while part := os.read(master, 4096):
                said += part
        except OSError:  # as Linux says that nobody is at the other end any more
            pass
        os.close(master)
        return said.decode(), process.wait(timeout=30)

    def test_a_terminal_is_asked_which_datasource_is_meant(self):
        path = self.write({**SMALL, "__inputs": [{"name": "DS", "type": "datasource", "pluginId": "loki", "label": "Logs"}],
                           "panels": [{"datasource": "${DS}"}]})
        self.grafana.datasources += [{"uid": "one", "name": "One", "type": "loki"}, {"uid": "two", "name": "Two", "type": "loki"}]
        said, status = self.on_terminal("import-dashboard", path, answer="9")
        self.assertIn("asks for a datasource (Logs): which? [1-2]", said)
        self.assertEqual((status, self.saves()), (130, []))
        _, status = self.on_terminal("import-dashboard", path, answer="2")
        self.assertEqual((status, self.grafana.dashboards["mine"][0]["panels"][0]["datasource"]), (0, "two"))

    # What Grafana refuses.

    def test_who_saved_meanwhile_is_named(self):
        path = self.write(SMALL)
        self.run_import(path)
        changed = self.write({**SMALL, "title": "Changed"})
        self.grafana.before_save = lambda: self.store("mine", SMALL, "")
        result = self.results(changed, "--overwrite", status=4)[0]
        self.assertIn("ada saved the dashboard meanwhile: version 2 of 2026-11-25T10:00:00Z", result["why"])

    def test_what_grafana_refuses_is_said_in_its_words(self):
        self.grafana.may_save = False
        result = self.results(self.write(SMALL), status=1)[0]
        self.assertIn("Permissions needed: dashboards:create", result["why"])
        self.grafana.may_save = True
        large = self.write({**SMALL, "description": "x" * 16_730_000})
        self.assertIn("Dashboard is too large", self.results(large, status=1)[0]["why"])

    def test_folders_are_found_by_title_or_uid_and_made(self):
        path = self.write(SMALL)
        self.run_import(path, "--folder", "My boards")
        [uid] = self.grafana.folders
        self.assertEqual((self.grafana.folders[uid], self.grafana.dashboards["mine"][1]), ("My boards", uid))
        self.assertEqual(self.results(path, "--folder", "My boards")[0]["action"], "unchanged")
        self.assertEqual(self.results(path, "--folder", uid)[0]["action"], "unchanged")
        self.assertEqual(self.results(path, "--folder", "other", "--dry-run")[0]["action"], "moved")
        self.assertEqual(list(self.grafana.folders), [uid], "a dry run makes none")
        self.assertEqual(self.results(path, "--folder", "other")[0]["action"], "moved")
        self.assertEqual(self.grafana.dashboards["mine"][1], "other")
        self.assertEqual(self.results(path, "--folder", "General")[0]["action"], "moved")
        self.assertEqual(self.grafana.dashboards["mine"][1], "")
        self.grafana.folders["twin"] = "My boards"
        self.assertIn("2 folders are called", self.results(path, "--folder", "My boards", status=2)[0]["why"])

    def test_several_end_with_a_sum(self):
        self.run_import("overview")
        said = self.run_import("--all").stderr
        self.assertRegex(said, r"[0-9] created, 1 unchanged")

    def test_a_grafana_without_the_old_api_is_asked_in_the_new_way(self):
        self.grafana.has_old_api = False
        path = self.write(SMALL)
        self.assertEqual(self.results(path)[0]["action"], "created")
        self.assertEqual((self.grafana.folders, self.grafana.dashboards["mine"][1]), ({"claude-code": "Claude Code"}, "claude-code"))
        self.assertIn("imported by cctm", self.grafana.history["mine"][0][0])
        self.assertEqual(self.results(path)[0]["action"], "unchanged", "though it fills in what is taken for granted")
        changed = self.write({**SMALL, "title": "Changed"})
        self.assertEqual(self.results(changed, status=4)[0]["action"], "refused")
        result = self.results(changed, "--overwrite")[0]
        self.assertEqual((result["action"], result["version"]), ("updated", 2))
        self.assertEqual({result["action"] for result in self.results("--all")}, {"created"})
        self.assertEqual({result["action"] for result in self.results("--all")}, {"unchanged"})
        self.dashboards("delete", "mine", "--yes")
        self.assertNotIn("mine", self.grafana.dashboards)

    # Another Grafana.

    def test_another_organization_is_named_with_each_request(self):
        self.grafana.org, self.grafana.token = 7, "glsa_secret"
        path, token = self.write(SMALL), self.write("glsa_secret\n", "token")
        elsewhere = ("--grafana-url", self.grafana.url, "--token-file", token)
        self.run_import(path, *elsewhere, "--org", "7")
        self.assertEqual(list(self.grafana.dashboards), ["mine"])
        self.assertIn("or not for this organization", self.run_import(path, *elsewhere, "--org", "8", status=1).stderr)
        self.run_import(path, *elsewhere, "--org", "0", status=2)

    def test_a_login_in_the_address_is_refused_and_not_repeated(self):
        token = self.write("glsa_secret\n", "token")
        said = self.run_import("--all", "--grafana-url", "https://ada:secret@localhost/", "--token-file", token, status=2).stderr
        self.assertIn("holds a user or password", said)
        self.assertNotIn("secret@", said)
        self.run_import("--all", "--ca", token, status=2)
        self.assertIn("no file", self.run_import("--all", "--grafana-url", "https://localhost/", "--token-file", token,
                                                 "--ca", "/nowhere.pem", status=2).stderr)

    @unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
    def test_a_certificate_of_its_own_is_trusted_when_it_is_named(self):
        key, certificate = self.stack.scratch / "key.pem", self.stack.scratch / "ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(certificate, key)
        self.grafana.server.socket = secure.wrap_socket(self.grafana.server.socket, server_side=True)
        self.grafana.token = "glsa_secret"
        elsewhere = ("--grafana-url", f"https://localhost:{self.grafana.port}", "--token-file", self.write("glsa_secret\n", "token"))
        self.assertIn("--ca FILE", self.run_import(self.write(SMALL), *elsewhere, status=1).stderr)
        self.run_import(self.write(SMALL), *elsewhere, "--ca", str(certificate))
        self.assertEqual(list(self.grafana.dashboards), ["mine"])

    def test_edits_stay_in_another_grafana_too(self):
        self.grafana.token = "glsa_secret"
        elsewhere = ("--grafana-url", self.grafana.url, "--token-file", self.write("glsa_secret\n", "token"))
        _, removed = self.edited()
        self.assertEqual(self.results("overview", *elsewhere)[0]["action"], "merged")
        self.check_merged(removed)
        self.assertEqual(self.results("overview", *elsewhere)[0]["action"], "edited")
        self.assertEqual(len(list(self.stack.scratch.glob(".local/share/cctm/dashboards/*/cctm-overview.*.json"))), 1)

    def test_what_is_not_there_is_said(self):
        self.assertIn("no bundled dashboard nothing", self.run_import("nothing", status=1).stderr)
        self.run_import(status=2)

    def test_without_a_grafana_what_starts_it_is_said(self):
        self.grafana.close()
        for words in (("diff", "overview"), ("delete", "overview", "--yes")):
            self.assertIn("'cctm up' starts the stack's Grafana", self.dashboards(*words, status=1).stderr)

    def dashboards(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "dashboards", *words, status=status)

    def state(self):
        rows = json.loads(self.dashboards("--json").stdout)["dashboards"]
        return next(row["state"] for row in rows if row["name"] == "overview")

    def test_the_list_says_what_grafana_has(self):
        self.assertEqual(self.state(), "absent")
        self.run_import("--all", self.write(SMALL))
        self.assertEqual(self.state(), "same")
        self.grafana.dashboards["cctm-overview"][0]["title"] = "Mine"
        self.assertEqual(self.state(), "edited")
        said = self.dashboards().stdout
        self.assertRegex(said, r"overview +Claude Code: overview +cctm-overview +edited, version 1\n")
        self.assertRegex(said, r" Mine +mine +yours, version 1\n")
        self.grafana.close()
        self.assertEqual(self.state(), "unknown")

    def test_what_is_exported_can_be_imported(self):
        self.run_import(self.write(SMALL))
        path = self.stack.scratch / "out.json"
        self.dashboards("export", "mine", "-o", str(path))
        self.assertIsNone(json.loads(path.read_text())["id"])
        self.assertEqual(self.results(str(path))[0]["action"], "unchanged")
        self.assertEqual(json.loads(self.dashboards("export", "overview").stdout)["uid"], "cctm-overview")
        self.assertIn("neither", self.dashboards("export", "nothing", status=1).stderr)

    def test_lint_names_the_panels_whose_totals_are_wrong(self):
        board = {**SMALL, "panels": [{"id": 1, "type": "stat", "title": "Spend", "targets": [
            {"expr": "sum(increase(claude_code_cost_usage_USD_total[$__range]))"}]}]}
        path = self.write(board)
        said = self.dashboards("lint", path, status=3).stdout
        self.assertIn("Spend: increase() or rate() over claude_code_cost_usage_USD_total shows too little", said)
        self.assertIn("sum_over_time(claude_code_cost_usage_USD:counted[", said)
        self.assertEqual(json.loads(self.dashboards("lint", path, "--json", status=3).stdout)["findings"][0]["rule"], "total")
        self.assertIn("warning: Spend", self.run_import(path).stderr)

    def test_lint_says_which_labels_the_rules_do_not_keep(self):
        expression = "sum by (user_email) (sum_over_time(claude_code_cost_usage_USD:counted[$__range]))"
        board = {**SMALL, "panels": [{"id": 1, "type": "stat", "title": "Spend", "targets": [{"expr": expression}]}]}
        said = self.dashboards("lint", self.write(board)).stdout
        self.assertIn("claude_code_cost_usage_USD:counted has no label user_email unless labels.keep names it", said)

    def test_nothing_is_wrong_with_the_bundled_ones(self):
        self.assertIn("nothing is wrong", self.dashboards("lint", "overview", "cost", "team", "activity", "health").stderr)


class Bundled(unittest.TestCase):
    """What every dashboard keeps, whoever writes the next one."""

    @classmethod
    def setUpClass(cls):
        cls.boards = boards.read()
        with Stack(init=False) as stack:
            rows = json.loads(stack.run("catalogue", "--json").stdout)["rows"]
        cls.meanings = {f"{row['kind']} {row['name']}": row["meaning"] for row in rows}

    def panels(self):
        """(name of the dashboard, panel) of all that are no rows."""
        for name, board in self.boards.items():
            for _, panel in boards.panels(board):
                yield name, panel

    def queries(self):
        for name, panel in self.panels():
            for target in boards.ask_prometheus(panel):
                yield f"{name}: {panel['title']}", target["expr"]

    def test_they_are_as_they_are_generated(self):
        subprocess.run([sys.executable, ROOT / "dashboards/generate", "--check"], check=True)

    def test_they_speak_the_catalogues_words(self):
        for line in (ROOT / "dashboards/source/meanings.txt").read_text().splitlines():
            name, meaning = line.split("\t")
            self.assertEqual(self.meanings.get(name), meaning, "run dashboards/generate --meanings build/release/cctm")

    def test_there_are_five_and_a_strict_look_finds_nothing(self):
        self.assertEqual({board["uid"] for board in self.boards.values()},
                         {"cctm-overview", "cctm-cost", "cctm-team", "cctm-activity", "cctm-health"})
        with Stack(init=False) as stack:
            for name in self.boards:
                said = stack.run("dashboards", "lint", "--strict", name.removesuffix(".json"))
                self.assertIn("nothing is wrong", said.stderr, said.stdout)

    def test_a_strict_look_finds_what_is_spoilt(self):
        """Or the test before could not fail."""
        spoil = {"words": lambda panel: panel.update(description=""), "hole": lambda panel: panel["gridPos"].update(w=3),
                 "queries": lambda panel: panel["targets"].extend(panel["targets"][:1] * 3),
                 "panel-id": lambda panel: panel.update(id=self.boards["overview.json"]["panels"][1]["id"]),
                 "counted": lambda panel: panel["targets"][0].update(expr="sum(claude_code_commit_count:counted)"),
                 "variable": lambda panel: panel["targets"][0].update(expr='up{a="$nothing"}'),
                 "datasource": lambda panel: panel["datasource"].update(uid="abc"),
                 "session-label": lambda panel: panel["targets"][0].update(
                     expr="sum by (session_id) (sum_over_time(claude_code_commit_count:counted[1h]))")}
        with Stack(init=False) as stack:
            for rule, change in spoil.items():
                board = json.loads(json.dumps(self.boards["overview.json"]))
                change(board["panels"][0])
                path = stack.scratch / "spoilt.json"
                path.write_text(json.dumps(board))
                said = stack.run("dashboards", "lint", "--strict", str(path), "--json", status=None).stdout
                self.assertEqual({finding["rule"] for finding in json.loads(said)["findings"]}, {rule})

    def test_each_query_is_promql_of_old_and_new(self):
        if not programs.promtools():
            self.skipTest("there is no promtool")
        marks = {mark["expr"] for board in self.boards.values() for mark in board["annotations"]["list"] if "expr" in mark}
        asked = sorted({boards.put_in(expression) for _, expression in self.queries()} | marks)
        rules = [{"record": f"query:{number}", "expr": expression} for number, expression in enumerate(asked)]
        with Stack(init=False) as stack:
            path = stack.scratch / "queries.json"  # JSON is YAML
            path.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
            for version, promtool in programs.promtools().items():
                done = subprocess.run([promtool, "check", "rules", "--lint=none", path], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{version}: {done.stderr}")

    def test_each_query_asks_by_labels_that_are_recorded(self):
        """What is recorded, and by which labels: the rules' own contract. Of the parts, what they are known to say."""
        bridge = "".join(path.read_text() for path in (ROOT / "src/bridge").rglob("*.c"))
        for where, expression in self.queries():
            expression = expression.replace("${who}", "user")
            names = set(re.findall(r"claude_code\w*(?::\w+)?", expression))
            made = set(re.findall(r'(?:label_replace|count_values)\([^"]*"(\w+)"', expression)) | {"hour", "day"}
            labels = set(re.findall(r"(\w+)(?:!?=~?\")", expression)) | \
                {word for words in re.findall(r"by \(([^)]*)\)", expression) for word in words.split(", ")}
            if not names:
                self.assertLessEqual(labels, OF_PARTS, where)
                words = re.sub(r'"[^"]*"|\b(by|on|ignoring|group_right) \([a-z_, ]*\)|\w+(?= ?\()', "", expression)
                asked = set(re.findall(r"\b[a-z]\w*_\w+", words))
                for by_name in re.findall(r'__name__=~"([^"]*)"', expression):
                    asked |= {name.removesuffix("(_total)?") for name in by_name.split("|")}
                own = {name for name in asked if name.startswith("cctm_")}
                self.assertEqual({name for name in own if name not in bridge}, set(), where)
                self.assertLessEqual(asked - own, KNOWN_PARTS, where)
                continue
            for name in names:
                self.assertRegex(name, RECORDED, where)
            self.assertNotRegex(expression, r"\b(increase|rate|irate)\(", where)
            kept = set(COUNTED)
            for pattern, more in (("claude_code_(events|api|tool)", OF_EVENTS), ("claude_code:", {"period", "scope"}),
                                  (".*:seen", {"session_id"})):
                kept |= more if any(re.match(pattern, name) for name in names) else set()
            self.assertLessEqual(labels - made, kept, where)

    def test_times_are_kept_by_fewer_labels(self):
        for where, expression in self.queries():
            for series, words in re.findall(r"(claude_code_(?:api_request|tool)_\w+_seconds)_\w+:counted\{([^}]*)\}", expression):
                labels = set(re.findall(r"(\w+)=~?\"", words.replace("${who}", "installation")))
                self.assertLessEqual(labels, {"model", "team_id", "query_source", "tool_name"}, f"{where} of {series}")

    def test_no_query_steps_finely_over_a_long_range(self):
        for where, expression in self.queries():
            for span, step in re.findall(r"\[([^\]:]+):([^\]]*)\]", expression):
                self.assertEqual((span, step), ("30d", "1h"), where)

    def test_every_panel_asks_the_chosen_datasource(self):
        for name, panel in self.panels():
            if panel["type"] == "text":
                continue
            for item in (panel, *panel["targets"]):
                self.assertIn((item["datasource"]["type"], item["datasource"]["uid"]),
                              {("prometheus", "${datasource}"), ("loki", "${loki}")}, f"{name}: {panel['title']}")
            self.assertTrue(panel["description"].endswith("."), f"{name}: {panel['title']}")
        for board in self.boards.values():
            source = board["templating"]["list"][0]
            self.assertEqual((source["name"], source["current"]["value"]), ("datasource", "prometheus_claude_metrics"))

    def test_a_panels_number_outlives_its_neighbours(self):
        """So that what people changed in it can be told from what is new."""
        for board in self.boards.values():
            for row, panel in boards.panels(board):
                self.assertEqual(panel["id"], 1 + zlib.crc32(f"{row}/{panel['title']}".encode()) % 99_999)

    def test_panels_are_of_grafanas_core(self):
        core = {"stat", "gauge", "bargauge", "piechart", "timeseries", "barchart", "table", "text", "logs"}
        self.assertLessEqual({panel["type"] for _, panel in self.panels()}, core)

    def test_what_is_open_fits_on_two_screens_and_the_rest_is_folded(self):
        for name, board in self.boards.items():
            at = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"] if panel["type"] != "row")
            # A line of the grid is 38 pixels high; 1366 x 768 shows 16 of them, 2560 x 1440 shows 34.
            self.assertLessEqual(at, 34, name)
            self.assertTrue(any(panel.get("collapsed") for panel in board["panels"]), name)

    def test_titles_and_legends_fit_their_panels(self):
        """Computed, not seen: 24 columns with gaps of 8 pixels, letters of 7.3 in a title, room for two icons."""
        for name, panel in self.panels():
            for screen in (1366, 2560):
                column = (screen - 32 - 23 * 8) / 24
                width = panel["gridPos"]["w"] * column + (panel["gridPos"]["w"] - 1) * 8
                self.assertLessEqual(len(panel["title"]) * 7.3, width - 40, f"{name}: {panel['title']} at {screen}")
                legend = panel.get("options", {}).get("legend", {})
                if legend.get("showLegend") and legend.get("placement") == "right":
                    # A third of the panel, for a model's name and a sum.
                    self.assertGreaterEqual(width * 0.35, 25 * 6.5 + 60, f"{name}: {panel['title']} at {screen}")

    def test_the_same_thing_has_the_same_colour_everywhere(self):
        seen = {}
        for name, panel in self.panels():
            for override in panel["fieldConfig"]["overrides"]:
                for color in (one["value"]["fixedColor"] for one in override["properties"] if one["id"] == "color"):
                    known = seen.setdefault(override["matcher"]["options"], color)
                    self.assertEqual(known, color, f"{name}: {panel['title']}")
        self.assertGreaterEqual(len(seen), 10)

    def test_links_keep_the_range_and_what_was_chosen(self):
        for name, board in self.boards.items():
            for link in board["links"]:
                self.assertTrue(link["includeVars"], name)
                self.assertEqual(link["keepTime"], link["type"] == "dashboards", name)
            self.assertEqual([link["title"] for link in board["links"][:3]], ["24 hours", "7 days", "30 days"])
            self.assertEqual({mark["name"] for mark in board["annotations"]["list"][1:]}, {"cctm up", "Restarts", "Alerts"})
            self.assertEqual((board["refresh"], board["tags"]), ("30s", ["claude", "productivity", "ai", "development"]))

    def test_a_click_on_a_person_shows_that_person_alone(self):
        uids = {board["uid"]: board for board in self.boards.values()}
        count = 0
        for _, panel in self.panels():
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                count += 1
                path, query = link["url"].split("?")
                self.assertTrue(query.startswith("${__url_time_range}&${datasource:queryparam}&"))
                has = {variable["name"] for variable in uids[path.removeprefix("/d/")]["templating"]["list"]}
                given = set(re.findall(r"var-(\w+)=|\$\{(\w+):queryparam\}", query))
                self.assertLessEqual({one or other for one, other in given}, has)
                shown = re.findall(r"\$\{__field\.labels\.(\w+):percentencode\}", query)
                self.assertIn(f"{{{{{shown[0]}}}}}", panel["targets"][0]["legendFormat"], "the label that is clicked at is there")
                if "var-user=" in query:
                    self.assertIn("${who:queryparam}", query, "or a pseudonym would be taken for a name")
        self.assertGreaterEqual(count, 20)


# As the rules add up; and the labels of what parts say of themselves.
COUNTED = {"model", "type", "query_source", "effort", "agent_name", "skill_name", "plugin_name", "mcp_server_name", "start_type",
           "tool_name", "decision", "source", "language", "user", "installation", "team_id", "department", "cost_center",
           "terminal_type", "app_version"}
RECORDED = "^claude_code(_.*:(counted|seen|today|week|month)|:(passed|budget_usd|utc_offset_seconds))$"
OF_EVENTS = {"le", "event_name", "success", "decision_source", "status_code", "error_type", "permission_mode", "trigger",
             "hook_event", "status"}
OF_PARTS = {"reason", "rule_group", "job", "alertstate", "alertname", "severity", "service", "__name__", "exporter", "url"}
KNOWN_PARTS = {
    "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added", "scrape_samples_post_metric_relabeling",
    "prometheus_rule_group_last_duration_seconds", "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_iterations_missed_total", "prometheus_tsdb_head_series", "prometheus_tsdb_head_series_created_total",
    "prometheus_tsdb_storage_blocks_bytes", "prometheus_tsdb_wal_storage_size_bytes",
    "prometheus_remote_storage_highest_timestamp_in_seconds", "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
    "prometheus_remote_storage_samples_retried_total", "prometheus_remote_storage_samples_failed_total",
    "process_resident_memory_bytes", "process_cpu_seconds_total", "otelcol_process_cpu_seconds", "otelcol_process_memory_rss",
    "otelcol_exporter_queue_size",
    "otelcol_receiver_accepted_metric_points", "otelcol_receiver_refused_metric_points", "otelcol_receiver_accepted_log_records",
    "otelcol_receiver_refused_log_records", "otelcol_exporter_sent_metric_points", "otelcol_exporter_send_failed_metric_points",
    "stack_verified_timestamp_seconds", "probe_ssl_earliest_cert_expiry", "x509_cert_not_after"}


if __name__ == "__main__":
    os.environ.pop("GRAFANA_URL", None)
    case.main()
