#include "grafana/resources.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/call.h"

#define SAVE_MS	   60000
#define FOLDER	   "grafana.app/folder"
#define MESSAGE	   "grafana.app/message"
#define MANAGER	   "grafana.app/managedBy"
#define SOURCE	   "grafana.app/sourcePath"
#define UPDATED_BY "grafana.app/updatedBy"
#define UPDATED	   "grafana.app/updatedTimestamp"

static const struct {
	const char *group, *kind, *kinds;
} kinds[] = {
	[GRAFANA_DASHBOARDS] = { "dashboard.grafana.app", "Dashboard", "dashboards" },
	[GRAFANA_FOLDERS] = { "folder.grafana.app", "Folder", "folders" },
};

/* ---- paths ---- */

/* "dashboard.grafana.app/v1": 12.3 answers 404 to that and has v1beta1. Yours; NULL: error. */
static char *version_of(const struct grafana *grafana, enum grafana_kind kind, struct error *err)
{
	AUTO(str) char *newest = mem_printf("/apis/%s/v1", kinds[kind].group);
	const struct grafana_call call = { "GET", newest, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 0)
		return NULL;
	return mem_printf("%s/%s", kinds[kind].group, status == 404 ? "v1beta1" : "v1");
}

/* Yours. `name` NULL: of all. */
static char *path_of(const struct grafana *grafana, enum grafana_kind kind, const char *version,
	const char *name)
{
	AUTO(str)
	char *namespace = grafana->org > 1 ? mem_printf("org-%lld", (long long)grafana->org)
					   : mem_strdup("default");
	return mem_printf("/apis/%s/namespaces/%s/%s%s%s", version, namespace, kinds[kind].kinds,
		name ? "/" : "", name ? name : "");
}

/* ---- reading ---- */

static void take(struct grafana_dashboard *out, json_t *root, const char *uid)
{
	json_t *meta = json_object_get(root, "metadata");
	const json_t *notes = json_object_get(meta, "annotations");
	*out = (struct grafana_dashboard){ .model = json_incref(json_object_get(root, "spec")),
		.version = json_integer_value(json_object_get(meta, "generation")),
		.folder_uid = grafana_text(notes, FOLDER),
		.updated_by = grafana_text(notes, UPDATED_BY),
		.updated = grafana_text(notes, UPDATED),
		.is_filled = true };
	if (json_object_get(notes, MANAGER))
		out->provisioned_by = grafana_text(notes, SOURCE);
	json_object_set_new(out->model, "uid", json_string(uid));
}

/* The resource as it stands there; *out is NULL when there is none. */
static bool get(const struct grafana *grafana, const char *path, json_t **out, struct error *err)
{
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	*out = NULL;
	if (status == 404)
		return true;
	if (status != 200)
		return status && grafana_refused(&call, &answer, err);
	*out = grafana_json(&answer);
	if (json_is_object(json_object_get(*out, "spec")))
		return true;
	json_decref(*out);
	*out = NULL;
	return error_set(err, ERR_FAILED, "Grafana's answer to GET %s is no resource", path);
}

int resources_read(const struct grafana *grafana, const char *uid, struct grafana_dashboard *out,
	struct error *err)
{
	json_t *root;
	AUTO(str) char *version = version_of(grafana, GRAFANA_DASHBOARDS, err);
	if (!version)
		return -1;
	AUTO(str) char *path = path_of(grafana, GRAFANA_DASHBOARDS, version, uid);
	if (!get(grafana, path, &root, err))
		return -1;
	if (!root)
		return 0;
	take(out, root, uid);
	json_decref(root);
	return 1;
}

json_t *resources_list(const struct grafana *grafana, enum grafana_kind kind, struct error *err)
{
	AUTO(str) char *version = version_of(grafana, kind, err);
	if (!version)
		return NULL;
	AUTO(str) char *path = path_of(grafana, kind, version, NULL);
	json_t *root = grafana_get(grafana, path, err), *list = root ? json_array() : NULL;
	const json_t *items = json_object_get(root, "items");
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		AUTO(str) char *uid = grafana_text(json_object_get(item, "metadata"), "name");
		AUTO(str) char *title = grafana_text(json_object_get(item, "spec"), "title");
		json_array_append_new(list, json_pack("{s:s, s:s}", "uid", uid, "title", title));
	}
	json_decref(root);
	return list;
}

/* ---- changing ---- */

