/* The files of a stack that are made from templates: which there are, and their texts for a configuration.
 *
 * In memory only; what becomes of them on disk is plan.h's. cctm.yaml, .env and .gitignore are not among them: they
 * are the user's from the first day and are only ever added to.
 *
 * A template is taken from the first of these that has it: the directory given, the stack's own templates/, the
 * program. A file there that is no template of the stack is an error, for it would silently do nothing.
 */
#ifndef CCTM_RENDER_STACK_FILES_H
#define CCTM_RENDER_STACK_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "render/model.h"

struct error;

struct stack_file {
	const char *path; /* in the stack's directory; of the table, lives as long as the program */
	mode_t mode;
	struct buf text;
};

struct stack_files {
	struct stack_file *items;
	size_t count;
};

/* `template_dir`: NULL or a directory whose templates go first. Every text has passed check_text. Of an embedded stack
 * it is only what brings the token to Claude Code, where there is one. */
bool stack_files_render(const struct config *config, const struct surroundings *around,
	const char *template_dir, struct stack_files *out, struct error *err) MUST_CHECK;
void stack_files_clear(struct stack_files *files);

/* NULL: the stack has no such file. */
const struct stack_file *stack_files_find(const struct stack_files *files, const char *path);

/* One template for a file that is no part of the above (.env): appended to `out`. */
bool stack_template_render(
	const char *path, const struct data *root, struct buf *out, struct error *err) MUST_CHECK;

static inline void auto_stack_files(struct stack_files *files)
{
	stack_files_clear(files);
}

#endif
