#include <ctype.h>
#include <string.h>

#include "claude/catalogue.h"
#include "core/mem.h"
#include "core/str.h"
#include "grafana/lint_internal.h"

#define PREFIX	       "claude_code"
#define EXPRESSION_MAX 16384 /* people write hundreds */

/* ---- what there is ---- */

/* Recorded once for the whole stack. */
static const char *const of_stack[] = { "claude_code:utc_offset_seconds", "claude_code:passed",
	"claude_code:budget_usd", "claude_code:spent_usd", NULL };

/* Those of which the rules say what was counted today, this week and this month. */
static const char *const so_far[] = { "claude_code_cost_usage_USD",
	"claude_code_token_usage_tokens", NULL };

/* By which the rules add up, besides what the catalogue marks. */
static const char *const own_labels[] = { "user", "installation", "event_name", "le", NULL };

static bool is_in(const char *const *names, const char *word, size_t len)
{
	for (size_t i = 0; names[i]; i++) {
		if (strlen(names[i]) == len && strncmp(names[i], word, len) == 0)
			return true;
	}
	return false;
}

/* The length of the series' own name in front of "_total", ":counted" and the like; 0: it is no series of the metric. A
 * histogram's are <series>_bucket, _count and _sum.
 */
static size_t own_length(
	const struct catalogue_row *metric, const char *series, const char *word, size_t len)
{
	static const char *const usual[] = { "", ":seen", ":counted", NULL };
	static const char *const spans[] = { ":today", ":week", ":month", NULL };
	static const char *const parts[] = { "_bucket", "_count", "_sum", NULL };
	size_t own = strlen(series);
	if (len < own || strncmp(word, series, own) != 0)
		return 0;
	if (!metric->is_histogram)
		return is_in(usual, word + own, len - own) ||
				       (len - own == 6 && strncmp(word + own, "_total", 6) == 0) ||
				       (is_in(so_far, series, own) &&
					       is_in(spans, word + own, len - own))
			       ? own
			       : 0;
	for (size_t i = 0; parts[i]; i++) {
		size_t part = own + strlen(parts[i]);
		if (len >= part && strncmp(word + own, parts[i], part - own) == 0 &&
			is_in(usual, word + part, len - part))
			return part;
	}
	return 0;
}

/* "claude_code_cost_usage_USD" of "claude_code_cost_usage_USD_total"; NULL: there is no such metric. Yours. */
static char *known_series(const char *word, size_t len)
{
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_METRIC)
			continue;
		AUTO(str) char *series = catalogue_series(&catalogue[i]);
		size_t own = own_length(&catalogue[i], series, word, len);
		if (own)
			return mem_strndup(word, own);
	}
	return is_in(of_stack, word, len) ? mem_strndup(word, len) : NULL;
}

/* The attribute that is a label of that name; NULL: none that is known. */
static const struct catalogue_row *attribute_of(const char *name, size_t len)
{
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_ATTRIBUTE)
			continue;
		AUTO(str) char *label = catalogue_label(catalogue[i].name);
		if (strlen(label) == len && strncmp(label, name, len) == 0)
			return &catalogue[i];
	}
	return NULL;
}

/* Whether Claude Code sends a label of that name, which the rules do not keep. */
static bool is_left_out(const char *name, size_t len)
{
	const struct catalogue_row *row = attribute_of(name, len);
	return row && row->is_own && !row->is_counted && row->label != EVENT_LABEL_TEXT &&
	       row->label != EVENT_LABEL_WORD && !is_in(own_labels, name, len);
}

/* ---- where in an expression one is ---- */

#define OPEN_MAX 64

/* The calls around a place: the names in front of the parentheses that are open there, what they group by, and the recorded
 * series that was seen inside.
 */
struct call {
	struct slice name, grouping;
	struct slice recorded;
};

