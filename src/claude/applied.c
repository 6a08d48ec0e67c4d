#include "claude/applied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "claude/places.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/secret.h"

#define VERSION	   1
#define RECORD_MAX (16 << 20)
#define BEFORE_MAX (8 << 20)

/* "…/applied/HASH" of the path, with what stands behind; NULL: there is no home. Yours. */
static char *place(const char *path, const char *suffix)
{
	char hash[HASH128_DIGITS + 1];
	AUTO(str) char *state = place_state();
	if (!state)
		return NULL;
	hash128_hex(path, strlen(path), hash);
	return mem_printf("%s/applied/%s%s", state, hash, suffix);
}

char *applied_backup(const char *path)
{
	return place(path, ".before");
}

static char *copy_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? mem_strdup(text) : NULL;
}

static void copy_hash(const json_t *object, const char *name, char out[HASH128_DIGITS + 1])
{
	const char *text = json_string_value(json_object_get(object, name));
	snprintf(out, HASH128_DIGITS + 1, "%s", text ? text : "");
}

static void read_value(struct applied *out, const json_t *object)
{
	AUTO(str) char *key = copy_of(object, "key");
	if (!key)
		return;
	out->values = mem_grow(out->values, &out->room, out->count + 1, sizeof *out->values);
	struct applied_value *value = &out->values[out->count++];
	*value = (struct applied_value){ .object = copy_of(object, "object"),
		.key = TAKE(key),
		.former = copy_of(object, "former") };
	copy_hash(object, "hash", value->hash);
}

static bool read_record(const char *path, struct applied *out, struct error *err)
{
	AUTO(str) char *record = place(path, ".json");
	AUTO(buf) struct buf text = BUF_INIT(RECORD_MAX);
	int found = record ? file_read(record, &text, err) : 0;
	if (found <= 0)
		return found == 0;
	json_t *root = json_loadb(buf_str(&text), text.len, 0, NULL);
	const json_t *values = json_object_get(root, "values");
	bool is_ours = json_integer_value(json_object_get(root, "version")) == VERSION;
	out->is_there = is_ours;
	out->was_there = json_is_true(json_object_get(root, "was_there"));
	out->mode = (mode_t)json_integer_value(json_object_get(root, "mode"));
	copy_hash(root, "after", out->after);
	for (size_t i = 0; is_ours && i < json_array_size(values); i++)
		read_value(out, json_array_get(values, i));
	json_decref(root);
	return is_ours ||
	       error_set(err, ERR_NEWER, "%s was not written by this version of cctm", record);
}

bool applied_read(const char *path, struct applied *out, struct error *err)
{
	AUTO(str) char *before = applied_backup(path);
	*out = (struct applied){ .path = mem_strdup(path), .before = BUF_INIT(BEFORE_MAX) };
	if (!read_record(path, out, err))
		return false;
	if (!out->is_there || !out->was_there)
		return true;
	int found = file_read(before, &out->before, err);
	/* Without the former bytes each value can be taken out still. */
	if (found == 0)
		*out->after = '\0';
	return found >= 0;
}

static json_t *record_of(const struct applied *applied)
{
	json_t *values = json_array();
	for (size_t i = 0; i < applied->count; i++) {
		const struct applied_value *value = &applied->values[i];
		json_array_append_new(
			values, json_pack("{s:s?, s:s, s:s, s:s?}", "object", value->object, "key",
					value->key, "hash", value->hash, "former", value->former));
	}
	return json_pack("{s:i, s:s, s:b, s:I, s:s, s:o}", "version", VERSION, "path",
		applied->path, "was_there", applied->was_there, "mode", (json_int_t)applied->mode,
		"after", applied->after, "values", values);
}

bool applied_write(const struct applied *applied, struct error *err)
{
	AUTO(str) char *state = place_state();
	if (!state) {
		error_set(err, ERR_FAILED, "there is no home directory to note in what is changed");
		return error_hint(err, "set HOME or XDG_STATE_HOME");
	}
	AUTO(str) char *folder = path_join(state, "applied");
	AUTO(str) char *record = place(applied->path, ".json");
	AUTO(str) char *before = applied_backup(applied->path);
	json_t *root = record_of(applied);
	AUTO(secret) char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return error_set(
			err, ERR_FAILED, "%s has a name that is not Unicode", applied->path);
	return dir_make(folder, 0700, err) &&
	       file_write_atomic(before, applied->before.data, applied->before.len, 0600, err) &&
	       file_write_atomic(record, text, strlen(text), 0600, err);
}

bool applied_forget(const char *path, struct error *err)
{
	AUTO(str) char *record = place(path, ".json");
	AUTO(str) char *before = applied_backup(path);
	if (record && ((unlink(record) < 0 && errno != ENOENT) ||
			      (unlink(before) < 0 && errno != ENOENT)))
		return error_set_errno(err, ERR_IO, errno, "cannot remove %s", record);
	return true;
}

void applied_add(struct applied *applied, const char *object, const char *key, struct slice value,
	const struct slice *former)
{
	applied->values = mem_grow(
		applied->values, &applied->room, applied->count + 1, sizeof *applied->values);
	struct applied_value *added = &applied->values[applied->count++];
	*added = (struct applied_value){ .object = object ? mem_strdup(object) : NULL,
		.key = mem_strdup(key),
		.former = former ? mem_strndup((const char *)former->ptr, former->len) : NULL };
	if (value.ptr)
		hash128_hex(value.ptr, value.len, added->hash);
}

void applied_clear(struct applied *applied)
{
	for (size_t i = 0; i < applied->count; i++) {
		free(applied->values[i].object);
		free(applied->values[i].key);
		secret_free(applied->values[i].former);
	}
	free(applied->values);
	free(applied->path);
	buf_clear(&applied->before);
	*applied = (struct applied){ 0 };
}
