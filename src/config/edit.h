/* Changing one key of a cctm.yaml and nothing else: comments, order, quotes and line ends stay.
 *
 * The tree says which bytes a value has; they are cut out and replaced. A new key is put where the table's
 * order wants it. The result is read again and compared with what was there: if anything but the key differs
 * or a comment is lost, the edit is refused (ERR_REFUSED) and the user told to make it by hand. Whether the
 * value is allowed is not asked here.
 */
#ifndef CCTM_CONFIG_EDIT_H
#define CCTM_CONFIG_EDIT_H

#include <stdbool.h>

#include "config/keys.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct buf;
struct error;
struct value;

bool edit_set(struct slice bytes, const struct key *key, const struct value *value, struct buf *out,
	struct error *err) MUST_CHECK;

/* `path` need not be in the table. 1: it was there and is gone; 0: it was not; -1: error. */
int edit_unset(struct slice bytes, const char *path, struct buf *out, struct error *err) MUST_CHECK;

#endif
