/* The bridge's container image: this same program with the libraries that it runs with, and nothing else. It is made on
 * this machine and never pulled.
 */
#ifndef CCTM_STACK_BRIDGE_IMAGE_H
#define CCTM_STACK_BRIDGE_IMAGE_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "stack/compose.h"

struct error;

/* Makes `image` when there is none of that name, or one that was made of another program. An image of that name that is
 * not of cctm's making is used as it is. *is_made: it was made now. */
bool bridge_image_ensure(const struct compose *compose, const char *image, bool *is_made,
	struct error *err) MUST_CHECK;

#endif
