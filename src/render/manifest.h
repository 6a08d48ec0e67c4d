/* What cctm generated last time: .cctm/manifest.json and the texts under .cctm/generated/.
 *
 * By it the user's edits are told from cctm's own text. The directory is 0700; no secret is kept in it: of .env there
 * is no generated text. It is written together with the files it speaks of, in one transaction.
 */
#ifndef CCTM_RENDER_MANIFEST_H
#define CCTM_RENDER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"
#include "core/buf.h"
#include "core/cleanup.h"

struct error;

#define STATE_DIR	       ".cctm"
#define MANIFEST_PATH	       ".cctm/manifest.json"
#define MANIFEST_VERSION       1
#define MANIFEST_HASH_DIGITS   32
#define MANIFEST_FILES_MAX     200
#define MANIFEST_GENERATED_MAX (4 << 20)

struct manifest_file {
	char *path;
	/* The hash of the new text that was laid beside the user's file, for them to decide; "": none. */
	char offered[MANIFEST_HASH_DIGITS + 1];
	bool has_generated;
	struct buf generated; /* what cctm made last; the common ancestor of a merge */
};

struct manifest_port {
	char *key;
	int64_t number;
};

struct manifest {
	bool is_there;
	enum runtime runtime; /* what `runtime: auto` was decided to be */
	struct manifest_file *files;
	size_t file_count, file_room;
	struct manifest_port *ports; /* that were written into the files last */
	size_t port_count, port_room;
};

/* Of the stack in `dir`; without one, `out` is empty and is_there false. A newer format: ERR_NEWER. */
bool manifest_read(const char *dir, struct manifest *out, struct error *err) MUST_CHECK;
void manifest_clear(struct manifest *manifest);

/* NULL: not listed. */
struct manifest_file *manifest_find(const struct manifest *manifest, const char *path);

/* Appends a file or a port; copies its name. What is returned lives until the next one is added. */
struct manifest_file *manifest_add(struct manifest *manifest, const char *path);
void manifest_add_port(struct manifest *manifest, const char *key, int64_t number);

/* 0: the port was not written. */
int64_t manifest_port(const struct manifest *manifest, const char *key);

/* The JSON of it, without the generated texts. */
void manifest_write(const struct manifest *manifest, struct buf *out);

/* ".cctm/generated/config/prometheus.yml"; yours. */
char *manifest_generated_path(const char *path);

void manifest_hash(struct slice text, char out[MANIFEST_HASH_DIGITS + 1]);

static inline void auto_manifest(struct manifest *manifest)
{
	manifest_clear(manifest);
}

#endif
