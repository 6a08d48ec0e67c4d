/* A tar archive made in memory, with libarchive, which is loaded by the first one.
 *
 *     AUTO(tar) struct tar *tar = tar_new(err);
 *     if (!tar || !tar_add_file(tar, "bin/cctm", "/usr/bin/cctm", &attributes, err) || !tar_finish(tar, &bytes, err)) …
 */
#ifndef CCTM_ARCHIVE_TAR_H
#define CCTM_ARCHIVE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct error;
struct tar;

struct tar_attributes {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct tar *tar_new(struct error *err);
void tar_free(struct tar *tar); /* NULL is fine */

/* `path` is relative. Times are all 1970: equal contents make equal archives. */
bool tar_add_folder(struct tar *tar, const char *path, const struct tar_attributes *attributes,
	struct error *err) MUST_CHECK;
bool tar_add_text(struct tar *tar, const char *path, struct slice text,
	const struct tar_attributes *attributes, struct error *err) MUST_CHECK;
/* The file at `source`, behind links. */
bool tar_add_file(struct tar *tar, const char *path, const char *source,
	const struct tar_attributes *attributes, struct error *err) MUST_CHECK;

/* Appends the whole archive to `out`; nothing can be added afterwards. */
bool tar_finish(struct tar *tar, struct buf *out, struct error *err) MUST_CHECK;

static inline void auto_tar(struct tar **tar)
{
	tar_free(*tar);
}

#endif
