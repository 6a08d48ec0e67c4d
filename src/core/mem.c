#include "core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t size)
{
	fprintf(stderr, "cctm: out of memory: %zu bytes were refused by the system\n", size);
	exit(1);
}

static size_t product(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory(SIZE_MAX);
	return bytes;
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		out_of_memory(size);
	return p;
}

void *mem_zalloc(size_t size)
{
	return mem_calloc(1, size);
}

void *mem_calloc(size_t count, size_t size)
{
	size_t bytes = product(count, size);
	void *p = calloc(1, bytes ? bytes : 1);
	if (!p)
		out_of_memory(bytes);
	return p;
}

void *mem_realloc(void *p, size_t count, size_t size)
{
	size_t bytes = product(count, size);
	void *grown = realloc(p, bytes ? bytes : 1);
	if (!grown)
		out_of_memory(bytes);
	return grown;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *mem_memdup(const void *p, size_t len)
{
	void *copy = mem_alloc(len);
	if (len)
		memcpy(copy, p, len);
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = mem_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *s;
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory(strlen(fmt));
	return s;
}

void *mem_grow(void *items, size_t *room, size_t need, size_t size)
{
	if (need <= *room)
		return items;
	size_t grown = *room ? *room * 2 : 16;
	if (grown < need)
		grown = need;
	*room = grown;
	return mem_realloc(items, grown, size);
}
