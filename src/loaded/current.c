#include "loaded/current.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define NOTED_MAX   65536
#define FILE_MAX    (4 << 20)
#define ALL_MAX	    (32 << 20)
#define ENTRIES_MAX 2000
#define DEPTH_MAX   8

/* What each reads besides the compose file; folders with all that is in them. */
static const struct {
	enum service service;
	const char *path;
} rows[] = {
	{ SERVICE_COLLECTOR, "config/otel-collector-config.yaml" },
	{ SERVICE_BRIDGE, "cctm.yaml" },
	{ SERVICE_BRIDGE, ".env" },
	{ SERVICE_PROMETHEUS, "config/prometheus.yml" },
	{ SERVICE_PROMETHEUS, "config/rules" },
	{ SERVICE_GRAFANA, "config/grafana" },
	{ SERVICE_LOKI, "config/loki.yaml" },
	{ SERVICE_ALERTMANAGER, "config/alertmanager.yml" },
	{ SERVICE_PROXY, "config/Caddyfile" },
};

static bool add_path(struct buf *all, const char *path, int depth, struct error *err);

static bool add_file(struct buf *all, const char *path, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
	if (file_read(path, &text, err) < 0)
		return false;
	buf_addf(all, "%s %zu\n", path, text.len);
	return buf_append(all, text.data, text.len) ||
	       error_set(err, ERR_FAILED, "%s and what is beside it are larger than %d MiB", path,
		       ALL_MAX >> 20);
}

static bool add_folder(struct buf *all, const char *path, int depth, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	bool is_fine = count >= 0 || error_set_errno(err, ERR_IO, errno, "cannot list %s", path);
	if (is_fine && count > ENTRIES_MAX)
		is_fine = error_set(err, ERR_FAILED, "%s has too many files", path);
	for (int i = 0; i < count; i++) {
		AUTO(str) char *below = path_join(path, entries[i]->d_name);
		if (is_fine && entries[i]->d_name[0] != '.')
			is_fine = add_path(all, below, depth + 1, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return is_fine;
}

/* What is no file and no folder is nobody's configuration, and neither is what was laid down so deep. */
static bool add_path(struct buf *all, const char *path, int depth, struct error *err)
{
	struct stat st;
	if (stat(path, &st) < 0 || depth > DEPTH_MAX)
		return true;
	if (S_ISDIR(st.st_mode))
		return add_folder(all, path, depth, err);
	return !S_ISREG(st.st_mode) || add_file(all, path, err);
}

bool current_read_files(const struct loaded *stack, struct current *out, struct error *err)
{
	*out = (struct current){ 0 };
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		AUTO(buf) struct buf all = BUF_INIT(ALL_MAX);
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			AUTO(str) char *path = path_join(stack->dir, rows[i].path);
			if (rows[i].service == s && !add_path(&all, path, 0, err))
				return false;
		}
		if (all.len)
			manifest_hash(buf_slice(&all), out->hashes[s]);
	}
	return true;
}

void current_read_noted(const struct loaded *stack, struct current *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(NOTED_MAX);
	AUTO(str) char *path = path_join(stack->dir, CURRENT_PATH);
	*out = (struct current){ 0 };
	if (file_read(path, &text, &ignored) <= 0)
		return;
	json_t *root = json_loadb(buf_str(&text), text.len, 0, NULL);
	const json_t *hashes = json_object_get(root, "configurations");
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		const char *hash = json_string_value(json_object_get(hashes, service_rows[s].name));
		if (hash && strlen(hash) == MANIFEST_HASH_DIGITS)
			memcpy(out->hashes[s], hash, sizeof out->hashes[s]);
	}
	json_decref(root);
}

bool current_note(const struct loaded *stack, const struct current *current, struct error *err)
{
	AUTO(str) char *path = path_join(stack->dir, CURRENT_PATH);
	json_t *hashes = json_object();
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (*current->hashes[s])
			json_object_set_new(
				hashes, service_rows[s].name, json_string(current->hashes[s]));
	}
	json_t *root = json_pack("{s:i, s:o}", "version", 1, "configurations", hashes);
	AUTO(str) char *text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return file_write_atomic(path, text, strlen(text), 0600, err);
}

bool current_differs(const struct current *noted, const struct current *files, enum service service)
{
	return strcmp(noted->hashes[service], files->hashes[service]) != 0;
}
