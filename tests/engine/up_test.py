"""`cctm up` and its companions on a real Docker Engine: the compose file runs as it is rendered, but for image names."""

import base64
import copy
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.parse
from pathlib import Path

import boards
import engine
import stacks
from lib import case
from lib.bridge import free_port, wait_until
from lib.collector import fetch
from stacks import Stack

RECORDING = Path(__file__).parents[1] / "data" / "captures" / "claude-code-2.1.328" / "multi-export-json"
PORTS = ("grafana", "otlp_grpc", "otlp_http", "exporter", "prometheus", "health", "zpages")
IMAGES = {"images.collector": "test/collector:1", "images.prometheus": "test/prometheus:1",
          "images.grafana": "test/grafana:1"}


@unittest.skipIf(engine.WHY_NOT, engine.WHY_NOT)
class Up(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = engine.Engine()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.add_images()

    def setUp(self):
        self.ports = {name: free_port() for name in PORTS}
        self.settings = {**IMAGES, "prometheus.scrape_interval": "3s",
                         **{f"ports.{name}": port for name, port in self.ports.items()}}
        self.stack = Stack(init=False)
        self.stack.environment |= self.engine.environment
        self.stack.init(*[word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")])
        if "fresh_stack" not in self.id():
            # Each `up` waits until every target was read once: here not for a quarter of a minute.
            self.stack.replace("config/prometheus.yml", "scrape_interval: 15s", "scrape_interval: 2s")
        self.addCleanup(self.stack.close)
        self.addCleanup(lambda: self.run_there("down", "--volumes", "--yes", "-q", status=None))

    def run_there(self, command, *words, status=0):
        return self.stack.run(command, "-C", str(self.stack.dir), *words, status=status, timeout=240)

    def up(self, *words, status=0):
        return self.run_there("up", "--pull", "never", "--timeout", "90s", *words, status=status)

    def containers(self):
        return self.engine.docker("ps", "--all", "--quiet").stdout.split()

    def get(self, port, path):
        return fetch(f"http://127.0.0.1:{self.ports[port]}{path}")[1]

    def total(self, expression):
        answer = json.loads(self.get("prometheus", "/api/v1/query?query=" + urllib.parse.quote(expression)))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0

    def test_a_fresh_stack_gets_healthy_and_counts_a_session_exactly(self):
        said = self.up()
        self.assertIn(f"http://localhost:{self.ports['grafana']}/", said.stdout)
        for what in ("OTLP over HTTP", "OTLP over gRPC", "Prometheus' targets", "Grafana's login", "Grafana's datasource",
                     "a sample, read back from the receiver", "the sample in Prometheus", "the sample in Grafana", "dashboards"):
            self.assertIn(f"ok  {what}", said.stderr)
        self.run_there("status")
        self.check_status()
        for body in sorted(RECORDING.glob("*-metrics.json")):
            fetch(f"http://127.0.0.1:{self.ports['otlp_http']}/v1/metrics", body.read_bytes(),
                  {"Content-Type": "application/json"})
        counted = "sum(sum_over_time(claude_code_%s:counted[1h]))"
        wait_until(lambda: abs(self.total(counted % "cost_usage_USD") - 0.07932) < 1e-9,
                   lambda: f"cost is {self.total(counted % 'cost_usage_USD')}", deadline_s=150, pause_s=1)
        self.assertEqual(self.total(counted % "token_usage_tokens"), 56070)
        self.assertEqual(json.loads(self.get("prometheus", "/api/v1/alerts"))["data"]["alerts"], [])
        self.check_dashboards()
        self.check_containers()
        self.check_second_run()
        self.check_reload()
        self.check_end()

    def check_status(self):
        parts = {part["service"]: part for part in json.loads(self.run_there("status", "--json").stdout)["parts"]}
        self.assertEqual(set(parts), {"otel-collector", "prometheus", "grafana"})
        for part in parts.values():
            self.assertTrue(part["healthy"])
            self.assertEqual((part["version"], part["restarts"]), ("1", 0))
            self.assertGreater(part["memory_bytes"], 100_000)
            self.assertGreaterEqual(part["cpu_percent"], 0)
            self.assertLess(abs(part["started_ms"] / 1000 - time.time()), 120)
        said = self.run_there("logs", "--grep", "ready to receive|no such words").stdout
        self.assertIn("Server is ready to receive web requests", said)
        self.assertEqual(len(said.splitlines()), 1)
        self.assertEqual(self.run_there("logs", "--errors", "--grep", "ready to receive").stdout, "")

    def sent(self, metric, **attributes):
        """The truth: what the recording holds, added up."""
        added = 0
        for body in RECORDING.glob("*-metrics.json"):
            for resource in json.loads(body.read_bytes())["resourceMetrics"]:
                for found in (found for scope in resource["scopeMetrics"] for found in scope["metrics"]):
                    for point in found["sum"]["dataPoints"] if found["name"] == f"claude_code.{metric}" else ():
                        has = {one["key"]: next(iter(one["value"].values())) for one in point["attributes"]}
                        if all(has.get(key) == value for key, value in attributes.items()):
                            added += point["asDouble"]
        return added

    def shown(self, target):
        """What a query of a panel gives over the last hour."""
        expression = boards.put_in(target["expr"], 3600, 3600)
        answer = json.loads(self.get("prometheus", "/api/v1/query?query=" + urllib.parse.quote(expression)))
        self.assertEqual(answer["status"], "success", expression)
        return sum(float(row["value"][1]) for row in answer["data"]["result"])

    def check_dashboards(self):
        """Each query of the dashboards is one that Prometheus takes, and its numbers are those that were sent. (That each
        panel's is right is numbers_test's; here it is the stack's own rules that record.)"""
        values = {}
        for name, board in boards.read().items():
            for row, panel in boards.panels(board):
                for target in reversed(boards.ask_prometheus(panel)):
                    values[name, panel["title"]] = values[name, row, panel["title"]] = self.shown(target)
        cost, tokens = self.sent("cost.usage"), functools.partial(self.sent, "token.usage")
        sent = tokens(type="cacheRead") + tokens(type="cacheCreation") + tokens(type="input")
        for where, truth in {
                ("overview.json", "Spend"): cost, ("overview.json", "Sessions"): self.sent("session.count"),
                ("overview.json", "Commits"): self.sent("commit.count"),
                ("overview.json", "Lines added"): self.sent("lines_of_code.count", type="added"),
                ("overview.json", "Lines removed"): self.sent("lines_of_code.count", type="removed"),
                ("overview.json", "Input tokens"): tokens(type="input"), ("overview.json", "Output tokens"): tokens(type="output"),
                ("overview.json", "Cache reads (save money)"): tokens(type="cacheRead"),
                ("overview.json", "Cache creation"): tokens(type="cacheCreation"),
                ("overview.json", "Time Claude worked"): self.sent("active_time.total", type="cli"),
                ("overview.json", "Cost by model"): cost, ("overview.json", "Cost by who asked"): cost,
                ("overview.json", "Cost by model over time"): cost, ("overview.json", "Cost adding up"): cost,
                ("overview.json", "Tokens by type"): tokens(), ("overview.json", "Tokens by model"): tokens(),
                ("overview.json", "Edits by tool"): self.sent("code_edit_tool.decision"),
                ("overview.json", "Edits by language"): self.sent("code_edit_tool.decision"),
                ("overview.json", "Cache efficiency"): 100 * tokens(type="cacheRead") / sent,
                ("overview.json", "1,000 output tokens"): 1000 * cost / tokens(type="output"),
                ("cost.json", "Today"): cost, ("cost.json", "This week"): cost, ("cost.json", "This month"): cost,
                ("cost.json", "In the range shown"): cost, ("cost.json", "By effort"): cost,
                ("cost.json", "A session"): cost / self.sent("session.count"),
                ("cost.json", "Most expensive sessions of the last 7 days"): cost,
                ("team.json", "Spend"): cost, ("team.json", "", "People"): 1, ("team.json", "People", "Cost"): cost,
                ("team.json", "Teams", "Cost"): cost,
                ("team.json", "", "Lines added"): self.sent("lines_of_code.count", type="added"),
                ("health.json", "Parts that answer"): 4}.items():
            self.assertAlmostEqual(values[where], truth, 9, where)

    def check_containers(self):
        for container in self.containers():
            details = json.loads(self.engine.docker("inspect", container).stdout)[0]
            host = details["HostConfig"]
            self.assertTrue(host["ReadonlyRootfs"])
            self.assertEqual(host["CapDrop"], ["ALL"])
            self.assertIn("no-new-privileges:true", host["SecurityOpt"])
            self.assertEqual(host["RestartPolicy"]["Name"], "unless-stopped")
            for bindings in host["PortBindings"].values():
                self.assertEqual({binding["HostIp"] for binding in bindings}, {"127.0.0.1"})
        password = next(line.split("=")[1] for line in self.stack.read(".env").splitlines()
                        if line.startswith("GRAFANA_ADMIN_PASSWORD="))
        for word in (password, base64.b64encode(f"admin:{password}".encode()).decode()):
            self.assertNotIn(word, self.run_there("status", "--json").stdout)

    def check_second_run(self):
        before, receiver = sorted(self.containers()), self.receiver()
        self.up()
        self.assertEqual(sorted(self.containers()), before)
        self.stack.init("--set", "prometheus.retention_time=30d")
        self.up()
        self.assertNotEqual(sorted(self.containers()), before)
        self.assertEqual(self.receiver(), receiver, "what did not change is not made anew")
        self.run_there("restart", "grafana")
        self.run_there("status")
        self.assertIn("Server is ready to receive web requests", self.run_there("logs", "prometheus").stdout)

    def check_reload(self):
        """What only a part itself reads: nobody is made anew, and each runs with what is there now."""
        before = sorted(self.containers())
        self.stack.write("config/rules/own.yml", 'groups: [{name: own, rules: [{record: "own:one", expr: "vector(1)"}]}]')
        said = self.up().stderr
        self.assertIn("prometheus: its configuration changed; it reads it again", said)
        self.assertNotIn("grafana: its", said)
        self.assertIn("own:one", self.get("prometheus", "/api/v1/rules"))
        self.stack.replace("config/otel-collector-config.yaml", "timeout: 1s", "timeout: 2s")
        self.stack.write("config/grafana/provisioning/datasources/own.yml", "apiVersion: 1\n")
        started = self.state("otel-collector", "{{.State.StartedAt}}")
        said = self.up().stderr
        self.assertIn("otel-collector: its configuration changed; it is started again", said)
        self.assertNotEqual(self.state("otel-collector", "{{.State.StartedAt}}"), started)
        self.assertIn("grafana_stand_in_reloads_total 3", self.get("grafana", "/metrics"))
        self.assertEqual(sorted(self.containers()), before)
        said = self.up().stderr
        self.assertNotIn("its configuration changed", said)
        self.assertNotIn("dashboards", said, "what is there stays as it is")
        self.stack.write("config/rules/own.yml", "groups: nonsense")
        self.assertIn("Prometheus does not take its changed configuration", self.up(status=1).stderr)
        self.assertEqual(sorted(self.containers()), before, "what ran goes on")
        (self.stack.dir / "config/rules/own.yml").unlink()
        self.up()

    def state(self, service, what):
        return self.engine.docker("inspect", "--format", what, self.container(service)).stdout.decode().strip()

    def container(self, service):
        return self.engine.docker("ps", "--quiet", "--all", "--filter", f"name={service}").stdout.decode().strip()

    def receiver(self):
        return self.engine.docker("ps", "--quiet", "--filter", "name=otel-collector").stdout

    def check_end(self):
        done = self.run_there("down", "--volumes", status=2)
        self.assertIn("--yes", done.stderr)
        self.assertRegex(done.stderr, r"_prometheus[-_a-z]* +[0-9.]+[kM]?B\n")
        self.run_there("down")
        self.assertEqual(self.containers(), [])
        self.assertIn("absent", self.run_there("status", status=3).stdout)
        self.assertNotEqual(self.engine.docker("volume", "ls", "--quiet").stdout, b"")
        lost = json.loads(self.run_there("down", "--volumes", "--yes", "--json").stdout)["volumes"]
        self.assertTrue(any(volume["size"] != "0B" for volume in lost), lost)
        self.assertEqual(self.engine.docker("volume", "ls", "--quiet").stdout, b"")

    def board(self, model=None, said=""):
        """overview in Grafana, or a new version of it, as somebody saves it there."""
        password = next(line.split("=")[1] for line in self.stack.read(".env").splitlines()
                        if line.startswith("GRAFANA_ADMIN_PASSWORD="))
        login = {"Authorization": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()}
        grafana = f"http://127.0.0.1:{self.ports['grafana']}/api/dashboards"
        there = json.loads(fetch(f"{grafana}/uid/cctm-overview", headers=login)[1])
        if model is None:
            return there["dashboard"]
        body = {"dashboard": {**model, "version": there["meta"]["version"]}, "message": said}
        fetch(f"{grafana}/db", json.dumps(body, separators=(",", ":")).encode(), {**login, "Content-Type": "application/json"})
        return None

    def test_edits_in_grafana_stay_when_a_newer_cctm_comes(self):
        self.assertIn("dashboards", self.up().stderr)
        brought = self.board()
        older = copy.deepcopy(brought)
        new = older["panels"].pop()["title"]
        older["panels"][0]["description"] = "As it was described."
        self.board(older, "imported by cctm 0.0.1 (content 0123456789abcdef)")
        mine = copy.deepcopy(older)
        mine["title"] = "Mine"
        mine["panels"][1]["title"] = "My title"
        self.board(mine)
        self.assertIn("1 brought up to date, with your edits", self.run_there("upgrade", "--dry-run").stdout)
        self.assertEqual(self.board()["title"], "Mine")
        self.assertIn("1 brought up to date, with your edits", self.up().stderr)
        merged = self.board()
        self.assertEqual((merged["title"], merged["panels"][1]["title"]), ("Mine", "My title"))
        self.assertEqual(merged["panels"][0], brought["panels"][0])
        self.assertEqual(merged["panels"][-1]["title"], new)
        self.assertNotIn("dashboards", self.up().stderr, "nothing is newer any more")
        self.run_there("dashboards", "delete", "team", "--yes")
        self.assertNotIn("dashboards", self.up().stderr, "what somebody deleted stays away")
        self.run_there("dashboards", "diff", "team", status=1)
        self.run_there("import-dashboard", "team")
        self.assertIn("as it came", self.run_there("dashboards", "diff", "team").stderr)
        self.run_there("restart", "grafana")  # which remembers nothing here: another Grafana
        self.assertRegex(self.up().stderr, "dashboards +[0-9]+ new\n")

    def test_a_part_that_crashes_is_named_with_its_end_and_nothing_is_left(self):
        self.stack.init("--set", "images.grafana=test/broken:1")
        said = self.up("--keep-on-failure", status=1).stderr
        self.assertIn("Grafana did not get healthy", said)
        self.assertRegex(said, "its last exit status is 1, it was started again [0-9]+ times")
        self.assertNotEqual(self.containers(), [])
        self.run_there("status", status=3)
        self.run_there("down", "-q")
        self.assertIn("Grafana", self.up(status=1).stderr)
        self.assertEqual(self.containers(), [])

    def test_a_configuration_that_a_part_refuses_is_named_with_its_own_words(self):
        self.stack.replace("config/prometheus.yml", "scrape_interval: 2s", "scrape_interval: soon")
        said = self.up(status=1).stderr
        self.assertIn("Prometheus did not get healthy", said)
        self.assertIn('not a valid duration string: \\"soon\\"', said)
        self.assertIn("most likely its configuration has an error", said)
        self.assertEqual(self.containers(), [])

    def test_a_part_that_never_answers_is_named(self):
        self.stack.init("--set", "images.grafana=test/asleep:1")
        said = self.up("--timeout", "6s", status=1).stderr
        self.assertIn("Grafana did not get healthy (it is running", said)
        self.assertNotIn("started again", said, "it runs and never answers; one that ends is another case")
        self.assertEqual(self.containers(), [])

    def test_a_port_that_a_process_has_is_said_before_anything_is_started(self):
        with socket.create_server(("127.0.0.1", self.ports["grafana"])):
            said = self.up(status=1).stderr
        self.assertIn(f"port {self.ports['grafana']} (Grafana) is held by", said)
        self.assertIn(f"process {os.getpid()}", said)
        self.assertIn("cctm init --set ports.", said)
        self.assertEqual(self.containers(), [])

    def test_a_port_that_another_container_has_is_said_with_its_name(self):
        self.engine.docker("run", "--detach", "--name", "somebody-else", "--publish",
                           f"127.0.0.1:{self.ports['grafana']}:80", "test/asleep:1")
        self.addCleanup(self.engine.docker, "rm", "--force", "somebody-else")
        said = self.up(status=1).stderr
        self.assertIn(f"port {self.ports['grafana']} (Grafana) is held by the container somebody-else", said)
        self.assertEqual(len(self.containers()), 1)

    def begin(self, *words):
        """`up` in the background, once its containers run and it waits for a Grafana that never answers."""
        self.stack.init("--set", "images.grafana=test/asleep:1")
        process = subprocess.Popen(
            [stacks.PROGRAM, "up", "-C", str(self.stack.dir), "--pull", "never", *words], stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, env=self.stack.environment, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's background ignores it
        wait_until(lambda: len(self.engine.docker("ps", "--quiet").stdout.split()) == 3, lambda: "no containers",
                   deadline_s=60, pause_s=0.2)
        return process

    def test_ctrl_c_leaves_what_the_next_up_goes_on_with(self):
        process = self.begin()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.stack.init("--set", "images.grafana=test/grafana:1")
        self.up()
        self.run_there("down")
        self.assertEqual(self.containers(), [])

    def test_an_engine_that_stops_meanwhile_is_said(self):
        process = self.begin("--timeout", "20s")
        self.engine.stop()
        try:
            said = process.communicate(timeout=60)[1]
        finally:
            self.engine.start()
        self.assertEqual(process.returncode, 1)
        self.assertIn("the engine went away while the stack was started", said)
        self.run_there("down")
        self.assertEqual(self.containers(), [])

    def test_without_a_stack_one_is_made_first(self):
        with Stack(init=False) as other:
            other.environment |= self.engine.environment
            other.environment |= {"CCTM_" + key.replace(".", "_").upper(): str(value) for key, value in self.settings.items()}
            other.dir.mkdir()
            said = other.run("up", "-C", str(other.dir), "--pull", "never", timeout=120)
            self.assertIn("'cctm init' makes one", said.stderr)
            self.assertIn("ok  the sample in Grafana", said.stderr)
            other.run("down", "-C", str(other.dir), "--volumes", "--yes", timeout=60)

    def image(self, service):
        return self.state(service, "{{.Config.Image}}")

    def files(self):
        return {path: content for path, content in self.stack.tree().items()
                if path not in (".cctm/current.json",) and not path.startswith("bridge/")}

    def test_an_upgrade_moves_to_newer_images_or_goes_back_to_the_former(self):
        """Newer images are what the environment names: cctm.yaml, which would pin them, says nothing of them."""
        for name in ("prometheus", "grafana"):
            self.engine.docker("tag", f"test/{name}:1", f"test/{name}:2")
        names = {f"CCTM_IMAGES_{key.split('.')[1].upper()}": image for key, image in IMAGES.items()}
        self.stack.init(*[word for key in IMAGES for word in ("--set", f"{key}=")], status=None)
        text = "\n".join(line for line in self.stack.read("cctm.yaml").splitlines() if "test/" not in line)
        self.stack.write("cctm.yaml", text.replace("\nimages:\n", "\n") + "\n")
        self.stack.environment |= names
        self.stack.init("--force")
        self.up()
        self.run_there("upgrade", "--check")
        before, files = sorted(self.containers()), self.files()

        self.stack.environment |= {"CCTM_IMAGES_PROMETHEUS": "test/prometheus:2", "CCTM_IMAGES_GRAFANA": "test/broken:1"}
        said = self.run_there("upgrade", "--check", status=3)
        self.assertIn("test/prometheus:1 -> test/prometheus:2", said.stdout)
        self.assertEqual(sorted(self.containers()), before)
        said = self.run_there("upgrade", "--pull", "never", "--timeout", "8s", status=1).stderr
        self.assertIn("the former images and files are back", said)
        self.assertEqual((self.image("prometheus"), self.image("grafana")), ("test/prometheus:1", "test/grafana:1"))
        self.assertEqual(self.files(), files)

        self.stack.environment |= {"CCTM_IMAGES_GRAFANA": "test/grafana:2"}
        collector = self.container("otel-collector")
        done = json.loads(self.run_there("upgrade", "--pull", "never", "--json").stdout)
        self.assertTrue(done["done"])
        self.assertEqual((self.image("prometheus"), self.image("grafana")), ("test/prometheus:2", "test/grafana:2"))
        self.assertEqual(self.container("otel-collector"), collector, "what did not change goes on")
        self.run_there("status")
        self.assertIn("nothing newer", self.run_there("upgrade").stderr)

    def test_the_bridge_runs_in_an_image_made_of_this_program(self):
        self.stack.init("--set", "ingest=bridge")
        said = self.up().stderr
        self.assertIn("is made of this program", said)
        self.assertIn("ok  the bridge's status page", said)
        for body in sorted(RECORDING.glob("*-metrics.json")):
            fetch(f"http://127.0.0.1:{self.ports['otlp_http']}/v1/metrics", body.read_bytes(),
                  {"Content-Type": "application/json"})
        self.assertIn('claude_code_token_usage_tokens_total{', self.get("exporter", "/metrics"))
        container = self.container("bridge")
        self.assertNotIn("is made of this program", self.up().stderr)
        self.assertEqual(self.container("bridge"), container)
        self.run_there("restart", "bridge")
        self.assertIn('claude_code_token_usage_tokens_total{', self.get("exporter", "/metrics"))

    def test_images_can_be_fetched_alone(self):
        self.up("--build-only")
        self.assertEqual(self.containers(), [])

    def test_who_may_not_use_the_socket_is_told(self):
        for path in [self.stack.scratch, *self.stack.scratch.rglob("*"), self.engine.folder]:
            os.chown(path, 65534, 65534)
        os.chmod(self.engine.folder, 0o755)
        done = subprocess.run([stacks.PROGRAM, "up", "-C", str(self.stack.dir)], user=65534, group=65534, extra_groups=[],
                              env=self.stack.environment, cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("permission denied", done.stderr.lower())
        self.assertIn("group docker", done.stderr)

    def test_without_compose_what_to_install_is_said(self):
        folder = self.stack.scratch / "programs"
        folder.mkdir()
        (folder / "docker").symlink_to(shutil.which("docker"))
        without = {"PATH": str(folder), "DOCKER_CONFIG": str(self.stack.scratch)}
        if subprocess.run(["docker", "compose", "version"], env={**os.environ, **without}, capture_output=True,
                          check=False).returncode == 0:
            self.skipTest("this machine has Compose for everybody")
        done = self.stack.run("up", "-C", str(self.stack.dir), status=1, environment=without)
        self.assertIn("Docker Compose 2 is not installed", done.stderr)
        self.assertIn("docker-compose-plugin", done.stderr)


@unittest.skipIf(engine.WHY_NOT, engine.WHY_NOT)
class FullDisk(unittest.TestCase):
    def test_a_disk_without_room_is_said_before_anything_is_started(self):
        small = engine.Engine(data_size="100m")
        self.addCleanup(small.close)
        with Stack(*[word for name in PORTS for word in ("--set", f"ports.{name}={free_port()}")]) as stack:
            stack.environment |= small.environment
            done = stack.run("up", "-C", str(stack.dir), "--pull", "never", status=1)
            self.assertRegex(done.stderr, r"/data has [0-9]+MiB free, and 1GiB are needed")
            self.assertIn("docker system df", done.stderr)


if __name__ == "__main__":
    if engine.WHY_NOT:
        print(f"skipped: {engine.WHY_NOT}")
        sys.exit(case.SKIPPED)
    case.main()
