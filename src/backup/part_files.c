/* The stack's own directory: cctm.yaml, what was made of it, what the user added to it, and secrets.
 *
 * A stack may lie in a directory with much else, so only what is the stack's is taken: what its manifest lists, config/ and
 * templates/ as they are, Compose's override, and the files that cctm.yaml names inside of the directory. What it names
 * elsewhere is noted and stays there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/part.h"
#include "backup/tree.h"
#include "config/keys.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "render/own_files.h"

#define FILE_MAX  (8 << 20)
#define FILES_MAX 800 /* fewer than a transaction's steps */

static const char *const known_files[] = { "cctm.yaml", GITIGNORE_PATH, MANIFEST_PATH,
	"docker-compose.override.yml", "docker-compose.override.yaml" };
static const char *const known_folders[] = { "config", "templates", STATE_DIR "/generated" };

/* Files that a key names and that hold secrets. */
static bool is_secret_key(const char *key)
{
	return str_has_suffix(key, "token_file") || str_has_suffix(key, "key_file") ||
	       str_has_suffix(key, "url_file");
}

static bool is_saved(const struct staging *staging, enum backup_part part, const char *name)
{
	for (size_t i = 0; i < staging->inventory.count; i++) {
		const struct inventory_file *file = &staging->inventory.files[i];
		if (file->part == part && strcmp(file->name, name) == 0)
			return true;
	}
	return false;
}

/* One that is not there is fine. */
static bool save(const struct loaded *stack, struct staging *staging, enum backup_part part,
	const char *name, struct error *err)
{
	AUTO(str) char *path = path_join(stack->dir, name);
	AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
	struct stat st;
	if (is_saved(staging, part, name))
		return true;
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return true;
	int found = file_read(path, &text, err);
	bool ok = found == 0 || (found > 0 && staging_add(staging, part, name, buf_slice(&text),
						      st.st_mode & 0777, err));
	if (part == BACKUP_SECRETS && text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

/* The name below the stack's directory; NULL: it lies elsewhere. */
static const char *inside(const struct loaded *stack, const char *path)
{
	size_t len = strlen(stack->dir);
	if (strncmp(path, stack->dir, len) == 0 && path[len] == '/')
		path += len + 1;
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	return inventory_path_is_proper(path) ? path : NULL;
}

/* Those that cctm.yaml names, with secrets or without. */
static bool save_named(const struct loaded *stack, struct staging *staging, enum backup_part part,
	struct error *err)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct key *key = &config_keys[i];
		if (key->type != KEY_FILE || config_is_null(&stack->config, key->path) ||
			is_secret_key(key->path) != (part == BACKUP_SECRETS))
			continue;
		const char *path = config_text(&stack->config, key->path);
		const char *name = inside(stack, path);
		if (!name)
			inventory_note(&staging->inventory, part,
				"not saved: %s (%s), it is not in the stack's directory", path,
				key->path);
		else if (!part_may_write(part, name))
			inventory_note(&staging->inventory, part,
				"not saved: %s (%s), its name is hidden", path, key->path);
		else if (!save(stack, staging, part, name, err))
			return false;
	}
	return true;
}

static bool is_leftover(const char *name)
{
	return strstr(name, ".cctm-") != NULL;
}

static bool save_folder(
	const struct loaded *stack, struct staging *staging, const char *folder, struct error *err)
{
	AUTO(str) char *path = path_join(stack->dir, folder);
	AUTO(tree_list) struct tree_list list = { 0 };
	if (!tree_list(path, FILES_MAX, &list, err))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		AUTO(str) char *name = path_join(folder, list.items[i]);
		if (is_leftover(name))
			continue;
		if (!part_may_write(BACKUP_CONFIGURATION, name))
			inventory_note(&staging->inventory, BACKUP_CONFIGURATION,
				"not saved: %s, its name is hidden", name);
		else if (!save(stack, staging, BACKUP_CONFIGURATION, name, err))
			return false;
	}
	return true;
}

bool part_save_configuration(const struct loaded *stack, struct staging *staging, struct error *err)
{
	const enum backup_part part = BACKUP_CONFIGURATION;
	for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++) {
		if (!save(stack, staging, part, known_files[i], err))
			return false;
	}
	for (size_t i = 0; i < stack->last.file_count; i++) {
		if (!save(stack, staging, part, stack->last.files[i].path, err))
			return false;
	}
	for (size_t i = 0; i < sizeof known_folders / sizeof *known_folders; i++) {
		if (!save_folder(stack, staging, known_folders[i], err))
			return false;
	}
	if (!save_named(stack, staging, part, err))
		return false;
	return staging->inventory.parts[part].files <= FILES_MAX ||
	       error_set(err, ERR_FAILED, "the stack has more than %d files of configuration",
		       FILES_MAX);
}

bool part_save_secrets(const struct loaded *stack, struct staging *staging, struct error *err)
{
	return save(stack, staging, BACKUP_SECRETS, ENV_PATH, err) &&
	       save_named(stack, staging, BACKUP_SECRETS, err);
}

/* ---- the way back ---- */

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

/* Hidden names are other programs' (.git/hooks): nothing is laid there but what is the stack's own. */
bool part_may_write(enum backup_part part, const char *name)
{
	if (part == BACKUP_SECRETS && strcmp(name, ENV_PATH) == 0)
		return true;
	if (part == BACKUP_CONFIGURATION &&
		is_one_of(name, known_files, sizeof known_files / sizeof *known_files))
		return true;
	if (part == BACKUP_CONFIGURATION && str_has_prefix(name, STATE_DIR "/generated/"))
		name += strlen(STATE_DIR "/generated/");
	return name[0] != '.' && !strstr(name, "/.");
}
