#include "grafana/bundled.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/dashboards.h"
#include "grafana/import.h"

char *bundled_name(const struct bundled_file *file)
{
	return mem_strndup(file->path, strcspn(file->path, "."));
}

const struct bundled_file *bundled_find(const char *name)
{
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		AUTO(str) char *its_name = bundled_name(&grafana_bundled[i]);
		if (strcmp(its_name, name) == 0)
			return &grafana_bundled[i];
	}
	return NULL;
}

static bool save(const struct grafana *grafana, const struct import *import, struct error *err)
{
	AUTO(str) char *folder = NULL;
	int64_t version;
	if (!grafana_folder_ensure(grafana, BUNDLED_FOLDER_UID, BUNDLED_FOLDER_TITLE, &folder, err))
		return false;
	const struct grafana_save request = { .model = import->model,
		.folder_uid = folder,
		.message = "brought by cctm " CCTM_VERSION };
	return grafana_dashboard_save(grafana, &request, &version, err);
}

static bool import_missing(const struct grafana *grafana, const struct bundled_file *file,
	size_t *created, struct error *err)
{
	const struct import_request request = { .text = slice_of(file->bytes, file->len),
		.name = file->path };
	AUTO(import) struct import import = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	if (!import_read(&request, &import, err))
		return false;
	int found = grafana_dashboard_read(grafana, import.uid, &there, err);
	if (found != 0)
		return found > 0;
	++*created;
	return save(grafana, &import, err);
}

bool bundled_import_missing(const struct grafana *grafana, size_t *created, struct error *err)
{
	*created = 0;
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		if (!import_missing(grafana, &grafana_bundled[i], created, err))
			return error_wrap(err, "the dashboard %s", grafana_bundled[i].path);
	}
	return true;
}
