#include "grafana/bring.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash128.h"
#include "core/mem.h"
#include "core/str.h"

#define CONTENT_DIGITS 16
#define AS_IT_CAME     "imported by cctm " CCTM_VERSION " (content %s)"
#define MERGED	       "merged with your edits by cctm " CCTM_VERSION " (content %s)"

/* The beginnings of those, of whatever version. */
static const char came_begin[] = "imported by cctm ",
		  merged_begin[] = "merged with your edits by cctm ";
static const char content_mark[] = "(content ";

static const char *const words[] = {
#define X(state, word, text) [state] = word,
	BRING_STATES(X)
#undef X
};

static const char *const texts[] = {
#define X(state, word, text) [state] = text,
	BRING_STATES(X)
#undef X
};

const char *bring_word(enum bring_state state)
{
	return words[state];
}

const char *bring_text(enum bring_state state)
{
	return texts[state];
}

/* What was brought last. */
struct base {
	char content[CONTENT_DIGITS + 1]; /* "": it is not known */
	json_t *model;			  /* NULL: only which one it was is known */
};

static void content_of(const json_t *model, char out[static CONTENT_DIGITS + 1])
{
	AUTO(str) char *text = grafana_canonical(model);
	char digits[HASH128_DIGITS + 1];
	hash128_hex(text, strlen(text), digits);
	memcpy(out, digits, CONTENT_DIGITS);
	out[CONTENT_DIGITS] = '\0';
}

/* ---- copies ---- */

static char *copy_path(const struct bring_place *place, const char *uid, const char *content)
{
	AUTO(str) char *name = mem_printf("%s.%s.json", uid, content);
	return path_join(place->copies, name);
}

static bool write_copy(
	const struct bring_place *place, const struct import *ours, struct error *err)
{
	char content[CONTENT_DIGITS + 1];
	content_of(ours->model, content);
	AUTO(str) char *text = grafana_canonical(ours->model);
	AUTO(str) char *path = copy_path(place, ours->uid, content);
	if (access(path, F_OK) == 0)
		return true;
	return dir_make(place->copies, 0700, err) &&
	       file_write_atomic(path, text, strlen(text), 0600, err);
}

/* The content that a copy of that dashboard is named by; NULL: it is none of it. */
static const char *content_in_name(const char *name, const char *uid)
{
	size_t len = strlen(uid);
	bool is_copy = strncmp(name, uid, len) == 0 && name[len] == '.' &&
		       strlen(name) == len + 1 + CONTENT_DIGITS + strlen(".json") &&
		       str_has_suffix(name, ".json");
	return is_copy ? name + len + 1 : NULL;
}

/* How many there are; the content of the last that was seen. All but `but` are deleted when it is not NULL. */
static size_t find_copies(const struct bring_place *place, const char *uid, const char *but,
	char content[static CONTENT_DIGITS + 1])
{
	size_t count = 0;
	DIR *folder = opendir(place->copies);
	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		const char *found = content_in_name(entry->d_name, uid);
		if (!found)
			continue;
		count++;
		memcpy(content, found, CONTENT_DIGITS);
		content[CONTENT_DIGITS] = '\0';
		AUTO(str) char *path = path_join(place->copies, entry->d_name);
		if (but && strcmp(content, but) != 0)
			unlink(path);
	}
	if (folder)
		closedir(folder);
	return count;
}

/* NULL: there is none that can be read. */
static json_t *read_copy(const struct bring_place *place, const char *uid, const char *content)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(IMPORT_MAX);
	AUTO(str) char *path = copy_path(place, uid, content);
	if (file_read(path, &text, &ignored) != 1)
		return NULL;
	json_t *model = json_loadb(buf_str(&text), text.len, 0, NULL);
	if (json_is_object(model))
		return model;
	json_decref(model);
	return NULL;
}

/* ---- what was brought last ---- */

/* Of a message of ours: the content, and whether the version holds it. */
static bool read_message(const char *message, struct base *out, bool *is_pure)
{
	const char *mark = message ? strstr(message, content_mark) : NULL;
	*is_pure = message && str_has_prefix(message, came_begin);
	if (!mark || !(*is_pure || str_has_prefix(message, merged_begin)))
		return false;
	mark += strlen(content_mark);
	if (strspn(mark, "0123456789abcdef") != CONTENT_DIGITS || mark[CONTENT_DIGITS] != ')')
		return false;
	memcpy(out->content, mark, CONTENT_DIGITS);
	out->content[CONTENT_DIGITS] = '\0';
	return true;
}

