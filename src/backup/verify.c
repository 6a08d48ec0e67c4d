#include "backup/verify.h"

#include <errno.h>
#include <stdlib.h>

#include "backup/contents.h"
#include "backup/tree.h"
#include "bridge/ledger/copy.h"
#include "bridge/ledger/history.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "render/check.h"
#include "render/env_file.h"
#include "render/own_files.h"

/* Large: the ledger is laid out there. */
static char *make_folder(struct error *err)
{
	const char *above = getenv("TMPDIR");
	char *path = path_join(above && *above ? above : "/var/tmp", "cctm-verify-XXXXXX");
	if (mkdtemp(path))
		return path;
	error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
	error_hint(err, "TMPDIR says where to");
	free(path);
	return NULL;
}

static bool is_parsed(const char *name)
{
	return str_has_suffix(name, ".yaml") || str_has_suffix(name, ".yml") ||
	       str_has_suffix(name, ".json");
}

static bool parse_env(const char *path, struct slice text, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	return env_file_parse(text, &file, err) || error_wrap(err, "%s", path);
}

static bool parse_texts(const struct contents *contents, struct verified *out, struct error *err)
{
	for (size_t i = 0; i < contents->inventory.count; i++) {
		const struct inventory_file *file = &contents->inventory.files[i];
		struct slice text = buf_slice(&contents->texts[i]);
		bool is_env = file->part == BACKUP_SECRETS &&
			      slice_eq_str(slice_str(file->name), ENV_PATH);
		if (file->part != BACKUP_CONFIGURATION && !is_env)
			continue;
		if (!is_env && !is_parsed(file->name))
			continue;
		if (!(is_env ? parse_env(file->path, text, err)
			     : check_text(file->path, text, err)))
			return false;
		out->parsed++;
	}
	return true;
}

static bool open_ledger(const char *folder, struct verified *out, struct error *err)
{
	AUTO(str) char *dir = path_join(folder, backup_part_names[BACKUP_LEDGER]);
	AUTO(history) struct history *history = NULL;
	if (!ledger_check(dir, err) || history_open(dir, &history, err) < 0)
		return false;
	out->has_ledger = true;
	out->first_ms = history ? history_first_ms(history) : 0;
	out->last_ms = history ? history_last_ms(history) : 0;
	return true;
}

static bool verify_in(
	const struct contents_request *request, struct verified *out, struct error *err)
{
	AUTO(contents) struct contents contents = { 0 };
	if (!contents_read(request, &contents, err))
		return false;
	bool ok = parse_texts(&contents, out, err) &&
		  (contents.inventory.parts[BACKUP_LEDGER].files == 0 ||
			  open_ledger(request->dir, out, err));
	out->inventory = contents_take_inventory(&contents);
	return ok || error_wrap(err, "%s", request->archive);
}

bool verify_archive(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all),
	void *ctx, struct verified *out, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	*out = (struct verified){ 0 };
	AUTO(str) char *folder = make_folder(err);
	if (!folder)
		return false;
	const struct contents_request request = { .archive = path,
		.keeps = { [BACKUP_CONFIGURATION] = true, [BACKUP_SECRETS] = true },
		.extracts = { [BACKUP_LEDGER] = true },
		.dir = folder,
		.progress = progress,
		.ctx = ctx };
	bool ok = verify_in(&request, out, err);
	if (!tree_remove(folder, &ignored))
		error_clear(&ignored);
	if (!ok)
		verified_clear(out);
	return ok;
}

void verified_clear(struct verified *verified)
{
	inventory_clear(&verified->inventory);
	*verified = (struct verified){ 0 };
}
