/* Directories with what is in them: removed, measured, and listed. No link is followed. */
#ifndef CCTM_BACKUP_TREE_H
#define CCTM_BACKUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

struct error;

/* Fine when it is not there. */
bool tree_remove(const char *path, struct error *err) MUST_CHECK;

/* Paths below `dir` of what is a file behind links or none, sorted; folders are not followed through links. What is neither
 * is passed over. An absent directory has none; more than `max` is an error. */
struct tree_list {
	char **items;
	size_t count, room;
};

bool tree_list(const char *dir, size_t max, struct tree_list *out, struct error *err) MUST_CHECK;
void tree_list_clear(struct tree_list *list);

/* Bytes of all files below `dir`; what cannot be read counts nothing. */
uint64_t tree_bytes(const char *dir);

/* False: fewer than `bytes` are free where `dir` is; the error says how many. */
bool tree_has_room(const char *dir, uint64_t bytes, struct error *err) MUST_CHECK;

/* fsync of every file and folder below `dir`, and of itself. */
bool tree_sync(const char *dir, struct error *err) MUST_CHECK;

static inline void auto_tree_list(struct tree_list *list)
{
	tree_list_clear(list);
}

#endif
