#include "grafana/folders.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/call.h"
#include "grafana/dashboards.h"
#include "grafana/import.h"
#include "grafana/resources.h"

#define GENERAL "General"

/* The one of the uid; else the only one of the title. */
static int choose(
	const json_t *folders, const char *uid, const char *title, char **out, struct error *err)
{
	size_t titles = 0;
	for (size_t i = 0; i < json_array_size(folders); i++) {
		AUTO(str) char *its_uid = grafana_text(json_array_get(folders, i), "uid");
		AUTO(str) char *its_title = grafana_text(json_array_get(folders, i), "title");
		bool is_it = strcmp(its_uid, uid) == 0;
		if (!is_it && strcmp(its_title, title) != 0)
			continue;
		titles += !is_it;
		free(*out);
		*out = TAKE(its_uid);
		if (is_it)
			return 1;
	}
	if (titles <= 1)
		return (int)titles;
	free(*out);
	*out = NULL;
	error_set(err, ERR_USAGE, "%zu folders are called \"%s\"", titles, title);
	error_hint(err, "name one by its uid, which stands in the address of its page");
	return -1;
}

int grafana_folder_find(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err)
{
	*out = NULL;
	if (strcmp(title, GENERAL) == 0) {
		*out = mem_strdup("");
		return 1;
	}
	json_t *folders = grafana_search(grafana, GRAFANA_FOLDERS, err);
	int found = folders ? choose(folders, uid, title, out, err) : -1;
	json_decref(folders);
	return found;
}

static bool make(const struct grafana *grafana, const char *uid, const char *title, char **out,
	struct error *err)
{
	json_t *body = json_pack("{s:s}", "title", title);
	if (uid)
		json_object_set_new(body, "uid", json_string(uid));
	AUTO(str) char *text = json_dumps(body, 0);
	json_decref(body);
	if (!text)
		return error_set(err, ERR_USAGE, "the title of the folder is not Unicode");
	const struct grafana_call call = { "POST", "/api/folders", text, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 404 && grafana_is_gone(&answer))
		return resources_make_folder(grafana, uid, title, out, err);
	if (status != 200) {
		if (status)
			grafana_refused(&call, &answer, err);
		return status == 403 &&
		       error_hint(err, "the login needs the right to create folders "
				       "(folders:create), or name one that is there: --folder");
	}
	json_t *root = grafana_json(&answer);
	*out = grafana_text(root, "uid");
	json_decref(root);
	return **out || error_set(err, ERR_FAILED, "Grafana does not say the new folder's uid");
}

bool grafana_folder_ensure(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err)
{
	int found = grafana_folder_find(grafana, uid, title, out, err);
	if (found)
		return found > 0;
	return make(grafana, import_is_uid(uid) ? uid : NULL, title, out, err);
}
