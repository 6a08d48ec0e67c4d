/* A parsed template, as mustache_parse.c makes it and mustache.c walks it. */
#ifndef CCTM_RENDER_MUSTACHE_INTERNAL_H
#define CCTM_RENDER_MUSTACHE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/slice.h"

enum node_kind {
	NODE_TEXT,     /* may be empty: then only the indentation of a line is due */
	NODE_ESCAPED,  /* {{x}} */
	NODE_RAW,      /* {{{x}}}, {{&x}} */
	NODE_SECTION,  /* {{#x}} */
	NODE_INVERTED, /* {{^x}} */
	NODE_PARTIAL,  /* {{>x}} */
};

struct node {
	enum node_kind kind;
	bool starts_line; /* of a text: nothing of its line lies in front, so a partial's indentation does */
	struct slice bytes;	  /* the text, or the name */
	bool stands_alone;	  /* of a partial: its lines are indented like the tag */
	struct slice indentation; /* of such a partial */
	size_t at;		  /* where the tag begins, for messages */
	size_t end;		  /* of a section: the index of the first node behind it */
};

struct mustache {
	char *name;
	char *text; /* all slices point into it */
	size_t len;
	struct node *nodes;
	size_t count, room;
};

/* error_set with the place in front. */
bool mustache_fail(const struct mustache *t, size_t at, struct error *err, const char *fmt, ...)
	PRINTF(4, 5);

/* The same for an error that is set. */
bool mustache_wrap(const struct mustache *t, size_t at, struct error *err);

/* Line and column of `at`, both from 1. */
void mustache_place(const struct mustache *t, size_t at, size_t *line, size_t *column);

#endif
