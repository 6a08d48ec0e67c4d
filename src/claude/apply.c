#include "claude/apply.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "claude/effective.h"
#include "claude/json_edit.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"

#define ENV	    "env"
#define HELPER	    "otelHeadersHelper"
#define BLOCK_BEGIN "# >>> cctm env >>>\n"
#define BLOCK_END   "# <<< cctm env <<<\n"
#define TEXT_MAX    (9 << 20)

const char *apply_action_name(enum apply_action action)
{
	static const char *const names[] = { "set", "keep", "conflict", "replace", "drop" };
	return names[action];
}

static void add_change(struct apply *out, enum apply_action action, const char *name, char *theirs,
	const char *ours, bool is_secret)
{
	out->changes = mem_grow(out->changes, &out->room, out->count + 1, sizeof *out->changes);
	out->changes[out->count++] = (struct apply_change){ .name = mem_strdup(name),
		.action = action,
		.is_secret = is_secret,
		.theirs = theirs,
		.ours = ours ? mem_strdup(ours) : NULL };
}

/* ---- the text without what was added the last time ---- */

static void cut_block(struct buf *text)
{
	const char *begin = strstr(buf_str(text), BLOCK_BEGIN);
	const char *end = begin ? strstr(begin, BLOCK_END) : NULL;
	if (!end)
		return;
	end += strlen(BLOCK_END);
	AUTO(str) char *tail = mem_strdup(end);
	text->len = (size_t)(begin - buf_str(text));
	buf_adds(text, tail);
}

/* A value that somebody changed since is theirs; one without a hash was taken out, and comes back. */
static bool take_out_value(struct buf *text, const struct applied_value *value, struct error *err)
{
	struct slice now;
	char hash[HASH128_DIGITS + 1];
	if (!json_edit_find(buf_slice(text), value->object, value->key, &now))
		return *value->hash || !value->former ||
		       json_edit_set(text, value->object, value->key, value->former, err);
	hash128_hex(now.ptr, now.len, hash);
	if (strcmp(hash, value->hash) != 0)
		return true;
	if (value->former)
		return json_edit_set(text, value->object, value->key, value->former, err);
	return json_edit_remove(text, value->object, value->key, err);
}

static bool take_out_values(struct buf *text, const struct applied *record, struct error *err)
{
	struct slice ignored;
	for (size_t i = record->count; i > 0; i--) {
		if (!take_out_value(text, &record->values[i - 1], err))
			return false;
	}
	bool had_env = json_edit_find(buf_slice(&record->before), NULL, ENV, &ignored);
	if (record->count && !had_env && json_edit_is_empty(buf_slice(text), ENV))
		return json_edit_remove(text, NULL, ENV, err);
	return true;
}

static bool is_same(const struct buf *text, const struct buf *other)
{
	return text->len == other->len &&
	       (text->len == 0 || memcmp(text->data, other->data, text->len) == 0);
}

/* What the file would be had nothing been added to it; *was_there: would it be there at all? */
static bool find_base(const struct user_file *file, const struct applied *record, bool is_shell,
	struct buf *out, bool *was_there, struct error *err)
{
	char hash[HASH128_DIGITS + 1];
	hash128_hex(file->text.data ? file->text.data : (const unsigned char *)"", file->text.len,
		hash);
	bool is_as_left = record->is_there && file->is_there && strcmp(hash, record->after) == 0;
	*was_there = is_as_left ? record->was_there : file->is_there;
	if (is_as_left) {
		buf_add(out, record->before.data, record->before.len);
		return true;
	}
	buf_add(out, file->text.data, file->text.len);
	if (!record->is_there || !file->is_there || is_same(&file->text, &record->before))
		return true;
	if (is_shell) {
		cut_block(out);
		return true;
	}
	if (!take_out_values(out, record, err))
		return false;
	*was_there = record->was_there || !json_edit_is_empty(buf_slice(out), NULL);
	return true;
}

/* ---- settings ---- */

/* A string as it is, anything else as its JSON; yours. */
static char *shown_value(struct slice raw)
{
	json_t *value = json_loadb((const char *)raw.ptr, raw.len, JSON_DECODE_ANY, NULL);
	const char *text = json_string_value(value);
	char *copy = text ? mem_strdup(text) : mem_strndup((const char *)raw.ptr, raw.len);
	json_decref(value);
	return copy;
}

