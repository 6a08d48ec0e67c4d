#include "backup/inventory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/text.h"

#define FORMAT "cctm-backup"

const char *const backup_part_names[BACKUP_PARTS + 1] = {
	[BACKUP_CONFIGURATION] = "configuration",
	[BACKUP_SECRETS] = "secrets",
	[BACKUP_LEDGER] = "ledger",
};

static const char *const state_names[] = {
	[BACKUP_ABSENT] = "absent",
	[BACKUP_SAVED] = "saved",
	[BACKUP_FAILED] = "failed",
};

int inventory_part_of(const char *name)
{
	for (int i = 0; i < BACKUP_PARTS; i++) {
		if (strcmp(backup_part_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* ---- paths ---- */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != 0x7f && c != '\\';
}

static bool is_component(const char *start, size_t len)
{
	bool is_dots = start[0] == '.' && (len == 1 || (len == 2 && start[1] == '.'));
	for (size_t i = 0; i < len; i++) {
		if (!is_plain((unsigned char)start[i]))
			return false;
	}
	return len > 0 && len < 256 && !is_dots;
}

bool inventory_path_is_proper(const char *path)
{
	size_t depth = 0, whole = strlen(path);
	if (whole > INVENTORY_PATH_MAX || !str_is_utf8(slice_of(path, whole)))
		return false;
	for (const char *at = path;; at++) {
		size_t len = strcspn(at, "/");
		if (!is_component(at, len) || ++depth > INVENTORY_DEPTH_MAX)
			return false;
		at += len;
		if (!*at)
			return true;
	}
}

/* ---- filling ---- */

struct inventory_file *inventory_add(struct inventory *inventory, enum backup_part part,
	const char *name, int64_t size, mode_t mode)
{
	inventory->files = mem_grow(
		inventory->files, &inventory->room, inventory->count + 1, sizeof *inventory->files);
	struct inventory_file *file = &inventory->files[inventory->count++];
	*file = (struct inventory_file){ .part = part, .size = size, .mode = mode & 0777 };
	file->path = mem_printf("%s/%s", backup_part_names[part], name);
	file->name = strchr(file->path, '/') + 1;
	inventory->parts[part].files++;
	inventory->parts[part].bytes += size;
	inventory->bytes += size;
	return file;
}

static void add_note(struct inventory_part *part, char *note)
{
	part->notes =
		mem_grow(part->notes, &part->note_room, part->note_count + 1, sizeof *part->notes);
	part->notes[part->note_count++] = note;
}

/* What an error says may hold what a file is called. */
void inventory_note(struct inventory *inventory, enum backup_part part, const char *fmt, ...)
{
	AUTO(buf) struct buf visible = BUF_INIT(BUF_UNLIMITED);
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *note = mem_vprintf(fmt, ap);
	va_end(ap);
	text_visible(&visible, note);
	size_t len = visible.len < INVENTORY_TEXT_MAX ? visible.len : INVENTORY_TEXT_MAX;
	while (len && !str_is_utf8(slice_of(visible.data, len)))
		len--;
	if (inventory->parts[part].note_count < INVENTORY_NOTES_MAX)
		add_note(&inventory->parts[part], mem_strndup(buf_str(&visible), len));
}

/* ---- printing ---- */

static json_t *part_json(const struct inventory *inventory, enum backup_part which)
{
	const struct inventory_part *part = &inventory->parts[which];
	json_t *notes = json_array();
	for (size_t i = 0; i < part->note_count; i++)
		json_array_append_new(notes, json_string(part->notes[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:o}", "name", backup_part_names[which], "state",
		state_names[part->state], "files", (json_int_t)part->files, "bytes",
		(json_int_t)part->bytes, "notes", notes);
}

static json_t *file_json(const struct inventory_file *file)
{
	char mode[8];
	snprintf(mode, sizeof mode, "%o", (unsigned)file->mode);
	return json_pack("{s:s, s:I, s:s, s:s}", "path", file->path, "size", (json_int_t)file->size,
		"mode", mode, "sha256", file->sha256);
}

void inventory_print(const struct inventory *inventory, struct buf *out)
{
	json_t *images = json_object(), *parts = json_array(), *files = json_array();
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (inventory->images[s])
			json_object_set_new(
				images, service_rows[s].key, json_string(inventory->images[s]));
	}
	for (enum backup_part i = 0; i < BACKUP_PARTS; i++)
		json_array_append_new(parts, part_json(inventory, i));
	for (size_t i = 0; i < inventory->count; i++)
		json_array_append_new(files, file_json(&inventory->files[i]));
	json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:o}",
		"format", FORMAT, "format_version", INVENTORY_VERSION, "cctm", inventory->cctm,
		"made_at", inventory->made_at, "project", inventory->project, "runtime",
		inventory->runtime, "ingest", inventory->ingest, "images", images, "partial",
		inventory->is_partial, "parts", parts, "files", files);
	char *text = json_dumps(root, JSON_INDENT(1));
	buf_adds(out, text ? text : "{}");
	buf_addc(out, '\n');
	free(text);
	json_decref(root);
}

/* ---- parsing ---- */

static bool corrupt(struct error *err, const char *what)
{
	return error_set(err, ERR_CORRUPT, "its manifest has no proper %s", what);
}

static bool is_printable(const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	}
	return true;
}

