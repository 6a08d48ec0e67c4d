/* Which directory a command works on: -C or CCTM_DIR, else the nearest parent that holds a cctm.yaml, else
 * the user's data directory. */
#ifndef CCTM_CONFIG_STACK_DIR_H
#define CCTM_CONFIG_STACK_DIR_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

enum stack_dir_how { STACK_DIR_GIVEN, STACK_DIR_PARENT, STACK_DIR_DATA_HOME };

struct stack_dir {
	char *dir;  /* need not be there when it is the data directory */
	char *file; /* dir/cctm.yaml */
	bool has_file;
	enum stack_dir_how how;
};

/* `given` (NULL: nothing was) must be a directory. A parent's cctm.yaml that belongs to another user is
 * refused, since it can name programs to run: such a one has to be given. */
bool stack_dir_find(const char *given, struct stack_dir *out, struct error *err) MUST_CHECK;
void stack_dir_clear(struct stack_dir *dir);

static inline void auto_stack_dir(struct stack_dir *dir)
{
	stack_dir_clear(dir);
}

#endif