static char *json_text(const char *text, struct error *err)
{
	json_t *value = json_string(text);
	char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	json_decref(value);
	if (!dumped)
		error_set(err, ERR_FAILED, "\"%.60s\" is not Unicode", text);
	return dumped;
}

/* One key and what it is to be. */
struct entry {
	const char *object, *key, *value;
	bool is_secret;
};

static bool put(struct apply *out, const struct entry *entry, bool is_met, bool is_forced,
	struct error *err)
{
	struct slice former;
	bool is_there = json_edit_find(buf_slice(&out->after), entry->object, entry->key, &former);
	char *theirs = is_there ? shown_value(former) : NULL;
	enum apply_action action = !is_there   ? APPLY_SET
				   : is_met    ? APPLY_KEEP
				   : is_forced ? APPLY_REPLACE
					       : APPLY_CONFLICT;
	add_change(out, action, entry->key, theirs, entry->value, entry->is_secret);
	if (action == APPLY_KEEP || action == APPLY_CONFLICT)
		return true;
	AUTO(secret) char *value = json_text(entry->value, err);
	if (!value)
		return false;
	applied_add(&out->record, entry->object, entry->key, slice_of(value, strlen(value)),
		is_there ? &former : NULL);
	return json_edit_set(&out->after, entry->object, entry->key, value, err);
}

static bool put_variable(
	struct apply *out, const struct env_setting *setting, bool is_forced, struct error *err)
{
	const struct entry entry = { ENV, setting->name, setting->value, setting->is_secret };
	struct slice raw;
	bool is_met = false;
	if (json_edit_find(buf_slice(&out->after), ENV, setting->name, &raw)) {
		AUTO(secret) char *value = shown_value(raw);
		is_met = *raw.ptr == '"' && wanted_is_met(setting, value);
	}
	return put(out, &entry, is_met, is_forced, err);
}

static bool put_helper(struct apply *out, const struct apply_request *request, struct error *err)
{
	const struct entry entry = { NULL, HELPER, request->helper, false };
	struct slice raw;
	bool is_met = false;
	if (json_edit_find(buf_slice(&out->after), NULL, HELPER, &raw)) {
		AUTO(str) char *value = shown_value(raw);
		is_met = strcmp(value, request->helper) == 0;
	}
	return put(out, &entry, is_met, request->is_forced, err);
}

/* A variable that is not wanted and would win over one that is. */
static bool drop(
	struct apply *out, const struct comparison_row *row, bool is_forced, struct error *err)
{
	struct slice former;
	if (!json_edit_find(buf_slice(&out->after), ENV, row->name, &former))
		return true;
	add_change(out, is_forced ? APPLY_DROP : APPLY_CONFLICT, row->name,
		row->value ? mem_strdup(row->value) : NULL, NULL, row->is_secret);
	if (!is_forced)
		return true;
	applied_add(&out->record, ENV, row->name, slice_of(NULL, 0), &former);
	return json_edit_remove(&out->after, ENV, row->name, err);
}

static bool drop_what_is_in_the_way(
	struct apply *out, const struct apply_request *request, struct error *err)
{
	AUTO(effective) struct effective effective;
	struct comparison comparison = { 0 };
	bool is_done = true;
	effective_init(&effective);
	effective_add_text(&effective, LAYER_USER, buf_slice(&out->after));
	effective_compare(&effective, request->wanted, &comparison);
	for (size_t i = 0; i < comparison.count && is_done; i++) {
		if (comparison.rows[i].verdict == VERDICT_IN_THE_WAY)
			is_done = drop(out, &comparison.rows[i], request->is_forced, err);
	}
	return is_done;
}

static bool plan_settings(struct apply *out, const struct apply_request *request, struct error *err)
{
	bool is_blank = strspn(buf_str(&out->after), " \t\r\n") == out->after.len;
	if (!is_blank && !json_edit_check(buf_slice(&out->after), err)) {
		error_wrap(err, "%s is broken", out->file.path);
		return error_hint(err, "mend it first: nothing was changed");
	}
	for (size_t i = 0; i < request->wanted->count; i++) {
		const struct env_setting *setting = &request->wanted->settings[i];
		bool is_left_out = setting->is_secret && !request->is_secret_written;
		if (!is_left_out && !put_variable(out, setting, request->is_forced, err))
			return false;
		if (setting->is_secret && request->is_secret_written)
			out->mode = 0600;
	}
	if (request->helper && !put_helper(out, request, err))
		return false;
	return drop_what_is_in_the_way(out, request, err);
}

/* ---- a block in a start file ---- */