/* Short, and nothing that a terminal would obey. */
static char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && strlen(text) <= INVENTORY_TEXT_MAX && is_printable(text) ? mem_strdup(text)
										: NULL;
}

static bool parse_texts(const json_t *root, struct inventory *out, struct error *err)
{
	const struct {
		const char *name;
		char **to;
	} texts[] = { { "cctm", &out->cctm }, { "made_at", &out->made_at },
		{ "project", &out->project }, { "runtime", &out->runtime },
		{ "ingest", &out->ingest } };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i].to = text_of(root, texts[i].name);
		if (!*texts[i].to)
			return corrupt(err, texts[i].name);
	}
	const json_t *images = json_object_get(root, "images");
	for (enum service s = 0; s < SERVICE_COUNT; s++)
		out->images[s] = text_of(images, service_rows[s].key);
	out->is_partial = json_is_true(json_object_get(root, "partial"));
	return true;
}

static bool parse_mode(const char *text, mode_t *mode)
{
	*mode = 0;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '7' || c - text > 2)
			return false;
		*mode = *mode * 8 + (mode_t)(*c - '0');
	}
	return *text != '\0';
}

static bool is_sum(const char *text)
{
	return strlen(text) == SHA256_DIGITS && strspn(text, "0123456789abcdef") == SHA256_DIGITS;
}

static bool parse_file(const json_t *row, struct inventory *out, struct error *err)
{
	const char *path = json_string_value(json_object_get(row, "path"));
	const char *sum = json_string_value(json_object_get(row, "sha256"));
	const char *mode_text = json_string_value(json_object_get(row, "mode"));
	const json_t *size = json_object_get(row, "size");
	mode_t mode;
	if (!path || !inventory_path_is_proper(path) || !strchr(path, '/'))
		return error_set(err, ERR_REFUSED, "its manifest names a file that it must not: %s",
			path ? path : "nothing");
	AUTO(str) char *first = mem_strndup(path, strcspn(path, "/"));
	int part = inventory_part_of(first);
	if (part < 0) {
		error_set(err, ERR_NEWER, "it has a part that this cctm does not know: %s", first);
		return error_hint(err, "use the version of cctm that wrote it, %s", out->cctm);
	}
	json_int_t bytes = json_integer_value(size);
	if (!sum || !is_sum(sum) || !mode_text || !parse_mode(mode_text, &mode) ||
		!json_is_integer(size) || bytes < 0 || bytes > INVENTORY_BYTES_MAX - out->bytes)
		return error_set(err, ERR_CORRUPT, "its manifest has no proper row of %s", path);
	const char *name = strchr(path, '/') + 1;
	struct inventory_file *file = inventory_add(out, (enum backup_part)part, name, bytes, mode);
	memcpy(file->sha256, sum, SHA256_DIGITS + 1);
	return true;
}

