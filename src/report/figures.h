/* The figures of a report, and which metric each is the sum of.
 *
 * One list: figure, JSON object ("" for the top level) and name, metric as sent, label and value that select
 * it (NULL: the whole metric). cctm.* are the bridge's own counts of events. A value of NULL with a label
 * takes whatever no other row of the metric took.
 */
#ifndef CCTM_REPORT_FIGURES_H
#define CCTM_REPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#define FIGURES(X)                                                                                 \
	X(FIGURE_COST, "", "cost_usd", "claude_code.cost.usage", NULL, NULL)                       \
	X(FIGURE_INPUT, "tokens", "input", "claude_code.token.usage", "type", "input")             \
	X(FIGURE_OUTPUT, "tokens", "output", "claude_code.token.usage", "type", "output")          \
	X(FIGURE_CACHE_READ, "tokens", "cacheRead", "claude_code.token.usage", "type",             \
		"cacheRead")                                                                       \
	X(FIGURE_CACHE_CREATION, "tokens", "cacheCreation", "claude_code.token.usage", "type",     \
		"cacheCreation")                                                                   \
	X(FIGURE_OTHER_TOKENS, "tokens", "other", "claude_code.token.usage", "type", NULL)         \
	X(FIGURE_SESSIONS, "", "sessions", "claude_code.session.count", NULL, NULL)                \
	X(FIGURE_COMMITS, "", "commits", "claude_code.commit.count", NULL, NULL)                   \
	X(FIGURE_PULL_REQUESTS, "", "pull_requests", "claude_code.pull_request.count", NULL, NULL) \
	X(FIGURE_ADDED, "lines", "added", "claude_code.lines_of_code.count", "type", "added")      \
	X(FIGURE_REMOVED, "lines", "removed", "claude_code.lines_of_code.count", "type",           \
		"removed")                                                                         \
	X(FIGURE_ACTIVE_CLI, "active_seconds", "cli", "claude_code.active_time.total", "type",     \
		"cli")                                                                             \
	X(FIGURE_ACTIVE_USER, "active_seconds", "user", "claude_code.active_time.total", "type",   \
		"user")                                                                            \
	X(FIGURE_ACCEPTED, "edit_decisions", "accept", "claude_code.code_edit_tool.decision",      \
		"decision", "accept")                                                              \
	X(FIGURE_REJECTED, "edit_decisions", "reject", "claude_code.code_edit_tool.decision",      \
		"decision", "reject")                                                              \
	X(FIGURE_API_REQUESTS, "", "api_requests", "cctm.api_requests", NULL, NULL)                \
	X(FIGURE_API_ERRORS, "", "api_errors", "cctm.api_errors", NULL, NULL)

enum figure {

#define X(id, object, name, metric, label, value) id,
	FIGURES(X)
#undef X
		FIGURE_COUNT
};

#define FIGURE_NONE FIGURE_COUNT /* the series belongs to no figure */

struct figure_row {
	const char *object, *name, *metric, *label, *value;
};

extern const struct figure_row figure_rows[FIGURE_COUNT];

/* Compensated sums: value = hi + lo. */
struct figures {
	double hi[FIGURE_COUNT], lo[FIGURE_COUNT];
};

void figures_add(struct figures *f, enum figure figure, double amount);
double figures_value(const struct figures *f, enum figure figure);
double figures_tokens(const struct figures *f); /* of all types */

/* The figure that a series of this metric counts for. `label` gives a label's value or NULL. */
typedef const char *(*figure_label_fn)(const void *ctx, const char *name);
enum figure figure_of(const char *metric, figure_label_fn label, const void *ctx);

#endif
