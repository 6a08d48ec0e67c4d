#include "grafana/dashboards.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/call.h"

#define SAVE_MS	    60000
#define FOLDERS_MAX 1000

static char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return mem_strdup(text ? text : "");
}

/* ---- reading ---- */

static void take(struct grafana_dashboard *out, const json_t *root)
{
	const json_t *meta = json_object_get(root, "meta");
	out->model = json_incref(json_object_get(root, "dashboard"));
	out->version = json_integer_value(json_object_get(meta, "version"));
	out->folder_uid = text_of(meta, "folderUid");
	out->updated_by = text_of(meta, "updatedBy");
	out->updated = text_of(meta, "updated");
	/* With allowUiUpdates only the second says it. */
	AUTO(str) char *file = text_of(meta, "provisionedExternalId");
	if (json_is_true(json_object_get(meta, "provisioned")) || *file)
		out->provisioned_by = TAKE(file);
}

int grafana_dashboard_read(const struct grafana *grafana, const char *uid,
	struct grafana_dashboard *out, struct error *err)
{
	AUTO(str) char *path = mem_printf("/api/dashboards/uid/%s", uid);
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	*out = (struct grafana_dashboard){ 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 404)
		return 0;
	if (status != 200) {
		if (status)
			grafana_refused(&call, &answer, err);
		return -1;
	}
	json_t *root = grafana_json(&answer);
	take(out, root);
	json_decref(root);
	if (json_is_object(out->model))
		return 1;
	grafana_dashboard_clear(out);
	error_set(err, ERR_FAILED, "Grafana's answer to GET %s is no dashboard", path);
	return -1;
}

void grafana_dashboard_clear(struct grafana_dashboard *dashboard)
{
	json_decref(dashboard->model);
	free(dashboard->folder_uid);
	free(dashboard->provisioned_by);
	free(dashboard->updated_by);
	free(dashboard->updated);
	*dashboard = (struct grafana_dashboard){ 0 };
}

bool grafana_is_same(const json_t *a, const json_t *b)
{
	json_t *left = json_deep_copy(a), *right = json_deep_copy(b);
	static const char *const kept[] = { "id", "version" };
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		json_object_del(left, kept[i]);
		json_object_del(right, kept[i]);
	}
	bool is_same = json_equal(left, right) == 1;
	json_decref(left);
	json_decref(right);
	return is_same;
}

/* ---- saving ---- */

/* The numeric id of another server would be looked for there, and answered 404. */
static char *body_of(const struct grafana_save *save)
{
	json_t *model = json_deep_copy(save->model);
	json_object_set_new(model, "id", json_null());
	if (save->version)
		json_object_set_new(model, "version", json_integer(save->version));
	else
		json_object_del(model, "version");
	json_t *body = json_pack("{s:o, s:s, s:b}", "dashboard", model, "message", save->message,
		"overwrite", false);
	if (save->folder_uid && *save->folder_uid)
		json_object_set_new(body, "folderUid", json_string(save->folder_uid));
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static bool explain(long status, const struct grafana_call *call, const struct http_answer *answer,
	struct error *err)
{
	if (status == 412) {
		error_set(err, ERR_REFUSED, "somebody saved the dashboard meanwhile");
		return error_hint(err, "run this again");
	}
	grafana_refused(call, answer, err);
	if (status == 403)
		return error_hint(
			err, "the login needs the right to create dashboards (role Editor)");
	if (status == 413)
		return error_hint(err, "Grafana takes at most 16 MB");
	return false;
}

/* The number that the answer names may be the old one. */
static bool read_back(
	const struct grafana *grafana, const char *uid, int64_t *version, struct error *err)
{
	AUTO(grafana_dashboard) struct grafana_dashboard stored = { 0 };
	int found = grafana_dashboard_read(grafana, uid, &stored, err);
	if (found == 0)
		return error_set(
			err, ERR_FAILED, "Grafana took the dashboard %s and has it not", uid);
	*version = stored.version;
	return found > 0;
}

bool grafana_dashboard_save(const struct grafana *grafana, const struct grafana_save *save,
	int64_t *version, struct error *err)
{
	AUTO(str) char *text = body_of(save);
	const char *uid = json_string_value(json_object_get(save->model, "uid"));
	if (!text || !uid)
		return error_set(err, ERR_FAILED, "the dashboard has no uid");
	const struct grafana_call call = { "POST", "/api/dashboards/db", text, SAVE_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status != 200)
		return status && explain(status, &call, &answer, err);
	return read_back(grafana, uid, version, err);
}

/* ---- folders and datasources ---- */

static json_t *get_list(const struct grafana *grafana, const char *path, struct error *err)
{
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status != 200) {
		if (status)
			grafana_refused(&call, &answer, err);
		return NULL;
	}
	json_t *list = grafana_json(&answer);
	if (json_is_array(list))
		return list;
	json_decref(list);
	error_set(err, ERR_FAILED, "Grafana's answer to GET %s is no list", path);
	return NULL;
}

json_t *grafana_datasources(const struct grafana *grafana, struct error *err)
{
	return get_list(grafana, "/api/datasources", err);
}

static bool make_folder(
	const struct grafana *grafana, const char *uid, const char *title, struct error *err)
{
	json_t *body = json_pack("{s:s, s:s}", "uid", uid, "title", title);
	AUTO(str) char *text = json_dumps(body, 0);
	json_decref(body);
	const struct grafana_call call = { "POST", "/api/folders", text, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	return status == 200 || (status && grafana_refused(&call, &answer, err));
}

bool grafana_folder_ensure(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err)
{
	AUTO(str) char *path = mem_printf("/api/folders?limit=%d", FOLDERS_MAX);
	json_t *folders = get_list(grafana, path, err);
	*out = NULL;
	for (size_t i = 0; !*out && i < json_array_size(folders); i++) {
		const json_t *folder = json_array_get(folders, i);
		AUTO(str) char *its_uid = text_of(folder, "uid");
		AUTO(str) char *its_title = text_of(folder, "title");
		if (strcmp(its_uid, uid) == 0 || strcmp(its_title, title) == 0)
			*out = TAKE(its_uid);
	}
	bool is_read = folders != NULL;
	json_decref(folders);
	if (!is_read || *out)
		return is_read;
	if (!make_folder(grafana, uid, title, err))
		return false;
	*out = mem_strdup(uid);
	return true;
}
