"""`cctm import-dashboard` against a strict stand-in for Grafana, and what every bundled dashboard has to keep."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from grafana_stand_in import Grafana
from lib import case
from stacks import PROGRAM, Stack

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"id": 77, "uid": "mine", "title": "Mine", "version": 9, "schemaVersion": 41, "panels": []}


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

    def test_what_is_not_there_is_said(self):
        self.assertIn("no bundled dashboard nothing", self.run_import("nothing", status=1).stderr)
        self.run_import(status=2)


    def dashboards(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "dashboards", *words, status=status)

    def state(self):
        rows = json.loads(self.dashboards("--json").stdout)["dashboards"]
        return next(row["state"] for row in rows if row["name"] == "overview")

    def test_the_list_says_what_grafana_has(self):
        self.assertEqual(self.state(), "not there")
        self.run_import("--all")
        self.assertEqual(self.state(), "as it came, version 1")
        self.grafana.dashboards["cctm-overview"][0]["title"] = "Mine"
        self.assertEqual(self.state(), "another version, version 1")
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
        self.assertIn("nothing is wrong", self.dashboards("lint", "overview", "cost", "team", "health").stderr)


class Bundled(unittest.TestCase):
    """What every dashboard keeps, whoever writes the next one."""

    @classmethod
    def setUpClass(cls):
        cls.boards = {path.name: json.loads(path.read_text()) for path in (ROOT / "dashboards").glob("*.json")}
        with Stack(init=False) as stack:
            rows = json.loads(stack.run("catalogue", "--json").stdout)["rows"]
        cls.attributes = {re.sub("[^a-zA-Z0-9]", "_", row["name"]) for row in rows if row["kind"] == "attribute"}
        with Stack() as stack:
            cls.recorded = set(re.findall(r"record: (\S+)", stack.read("config/rules/claude-code.yml")))
        # By OTEL_RESOURCE_ATTRIBUTES, as `cctm env --team X` writes them; and what parts say of themselves.
        cls.attributes |= {"team_id", "department", "cost_center"}
        cls.own = {"reason", "rule_group", "job", "alertstate", "__name__"}

    def panels(self, board):
        for panel in board["panels"]:
            yield panel
            yield from panel.get("panels", [])

    def test_they_are_as_they_are_generated(self):
        subprocess.run([sys.executable, ROOT / "dashboards/generate", "--check"], check=True)

    def test_numbers_are_unique_and_nothing_overlaps_or_leaves_the_grid(self):
        for name, board in self.boards.items():
            numbers = [panel["id"] for panel in self.panels(board)]
            self.assertEqual(len(numbers), len(set(numbers)), name)
            cells = set()
            for panel in board["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24)
                for x in range(at["x"], at["x"] + at["w"]):
                    for y in range(at["y"], at["y"] + at["h"]):
                        self.assertNotIn((x, y), cells, f"{name}: {panel['title']} lies on another panel")
                        cells.add((x, y))
            height = max(y for _, y in cells) + 1
            self.assertEqual(len(cells), 24 * height, f"{name} has holes")

    def test_each_panel_says_what_it_counts(self):
        for name, board in self.boards.items():
            for panel in self.panels(board):
                if panel["type"] == "row":
                    continue
                self.assertTrue(panel["title"] and panel["description"].endswith("."), f"{name}: {panel['title']}")
                self.assertIn("unit", panel["fieldConfig"]["defaults"])
                self.assertIn("noValue", panel["fieldConfig"]["defaults"])
                self.assertLessEqual(len(panel["targets"]), 3)
                for item in (panel, *panel["targets"]):
                    self.assertEqual(item["datasource"]["uid"], "${datasource}")

    def test_each_query_asks_for_what_the_rules_record(self):
        for name, board in self.boards.items():
            variables = {variable["name"] for variable in board["templating"]["list"]}
            for panel in self.panels(board):
                for target in panel.get("targets", []):
                    expression = target["expr"]
                    series = set(re.findall(r"claude_code_\w+(?::\w+)?", expression))
                    self.assertLessEqual(series, self.recorded, f"{name}: {panel['title']}")
                    self.assertTrue(series or name == "health.json", f"{name}: {panel['title']}")
                    if series:
                        self.assertNotRegex(expression, r"\b(increase|rate|irate)\(")
                    used = set(re.findall(r"\$(\w+)", expression)) - {"__range", "__interval"}
                    self.assertLessEqual(used, variables)
                    labels = set(re.findall(r"(\w+)(?:!?=~?\")", expression)) | \
                        {word for words in re.findall(r"by \(([^)]*)\)", expression) for word in words.split(", ")}
                    self.assertLessEqual(labels, self.attributes if series else self.own, f"{name}: {panel['title']}")


if __name__ == "__main__":
    os.environ.pop("GRAFANA_URL", None)
    case.main()
