"""Token usage in requests of any size, of which the totals are known by arithmetic."""

import time

import workload
from lib import bridge as bridges
from workload import SCRAPE

FAMILY = "claude_code_token_usage_tokens_total"
TYPES = ("input", "output", "cacheRead", "cacheCreation")
SESSIONS = 5
BEGAN = int(time.time()) - 1200


def request(name, temporality, points):
    metric = (
        '{"name":"claude_code.token.usage","unit":"tokens","sum":{"isMonotonic":true,"aggregationTemporality":%d,'
        '"dataPoints":[%s]}}' % (temporality, ",".join(points))
    )
    said = workload.Said(name, [])
    said.body = said.body.replace(b'"metrics": []', b'"metrics": [' + metric.encode() + b"]")
    return said


def time_of(ms):
    """0: none, which is the time of arrival."""
    return 0 if ms is None else (BEGAN * 1000 + ms) * 1_000_000


def point(session, kind, ms, value):
    return (
        f'{{"attributes":[{{"key":"session.id","value":{{"stringValue":"{session}"}}}},'
        f'{{"key":"type","value":{{"stringValue":"{kind}"}}}},{{"key":"model","value":{{"stringValue":"m"}}}}],'
        f'"startTimeUnixNano":"{BEGAN}000000000","timeUnixNano":"{time_of(ms)}","asInt":"{value}"}}'
    )


class Conversation:
    """Requests by number; `tokens` of each is what it adds to each type."""

    def __init__(self):
        self.rises = 0  # of each cumulative stream so far

    def cumulative(self, rises):
        streams = [(f"long-{s}", kind) for s in range(SESSIONS) for kind in TYPES]
        values = range(self.rises + 1, self.rises + rises + 1)
        points = [point(session, kind, value, value) for value in values for session, kind in streams]
        self.rises += rises
        said = request(f"cumulative {self.rises}", 2, points)
        said.tokens = SESSIONS * rises
        return said

    def delta(self, number, is_timed=True):
        amount = 1 << 24 | number
        said = request(f"delta {number}", 1, [point(f"short-{number % 3}", kind, number if is_timed else None, amount) for kind in TYPES])
        said.tokens = amount
        return said


def tokens(requests):
    return sum(said.tokens for said in requests if said != SCRAPE)


def shown(player):
    exposition = player.bridge.metrics()
    player.see(exposition)
    totals = {exposition.total(FAMILY, type=kind) for kind in TYPES}
    assert len(totals) == 1, f"the types differ: {totals}"
    return totals.pop()


def reported(state):
    totals = bridges.report(state, "--until", "2100-01-01")["totals"]["tokens"]
    assert len(set(totals.values())) == 1, f"the types differ: {totals}"
    return totals["input"]


def repeated(player):
    return player.bridge.metrics().value("cctm_requests_repeated_total")


def check(player, requests, pending=None):
    """Exactly these requests, or one more that was under way."""
    got, allowed = shown(player), [tokens(requests)]
    if pending is not None and pending != SCRAPE:
        allowed.append(allowed[0] + pending.tokens)
    assert got in allowed, f"{got} tokens instead of {allowed}"


def check_repeats(player, requests, wanted):
    """Each is acknowledged and known again."""
    before, total = repeated(player), shown(player)
    for said in requests:
        player.bridge.send(said)
    got = repeated(player) - before
    assert got == wanted, f"{got} of {len(requests)} repeated requests known again instead of {wanted}"
    assert shown(player) == total, f"repeats changed {total} to {shown(player)}"
