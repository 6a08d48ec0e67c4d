#include "grafana/dashboards.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/call.h"
#include "grafana/resources.h"

#define SAVE_MS	  60000
#define PAGE	  1000
#define PAGES_MAX 20

/* ---- reading ---- */

static void take(struct grafana_dashboard *out, const json_t *root)
{
	const json_t *meta = json_object_get(root, "meta");
	out->model = json_incref(json_object_get(root, "dashboard"));
	out->version = json_integer_value(json_object_get(meta, "version"));
	out->folder_uid = grafana_text(meta, "folderUid");
	out->updated_by = grafana_text(meta, "updatedBy");
	out->updated = grafana_text(meta, "updated");
	/* With allowUiUpdates only the second says it. */
	AUTO(str) char *file = grafana_text(meta, "provisionedExternalId");
	if (json_is_true(json_object_get(meta, "provisioned")) || *file)
		out->provisioned_by = TAKE(file);
}

/* 12.3 answers 406 to what was stored with schema v2. */
static int not_read(
	const struct grafana_call *call, const struct http_answer *answer, struct error *err)
{
	if (answer->status == 406) {
		error_set(err, ERR_REFUSED,
			"Grafana stores it in schema v2, which cannot be compared or replaced");
		error_hint(err, "import it under another uid: --uid");
	} else if (answer->status) {
		grafana_refused(call, answer, err);
	}
	return -1;
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
		return grafana_is_gone(&answer) ? resources_read(grafana, uid, out, err) : 0;
	if (status != 200)
		return not_read(&call, &answer, err);
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

json_t *grafana_dashboard_versions(
	const struct grafana *grafana, const char *uid, struct error *err)
{
	AUTO(str) char *path = mem_printf("/api/dashboards/uid/%s/versions", uid);
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 0)
		return NULL;
	json_t *root = status == 200 ? grafana_json(&answer) : NULL;
	json_t *versions = json_incref(json_object_get(root, "versions"));
	json_decref(root);
	if (json_is_array(versions))
		return versions;
	json_decref(versions);
	return json_array();
}

/* ---- comparing ---- */

static json_t *without_numbers(const json_t *model)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)model);
	json_object_del(copy, "id");
	json_object_del(copy, "version");
	return copy;
}

char *grafana_canonical(const json_t *model)
{
	json_t *copy = without_numbers(model);
	AUTO(str) char *text = json_dumps(copy, JSON_SORT_KEYS | JSON_INDENT(2));
	json_decref(copy);
	return mem_printf("%s\n", text ? text : "");
}

/* Is all of `part` in `whole`? A server that fills in what is taken for granted brings the schema up to date as well. */
static bool is_within(const json_t *part, const json_t *whole)
{
	const char *key;
	json_t *member;
	size_t i;
	if (json_is_number(part) && json_is_number(whole))
		return json_number_value(part) <= json_number_value(whole) &&
		       json_number_value(part) >= json_number_value(whole);
	if (json_is_array(part)) {
		if (json_array_size(part) != json_array_size(whole))
			return false;
		json_array_foreach(part, i, member)
		{
			if (!is_within(member, json_array_get(whole, i)))
				return false;
		}
		return true;
	}
	if (!json_is_object(part) || !json_is_object(whole))
		return json_is_null(part) || json_equal(part, whole) == 1;
	json_object_foreach((json_t *)(uintptr_t)part, key, member)
	{
		if (strcmp(key, "schemaVersion") != 0 &&
			!is_within(member, json_object_get(whole, key)))
			return false;
	}
	return true;
}

bool grafana_dashboard_is(const struct grafana_dashboard *dashboard, const json_t *model)
{
	json_t *left = without_numbers(dashboard->model), *right = without_numbers(model);
	bool is_same = dashboard->is_filled ? is_within(right, left) : json_equal(left, right) == 1;
	json_decref(left);
	json_decref(right);
	return is_same;
}

/* ---- saving ---- */

/* The numeric id of another server would be looked for there, and answered 404. */
static char *body_of(const struct grafana_save *save)
{
	json_t *model = json_copy(save->model);
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

/* 412: somebody was faster, and is named. */
static bool explain_meanwhile(const struct grafana *grafana, const char *uid, struct error *err)
{
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	int found = grafana_dashboard_read(grafana, uid, &there, &ignored);
	if (found > 0 && *there.updated_by)
		error_set(err, ERR_REFUSED, "%s saved the dashboard meanwhile: version %lld of %s",
			there.updated_by, (long long)there.version, there.updated);
	else
		error_set(err, ERR_REFUSED, "somebody saved the dashboard meanwhile");
	return error_hint(err, "run this again");
}

static bool explain(
	const struct grafana_call *call, const struct http_answer *answer, struct error *err)
{
	grafana_refused(call, answer, err);
	if (answer->status == 403)
		return error_hint(err, "the login needs the right to create and write dashboards "
				       "(role Editor)");
	if (answer->status == 413)
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
	if (status == 404 && grafana_is_gone(&answer))
		return resources_save(grafana, save, err) && read_back(grafana, uid, version, err);
	if (status == 412)
		return explain_meanwhile(grafana, uid, err);
	if (status != 200)
		return status && explain(&call, &answer, err);
	return read_back(grafana, uid, version, err);
}

bool grafana_dashboard_delete(const struct grafana *grafana, const char *uid, struct error *err)
{
	AUTO(str) char *path = mem_printf("/api/dashboards/uid/%s", uid);
	const struct grafana_call call = { "DELETE", path, NULL, SAVE_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 404 && grafana_is_gone(&answer))
		return resources_delete(grafana, uid, err);
	return status == 200 || (status && explain(&call, &answer, err));
}

/* ---- what there is ---- */

#define GONE (-2)

/* One page is added; its length, -1: error, GONE: this server has no such search. */
static int add_page(const struct grafana *grafana, enum grafana_kind kind, int page, json_t *all,
	struct error *err)
{
	AUTO(str)
	char *path = mem_printf("/api/search?type=%s&limit=%d&page=%d",
		kind == GRAFANA_FOLDERS ? "dash-folder" : "dash-db", PAGE, page);
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status == 404 && grafana_is_gone(&answer))
		return GONE;
	if (status != 200) {
		if (status)
			grafana_refused(&call, &answer, err);
		return -1;
	}
	json_t *list = grafana_json(&answer);
	int count = json_is_array(list) ? (int)json_array_size(list) : -1;
	if (count < 0)
		error_set(err, ERR_FAILED, "Grafana's answer to GET %s is no list", path);
	json_array_extend(all, list);
	json_decref(list);
	return count;
}

json_t *grafana_search(const struct grafana *grafana, enum grafana_kind kind, struct error *err)
{
	json_t *all = json_array();
	int count = PAGE;
	for (int page = 1; page <= PAGES_MAX && count == PAGE; page++)
		count = add_page(grafana, kind, page, all, err);
	if (count >= 0)
		return all;
	json_decref(all);
	return count == GONE ? resources_list(grafana, kind, err) : NULL;
}

json_t *grafana_datasources(const struct grafana *grafana, struct error *err)
{
	json_t *list = grafana_get(grafana, "/api/datasources", err);
	if (!list || json_is_array(list))
		return list;
	json_decref(list);
	error_set(err, ERR_FAILED, "Grafana's answer to GET /api/datasources is no list");
	return NULL;
}