struct reading {
	struct lint *out;
	const char *panel;
	struct call calls[OPEN_MAX];
	size_t count;
	struct call last;     /* the one that was closed last */
	struct slice word;    /* the word before, which a parenthesis may call */
	struct slice pending; /* the labels of a "by (…)" that stands in front of its parenthesis */
	bool is_behind_closed;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':';
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* Past a string in quotes. */
static const char *skip_string(const char *at)
{
	char quote = *at++;
	while (*at && *at != quote)
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

/* Past a variable: $name, ${name:format}. */
static const char *skip_variable(const char *at)
{
	if (at[1] == '{')
		return at + strcspn(at, "}") + (strchr(at, '}') != NULL);
	at++;
	while (is_word(*at))
		at++;
	return at;
}

static bool is_called(const struct slice *name, const char *const *names)
{
	return is_in(names, (const char *)name->ptr, name->len);
}

static bool calls_any(const struct reading *reading, const char *const *names)
{
	for (size_t i = 0; i < reading->count; i++) {
		if (is_called(&reading->calls[i].name, names))
			return true;
	}
	return false;
}

/* ---- judging ---- */

static void judge_label(struct reading *reading, const char *name, size_t len, struct slice series)
{
	static const char *const of_sessions[] = { "session_id", "start", NULL };
	if (!is_left_out(name, len))
		return;
	if (is_in(of_sessions, name, len))
		lint_add(reading->out, RULE_SESSION, reading->panel,
			"%.*s is added up over all sessions and has no label %.*s", (int)series.len,
			(const char *)series.ptr, (int)len, name);
	else
		lint_add(reading->out, RULE_LABEL, reading->panel,
			"%.*s has no label %.*s unless labels.keep names it; people are told apart "
			"by user and installation",
			(int)series.len, (const char *)series.ptr, (int)len, name);
}

/* Of "a, b" up to an end; variables among them are passed over. */
static void judge_grouping(struct reading *reading, struct slice grouping, struct slice series)
{
	const char *at = (const char *)grouping.ptr, *end = at + grouping.len;
	while (at < end) {
		size_t len = 0;
		while (at + len < end && is_word(at[len]))
			len++;
		if (len)
			judge_label(reading, at, len, series);
		at = *at == '$' ? skip_variable(at) : at + (len ? len : 1);
	}
}

/* Of {a="b", c=~"d"}, which begins at a brace. */
static void judge_matchers(struct reading *reading, const char *at, struct slice series)
{
	for (at++; *at && *at != '}';) {
		size_t len = 0;
		while (is_word(at[len]))
			len++;
		if (len)
			judge_label(reading, at, len, series);
		if (*at == '"' || *at == '\'' || *at == '`')
			at = skip_string(at);
		else
			at = *at == '$' ? skip_variable(at) : at + (len ? len : 1);
	}
}

/* What the rules recorded: read as it must be, and by labels that it has. */
static void judge_recorded(struct reading *reading, struct slice word, const char *end)
{
	static const char *const right[] = { "sum_over_time", "label_values", "query_result",
		NULL };
	const char *colon = memchr(word.ptr, ':', word.len);
	size_t suffix_len = (size_t)((const char *)word.ptr + word.len - colon);
	bool is_counted = suffix_len == 8 && strncmp(colon, ":counted", 8) == 0;
	if (suffix_len == 5 && strncmp(colon, ":seen", 5) == 0)
		return;
	if (is_counted &&
		!(reading->count && is_called(&reading->calls[reading->count - 1].name, right)))
		lint_add(reading->out, RULE_COUNTED, reading->panel,
			"%.*s has a sample only in minutes in which something was counted: only "
			"sum_over_time(%.*s[…]) is right",
			(int)word.len, (const char *)word.ptr, (int)word.len,
			(const char *)word.ptr);
	for (size_t i = 0; i < reading->count; i++) {
		reading->calls[i].recorded = word;
		judge_grouping(reading, reading->calls[i].grouping, word);
	}
	end = skip_space(end);
	if (*end == '{')
		judge_matchers(reading, end, word);
}

static void judge_counter(struct reading *reading, struct slice word, const char *series)
{
	static const char *const rises[] = { "increase", "rate", "irate", "delta", "idelta", NULL };
	static const char *const spans[] = { "last_over_time", "max_over_time", "count_over_time",
		"timestamp", "absent", "label_values", NULL };
	static const char *const sums[] = { "sum", "avg", "topk", "sort_desc", NULL };
	if (calls_any(reading, rises))
		lint_add(reading->out, RULE_TOTAL, reading->panel,
			"increase() or rate() over %.*s shows too little: add "
			"sum_over_time(%s:counted[…]) instead",
			(int)word.len, (const char *)word.ptr, series);
	else if (calls_any(reading, sums) && !calls_any(reading, spans))
		lint_add(reading->out, RULE_RAW, reading->panel,
			"%.*s is added up as it stands: sum_over_time(%s:counted[…]) does not fall",
			(int)word.len, (const char *)word.ptr, series);
}

static void judge_word(struct reading *reading, struct slice word, const char *end)
{
	const char *text = (const char *)word.ptr;
	size_t own = strlen(PREFIX);
	if (word.len <= own || strncmp(text, PREFIX, own) != 0 ||
		(text[own] != '_' && text[own] != ':'))
		return;
	AUTO(str) char *series = known_series(text, word.len);
	if (!series)
		lint_add(reading->out, RULE_METRIC, reading->panel,
			"%.*s is no metric of Claude Code, nor recorded from one", (int)word.len,
			text);
	else if (text[own] == '_' && memchr(text, ':', word.len))
		judge_recorded(reading, word, end);
	else if (text[own] == '_')
		judge_counter(reading, word, series);
}

/* ---- reading ---- */

/* "sum by (a) (x)" groups what comes, "sum (x) by (a)" what was closed. */
static const char *read_grouping(struct reading *reading, const char *at)
{
	const char *open = skip_space(at);
	if (*open != '(')
		return at;
	struct slice labels = slice_of(open + 1, strcspn(open + 1, ")"));
	if (!reading->is_behind_closed)
		reading->pending = labels;
	else if (reading->last.recorded.len)
		judge_grouping(reading, labels, reading->last.recorded);
	at = (const char *)labels.ptr + labels.len;
	return *at ? at + 1 : at;
}

static const char *read_word(struct reading *reading, const char *at)
{
	size_t len = 0;
	while (is_word(at[len]))
		len++;
	struct slice word = slice_of(at, len);
	at += len;
	if (len == 2 && strncmp((const char *)word.ptr, "by", 2) == 0)
		return read_grouping(reading, at);
	/* "sum without (x) (…)", "a / on (x) b": those labels are neither called nor asked for. */
	static const char *const lists[] = { "without", "on", "ignoring", "group_left",
		"group_right", NULL };
	const char *open = skip_space(at);
	if (is_in(lists, (const char *)word.ptr, len) && *open == '(') {
		at = open + strcspn(open, ")");
		return *at ? at + 1 : at;
	}
	judge_word(reading, word, at);
	reading->word = word;
	return at;
}

static void open_call(struct reading *reading)
{
	if (reading->count < OPEN_MAX)
		reading->calls[reading->count++] =
			(struct call){ .name = reading->word, .grouping = reading->pending };
	reading->word = reading->pending = slice_of("", 0);
}

void lint_promql(struct lint *out, const char *panel, const char *expression)
{
	struct reading reading = {
		.out = out, .panel = panel, .word = slice_of("", 0), .pending = slice_of("", 0)
	};
	if (strlen(expression) > EXPRESSION_MAX) {
		lint_add(out, RULE_QUERIES, panel, "a query of more than %d characters is not read",
			EXPRESSION_MAX);
		return;
	}
	for (const char *at = expression; *at;) {
		bool is_closed = false;
		if (*at == '"' || *at == '\'' || *at == '`') {
			at = skip_string(at);
		} else if (*at == '$') {
			at = skip_variable(at);
		} else if (is_word(*at)) {
			at = read_word(&reading, at);
		} else if (isspace((unsigned char)*at)) {
			at++;
			continue;
		} else {
			if (*at == '(')
				open_call(&reading);
			is_closed = *at == ')' && reading.count;
			if (is_closed)
				reading.last = reading.calls[--reading.count];
			at++;
		}
		reading.is_behind_closed = is_closed;
	}
}
