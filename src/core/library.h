/* A shared library that is loaded when it is first needed, for it takes more memory than the rest of cctm.
 *
 *     static const struct library_symbol symbols[] = { { "curl_easy_init", &curl.init }, … };
 *     static struct library library = { "libcurl.so.4", "Debian's package libcurl4", symbols, COUNT };
 *     if (!library_load(&library, err)) …
 */
#ifndef CCTM_CORE_LIBRARY_H
#define CCTM_CORE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

struct error;

struct library_symbol {
	const char *name;
	void *slot; /* a pointer to a function, which gets its address */
};

struct library {
	const char *name;    /* as the loader looks for it */
	const char *package; /* what to install when it is not there */
	const struct library_symbol *symbols;
	size_t count;
	void *handle; /* private */
};

/* Once; fine when it is loaded already. */
bool library_load(struct library *library, struct error *err) MUST_CHECK;

#endif
