/* An archive looked at as closely as it can be without restoring it: every byte and sum, every JSON and YAML read by a parser,
 * and the ledger opened. */
#ifndef CCTM_BACKUP_VERIFY_H
#define CCTM_BACKUP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/inventory.h"
#include "core/cleanup.h"

struct error;

struct verified {
	struct inventory inventory;
	size_t parsed;		   /* files that a parser read */
	bool has_ledger;	   /* its pages were checked and its journal read */
	int64_t first_ms, last_ms; /* of its history; 0: none */
};

bool verify_archive(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all),
	void *ctx, struct verified *out, struct error *err) MUST_CHECK;
void verified_clear(struct verified *verified);

static inline void auto_verified(struct verified *verified)
{
	verified_clear(verified);
}

#endif
