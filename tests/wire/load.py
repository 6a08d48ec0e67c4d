"""Ten thousand idle connections, and honest clients among them."""
import os
import resource
import sys
import time

import wire
from wire import Case, Client, post

IDLE = 10000


def raise_descriptors(need):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        return False
    if soft == resource.RLIM_INFINITY or soft >= need:
        return True
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    return True


class Idle(Case):
    options = ("connections_max=12000",)

    def test_honest_clients_are_served_among_10000_idle_connections(self):
        before = self.server.rss_kib()
        idle = [Client(self.server.ports["otlp"]) for _ in range(IDLE // 2)]
        # the other half has sent a part of a head and no more
        idle += [Client(self.server.ports["otlp"]).send(b"POST /v1/") for _ in range(IDLE // 2)]
        self.server.wait_until(lambda seen: seen["connections"] > IDLE)
        grown = self.server.rss_kib() - before
        honest = self.server.connect()
        times = []
        for _ in range(500):
            began = time.perf_counter()
            self.assertEqual(honest.send(post(b"x" * 6000)).answer().status, 200)
            times.append(time.perf_counter() - began)
        times.sort()
        print("%d connections: %d KiB more resident, request p50 %.0f us, p99 %.0f us"
            % (IDLE, grown, times[250] * 1e6, times[495] * 1e6))
        if not self.server.is_instrumented():
            self.assertLess(grown, 12 << 10)
        self.assertLess(times[250], 0.05)
        for client in idle:
            client.close()
        honest.close()


class Full(Case):
    options = ("connections_max=50",)

    def test_the_longest_idle_makes_room(self):
        oldest = self.server.connect()
        others = [self.server.connect() for _ in range(200)]
        self.assertTrue(oldest.is_closed())
        newest = self.server.connect().send(post(b"x"))
        self.assertEqual(newest.answer().status, 200)
        for client in (*others, newest):
            client.close()

    def test_with_none_idle_the_newcomer_is_told(self):
        half = [self.server.connect().send(b"POST ") for _ in range(50)]
        deadline = time.monotonic() + wire.DEADLINE_S
        while time.monotonic() < deadline:
            try:
                late = self.server.connect()
                late.socket.settimeout(0.2)
                answer = late.answer()
            except TimeoutError:
                late.close()
                continue
            break
        self.assertEqual((answer.status, answer.fields["retry-after"]), (503, "2"))
        late.close()
        for client in half:
            client.send(b"/v1/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"Content-Type: application/json\r\nContent-Length: 0\r\n\r\n")
            self.assertEqual(client.answer().status, 200)
            client.close()


class Descriptors(Case):
    def test_without_descriptors_accepting_waits_and_goes_on(self):
        pid = self.server.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        fds = len(os.listdir("/proc/%d/fd" % pid)) + 5
        half = [self.server.connect().send(b"POST ") for _ in range(5)]
        self.server.wait_until(lambda seen: seen["connections"] == 6)
        deadline = time.monotonic() + wire.DEADLINE_S
        while len(os.listdir("/proc/%d/fd" % pid)) > fds and time.monotonic() < deadline:
            time.sleep(0.01)  # the connection that asked is on its way out
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (fds, usual[1]))
        late = self.server.connect().send(post(b"x"))
        late.socket.settimeout(0.3)
        try:
            self.fail("answered with %d" % late.answer().status)
        except TimeoutError:
            pass
        late.socket.settimeout(wire.DEADLINE_S)
        before = self.server.cpu_s()
        time.sleep(0.3)
        self.assertLess(self.server.cpu_s() - before, 0.1)  # it does not spin
        half[0].close()
        self.assertEqual(late.answer().status, 200)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


if __name__ == "__main__":
    if not raise_descriptors(IDLE + 200):
        print("the limit of open files is too low for %d connections" % IDLE)
        sys.exit(77)
    wire.main()