static int by_path(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* No file twice, and none that is the folder of another. Sorted by bytes, "a-b" stands between "a" and "a/b": so each
 * folder of a path is looked for. */
static bool check_paths(const struct inventory *out, struct error *err)
{
	const char **paths = mem_calloc(out->count ? out->count : 1, sizeof *paths);
	const char *bad = NULL;
	for (size_t i = 0; i < out->count; i++)
		paths[i] = out->files[i].path;
	if (out->count)
		qsort(paths, out->count, sizeof *paths, by_path);
	for (size_t i = 0; i < out->count && !bad; i++) {
		if (i && strcmp(paths[i], paths[i - 1]) == 0)
			bad = paths[i];
		AUTO(str) char *folder = mem_strdup(paths[i]);
		for (char *slash; !bad && (slash = strrchr(folder, '/'));) {
			*slash = '\0';
			const char *key = folder;
			if (bsearch(&key, paths, out->count, sizeof *paths, by_path))
				bad = paths[i];
		}
	}
	free(paths);
	return !bad || error_set(err, ERR_REFUSED, "its manifest names a file twice: %s", bad);
}

static bool parse_files(const json_t *root, struct inventory *out, struct error *err)
{
	const json_t *files = json_object_get(root, "files");
	if (!json_is_array(files))
		return corrupt(err, "list of files");
	if (json_array_size(files) > INVENTORY_FILES_MAX)
		return error_set(err, ERR_REFUSED, "it names %zu files, more than %d",
			json_array_size(files), INVENTORY_FILES_MAX);
	for (size_t i = 0; i < json_array_size(files); i++) {
		if (!parse_file(json_array_get(files, i), out, err))
			return false;
	}
	return check_paths(out, err);
}

static bool parse_state(const json_t *row, enum backup_state *out)
{
	const char *text = json_string_value(json_object_get(row, "state"));
	for (int i = 0; text && i <= BACKUP_FAILED; i++) {
		*out = (enum backup_state)i;
		if (strcmp(text, state_names[i]) == 0)
			return true;
	}
	return false;
}

static bool parse_notes(const json_t *notes, struct inventory_part *part)
{
	if (!json_is_array(notes) || json_array_size(notes) > INVENTORY_NOTES_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const char *note = json_string_value(json_array_get(notes, i));
		if (!note || strlen(note) > INVENTORY_TEXT_MAX || !is_printable(note))
			return false;
		add_note(part, mem_strdup(note));
	}
	return true;
}

/* What it says of a part is what its files say. */
static bool parse_part(const json_t *row, unsigned *seen, struct inventory *out, struct error *err)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	int which = name ? inventory_part_of(name) : -1;
	if (which < 0 || *seen & 1u << which)
		return corrupt(err, "list of parts");
	*seen |= 1u << which;
	struct inventory_part *part = &out->parts[which];
	if (!parse_state(row, &part->state) || !parse_notes(json_object_get(row, "notes"), part) ||
		json_integer_value(json_object_get(row, "files")) != (json_int_t)part->files ||
		json_integer_value(json_object_get(row, "bytes")) != part->bytes ||
		(part->files && part->state != BACKUP_SAVED) ||
		(part->state == BACKUP_FAILED && !out->is_partial))
		return error_set(err, ERR_CORRUPT,
			"what its manifest says of the part %s is not what it lists", name);
	return true;
}

static bool parse_parts(const json_t *root, struct inventory *out, struct error *err)
{
	const json_t *parts = json_object_get(root, "parts");
	unsigned seen = 0;
	if (!json_is_array(parts) || json_array_size(parts) > BACKUP_PARTS)
		return corrupt(err, "list of parts");
	for (size_t i = 0; i < json_array_size(parts); i++) {
		if (!parse_part(json_array_get(parts, i), &seen, out, err))
			return false;
	}
	for (size_t i = 0; i < BACKUP_PARTS; i++) {
		if (out->parts[i].files && !(seen & 1u << i))
			return corrupt(err, "list of parts");
	}
	return true;
}

static bool check_version(const json_t *root, struct error *err)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	json_int_t version = json_integer_value(json_object_get(root, "format_version"));
	if (!format || strcmp(format, FORMAT) != 0 || version < 1)
		return error_set(err, ERR_CORRUPT, "it is no backup of cctm");
	if (version == INVENTORY_VERSION)
		return true;
	AUTO(str) char *cctm = text_of(root, "cctm");
	error_set(err, ERR_NEWER, "its format is %lld, and this cctm knows %d", (long long)version,
		INVENTORY_VERSION);
	return error_hint(err, "use the version of cctm that wrote it%s%s", cctm ? ", " : "",
		cctm ? cctm : "");
}

bool inventory_parse(struct slice text, struct inventory *out, struct error *err)
{
	json_error_t problem;
	json_t *root =
		json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &problem);
	*out = (struct inventory){ 0 };
	if (!root)
		return error_set(err, ERR_CORRUPT, "its manifest is no JSON: line %d: %s",
			problem.line, problem.text);
	bool is_parsed = check_version(root, err) && parse_texts(root, out, err) &&
			 parse_files(root, out, err) && parse_parts(root, out, err);
	json_decref(root);
	if (!is_parsed)
		inventory_clear(out);
	return is_parsed;
}

void inventory_clear(struct inventory *inventory)
{
	free(inventory->cctm);
	free(inventory->made_at);
	free(inventory->project);
	free(inventory->runtime);
	free(inventory->ingest);
	for (size_t i = 0; i < SERVICE_COUNT; i++)
		free(inventory->images[i]);
	for (size_t i = 0; i < BACKUP_PARTS; i++) {
		for (size_t k = 0; k < inventory->parts[i].note_count; k++)
			free(inventory->parts[i].notes[k]);
		free(inventory->parts[i].notes);
	}
	for (size_t i = 0; i < inventory->count; i++)
		free(inventory->files[i].path);
	free(inventory->files);
	*inventory = (struct inventory){ 0 };
}
