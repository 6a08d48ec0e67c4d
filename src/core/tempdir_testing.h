/* For the tests of every room: a directory of a test's own, below TMPDIR. */
#ifndef CCTM_CORE_TEMPDIR_TESTING_H
#define CCTM_CORE_TEMPDIR_TESTING_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"

static inline int tempdir_remove_entry(
	const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

/* Yours, for tempdir_remove; NULL: it could not be made. */
static inline char *tempdir_make(void)
{
	const char *above = getenv("TMPDIR");
	char *path = path_join(above ? above : "/tmp", "cctm-test-XXXXXX");
	if (mkdtemp(path))
		return path;
	free(path);
	return NULL;
}

/* With all that is in it. 0, or -1 with errno. */
static inline int tempdir_remove(char *path)
{
	int result = nftw(path, tempdir_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(path);
	return result;
}

#endif