/* POST makes, PUT changes; both answer with the resource. */
static long send_body(const struct grafana *grafana, const char *method, const char *path,
	json_t *body, struct http_answer *answer, struct error *err)
{
	AUTO(str) char *text = json_dumps(body, JSON_COMPACT);
	if (!text)
		return error_set(err, ERR_FAILED, "it cannot be written as JSON");
	const struct grafana_call call = { method, path, text, SAVE_MS };
	long status = grafana_send(grafana, &call, answer, err);
	if (status && status != 200 && status != 201 && status != 409)
		grafana_refused(&call, answer, err);
	return status;
}

/* The server does not look at who saved meanwhile (seen with 12.3), so the number is compared here. */
static bool is_meanwhile(const json_t *now, const struct grafana_save *save, struct error *err)
{
	const json_t *meta = json_object_get(now, "metadata");
	if (json_integer_value(json_object_get(meta, "generation")) == save->version)
		return false;
	AUTO(str) char *by = grafana_text(json_object_get(meta, "annotations"), UPDATED_BY);
	AUTO(str) char *at = grafana_text(json_object_get(meta, "annotations"), UPDATED);
	error_set(err, ERR_REFUSED, "%s saved the dashboard meanwhile (%s)", *by ? by : "somebody",
		*at ? at : "it is not said when");
	error_hint(err, "run this again");
	return true;
}

static json_t *body_of(const char *version, const struct grafana_save *save, const json_t *now)
{
	json_t *spec = json_copy(save->model);
	json_object_del(spec, "id");
	json_object_del(spec, "version");
	json_t *meta = json_pack("{s:O, s:{s:s}}", "name", json_object_get(save->model, "uid"),
		"annotations", MESSAGE, save->message);
	if (save->folder_uid && *save->folder_uid)
		json_object_set_new(json_object_get(meta, "annotations"), FOLDER,
			json_string(save->folder_uid));
	json_t *stamp = json_object_get(json_object_get(now, "metadata"), "resourceVersion");
	if (stamp)
		json_object_set(meta, "resourceVersion", stamp);
	return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", version, "kind",
		kinds[GRAFANA_DASHBOARDS].kind, "metadata", meta, "spec", spec);
}

bool resources_save(
	const struct grafana *grafana, const struct grafana_save *save, struct error *err)
{
	const char *uid = json_string_value(json_object_get(save->model, "uid"));
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *version = version_of(grafana, GRAFANA_DASHBOARDS, err);
	json_t *now;
	if (!version)
		return false;
	AUTO(str) char *path = path_of(grafana, GRAFANA_DASHBOARDS, version, uid);
	AUTO(str) char *all = path_of(grafana, GRAFANA_DASHBOARDS, version, NULL);
	if (!get(grafana, path, &now, err))
		return false;
	if (is_meanwhile(now, save, err)) {
		json_decref(now);
		return false;
	}
	json_t *body = body_of(version, save, now);
	long status =
		send_body(grafana, now ? "PUT" : "POST", now ? path : all, body, &answer, err);
	json_decref(body);
	json_decref(now);
	if (status == 409) {
		error_set(err, ERR_REFUSED, "somebody saved the dashboard meanwhile");
		return error_hint(err, "run this again");
	}
	if (status == 403)
		return error_hint(err, "the login needs the right to create and write dashboards "
				       "(role Editor)");
	return status == 200 || status == 201;
}

bool resources_delete(const struct grafana *grafana, const char *uid, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *version = version_of(grafana, GRAFANA_DASHBOARDS, err);
	if (!version)
		return false;
	AUTO(str) char *path = path_of(grafana, GRAFANA_DASHBOARDS, version, uid);
	const struct grafana_call call = { "DELETE", path, NULL, SAVE_MS };
	long status = grafana_send(grafana, &call, &answer, err);
	return status == 200 || (status && grafana_refused(&call, &answer, err));
}

bool resources_make_folder(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *version = version_of(grafana, GRAFANA_FOLDERS, err);
	if (!version)
		return false;
	AUTO(str) char *path = path_of(grafana, GRAFANA_FOLDERS, version, NULL);
	json_t *meta =
		uid ? json_pack("{s:s}", "name", uid) : json_pack("{s:s}", "generateName", "cctm-");
	json_t *body = json_pack("{s:s, s:s, s:o, s:{s:s}}", "apiVersion", version, "kind",
		kinds[GRAFANA_FOLDERS].kind, "metadata", meta, "spec", "title", title);
	long status = send_body(grafana, "POST", path, body, &answer, err);
	json_decref(body);
	if (status == 409)
		return error_set(
			err, ERR_REFUSED, "somebody made the folder \"%s\" meanwhile", title);
	if (status != 200 && status != 201)
		return false;
	json_t *root = grafana_json(&answer);
	*out = grafana_text(json_object_get(root, "metadata"), "name");
	json_decref(root);
	return **out || error_set(err, ERR_FAILED, "Grafana does not say the new folder's uid");
}
