/* Is a text what its file's name says it is? Asked before a file is put in place, of what was generated and of what
 * was merged: a stack must never get a file that its program cannot even parse.
 */
#ifndef CCTM_RENDER_CHECK_H
#define CCTM_RENDER_CHECK_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

/* YAML by libyaml, JSON by jansson (duplicate keys refused); anything else is taken as it is. The error has path, line
 * and column. */
bool check_text(const char *path, struct slice text, struct error *err) MUST_CHECK;

#endif
