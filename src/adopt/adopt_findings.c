/* Adding to the result. What cctm.yaml does not allow never becomes a setting. */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "config/value.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

const struct fault_row fault_rows[] = {

#define X(fault, id, mend, remedy) { id, mend, remedy },
	FAULTS(X)
#undef X
};

const char advice_override[] = "write it into docker-compose.override.yml";
const char advice_edit[] = "add it to the new file; cctm keeps edits";

/* Room for one more; NULL: there are too many, which is an error. */
static void *one_more(struct reader *reader, void *items, size_t *count, size_t size)
{
	if (*count >= ADOPT_FINDINGS_MAX) {
		if (!reader_failed(reader))
			error_set(reader->err, ERR_CONFIG,
				"there is more to say about this stack than fits: over %d findings",
				ADOPT_FINDINGS_MAX);
		return items;
	}
	return mem_realloc(items, ++*count, size);
}

#define ADD(reader, list, counter, ...)                                                      \
	do {                                                                                 \
		struct adoption *to_ = (reader)->out;                                        \
		size_t before_ = to_->counter;                                               \
		to_->list = one_more((reader), to_->list, &to_->counter, sizeof *to_->list); \
		if (to_->counter > before_)                                                  \
			to_->list[before_] = (__typeof__(*to_->list)){ __VA_ARGS__ };        \
	} while (0)

/* The same value, however it is written: 1000ms is 1s. */
static bool is_default(const struct key *key, const struct value *value)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(value) struct value fallback = { 0 };
	const char *text = key_fallback(key, PROFILE_LOCAL);
	if (!value_parse_words(key, text ? text : "", &fallback, &ignored))
		return false;
	if (value->number && value->number == fallback.number)
		return true;
	return value_equal(value, &fallback);
}

/* An address may hold a password; what is wrong with it is said without it. */
static void refuse_setting(const struct source *source, const struct node *node,
	const struct key *key, const struct error *why)
{
	if (key->type == KEY_URL)
		add_fault(source, node, FAULT_VALUE,
			"this address cannot be %s: it is none of http or https, or holds a "
			"password",
			key->path);
	else
		add_fault(source, node, FAULT_VALUE, "this cannot be %s: %s", key->path,
			why->message);
	AUTO(str) char *allowed = key_allowed(key);
	set_remedy(source->reader, "the default stays; allowed is %s", allowed);
}

void add_setting(
	const struct source *source, const struct node *node, const char *path, const char *text)
{
	AUTO(error) struct error why = ERROR_INIT;
	AUTO(value) struct value value = { 0 };
	const struct key *key = key_find(path);
	if (find_setting(source->reader, path))
		return;
	if (!value_parse_words(key, text, &value, &why)) {
		refuse_setting(source, node, key, &why);
		return;
	}
	if (is_default(key, &value))
		return;
	ADD(source->reader, settings, setting_count, .key = mem_strdup(path),
		.text = mem_strdup(text), .where = source_where(source, node));
}

void add_list_setting(const struct source *source, const struct node *node, const char *path,
	char *const *items, size_t count)
{
	const struct key *key = key_find(path);
	AUTO(value) struct value list = { 0 };
	for (size_t i = 0; i < count; i++) {
		AUTO(error) struct error why = ERROR_INIT;
		if (!value_add_item(key, items[i], &list, &why))
			refuse_setting(source, node, key, &why);
	}
	AUTO(str) char *text = value_text(key, &list);
	if (list.count)
		add_setting(source, node, path, text);
}

const struct adopt_setting *find_setting(const struct reader *reader, const char *key)
{
	const struct adoption *out = reader->out;
	for (size_t i = 0; i < out->setting_count; i++) {
		if (strcmp(out->settings[i].key, key) == 0)
			return &out->settings[i];
	}
	return NULL;
}

static void setting_clear(struct adopt_setting *setting)
{
	free(setting->key);
	free(setting->text);
	free(setting->where);
}

void drop_setting(struct reader *reader, const char *key)
{
	const struct adopt_setting *setting = find_setting(reader, key);
	if (!setting)
		return;
	struct adoption *out = reader->out;
	size_t at = (size_t)(setting - out->settings);
	setting_clear(&out->settings[at]);
	memmove(&out->settings[at], &out->settings[at + 1],
		(out->setting_count - at - 1) * sizeof *out->settings);
	out->setting_count--;
}

void add_secret(const struct source *source, const struct node *node, const char *name,
	const char *value, bool is_weak)
{
	ADD(source->reader, secrets, secret_count, .name = name, .value = mem_strdup(value),
		.where = source_where(source, node), .is_weak = is_weak);
}

void add_data(const struct source *source, const struct node *node, const struct adopt_data *data)
{
	ADD(source->reader, data, data_count, .service = data->service, .place = data->place,
		.source = mem_strdup(data->source), .where = source_where(source, node),
		.exists = data->exists, .is_world_writable = data->is_world_writable);
}

