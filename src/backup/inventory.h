/* What an archive says of itself, first in it, as manifest.json: what made it when, its parts, and every file with its size,
 * mode and SHA-256. The files follow in exactly that order.
 *
 *     {"format": "cctm-backup", "format_version": 1, "cctm": "1.0.0", "made_at": "2026-11-30T23:27:46Z",
 *      "project": "…", "runtime": "embedded", "ingest": "bridge", "images": {"prometheus": "…"}, "partial": false,
 *      "parts": [{"name": "ledger", "state": "saved", "files": 2, "bytes": 73728, "notes": ["…"]}, …],
 *      "files": [{"path": "ledger/ledger.db", "size": 69632, "mode": "600", "sha256": "…"}, …]}
 *
 * The first component of a path is the part that the file belongs to. Archives are hostile until proven otherwise:
 * inventory_parse takes only what inventory_print could have written, and what can safely become a file below a directory.
 */
#ifndef CCTM_BACKUP_INVENTORY_H
#define CCTM_BACKUP_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/services.h"
#include "core/buf.h"
#include "core/cleanup.h"
#include "core/sha256.h"

struct error;

#define INVENTORY_NAME	    "manifest.json"
#define INVENTORY_VERSION   1
#define INVENTORY_MAX	    (8 << 20) /* bytes of its JSON */
#define INVENTORY_FILES_MAX 20000
#define INVENTORY_PATH_MAX  512		       /* bytes */
#define INVENTORY_DEPTH_MAX 16		       /* components */
#define INVENTORY_BYTES_MAX (INT64_C(1) << 40) /* of all files */
#define INVENTORY_NOTES_MAX 100
#define INVENTORY_TEXT_MAX  500 /* bytes of a note, a version or a name */

enum backup_part { BACKUP_CONFIGURATION, BACKUP_SECRETS, BACKUP_LEDGER, BACKUP_PARTS };

extern const char *const backup_part_names[BACKUP_PARTS + 1]; /* ends with NULL */

enum backup_state {
	BACKUP_ABSENT, /* it was not asked for, or the stack has none */
	BACKUP_SAVED,
	BACKUP_FAILED, /* it could not be read; notes[0] says why */
};

struct inventory_part {
	enum backup_state state;
	size_t files;
	int64_t bytes;
	char **notes;
	size_t note_count, note_room;
};

struct inventory_file {
	char *path;
	enum backup_part part;
	const char *name; /* in its part: behind the first component of path */
	int64_t size;
	mode_t mode; /* of permissions */
	char sha256[SHA256_DIGITS + 1];
};

struct inventory {
	char *cctm, *made_at, *project, *runtime, *ingest;
	char *images[SERVICE_COUNT]; /* NULL: no such service */
	bool is_partial;
	struct inventory_part parts[BACKUP_PARTS];
	struct inventory_file *files;
	size_t count, room;
	int64_t bytes; /* of all files */
};

/* May it be the path of a file in an archive? */
bool inventory_path_is_proper(const char *path);

/* Appends a file and counts it; copies the path, which is proper. */
struct inventory_file *inventory_add(struct inventory *inventory, enum backup_part part,
	const char *name, int64_t size, mode_t mode);
void inventory_note(struct inventory *inventory, enum backup_part part, const char *fmt, ...)
	PRINTF(3, 4);

void inventory_print(const struct inventory *inventory, struct buf *out);

/* ERR_NEWER: a newer cctm wrote it; ERR_CORRUPT: it is none, or says what cannot be; ERR_REFUSED: it would harm. */
bool inventory_parse(struct slice text, struct inventory *out, struct error *err) MUST_CHECK;
void inventory_clear(struct inventory *inventory);

/* -1: no such part. */
int inventory_part_of(const char *name);

static inline void auto_inventory(struct inventory *inventory)
{
	inventory_clear(inventory);
}

#endif
