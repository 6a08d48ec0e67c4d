/* Making an archive of a stack.
 *
 * Each part is laid ready in .cctm/backup-staging; then the archive is written under a temporary name, read back whole, and
 * only then gets its name. A part that cannot be read is left out by name, and the archive says that it is partial. The
 * caller holds the stack's lock.
 */
#ifndef CCTM_BACKUP_CREATE_H
#define CCTM_BACKUP_CREATE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/pack.h"
#include "backup/inventory.h"
#include "core/cleanup.h"
#include "loaded/loaded.h"

struct error;

struct create_request {
	const struct loaded *stack;
	bool wants[BACKUP_PARTS];
	enum pack_compression compression;
	const char *path; /* of the archive; NULL: a new one in the stack's store */
	void *ctx;
	/* May be NULL: what is being done, with bytes done and of all (0: not known). */
	void (*progress)(void *ctx, const char *what, int64_t done, int64_t all);
};

struct created {
	char *path;
	struct inventory inventory;
	int64_t bytes; /* of the archive */
};

/* Every part that the stack has. */
void create_want_all(const struct loaded *stack, bool wants[BACKUP_PARTS]);

/* True also when some part failed: the inventory says so. */
bool backup_create(const struct create_request *request, struct created *out, struct error *err)
	MUST_CHECK;
void created_clear(struct created *created);

static inline void auto_created(struct created *created)
{
	created_clear(created);
}

#endif