void add_fault(const struct source *source, const struct node *node, enum fault fault,
	const char *what, ...)
{
	va_list ap;
	va_start(ap, what);
	AUTO(str) char *text = mem_vprintf(what, ap);
	va_end(ap);
	ADD(source->reader, faults, fault_count, .fault = fault,
		.where = source_where(source, node), .what = mem_strdup(text),
		.remedy = mem_strdup(fault_rows[fault].remedy));
}

void set_remedy(struct reader *reader, const char *fmt, ...)
{
	struct adoption *out = reader->out;
	if (!out->fault_count)
		return;
	va_list ap;
	va_start(ap, fmt);
	char **remedy = &out->faults[out->fault_count - 1].remedy;
	free(*remedy);
	*remedy = mem_vprintf(fmt, ap);
	va_end(ap);
}

void add_kept(const struct source *source, const struct node *node, const char *advice,
	const char *what, ...)
{
	va_list ap;
	va_start(ap, what);
	AUTO(str) char *text = mem_vprintf(what, ap);
	va_end(ap);
	ADD(source->reader, kept, kept_count, .where = source_where(source, node),
		.what = mem_strdup(text), .advice = mem_strdup(advice));
}

bool is_one_of(const char *text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0)
			return true;
	}
	return false;
}

void list_others(const struct source *source, const struct node *map, const struct others *others)
{
	const char *prefix = others->prefix ? others->prefix : "";
	const char *owner = others->owner ? others->owner : "";
	for (size_t i = 0; map && map->kind == NODE_MAP && i + 1 < map->count; i += 2) {
		const struct node *key = map->children[i];
		if (!is_one_of(key->text, others->known))
			add_kept(source, key, others->advice, "%s%s%s%s", prefix, key->text,
				*owner ? " of " : "", owner);
	}
}

void add_file(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->out->file_count; i++) {
		if (strcmp(reader->out->files[i], name) == 0)
			return;
	}
	struct adoption *out = reader->out;
	size_t before = out->file_count;
	out->files = one_more(reader, out->files, &out->file_count, sizeof *out->files);
	if (out->file_count > before)
		out->files[before] = mem_strdup(name);
}

/* ---- order ---- */

struct rank {
	size_t file;
	int64_t line;
};

/* From "docker-compose.yml:12"; what has no line comes first in its file. */
static struct rank rank_of(const struct adoption *out, const char *where)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	struct rank rank = { 0 };
	const char *colon = strrchr(where, ':');
	bool has_line = colon && str_parse_int(colon + 1, 1, INT64_MAX, &rank.line, &ignored);
	struct slice name = slice_of(where, has_line ? (size_t)(colon - where) : strlen(where));
	while (rank.file < out->file_count && !slice_eq_str(name, out->files[rank.file]))
		rank.file++;
	return rank;
}

static int compare_places(const struct adoption *out, const char *a, const char *b)
{
	struct rank of_a = rank_of(out, a), of_b = rank_of(out, b);
	if (of_a.file != of_b.file)
		return of_a.file < of_b.file ? -1 : 1;
	if (of_a.line != of_b.line)
		return of_a.line < of_b.line ? -1 : 1;
	return strcmp(a, b);
}

static int compare_faults(const void *left, const void *right, void *ctx)
{
	const struct adopt_fault *a = left, *b = right;
	int by_place = compare_places(ctx, a->where, b->where);
	return by_place ? by_place : (a->fault > b->fault) - (a->fault < b->fault);
}

static int compare_kept(const void *left, const void *right, void *ctx)
{
	const struct adopt_kept *a = left, *b = right;
	int by_place = compare_places(ctx, a->where, b->where);
	return by_place ? by_place : strcmp(a->what, b->what);
}

void findings_sort(struct reader *reader)
{
	struct adoption *out = reader->out;
	if (out->fault_count)
		qsort_r(out->faults, out->fault_count, sizeof *out->faults, compare_faults, out);
	if (out->kept_count)
		qsort_r(out->kept, out->kept_count, sizeof *out->kept, compare_kept, out);
}

void adoption_clear(struct adoption *out)
{
	for (size_t i = 0; i < out->setting_count; i++)
		setting_clear(&out->settings[i]);
	for (size_t i = 0; i < out->secret_count; i++) {
		explicit_bzero(out->secrets[i].value, strlen(out->secrets[i].value));
		free(out->secrets[i].value);
		free(out->secrets[i].where);
	}
	for (size_t i = 0; i < out->data_count; i++) {
		free(out->data[i].source);
		free(out->data[i].where);
	}
	for (size_t i = 0; i < out->fault_count; i++) {
		free(out->faults[i].where);
		free(out->faults[i].what);
		free(out->faults[i].remedy);
	}
	for (size_t i = 0; i < out->kept_count; i++) {
		free(out->kept[i].where);
		free(out->kept[i].what);
		free(out->kept[i].advice);
	}
	for (size_t i = 0; i < out->file_count; i++)
		free(out->files[i]);
	free(out->settings);
	free(out->secrets);
	free(out->data);
	free(out->faults);
	free(out->kept);
	free(out->files);
	free(out->compose_file);
	*out = (struct adoption){ 0 };
}
