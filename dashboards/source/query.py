"""What is asked of Prometheus: totals of what the recording rules counted, narrowed by a dashboard's variables.

A total is sum_over_time(NAME:counted[...]), which is exact over any range. NAME:counted has a sample only in minutes in
which something was counted, so it is read in no other way. increase() over the counters themselves would lose the first
value of every session.
"""

COST = "claude_code_cost_usage_USD"
TOKENS = "claude_code_token_usage_tokens"
SESSIONS = "claude_code_session_count"
LINES = "claude_code_lines_of_code_count"
COMMITS = "claude_code_commit_count"
PULLS = "claude_code_pull_request_count"
DECISIONS = "claude_code_code_edit_tool_decision"
ACTIVE = "claude_code_active_time_seconds"
EVENTS = "claude_code_events"
REQUEST_TIME = "claude_code_api_request_duration_seconds"
FIRST_TOKEN = "claude_code_api_request_ttft_seconds"
TOOL_TIME = "claude_code_tool_duration_seconds"

RANGE, STEP = "[$__range]", "[$__interval]"
BEFORE = "[$__range] offset $__range"

# Which label a variable chooses by. Whose names are hidden are told apart by their installation: ${who} is user or installation.
LABELS = {"model": "model", "team": "team_id", "department": "department", "cost_center": "cost_center", "user": "${who}"}
OF_A_MODEL = {COST, TOKENS, LINES}
EVENTS_OF_A_MODEL = {"api_request", "api_error", '=~"api_request|api_error"'}
# Times are kept by model and by tool, and not by who it was.
TIMES = {REQUEST_TIME: ("model",), FIRST_TOKEN: ("model",), TOOL_TIME: ()}


class Chosen:
    """The queries of one dashboard; its variables narrow each by the labels that the series has."""

    def __init__(self, *variables):
        self.variables = variables

    def selector(self, series, labels):
        names = TIMES[series] if series in TIMES else [name for name in self.variables
                                      if name != "model" or series in OF_A_MODEL or labels.get("event_name") in EVENTS_OF_A_MODEL]
        words = [f'{name}{value if value[:1] in "=!" else "=" + quoted(value)}' for name, value in labels.items()]
        return ", ".join(words + [f'{LABELS[name]}=~"${name}"' for name in names if name in self.variables])

    def over(self, span, series, by="", part="", **labels):
        """What was counted in the span; a label's value may be a whole condition: status_code='!=\"\"'."""
        grouped = f" by ({by})" if by else ""
        return f"sum{grouped}(sum_over_time({series}{part}:counted{{{self.selector(series, labels)}}}{span}))"

    def total(self, series, by="", **labels):
        return self.over(RANGE, series, by, **labels)

    def before(self, series, by="", **labels):
        """The same in the span of that length that ended where this one begins."""
        return self.over(BEFORE, series, by, **labels)

    def step(self, series, by="", **labels):
        """What was counted in each step of a graph; the steps touch and do not overlap."""
        return self.over(STEP, series, by, **labels)

    def quantile(self, share, series, span, by=""):
        buckets = self.over(span, series, f"le, {by}" if by else "le", "_bucket")
        return f"histogram_quantile({share}, {buckets})"

    def mean(self, series, span, by=""):
        return f"{self.over(span, series, by, '_sum')} / ({self.over(span, series, by, '_count')} > 0)"


def quoted(value):
    return f'"{value}"'


def ratio(upper, lower, factor=""):
    """Empty where there is nothing to divide, or to divide by."""
    return f"{factor}({upper}) / (({lower}) > 0)"


def share(some, every):
    """In percent; what was never counted is 0 of what was. It asks for the whole twice: not for what is large."""
    return f"100 * (({some}) or 0 * ({every})) / (({every}) > 0)"


def named(expression, label, name):
    """What has not got the label is shown under this name."""
    return f'label_replace({expression}, "{label}", "{name}", "{label}", "")'


def as_user(expression):
    """Whatever ${who} is, the label user holds what is shown, so that legends and links need not know."""
    return f'label_replace({expression}, "user", "$1", "${{who}}", "(.*)")'


def most(expression, count=20):
    return f"topk({count}, {expression})"


def sorted_down(expression):
    return f"sort_desc({expression})"


def known_zero(expression, period):
    """0 where nothing was counted yet in a period of which the rules say that it runs."""
    return f'{expression} or sum(0 * claude_code:passed{{period="{period}"}})'


def so_far(series, period, by=""):
    """Since midnight, Monday or the first of the month. Of everybody: that is what budgets are for. With a label: of those
    that have one, whom alone a budget of their own is for."""
    recorded = f"{series}:{ {'day': 'today'}.get(period, period) }"
    return f'sum by ({by}) ({recorded}{{{by}!=""}})' if by else f"sum({recorded})"


def budget(period, scope="all"):
    return f'sum(claude_code:budget_usd{{period="{period}", scope="{scope}"}})'


def passed(period):
    """Early on, a forecast would be a guess."""
    return f'sum(claude_code:passed{{period="{period}"}} > 0.02)'
