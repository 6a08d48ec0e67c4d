/* From a path to the file that is replaced, and what is known beforehand to fail. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/transaction_internal.h"

#define LINKS_MAX 40 /* as Linux does, path_resolution(7) */

char *transaction_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

bool transaction_open_root(struct transaction *t, struct error *err)
{
	struct stat st;
	if (t->root)
		return true;
	char *root = realpath(t->dir, NULL);
	if (!root)
		return error_set_errno(err, ERR_IO, errno, "cannot use directory %s", t->dir);
	t->root = root;
	if (stat(root, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot use directory %s", root);
	t->root_inode = st.st_ino;
	return true;
}

const char *transaction_below_root(const struct transaction *t, const char *path)
{
	size_t len = strcmp(t->root, "/") == 0 ? 0 : strlen(t->root);
	return strncmp(path, t->root, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

bool transaction_path_is_proper(const char *path)
{
	size_t len = strlen(path);
	if (len > TRANSACTION_PATH_MAX || !str_is_utf8(slice_of(path, len)))
		return false;
	for (const char *at = path;; at++) {
		size_t part = strcspn(at, "/");
		bool is_dots =
			(part == 1 && at[0] == '.') || (part == 2 && at[0] == '.' && at[1] == '.');
		if (part == 0 || is_dots)
			return false;
		at += part;
		if (!*at)
			return true;
	}
}

/* ---- following links ---- */

struct walk {
	const char *path; /* for messages */
	char *at;	  /* absolute, without links */
	char *rest;	  /* from there */
	size_t given;	  /* bytes at the end of `rest` that no link brought */
	int links;
	enum transaction_link last;
	bool may_dangle;
};

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static char *take_component(struct walk *walk)
{
	size_t len = strcspn(walk->rest, "/");
	size_t slashes = strspn(walk->rest + len, "/");
	char *name = mem_strndup(walk->rest, len);
	replace(&walk->rest, mem_strdup(walk->rest + len + slashes));
	return name;
}

static bool refuse_link(const char *link, uid_t owner, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s is a symbolic link of another user (id %ld)", link,
		(long)owner);
	return error_hint(
		err, "look where it leads with 'ls -l', and remove it or make it your own");
}

/* The descriptor is of the link itself: owner and text are of one link, whatever its name means by now. */
static bool follow(struct walk *walk, int fd, const char *link, struct error *err)
{
	struct stat st;
	char text[PATH_MAX];
	if (fstat(fd, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot use %s", link);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse_link(link, st.st_uid, err);
	ssize_t len = readlinkat(fd, "", text, sizeof text - 1);
	if (len < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot use the link %s", link);
	if (++walk->links > LINKS_MAX)
		return error_set_errno(err, ERR_REFUSED, ELOOP, "cannot use %s", walk->path);
	text[len] = '\0';
	if (*text == '/')
		replace(&walk->at, mem_strdup("/"));
	const char *from = text + strspn(text, "/");
	replace(&walk->rest, mem_printf("%s/%s", from, walk->rest));
	return true;
}

static bool refuse_dangling(const struct walk *walk, const char *missing, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s is a link that leads to %s, which is not there", walk->path,
		missing);
	return error_hint(err, "make what it leads to, or remove the link");
}

static bool enter(struct walk *walk, const char *name, bool is_of_link, struct error *err)
{
	struct stat st;
	AUTO(str) char *full = path_join(walk->at, name);
	AUTO(fd) int fd = open(full, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	bool is_missing = fd < 0 && errno == ENOENT;
	if (is_missing && is_of_link && !walk->may_dangle)
		return refuse_dangling(walk, full, err);
	if (!is_missing && (fd < 0 || fstat(fd, &st) < 0))
		return error_set_errno(err, ERR_IO, errno, "cannot use %s", full);
	bool is_meant = walk->last == LINK_MEANT && !is_of_link && !*walk->rest;
	if (!is_missing && S_ISLNK(st.st_mode) && !is_meant)
		return follow(walk, fd, full, err);
	replace(&walk->at, TAKE(full));
	return true;
}

static bool advance(struct walk *walk, struct error *err)
{
	bool is_of_link = strlen(walk->rest) > walk->given;
	AUTO(str) char *name = take_component(walk);
	if (!is_of_link)
		walk->given = strlen(walk->rest);
	if (!*name || strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") != 0)
		return enter(walk, name, is_of_link, err);
	replace(&walk->at, transaction_dir_of(walk->at));
	return true;
}

char *transaction_resolve(const struct transaction *t, const char *path, enum transaction_link last,
	bool may_dangle, struct error *err)
{
	struct walk walk = {
		.path = path,
		.at = mem_strdup(t->root),
		.rest = mem_strdup(path),
		.given = strlen(path),
		.last = last,
		.may_dangle = may_dangle,
	};
	bool is_fine = true;
	while (is_fine && *walk.rest)
		is_fine = advance(&walk, err);
	free(walk.rest);
	if (!is_fine)
		free(walk.at);
	return is_fine ? walk.at : NULL;
}

/* ---- what would fail ---- */

static bool refuse(const char *path, const char *why, const char *hint, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s %s", path, why);
	return hint ? error_hint(err, "%s", hint) : false;
}

#define MOVE_AWAY "move it out of the way"

/* Names beside the target must fit, and must not be a target of their own. */
static bool check_name(
	const struct transaction *t, const struct transaction_step *step, struct error *err)
{
	const char *name = strrchr(step->target, '/') + 1;
	if (!str_is_utf8(slice_str(transaction_below_root(t, step->target))))
		return refuse(step->path, "leads to a path that is not UTF-8", NULL, err);
	if (strlen(step->target) > TRANSACTION_PATH_MAX - sizeof "..cctm-new" ||
		strlen(name) > NAME_MAX - strlen("..cctm-new"))
		return refuse(step->path, "has too long a name", NULL, err);
	if (str_has_suffix(name, ".cctm-new") || str_has_suffix(name, ".cctm-old"))
		return refuse(step->path, "has a name of the kind used while files are replaced",
			NULL, err);
	return true;
}

static mode_t mode_of_dir(const struct transaction *t, const char *path)
{
	for (size_t i = 0; i < t->modes.count; i++) {
		if (strcmp(t->modes.items[i].path, path) == 0)
			return t->modes.items[i].mode;
	}
	return TRANSACTION_DIR_MODE;
}

static bool is_to_be_made(const struct transaction *t, const char *path)
{
	for (size_t i = 0; i < t->made.count; i++) {
		if (strcmp(t->made.items[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool check_writable(const char *dir, struct error *err)
{
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
		return true;
	error_set_errno(err, ERR_IO, errno, "cannot write in directory %s", dir);
	return error_hint(err, "see whose it is with 'ls -ld %s'", dir);
}

/* The directory is there and can be written in, or it and those missing above it are noted. */
static bool need_dir(struct transaction *t, const char *path, struct error *err)
{
	struct stat st;
	if (is_to_be_made(t, path))
		return true;
	if (lstat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? check_writable(path, err)
					   : refuse(path, "is not a directory", MOVE_AWAY, err);
	if (errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot use directory %s", path);
	AUTO(str) char *above = transaction_dir_of(path);
	if (!need_dir(t, above, err))
		return false;
	transaction_add_dir(&t->made, path, mode_of_dir(t, path));
	return true;
}

static bool check_target(struct transaction *t, struct transaction_step *step, struct error *err)
{
	struct stat st;
	step->existed = lstat(step->target, &st) == 0;
	if (!step->existed && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot use %s", step->target);
	if (step->existed && S_ISDIR(st.st_mode))
		return refuse(step->target, "is a directory where a file belongs", MOVE_AWAY, err);
	bool is_link =
		step->existed && S_ISLNK(st.st_mode); /* only of a removal: else it was followed */
	if (step->existed && !S_ISREG(st.st_mode) && !is_link)
		return refuse(step->target, "is not a regular file", MOVE_AWAY, err);
	if (step->existed && step->keeps_mode)
		step->mode = st.st_mode & 07777;
	if (step->is_removal && !step->existed)
		return true;
	AUTO(str) char *dir = transaction_dir_of(step->target);
	return need_dir(t, dir, err);
}

static bool check_step(struct transaction *t, struct transaction_step *step, struct error *err)
{
	if (!transaction_path_is_proper(step->path))
		return refuse(step->path, "is not a path inside the directory", NULL, err);
	step->target = transaction_resolve(t, step->path, transaction_link_of(step), false, err);
	return step->target && check_name(t, step, err) && check_target(t, step, err);
}

/* Two steps for one file, perhaps by way of a link, or a file where another step needs a directory. */
static bool check_conflicts(const struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct transaction_step *step = &t->steps[i];
		if (is_to_be_made(t, step->target))
			return refuse(step->path, "is to be a file and a directory", NULL, err);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(t->steps[k].target, step->target) == 0)
				return error_set(err, ERR_REFUSED, "%s and %s are one file, %s",
					t->steps[k].path, step->path, step->target);
		}
	}
	return true;
}

static bool resolve_modes(struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->modes.count; i++) {
		struct transaction_dir *dir = &t->modes.items[i];
		if (!transaction_path_is_proper(dir->path))
			return refuse(dir->path, "is not a path inside the directory", NULL, err);
		char *path = transaction_resolve(t, dir->path, LINK_FOLLOWED, false, err);
		if (!path)
			return false;
		replace(&dir->path, path);
	}
	return true;
}

bool transaction_check(struct transaction *t, struct error *err)
{
	if (t->count > TRANSACTION_STEPS_MAX)
		return error_set(err, ERR_REFUSED,
			"%zu files are more than can be replaced at once (%d)", t->count,
			TRANSACTION_STEPS_MAX);
	if (!transaction_open_root(t, err) || !resolve_modes(t, err))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!check_step(t, &t->steps[i], err))
			return false;
	}
	return check_conflicts(t, err);
}