static void plan_block(struct apply *out, const struct apply_request *request)
{
	struct buf *text = &out->after;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_addc(text, '\n');
	buf_adds(text, BLOCK_BEGIN);
	for (size_t i = 0; i < request->wanted->count; i++) {
		const struct env_setting *setting = &request->wanted->settings[i];
		add_change(out, APPLY_SET, setting->name, NULL, setting->value, setting->is_secret);
		if (!setting->is_secret)
			shell_assign(text, request->shell, setting->name, setting->value);
		else if (!shell_assign_output(text, request->shell, setting->name,
				 "Authorization=Bearer ", request->token_words))
			buf_addf(text, "# %s has to be set by hand\n", setting->name);
	}
	buf_adds(text, BLOCK_END);
}

/* ---- the whole ---- */

static bool begin(
	const char *path, bool is_shell, struct apply *out, bool *was_there, struct error *err)
{
	*out = (struct apply){ .after = BUF_INIT(BUF_UNLIMITED) };
	return user_file_read(path, &out->file, err) &&
	       applied_read(out->file.path, &out->record, err) &&
	       find_base(&out->file, &out->record, is_shell, &out->after, was_there, err);
}

/* What is noted begins with what the file is without us. */
static void begin_record(struct apply *out, bool was_there)
{
	struct applied fresh = { .is_there = true,
		.path = mem_strdup(out->file.path),
		.was_there = was_there,
		.mode = out->record.is_there ? out->record.mode : out->file.mode,
		.before = BUF_INIT(TEXT_MAX) };
	bool is_kept = buf_append_slice(&fresh.before, buf_slice(&out->after));
	applied_clear(&out->record);
	out->record = fresh;
	if (!is_kept)
		buf_clear(&out->record.before);
}

bool apply_plan(const struct apply_request *request, struct apply *out, struct error *err)
{
	bool was_there = false, is_planned = true;
	if (!begin(request->path, request->is_shell, out, &was_there, err))
		return false;
	begin_record(out, was_there);
	out->mode = out->file.is_there ? out->record.mode : request->mode;
	if (request->is_shell)
		plan_block(out, request);
	else
		is_planned = plan_settings(out, request, err);
	hash128_hex(out->after.data, out->after.len, out->record.after);
	out->is_changed = !is_same(&out->after, &out->file.text) || !out->file.is_there ||
			  out->mode != out->file.mode;
	return is_planned;
}

bool apply_plan_removal(const char *path, struct apply *out, struct error *err)
{
	bool was_there = false, is_noted;
	*out = (struct apply){ .after = BUF_INIT(BUF_UNLIMITED) };
	if (!user_file_read(path, &out->file, err) ||
		!applied_read(out->file.path, &out->record, err))
		return false;
	is_noted = out->record.is_there;
	bool is_shell = is_noted && out->record.count == 0;
	if (!find_base(&out->file, &out->record, is_shell, &out->after, &was_there, err)) {
		error_wrap(err, "%s is broken", out->file.path);
		return error_hint(err, "mend it first: nothing was changed");
	}
	out->is_changed = is_noted;
	out->mode = is_noted && out->record.was_there ? out->record.mode : out->file.mode;
	out->deletes = is_noted && !was_there;
	return true;
}

size_t apply_conflicts(const struct apply *apply)
{
	size_t count = 0;
	for (size_t i = 0; i < apply->count; i++)
		count += apply->changes[i].action == APPLY_CONFLICT;
	return count;
}

/* What was done is noted before it is done: killed in between, the next run knows what is whose. */
bool apply_write(const struct apply *apply, struct error *err)
{
	if (!apply->is_changed)
		return true;
	if (apply->count)
		return applied_write(&apply->record, err) &&
		       user_file_write(&apply->file, buf_slice(&apply->after), apply->mode, err);
	bool is_written = apply->deletes ? user_file_delete(&apply->file, err)
					 : user_file_write(&apply->file, buf_slice(&apply->after),
						   apply->mode, err);
	return is_written && applied_forget(apply->file.path, err);
}

void apply_clear(struct apply *apply)
{
	for (size_t i = 0; i < apply->count; i++) {
		free(apply->changes[i].name);
		secret_free(apply->changes[i].theirs);
		secret_free(apply->changes[i].ours);
	}
	free(apply->changes);
	user_file_clear(&apply->file);
	applied_clear(&apply->record);
	buf_clear(&apply->after);
	*apply = (struct apply){ 0 };
}
