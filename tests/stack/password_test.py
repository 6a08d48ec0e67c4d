"""`cctm password --rotate`: into Grafana and into .env, or into neither. Grafana is a stand-in that answers what a real
12.3.0 was seen to: GET /api/user 200 or 401, PUT /api/user/password 200, wrong old one 400."""

import base64
import http.server
import json
import signal
import subprocess
import threading
import unittest

from lib import case
from lib.bridge import wait_until
from stacks import PROGRAM, Stack


class Grafana:
    def __init__(self, password):
        self.password, self.before_put, self.after_put, self.puts = password, lambda: None, lambda: None, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def is_logged_in(self):
                pair = base64.b64encode(f"admin:{outer.password}".encode()).decode()
                return self.headers.get("Authorization") == f"Basic {pair}"

            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path != "/api/user":
                    self.answer(501, {})
                elif self.is_logged_in():
                    self.answer(200, {"login": "admin"})
                else:
                    self.answer(401, {"message": "Invalid username or password"})

            def do_PUT(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path != "/api/user/password":
                    return self.answer(501, {})
                if not self.is_logged_in():
                    return self.answer(401, {"message": "Invalid username or password"})
                outer.puts += 1
                if outer.before_put():
                    return self.answer(500, {"message": "Failed to change user password"})
                outer.password = body["newPassword"]
                outer.after_put()
                self.answer(200, {"message": "User password changed"})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Password(unittest.TestCase):
    def setUp(self):
        self.grafana = Grafana("")
        self.addCleanup(self.grafana.close)
        self.stack = Stack("--set", f"ports.grafana={self.grafana.port}")
        self.addCleanup(self.stack.close)
        self.first = self.in_env()
        self.grafana.password = self.first

    def in_env(self, name="GRAFANA_ADMIN_PASSWORD"):
        return next(line.split("=", 1)[1] for line in self.stack.read(".env").splitlines() if line.startswith(f"{name}="))

    def password(self, *words, status=0):
        return self.stack.run("-C", str(self.stack.dir), "password", *words, status=status)

    def pending(self):
        return (self.stack.dir / ".cctm/password-rotation").exists()

    def test_it_is_shown(self):
        self.assertEqual(self.password().stdout, self.first + "\n")
        self.assertEqual(json.loads(self.password("--json").stdout)["value"], self.first)

    def test_a_new_one_is_in_both_and_shown_nowhere(self):
        comment = "# mine\n"
        self.stack.write(".env", self.stack.read(".env") + comment)
        done = self.password("grafana", "--rotate")
        self.assertNotEqual(self.in_env(), self.first)
        self.assertEqual(self.grafana.password, self.in_env())
        self.assertTrue(self.stack.read(".env").endswith(comment))
        self.assertEqual((self.stack.dir / ".env").stat().st_mode & 0o777, 0o600)
        self.assertNotIn(self.in_env(), done.stdout + done.stderr)
        self.assertFalse(self.pending())
        self.assertNotIn(self.in_env(), self.password("grafana", "--rotate", "--json").stdout)

    def test_a_grafana_that_refuses_leaves_both(self):
        self.grafana.before_put = lambda: True
        self.assertIn("the password stays as it was", self.password("--rotate", status=1).stderr)
        self.assertEqual((self.in_env(), self.grafana.password, self.pending()), (self.first, self.first, False))

    def test_an_env_that_cannot_be_written_gives_grafana_the_former_one_back(self):
        path = self.stack.dir / ".env"
        kept = path.read_text()

        def block():
            if self.grafana.puts == 1:
                path.unlink()
                path.mkdir()

        self.grafana.after_put = block
        said = self.password("--rotate", status=1).stderr
        self.assertIn("the password stays as it was", said)
        self.assertEqual((self.grafana.password, self.grafana.puts, self.pending()), (self.first, 2, False))
        path.rmdir()
        path.write_text(kept)
        self.password("--rotate")
        self.assertEqual(self.grafana.password, self.in_env())

    def test_killed_before_the_answer_the_next_run_completes_it(self):
        process = None

        def kill():
            process.send_signal(signal.SIGKILL)
            process.wait()

        self.grafana.after_put = kill
        started = threading.Event()
        self.grafana.before_put = lambda: started.wait(10) and False
        process = subprocess.Popen([PROGRAM, "-C", str(self.stack.dir), "password", "--rotate"], env=self.stack.environment,
                                   stderr=subprocess.DEVNULL)
        started.set()
        process.wait(20)
        wait_until(lambda: self.grafana.password != self.first, "the change")
        self.assertEqual(self.in_env(), self.first)
        self.assertTrue(self.pending())
        self.assertEqual(self.password().stdout, self.grafana.password + "\n")
        self.assertEqual((self.in_env(), self.pending()), (self.grafana.password, False))

    def test_killed_before_the_change_the_next_run_drops_it(self):
        process = None

        def kill():
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

        self.grafana.before_put = kill
        process = subprocess.Popen([PROGRAM, "-C", str(self.stack.dir), "password", "--rotate"], env=self.stack.environment,
                                   stderr=subprocess.DEVNULL)
        process.wait(20)
        self.assertTrue(self.pending())
        self.assertEqual(self.password().stdout, self.first + "\n")
        self.assertFalse(self.pending())

    def test_a_lost_answer_is_asked_for(self):
        self.grafana.after_put = self.grafana_drops
        self.password("--rotate")
        self.assertEqual(self.grafana.password, self.in_env())

    def grafana_drops(self):
        raise ConnectionResetError

    def test_a_grafana_that_does_not_run_or_has_another_one_is_said(self):
        self.grafana.password = "else"
        self.assertIn("does not take the password of .env", self.password("--rotate", status=1).stderr)
        self.grafana.close()
        said = self.password("--rotate", status=1).stderr
        self.assertIn("cctm up", said)
        self.assertEqual((self.in_env(), self.pending()), (self.first, False))

    def test_without_a_token_that_is_said(self):
        self.assertIn("otlp.auth=bearer", self.password("otlp", status=2).stderr)

    def test_a_token_is_rotated_in_env(self):
        self.stack.init("--set", "otlp.auth=bearer")
        first = self.in_env("OTLP_BEARER_TOKEN")
        self.assertEqual(self.password("otlp").stdout, first + "\n")
        self.password("otlp", "--rotate")
        self.assertNotEqual(self.in_env("OTLP_BEARER_TOKEN"), first)
        self.assertEqual(self.in_env(), self.first)


if __name__ == "__main__":
    case.main()
