#include "config/stack_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

static void take(struct stack_dir *out, char *dir, enum stack_dir_how how)
{
	struct stat st;
	*out = (struct stack_dir){ .dir = dir, .file = path_join(dir, CONFIG_FILE), .how = how };
	out->has_file = stat(out->file, &st) == 0;
}

static bool take_given(const char *given, struct stack_dir *out, struct error *err)
{
	struct stat st;
	if (stat(given, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot use the directory %s", given);
	if (!S_ISDIR(st.st_mode)) {
		error_set(err, ERR_USAGE, "%s is not a directory", given);
		return error_hint(err, "name the directory that holds cctm.yaml");
	}
	take(out, mem_strdup(given), STACK_DIR_GIVEN);
	return true;
}

static bool check_owner(const char *file, const struct stat *st, struct error *err)
{
	if (st->st_uid == geteuid() || st->st_uid == 0)
		return true;
	error_set(err, ERR_REFUSED, "%s belongs to another user", file);
	return error_hint(err, "if you trust it, name its directory with -C");
}

/* 1: a parent has one; 0: none; -1: error. */
static int take_parent(struct stack_dir *out, struct error *err)
{
	AUTO(str) char *dir = getcwd(NULL, 0);
	while (dir) {
		struct stat st;
		AUTO(str) char *file = path_join(dir, CONFIG_FILE);
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
			if (!check_owner(file, &st, err))
				return -1;
			take(out, TAKE(dir), STACK_DIR_PARENT);
			return 1;
		}
		char *slash = strrchr(dir, '/');
		if (!slash || !slash[1])
			return 0;
		slash[slash == dir ? 1 : 0] = '\0';
	}
	return 0;
}

bool stack_dir_find(const char *given, struct stack_dir *out, struct error *err)
{
	if (given)
		return take_given(given, out, err);
	int found = take_parent(out, err);
	if (found == 0)
		take(out, data_home(), STACK_DIR_DATA_HOME);
	return found >= 0;
}

void stack_dir_clear(struct stack_dir *dir)
{
	free(dir->dir);
	free(dir->file);
	*dir = (struct stack_dir){ 0 };
}
