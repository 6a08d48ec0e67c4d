/* Borrowed bytes: a pointer and a length, never a NUL. Who hands one out says until when it lives. */
#ifndef CCTM_CORE_SLICE_H
#define CCTM_CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const unsigned char *ptr;
	size_t len;
};

#define SLICE_LIT(s) ((struct slice){ (const unsigned char *)(s), sizeof(s) - 1 })
/* The same where a table is filled in. */
#define SLICE_INIT(s)                                     \
	{                                                 \
		(const unsigned char *)(s), sizeof(s) - 1 \
	}

static inline struct slice slice_of(const void *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){ (const unsigned char *)s, strlen(s) };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_eq_str(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

/* Bytewise order; a prefix comes first. */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
