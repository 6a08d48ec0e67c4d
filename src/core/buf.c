#include "core/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void buf_clear(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

unsigned char *buf_reserve(struct buf *b, size_t len)
{
	if (len > b->max - b->len)
		return NULL;
	size_t need = b->len + len + 1;
	if (need > b->room) {
		size_t grown = b->room ? b->room + b->room / 2 : 64;
		if (grown < need)
			grown = need;
		if (grown > b->max && b->max + 1 >= need)
			grown = b->max + 1;
		b->data = mem_realloc(b->data, grown, 1);
		b->room = grown;
		b->data[b->len] = '\0'; /* nothing may ever be written into the room */
	}
	return b->data + b->len;
}

void buf_wrote(struct buf *b, size_t len)
{
	assert(b->len + len < b->room);
	b->len += len;
	b->data[b->len] = '\0';
}

bool buf_append(struct buf *b, const void *bytes, size_t len)
{
	unsigned char *to = buf_reserve(b, len);
	if (!to)
		return false;
	if (len)
		memcpy(to, bytes, len);
	buf_wrote(b, len);
	return true;
}

bool buf_append_slice(struct buf *b, struct slice s)
{
	return buf_append(b, s.ptr, s.len);
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	bool fits = buf_append(b, bytes, len);
	assert(fits);
	(void)fits;
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list measure;
	va_copy(measure, ap);
	int len = vsnprintf(NULL, 0, fmt, measure);
	va_end(measure);
	assert(len >= 0);
	unsigned char *to = buf_reserve(b, (size_t)len);
	assert(to);
	vsnprintf((char *)to, (size_t)len + 1, fmt, ap);
	buf_wrote(b, (size_t)len);
}

void buf_drop_front(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len + 1);
	b->len -= len;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}

char *buf_detach(struct buf *b)
{
	char *s = b->data ? (char *)b->data : mem_strdup("");
	*b = (struct buf){ .max = b->max };
	return s;
}

struct slice buf_slice(const struct buf *b)
{
	return slice_of(b->data, b->len);
}
