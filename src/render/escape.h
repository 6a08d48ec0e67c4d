/* Writing a value into a file so that the file's own reader gives the same value back, whatever is in it.
 *
 * A language is chosen by the file's name in the stack (escape_for_path) and says what is written:
 *
 *   html                the specification's four characters (its tests)
 *   yaml                one scalar: plain when that is beyond doubt, else double-quoted, always on one line
 *   compose             the same with $ as $$, for Compose interpolates every value
 *   collector           the same with $ as $$, for the Collector expands ${…}
 *   grafana             the same with $ as $$, for Grafana's provisioning replaces $NAME and ${…}
 *   prometheus          as yaml: Prometheus expands $ in one place only, see below
 *   json                one string with its quotes
 *   shell               one word of POSIX sh: an argument, or the value of an assignment
 *   env                 the value of a variable in .env as Compose 2 reads it, always on one line
 *   none                the value as it is
 *
 * What is written is the whole scalar, string or word. So in a template nothing may be glued to it, neither
 * text nor a second value ("{{x}}", {{host}}:{{port}}): values that belong together are put together before
 * rendering. A value in a comment stays there in all languages but shell, where a newline ends it.
 *
 * Second layers that no path can tell are the caller's, before rendering: external labels of prometheus.yml
 * (escape_dollars), and whatever Prometheus, Alertmanager or Grafana read as a Go template ("{{" in
 * annotations). Compose does not interpolate keys: a value is never put into a key.
 */
#ifndef CCTM_RENDER_ESCAPE_H
#define CCTM_RENDER_ESCAPE_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;
struct error;

/* value, its name in messages, whether $ is doubled */
#define ESCAPES(X)                                \
	X(ESCAPE_NONE, "none", false)             \
	X(ESCAPE_HTML, "html", false)             \
	X(ESCAPE_YAML, "yaml", false)             \
	X(ESCAPE_COMPOSE, "compose", true)        \
	X(ESCAPE_COLLECTOR, "collector", true)    \
	X(ESCAPE_GRAFANA, "grafana", true)        \
	X(ESCAPE_PROMETHEUS, "prometheus", false) \
	X(ESCAPE_JSON, "json", false)             \
	X(ESCAPE_SHELL, "shell", false)           \
	X(ESCAPE_ENV, "env", false)

enum escape {

#define X(escape, name, doubles_dollars) escape,
	ESCAPES(X)
#undef X
};

#define ESCAPE_COUNT (ESCAPE_ENV + 1)

const char *escape_name(enum escape escape);

/* The language of the file that will lie at `path`, relative to the stack's directory. False: nothing is known
 * about such a file, so no value can be written into it. */
bool escape_for_path(const char *path, enum escape *out, struct error *err) MUST_CHECK;

/* Appends `value` in that language. Refused are NUL and what is not UTF-8 (in every language), and what does
 * not fit into `out`; then `out` may have part of it. */
bool escape_append(enum escape escape, struct slice value, struct buf *out, struct error *err)
	MUST_CHECK;

/* `value` with every $ doubled, for a place that expands $ in a file that does not: global.external_labels of
 * prometheus.yml (Prometheus 3, and 2 with expand-external-labels). Yours. */
char *escape_dollars(const char *value);

#endif
