/* Allocation that cannot fail: out of memory ends the process with a message (exit 1).
 *
 * Honest because every size that comes from outside is bounded before it gets here. No other file calls
 * malloc, realloc or strdup (a test holds this).
 */
#ifndef CCTM_CORE_MEM_H
#define CCTM_CORE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#include "core/cleanup.h"

void *mem_alloc(size_t size);		     /* uninitialized */
void *mem_zalloc(size_t size);		     /* zeroed */
void *mem_calloc(size_t count, size_t size); /* zeroed; the product is checked */
void *mem_realloc(void *p, size_t count, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len); /* copies len bytes and adds NUL */
void *mem_memdup(const void *p, size_t len);
char *mem_printf(const char *fmt, ...) PRINTF(1, 2);
char *mem_vprintf(const char *fmt, va_list ap) PRINTF(1, 0);

/* Grows the array *items (of `size`-byte elements) so that it holds at least `need`; *room is its capacity. */
void *mem_grow(void *items, size_t *room, size_t need, size_t size);

#endif
