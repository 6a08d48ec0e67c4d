#include "render/manifest.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/file.h"
#include "core/hash128.h"
#include "core/mem.h"

#define MANIFEST_BYTES_MAX (1 << 20)

static const char *const runtime_names[] = { "", "docker", "embedded" };

void manifest_hash(struct slice text, char out[MANIFEST_HASH_DIGITS + 1])
{
	hash128_hex(text.ptr, text.len, out);
}

char *manifest_generated_path(const char *path)
{
	return mem_printf(STATE_DIR "/generated/%s", path);
}

struct manifest_file *manifest_find(const struct manifest *manifest, const char *path)
{
	for (size_t i = 0; i < manifest->file_count; i++) {
		if (strcmp(manifest->files[i].path, path) == 0)
			return &manifest->files[i];
	}
	return NULL;
}

struct manifest_file *manifest_add(struct manifest *manifest, const char *path)
{
	manifest->files = mem_grow(manifest->files, &manifest->file_room, manifest->file_count + 1,
		sizeof *manifest->files);
	struct manifest_file *file = &manifest->files[manifest->file_count++];
	*file = (struct manifest_file){ .path = mem_strdup(path),
		.generated = BUF_INIT(MANIFEST_GENERATED_MAX) };
	return file;
}

void manifest_add_port(struct manifest *manifest, const char *key, int64_t number)
{
	manifest->ports = mem_grow(manifest->ports, &manifest->port_room, manifest->port_count + 1,
		sizeof *manifest->ports);
	manifest->ports[manifest->port_count++] =
		(struct manifest_port){ .key = mem_strdup(key), .number = number };
}

int64_t manifest_port(const struct manifest *manifest, const char *key)
{
	for (size_t i = 0; i < manifest->port_count; i++) {
		if (strcmp(manifest->ports[i].key, key) == 0)
			return manifest->ports[i].number;
	}
	return 0;
}

void manifest_clear(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->file_count; i++) {
		free(manifest->files[i].path);
		buf_clear(&manifest->files[i].generated);
	}
	for (size_t i = 0; i < manifest->port_count; i++)
		free(manifest->ports[i].key);
	free(manifest->files);
	free(manifest->ports);
	*manifest = (struct manifest){ 0 };
}

/* ---- writing ---- */

static json_t *file_json(const struct manifest_file *file)
{
	char hash[MANIFEST_HASH_DIGITS + 1] = "";
	if (file->has_generated)
		manifest_hash(buf_slice(&file->generated), hash);
	return json_pack(
		"{s:s, s:s, s:s}", "path", file->path, "generated", hash, "offered", file->offered);
}

void manifest_write(const struct manifest *manifest, struct buf *out)
{
	json_t *files = json_array(), *ports = json_object();
	for (size_t i = 0; i < manifest->file_count; i++)
		json_array_append_new(files, file_json(&manifest->files[i]));
	for (size_t i = 0; i < manifest->port_count; i++)
		json_object_set_new(
			ports, manifest->ports[i].key, json_integer(manifest->ports[i].number));
	json_t *root = json_pack("{s:i, s:s, s:s, s:o, s:o}", "version", MANIFEST_VERSION, "cctm",
		CCTM_VERSION, "runtime", runtime_names[manifest->runtime], "ports", ports, "files",
		files);
	char *text = json_dumps(root, JSON_INDENT(2));
	buf_adds(out, text);
	buf_addc(out, '\n');
	free(text);
	json_decref(root);
}

/* ---- reading ---- */

static bool damaged(struct error *err)
{
	error_set(err, ERR_CORRUPT, "%s is damaged", MANIFEST_PATH);
	return error_hint(err,
		"take it away: your files stay, and what cctm would write is then laid beside "
		"those that differ");
}

/* A path that leads nowhere but into the stack. */
static bool is_inside(const char *path)
{
	return *path && *path != '/' && strncmp(path, "../", 3) != 0 && !strstr(path, "/../") &&
	       strcmp(path, "..") != 0;
}

/* A generated text that is not what the manifest says is as good as none: then nothing is taken for unedited. */
static bool read_generated(
	const char *dir, struct manifest_file *file, const char *expected, struct error *err)
{
	char hash[MANIFEST_HASH_DIGITS + 1];
	AUTO(str) char *below = manifest_generated_path(file->path);
	AUTO(str) char *full = path_join(dir, below);
	if (!*expected)
		return true;
	int got = file_read(full, &file->generated, err);
	if (got < 0)
		return false;
	manifest_hash(buf_slice(&file->generated), hash);
	file->has_generated = got > 0 && strcmp(hash, expected) == 0;
	return true;
}

static bool read_file(const char *dir, const json_t *item, struct manifest *out, struct error *err)
{
	const char *path = json_string_value(json_object_get(item, "path"));
	const char *expected = json_string_value(json_object_get(item, "generated"));
	const char *offered = json_string_value(json_object_get(item, "offered"));
	if (!path || !expected || !offered || !is_inside(path) ||
		strlen(offered) > MANIFEST_HASH_DIGITS || manifest_find(out, path))
		return damaged(err);
	struct manifest_file *file = manifest_add(out, path);
	memcpy(file->offered, offered, strlen(offered) + 1);
	return read_generated(dir, file, expected, err);
}

static bool read_ports(const json_t *ports, struct manifest *out, struct error *err)
{
	const char *key;
	json_t *number;
	if (!json_is_object(ports) || json_object_size(ports) > MANIFEST_FILES_MAX)
		return damaged(err);
	json_object_foreach((json_t *)(uintptr_t)ports, key, number)
		manifest_add_port(out, key, json_integer_value(number));
	return true;
}

static bool read_root(const char *dir, const json_t *root, struct manifest *out, struct error *err)
{
	const json_t *files = json_object_get(root, "files");
	const char *runtime = json_string_value(json_object_get(root, "runtime"));
	json_int_t version = json_integer_value(json_object_get(root, "version"));
	if (version > MANIFEST_VERSION) {
		error_set(err, ERR_NEWER, "%s was written by a newer cctm", MANIFEST_PATH);
		return error_hint(err, "use that version, or a newer one");
	}
	if (version < 1 || !runtime || !json_is_array(files) ||
		json_array_size(files) > MANIFEST_FILES_MAX)
		return damaged(err);
	for (int i = RUNTIME_DOCKER; i <= RUNTIME_EMBEDDED; i++) {
		if (strcmp(runtime, runtime_names[i]) == 0)
			out->runtime = (enum runtime)i;
	}
	for (size_t i = 0; i < json_array_size(files); i++) {
		if (!read_file(dir, json_array_get(files, i), out, err))
			return false;
	}
	out->is_there = true;
	return read_ports(json_object_get(root, "ports"), out, err);
}

bool manifest_read(const char *dir, struct manifest *out, struct error *err)
{
	AUTO(str) char *path = path_join(dir, MANIFEST_PATH);
	AUTO(buf) struct buf text = BUF_INIT(MANIFEST_BYTES_MAX);
	*out = (struct manifest){ 0 };
	int got = file_read(path, &text, err);
	if (got <= 0)
		return got == 0;
	json_t *root = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
	bool is_read = root ? read_root(dir, root, out, err) : damaged(err);
	json_decref(root);
	if (!is_read)
		manifest_clear(out);
	return is_read;
}
