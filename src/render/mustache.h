/* The template language: the required modules of the Mustache specification 1.4 (comments, delimiters,
 * interpolation, inverted sections, partials, sections), with its rules for tags that stand alone on a line.
 * No lambdas, no inheritance, no dynamic names.
 *
 *     struct mustache *t = mustache_parse("docker-compose.yml", text, &err);   // once
 *     struct mustache_options options = { .escape = ESCAPE_COMPOSE, .missing = MUSTACHE_MISSING_FAILS };
 *     AUTO(buf) struct buf out = BUF_INIT(output_max);
 *     ok = mustache_render(t, root, &options, &out, &err);                     // as often as wanted
 *     mustache_free(t);
 *
 * {{x}} writes in the language of the render (render/escape.h), {{{x}}} and {{&x}} write the text itself.
 * Numbers and booleans are written as they are by both; a list or a map is not written but an error.
 *
 * Errors begin with where they are: "docker-compose.yml, line 12, column 5: …". Lines and columns count from
 * 1, columns by code point.
 *
 * This knows nothing of files: where templates and partials come from is the caller's.
 */
#ifndef CCTM_RENDER_MUSTACHE_H
#define CCTM_RENDER_MUSTACHE_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"
#include "render/escape.h"

struct buf;
struct error;
struct mustache;
struct data;

#define MUSTACHE_TEMPLATE_MAX  (1 << 20) /* bytes */
#define MUSTACHE_NAME_MAX      256	 /* bytes of a name in a tag */
#define MUSTACHE_DELIMITER_MAX 16
#define MUSTACHE_SECTIONS_MAX  64	 /* sections inside each other, in one template */
#define MUSTACHE_PARTIALS_MAX  32	 /* partials inside each other, recursion included */
#define MUSTACHE_STEPS_MAX     (1 << 20) /* pieces written in one render: nested loops end */

/* `name` is what errors call the template. Copies both. NULL: `err` says where and why. */
struct mustache *mustache_parse(const char *name, struct slice text, struct error *err) MUST_CHECK;
void mustache_free(struct mustache *t);

/* The text of the partial `name`, which lives until the render is over. 1: found, 0: there is none, -1: error.
 * Asked once a name and render. */
typedef int mustache_partial(void *ctx, const char *name, struct slice *text, struct error *err);

/* What a name that the values do not have does, in {{x}}, {{#x}} and {{>x}} alike. */
enum mustache_missing {
	MUSTACHE_MISSING_IS_EMPTY, /* as the specification says */
	MUSTACHE_MISSING_FAILS, /* for templates of ours, whose every name is known: a slip is an error */
};

struct mustache_options {
	enum escape escape;
	enum mustache_missing missing;
	mustache_partial *partial; /* NULL: there are none */
	void *partial_ctx;
};

/* Appends to `out`, whose maximum bounds the output. `root` is checked first (data_check). After an error
 * `out` may hold a part of it. */
bool mustache_render(const struct mustache *t, const struct data *root,
	const struct mustache_options *options, struct buf *out, struct error *err) MUST_CHECK;

static inline void auto_mustache(struct mustache **t)
{
	mustache_free(*t);
}

#endif
