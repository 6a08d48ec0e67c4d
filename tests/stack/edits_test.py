"""What becomes of a user's edits when `cctm init` runs again."""

import json
import os
import shutil
import subprocess
import threading
import unittest
from pathlib import Path

from lib import case
from stacks import Stack

COLLECTOR = "config/otel-collector-config.yaml"
PROMETHEUS = "config/prometheus.yml"
LOKI = ("--set", "events.store=loki")


class Edits(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def test_the_second_run_changes_nothing_and_says_so(self):
        before = self.stack.tree()
        self.assertIn("nothing to change", self.stack.init().stdout)
        self.assertEqual(self.stack.tree(), before)

    def test_an_edited_file_is_kept_while_there_is_nothing_new_for_it(self):
        self.stack.replace(PROMETHEUS, "evaluation_interval: 15s", "evaluation_interval: 20s")
        self.assertEqual(self.stack.actions()[PROMETHEUS], "keep")
        self.assertIn("evaluation_interval: 20s", self.stack.read(PROMETHEUS))

    def test_an_unedited_file_is_updated(self):
        self.assertEqual(self.stack.actions(*LOKI)[COLLECTOR], "update")
        self.assertIn("otlphttp/loki", self.stack.read(COLLECTOR))

    def test_an_edit_elsewhere_is_merged(self):
        self.stack.replace(PROMETHEUS, "evaluation_interval: 15s", "evaluation_interval: 20s # mine")
        self.assertEqual(self.stack.actions(*LOKI)[PROMETHEUS], "merge")
        text = self.stack.read(PROMETHEUS)
        self.assertIn("evaluation_interval: 20s # mine", text)
        self.assertIn("loki:3100", text)

    def test_an_edit_of_the_same_lines_is_left_and_the_new_text_laid_beside(self):
        self.stack.replace(COLLECTOR, "debug: { verbosity: basic }", "debug: { verbosity: normal }")
        edited = self.stack.read(COLLECTOR)
        done = self.stack.init("--set", "collector.debug=detailed", status=4)
        self.assertEqual(self.stack.read(COLLECTOR), edited)
        self.assertIn("verbosity: detailed", self.stack.read(COLLECTOR + ".new"))
        self.assertIn(COLLECTOR + ".new", done.stdout)

    def test_a_conflict_stays_one_until_it_is_answered(self):
        self.conflict()
        before = self.stack.tree()
        self.assertEqual(self.stack.actions(status=4)[COLLECTOR], "conflict")
        self.assertEqual(self.stack.tree(), before)

    def test_deleting_the_new_text_answers_the_conflict(self):
        self.conflict()
        (self.stack.dir / (COLLECTOR + ".new")).unlink()
        self.assertEqual(self.stack.actions()[COLLECTOR], "keep")
        self.assertEqual(self.stack.actions()[COLLECTOR], "keep")

    def test_taking_the_new_text_over_answers_the_conflict(self):
        self.conflict()
        (self.stack.dir / (COLLECTOR + ".new")).rename(self.stack.dir / COLLECTOR)
        self.assertEqual(self.stack.actions()[COLLECTOR], "unchanged")

    def test_making_the_new_change_by_hand_answers_the_conflict_and_clears_up(self):
        self.conflict()
        self.stack.write(COLLECTOR, self.stack.read(COLLECTOR + ".new"))
        self.assertEqual(self.stack.actions()[COLLECTOR], "unchanged")
        self.assertFalse((self.stack.dir / (COLLECTOR + ".new")).exists())

    def test_force_takes_the_new_text_and_keeps_the_old(self):
        self.stack.replace(COLLECTOR, "debug: { verbosity: basic }", "debug: { verbosity: normal }")
        edited = self.stack.read(COLLECTOR)
        self.stack.init("--set", "collector.debug=detailed", "--force")
        self.assertEqual(self.stack.read(COLLECTOR + ".bak"), edited)
        self.assertIn("verbosity: detailed", self.stack.read(COLLECTOR))

    def test_force_never_writes_over_an_older_copy(self):
        self.stack.write(COLLECTOR + ".bak", "precious")
        self.stack.replace(COLLECTOR, "debug: { verbosity: basic }", "debug: { verbosity: normal }")
        self.stack.init("--set", "collector.debug=detailed", "--force")
        self.assertEqual(self.stack.read(COLLECTOR + ".bak"), "precious")
        self.assertIn("verbosity: normal", self.stack.read(COLLECTOR + ".bak.1"))

    def test_a_merge_that_its_program_could_not_read_is_a_conflict(self):
        self.stack.replace(PROMETHEUS, "  - rules/*.yml", "  - rules/*.yml\n\tbroken: [")
        edited = self.stack.read(PROMETHEUS)
        self.assertEqual(self.stack.actions(*LOKI, status=4)[PROMETHEUS], "conflict")
        self.assertEqual(self.stack.read(PROMETHEUS), edited)

    def test_a_file_that_is_no_longer_needed_goes(self):
        self.stack.init(*LOKI)
        self.assertEqual(self.stack.actions("--set", "events.store=none")["config/loki.yaml"], "remove")
        self.assertFalse((self.stack.dir / "config/loki.yaml").exists())

    def test_one_that_was_edited_stays(self):
        self.stack.init(*LOKI)
        self.stack.replace("config/loki.yaml", "log_level: warn", "log_level: info")
        self.assertEqual(self.stack.actions("--set", "events.store=none")["config/loki.yaml"], "leave")
        self.assertIn("log_level: info", self.stack.read("config/loki.yaml"))

    def test_a_file_that_was_deleted_comes_back(self):
        (self.stack.dir / PROMETHEUS).unlink()
        self.assertEqual(self.stack.actions()[PROMETHEUS], "create")

    def test_windows_line_ends_survive_a_merge(self):
        text = self.stack.read(PROMETHEUS).replace("\n", "\r\n")
        (self.stack.dir / PROMETHEUS).write_bytes(text.encode())
        self.assertEqual(self.stack.actions(*LOKI, status=4)[PROMETHEUS], "conflict")
        self.assertEqual((self.stack.dir / PROMETHEUS).read_bytes(), text.encode())

    def test_a_link_stays_a_link(self):
        real = self.stack.scratch / "elsewhere.yml"
        (self.stack.dir / PROMETHEUS).rename(real)
        (self.stack.dir / PROMETHEUS).symlink_to(real)
        self.stack.init(*LOKI)
        self.assertTrue((self.stack.dir / PROMETHEUS).is_symlink())
        self.assertIn("loki:3100", real.read_text())

    def test_a_files_mode_is_the_users(self):
        (self.stack.dir / PROMETHEUS).chmod(0o640)
        self.stack.init(*LOKI)
        self.assertEqual((self.stack.dir / PROMETHEUS).stat().st_mode & 0o777, 0o640)

    def conflict(self):
        self.stack.replace(COLLECTOR, "debug: { verbosity: basic }", "debug: { verbosity: normal }")
        self.stack.init("--set", "collector.debug=detailed", status=4)


class OwnFiles(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(init=False)
        self.stack.dir.mkdir()
        self.addCleanup(self.stack.close)

    def test_secrets_stay_what_they_are(self):
        self.stack.init("--runtime", "docker")
        env = self.stack.read(".env")
        self.stack.init("--profile", "team")
        self.stack.init("--force")
        self.assertEqual(self.stack.read(".env"), env)

    def test_secrets_are_added_to_a_file_of_the_users(self):
        mine = "# mine\r\nexport A='x # y'\r\nGRAFANA_ADMIN_PASSWORD=\"pa$$word\"\r\nB=2"
        (self.stack.dir / ".env").write_bytes(mine.encode())
        self.stack.init("--runtime", "docker")
        text = (self.stack.dir / ".env").read_bytes().decode()
        self.assertTrue(text.startswith(mine + "\n") or text.startswith(mine + "\r\n"))
        self.assertIn("OTLP_BEARER_TOKEN=", text)
        self.assertEqual(text.count("GRAFANA_ADMIN_PASSWORD"), 1)

    def test_secrets_that_others_can_read_are_closed(self):
        self.stack.init("--runtime", "docker")
        (self.stack.dir / ".env").chmod(0o644)
        self.stack.init()
        self.assertEqual((self.stack.dir / ".env").stat().st_mode & 0o777, 0o600)

    def test_broken_secrets_are_refused_and_left(self):
        self.stack.write(".env", "A='open\n")
        done = self.stack.init("--runtime", "docker", status=1)
        self.assertIn(".env:1", done.stderr)
        self.assertEqual(set(self.stack.tree()), {".env"})

    def test_gitignore_keeps_the_users_lines(self):
        self.stack.write(".gitignore", "*.o\n.env")
        self.stack.init("--runtime", "docker")
        lines = self.stack.read(".gitignore").splitlines()
        self.assertEqual(lines[:2], ["*.o", ".env"])
        self.assertEqual(lines.count(".env"), 1)
        self.assertIn(".cctm/", lines)

    def test_git_does_not_see_secrets(self):
        subprocess.run(["git", "init", "-q", self.stack.dir], check=True, env={**os.environ, "HOME": str(self.stack.scratch)})
        self.stack.init("--runtime", "docker")
        seen = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=self.stack.dir, capture_output=True, text=True,
                              env={**os.environ, "HOME": str(self.stack.scratch)}).stdout
        self.assertIn("docker-compose.yml", seen)
        self.assertNotIn(".env\n", seen.replace("claude-code.env\n", ""))
        self.assertNotIn(".cctm", seen)

    def test_secrets_that_git_keeps_are_spoken_of(self):
        environment = {**os.environ, "HOME": str(self.stack.scratch)}
        self.stack.write(".env", "A=1\n")
        for words in (["init", "-q"], ["add", "-f", ".env"]):
            subprocess.run(["git", *words], cwd=self.stack.dir, check=True, env=environment)
        self.assertIn("git rm --cached", self.stack.init("--runtime", "embedded").stderr)

    def test_files_that_are_not_cctms_are_not_touched(self):
        self.stack.write("docker-compose.yml", "services: {}\n")
        self.assertEqual(self.stack.actions("--runtime", "docker", status=4)["docker-compose.yml"], "conflict")
        self.assertEqual(self.stack.read("docker-compose.yml"), "services: {}\n")

    def test_an_embedded_stack_is_small(self):
        self.stack.init("--runtime", "embedded")
        self.assertEqual({p for p in self.stack.tree() if not p.startswith(".cctm/")}, {"cctm.yaml", ".env"})
        self.assertEqual((self.stack.dir / "bridge").stat().st_mode & 0o777, 0o700)

    def test_auto_stays_what_it_was_decided_to_be(self):
        first = json.loads(self.stack.init("--json").stdout)
        self.stack.replace("cctm.yaml", f"\nruntime: {first['runtime']}", "\nruntime: auto")
        again = json.loads(self.stack.init("--json").stdout)
        self.assertEqual(again["runtime"], first["runtime"])
        self.assertIn("decided", again["runtime_why"])

    def test_bind_mounts_get_directories_for_their_users(self):
        self.stack.init("--runtime", "docker", "--set", "storage=bind")
        for name, uid in [("prometheus", 65534), ("grafana", 472)]:
            found = (self.stack.dir / "data" / name).stat()
            self.assertEqual(found.st_mode & 0o777, 0o750)
            if os.geteuid() == 0:
                self.assertEqual(found.st_uid, uid)
            else:
                self.assertIn(f'user: "{os.getuid()}:{os.getgid()}"', self.stack.read("docker-compose.yml"))

    def test_configurations_can_be_read_by_the_containers_whatever_the_umask(self):
        old = os.umask(0o077)
        try:
            self.stack.init("--runtime", "docker")
        finally:
            os.umask(old)
        for path in ("config", "config/rules", "config/prometheus.yml", "config/rules/stack.yml"):
            self.assertTrue((self.stack.dir / path).stat().st_mode & 0o004, path)


class Token(unittest.TestCase):
    """The script that gives Claude Code the header with the token, in directories of any name."""

    def header_in(self, name, before=""):
        with Stack(init=False) as stack:
            stack.dir = stack.scratch / name
            stack.dir.mkdir()
            if before:
                stack.write(".env", before)
            stack.init("--runtime", "docker", "--set", "otlp.auth=bearer")
            helper = json.loads(stack.read("managed-settings.json"))["otelHeadersHelper"]
            done = subprocess.run([helper], capture_output=True, text=True)
            return done, stack.read(".env")

    def test_it_prints_the_token_of_env(self):
        for name in ("stack", "two words", "it's $HOME \"quoted\" #1", "a\nb", "-n"):
            done, env = self.header_in(name)
            token = env.split("OTLP_BEARER_TOKEN=")[1].split()[0]
            self.assertEqual(json.loads(done.stdout), {"Authorization": f"Bearer {token}"}, f"{name!r}: {done.stderr}")

    def test_a_token_that_would_break_the_header_is_refused(self):
        done, _ = self.header_in("stack", "OTLP_BEARER_TOKEN='a\"b'\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no usable OTLP_BEARER_TOKEN", done.stderr)


class Adopted(unittest.TestCase):
    def test_the_old_password_is_in_env_and_the_backup_alone(self):
        source = Path(__file__).parents[1] / "data" / "adopt" / "tutorial"
        with Stack(init=False) as stack:
            shutil.copytree(source, stack.dir)
            stack.replace("docker-compose.yml", "GF_SECURITY_ADMIN_PASSWORD=admin", "GF_SECURITY_ADMIN_PASSWORD=Sesame42x")
            done = stack.run("init", "--adopt", str(stack.dir), "--yes")
            self.assertNotIn("Sesame42x", done.stdout + done.stderr)
            self.assertIn("GRAFANA_ADMIN_PASSWORD=Sesame42x", stack.read(".env"))
            for path, content in stack.tree().items():
                if b"Sesame42x" in content:
                    self.assertIn(path, (".env", ".cctm/adopted/docker-compose.yml"))
                    self.assertEqual((stack.dir / path).stat().st_mode & 0o777, 0o600, path)


class TwoAtOnce(unittest.TestCase):
    def test_the_second_is_refused_while_the_first_works(self):
        with Stack() as stack:
            log = []
            threads = [threading.Thread(target=lambda: log.append(
                stack.init("--set", "events.store=loki", status=None).returncode)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertLessEqual(set(log), {0, 4})
            self.assertIn(0, log)
            self.assertIn("nothing to change", stack.init().stdout)


class Render(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def render(self, *options, status=0):
        return self.stack.run("render", "-C", str(self.stack.dir), *options, status=status).stdout

    def test_check_is_content_with_a_fresh_stack(self):
        self.render("--check")

    def test_check_ends_with_3_when_something_would_change(self):
        self.stack.run("config", "-C", str(self.stack.dir), "set", "events.store", "loki")
        self.render("--check", status=3)

    def test_the_diff_is_what_init_does(self):
        self.stack.run("config", "-C", str(self.stack.dir), "set", "events.store", "loki")
        before = self.stack.tree()
        diff = self.render("--diff")
        self.assertEqual(self.stack.tree(), before)
        done = subprocess.run(["git", "apply", "-p1"], input=diff, text=True, cwd=self.stack.dir, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(self.stack.actions().values()), {"unchanged"})

    def test_no_secret_is_shown(self):
        (self.stack.dir / ".env").unlink()
        self.stack.init()
        secrets = [line.split("=")[1] for line in self.stack.read(".env").splitlines() if "=" in line and line[0] != "#"]
        (self.stack.dir / ".env").chmod(0o644)
        for said in (self.render(), self.render("--diff"), self.render("--json"), self.stack.init("-v").stdout):
            for secret in secrets:
                self.assertNotIn(secret, said)

    def test_one_file_is_printed_without_edits(self):
        made = self.stack.read(PROMETHEUS)
        self.stack.replace(PROMETHEUS, "evaluation_interval: 15s", "evaluation_interval: 20s")
        self.assertEqual(self.render("--stdout", PROMETHEUS), made)

    def test_a_template_of_the_stack_goes_first(self):
        self.stack.write("templates/config/loki.yaml", "mine: {{{retention_time}}}\n")
        self.stack.init("--set", "events.store=loki")
        self.assertEqual(self.stack.read("config/loki.yaml"), "mine: 2160h\n")

    def test_templates_of_a_named_directory_go_before_those(self):
        self.stack.write("templates/config/loki.yaml", "a: stack's\n")
        named = self.stack.scratch / "named"
        (named / "config").mkdir(parents=True)
        (named / "config/loki.yaml").write_text("a: named\n")
        self.stack.init("--set", "events.store=loki", "--templates", str(named))
        self.assertEqual(self.stack.read("config/loki.yaml"), "a: named\n")

    def test_a_template_with_a_slip_is_refused_with_its_place(self):
        self.stack.write("templates/config/prometheus.yml", "a: {{no_such_name}}\n")
        done = self.stack.init(status=1)
        self.assertIn("config/prometheus.yml, line 1, column 4", done.stderr)

    def test_a_file_among_the_templates_that_is_none_is_refused(self):
        self.stack.write("templates/config/promtheus.yml", "a: b\n")
        self.assertIn("is no template", self.stack.init(status=1).stderr)


if __name__ == "__main__":
    case.main()
