/* What cctm import-dashboard is to import: names of bundled ones, files, folders, standard input, and the web. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/import_dashboard_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "grafana/address.h"
#include "grafana/bundled.h"

#define FILES_MAX 500

static struct import_source *add_source(struct import_job *job, const char *name)
{
	job->sources = mem_grow(job->sources, &job->room, job->count + 1, sizeof *job->sources);
	struct import_source *source = &job->sources[job->count++];
	*source = (struct import_source){ .name = mem_strdup(name),
		.text = BUF_INIT(IMPORT_MAX + 1) };
	return source;
}

static bool add_bundled(struct import_job *job, const struct bundled_file *file)
{
	AUTO(str) char *name = bundled_name(file);
	struct import_source *source = add_source(job, name);
	source->is_bundled = true;
	return buf_append(&source->text, file->bytes, file->len);
}

static bool add_file(struct import_job *job, const char *path, struct error *err)
{
	struct import_source *source = add_source(job, path);
	int found = file_read(path, &source->text, err);
	if (found)
		return found > 0;
	error_set(err, ERR_FAILED, "there is no file and no bundled dashboard %s", path);
	return error_hint(err, "'cctm dashboards' lists the bundled ones");
}

static bool add_address(struct import_job *job, const char *address, struct error *err)
{
	struct import_source *source = add_source(job, address);
	out_status(job->ctx->out, "fetching %s", address);
	bool is_fetched = address_fetch(address, &source->text, err);
	out_end_status(job->ctx->out);
	return is_fetched;
}

static bool add_input(struct import_job *job, struct error *err)
{
	struct import_source *source = add_source(job, "standard input");
	char bytes[65536];
	ssize_t got;
	while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
		if (!buf_append(&source->text, bytes, (size_t)got))
			return error_set(err, ERR_FAILED, "standard input is larger than 16 MB");
	}
	return got == 0 || error_set_errno(err, ERR_IO, errno, "cannot read standard input");
}

static bool add_folder(struct import_job *job, const char *path, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	bool is_fine = count >= 0 || error_set_errno(err, ERR_IO, errno, "cannot list %s", path);
	size_t before = job->count;
	for (int i = 0; i < count; i++) {
		AUTO(str) char *file = path_join(path, entries[i]->d_name);
		bool is_json = str_has_suffix(entries[i]->d_name, ".json");
		free(entries[i]);
		if (is_fine && is_json && job->count < FILES_MAX)
			is_fine = add_file(job, file, err);
	}
	if (count >= 0)
		free(entries);
	return is_fine &&
	       (job->count > before || error_set(err, ERR_FAILED, "%s has no .json file", path));
}

static bool add_named(struct import_job *job, const char *name, struct error *err)
{
	struct stat st;
	const struct bundled_file *file = bundled_find(name);
	if (strcmp(name, "-") == 0)
		return add_input(job, err);
	if (file)
		return add_bundled(job, file);
	bool is_there = stat(name, &st) == 0;
	if (is_there && S_ISDIR(st.st_mode))
		return add_folder(job, name, err);
	return !is_there && address_is_meant(name) ? add_address(job, name, err)
						   : add_file(job, name, err);
}

bool import_gather(struct import_job *job, struct error *err)
{
	for (size_t i = 0; job->args->is_all && i < grafana_bundled_count; i++) {
		if (!add_bundled(job, &grafana_bundled[i]))
			return error_set(err, ERR_FAILED, "a bundled dashboard is too large");
	}
	for (size_t i = 0; i < job->args->sources.count; i++) {
		if (!add_named(job, job->args->sources.items[i], err))
			return false;
	}
	if (job->count == 0) {
		error_set(err, ERR_USAGE, "nothing is named that is to be imported");
		return error_hint(err, "'--all' takes what cctm brings");
	}
	return job->count == 1 || !job->args->uid ||
	       error_set(
		       err, ERR_USAGE, "--uid is for one dashboard, and these are %zu", job->count);
}
