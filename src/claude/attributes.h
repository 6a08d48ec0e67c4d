/* OTEL_RESOURCE_ATTRIBUTES: "team.id=platform,cost_center=eng%20123", as W3C Baggage writes a list and as the
 * OpenTelemetry JavaScript SDK reads it.
 *
 * What the client does with a text that is not written that way was measured: raw spaces, quotes, semicolons, backslashes
 * and what is not ASCII reach the resource but no point; a value past 255 bytes and a bad %-sequence take the attribute
 * away; of an attribute given twice the last counts. So every byte that may not stand there is percent-encoded, and what
 * would be dropped in silence is an error here.
 */
#ifndef CCTM_CLAUDE_ATTRIBUTES_H
#define CCTM_CLAUDE_ATTRIBUTES_H

#include <stdbool.h>

#include "core/cleanup.h"

struct buf;
struct error;

#define ATTRIBUTE_MAX	   255	 /* bytes of a key, and of a value as it is written */
#define ATTRIBUTE_LIST_MAX 16384 /* bytes of all of them */

/* Appends ",key=value" ("key=value" to an empty list). ERR_USAGE: a key that is none, one that Claude Code sets itself, a
 * value that is too long or no UTF-8. An empty value is fine: the attribute is there and empty. */
bool attributes_add(struct buf *list, const char *key, const char *value, struct error *err)
	MUST_CHECK;

/* The same from "key=value" as a user gives it, the value not encoded. */
bool attributes_add_pair(struct buf *list, const char *pair, struct error *err) MUST_CHECK;

#endif