/* The newest version that cctm saved. */
static void find_in_history(const json_t *versions, struct base *out)
{
	json_int_t newest = 0;
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		json_int_t number = json_integer_value(json_object_get(version, "version"));
		json_t *data = json_object_get(version, "data");
		bool is_pure;
		if (number <= newest ||
			!read_message(json_string_value(json_object_get(version, "message")), out,
				&is_pure))
			continue;
		newest = number;
		json_decref(out->model);
		out->model = is_pure && json_is_object(data) ? json_incref(data) : NULL;
	}
}

static bool find_base(
	const struct bring_place *place, const char *uid, struct base *out, struct error *err)
{
	char content[CONTENT_DIGITS + 1];
	json_t *versions = grafana_dashboard_versions(place->grafana, uid, err);
	*out = (struct base){ 0 };
	if (!versions)
		return false;
	find_in_history(versions, out);
	json_decref(versions);
	/* A history that was cut off, or is not told; two copies are there when the last save broke off. */
	if (!*out->content && find_copies(place, uid, NULL, content) == 1)
		memcpy(out->content, content, sizeof content);
	if (*out->content && !out->model)
		out->model = read_copy(place, uid, out->content);
	return true;
}

/* ---- looking ---- */

/* There is something of that uid, and it is not ours as it is now. */
static bool compare(const struct bring_place *place, const struct import *ours, struct bring *out,
	struct error *err)
{
	struct base base;
	char content[CONTENT_DIGITS + 1];
	if (!find_base(place, ours->uid, &base, err))
		return false;
	content_of(ours->model, content);
	if (strcmp(base.content, content) == 0)
		out->state = BRING_EDITED;
	else if (!base.model)
		out->state = BRING_UNKNOWN;
	else if (grafana_dashboard_is(&out->there, base.model))
		out->state = BRING_OLDER;
	else
		out->state = BRING_EDITED_OLDER;
	if (out->state == BRING_EDITED_OLDER)
		dashboard_merge(base.model, out->there.model, ours->model, &out->merge);
	json_decref(base.model);
	return true;
}

bool bring_look(const struct bring_place *place, const struct import *ours, struct bring *out,
	struct error *err)
{
	char content[CONTENT_DIGITS + 1];
	*out = (struct bring){ .state = BRING_SAME };
	int found = grafana_dashboard_read(place->grafana, ours->uid, &out->there, err);
	if (found < 0)
		return false;
	if (found == 0)
		out->state =
			find_copies(place, ours->uid, NULL, content) ? BRING_DELETED : BRING_ABSENT;
	else if (out->there.provisioned_by)
		out->state = BRING_PROVISIONED;
	else if (!grafana_dashboard_is(&out->there, ours->model))
		return compare(place, ours, out, err);
	return true;
}

void bring_clear(struct bring *bring)
{
	grafana_dashboard_clear(&bring->there);
	dashboard_merge_clear(&bring->merge);
}

/* ---- saving ---- */

bool bring_keep(const struct bring_place *place, const struct import *ours, struct error *err)
{
	char content[CONTENT_DIGITS + 1], ignored[CONTENT_DIGITS + 1];
	if (!write_copy(place, ours, err))
		return false;
	content_of(ours->model, content);
	find_copies(place, ours->uid, content, ignored);
	return true;
}

/* The copy is there before the save, and the former one until after it: one of them is what was brought last. */
bool bring_save(const struct bring_place *place, const struct import *ours,
	const struct bring *bring, enum bring_way way, const char *folder_uid, int64_t *version,
	struct error *err)
{
	char content[CONTENT_DIGITS + 1];
	content_of(ours->model, content);
	AUTO(str)
	char *message =
		way == BRING_MERGED ? mem_printf(MERGED, content) : mem_printf(AS_IT_CAME, content);
	const struct grafana_save save = { .model = way == BRING_MERGED ? bring->merge.model
									: ours->model,
		.folder_uid = folder_uid,
		.message = message,
		.version = bring->there.version };
	return write_copy(place, ours, err) &&
	       grafana_dashboard_save(place->grafana, &save, version, err) &&
	       bring_keep(place, ours, err);
}
