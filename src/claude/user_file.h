/* A file that is somebody's own and that we add to: read with what it is (who owns it, who may read it), and replaced in
 * one step as the same. A symbolic link stays, and what it leads to is replaced.
 */
#ifndef CCTM_CLAUDE_USER_FILE_H
#define CCTM_CLAUDE_USER_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct error;

struct user_file {
	char *path; /* of the file itself, behind links */
	bool is_there;
	mode_t mode; /* of a new one: 0600 */
	uid_t uid;
	gid_t gid;
	struct buf text;
};

/* One that is not there is fine. A link that leads nowhere, a folder, a file of another user or that nobody may write to, a
 * folder that is not ours to write into: errors, and nothing was changed. */
bool user_file_read(const char *path, struct user_file *out, struct error *err) MUST_CHECK;

/* Puts `text` in its place, with `mode` and the owner that it had; makes the folder of a new one (0700). What goes with
 * it: hard links to it, access lists. */
bool user_file_write(
	const struct user_file *file, struct slice text, mode_t mode, struct error *err) MUST_CHECK;
bool user_file_delete(const struct user_file *file, struct error *err) MUST_CHECK;

void user_file_clear(struct user_file *file);

static inline void auto_user_file(struct user_file *file)
{
	user_file_clear(file);
}

#endif
