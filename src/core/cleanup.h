/* AUTO(type) and TAKE(pointer): locals that release themselves.
 *
 * Declare and initialize in one statement; `return TAKE(p)` gives the value away. The list of types is
 * short and fixed; a type joins it here, with a function named auto_<type>.
 *
 *     AUTO(str) char *path = path_join(dir, "ledger.db");
 *     AUTO(buf) struct buf body = BUF_INIT(limit);
 */
#ifndef CCTM_CORE_CLEANUP_H
#define CCTM_CORE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK	  __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED		  __attribute__((unused))

#define AUTO(type) __attribute__((cleanup(auto_##type)))

/* Hands the pointer out and leaves NULL behind. */
#define TAKE(p)                             \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* The same for a descriptor, which leaves -1. */
#define TAKE_FD(fd)                \
	__extension__({            \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

static inline void auto_str(char **p)
{
	free(*p);
}

/* An fd of -1 is "none". */
static inline void auto_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
