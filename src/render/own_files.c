#include "render/own_files.h"

#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/secret.h"
#include "render/assets.h"
#include "render/data.h"
#include "render/env_file.h"
#include "render/stack_files.h"

static const char *const secrets[] = { OTLP_TOKEN, GRAFANA_PASSWORD };

static bool is_wanted(size_t i, bool has_grafana)
{
	return has_grafana || strcmp(secrets[i], GRAFANA_PASSWORD) != 0;
}

/* A new file, with what it is on top. */
static bool new_env(bool has_grafana, struct buf *out, struct error *err)
{
	AUTO(data) struct data *root = data_map();
	AUTO(data) struct data *list = data_list();
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		if (!is_wanted(i, has_grafana))
			continue;
		AUTO(secret) char *value = secret_new(err);
		if (!value)
			return false;
		struct data *item = data_map();
		data_set(item, "name", data_text(secrets[i]));
		data_set(item, "value", data_text(value));
		data_append(list, item);
	}
	data_set(root, "secrets", TAKE(list));
	return stack_template_render(ENV_PATH, root, out, err);
}

static bool has_value(struct slice text, const char *name, bool *out, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	if (!env_file_parse(text, &file, err))
		return false;
	const struct env_variable *variable = env_file_find(&file, name);
	*out = variable && *variable->value;
	return true;
}

static bool ensure(struct buf *text, const char *name, struct error *err)
{
	bool is_there;
	AUTO(buf) struct buf longer = BUF_INIT(BUF_UNLIMITED);
	if (!has_value(buf_slice(text), name, &is_there, err))
		return false;
	if (is_there)
		return true;
	AUTO(secret) char *value = secret_new(err);
	if (!value || !env_file_set(buf_slice(text), name, value, &longer, err))
		return false;
	text->len = 0;
	buf_add(text, longer.data, longer.len);
	return true;
}

bool own_env(struct slice before, bool has_grafana, struct buf *out, struct error *err)
{
	if (before.len == 0)
		return new_env(has_grafana, out, err);
	buf_add(out, before.ptr, before.len);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		if (is_wanted(i, has_grafana) && !ensure(out, secrets[i], err))
			return false;
	}
	return true;
}

/* ---- .gitignore ---- */

/* The next line without its end; false: there is none. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (rest->len == 0)
		return false;
	const unsigned char *end = memchr(rest->ptr, '\n', rest->len);
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	*line = slice_of(rest->ptr, len);
	*rest = slice_of(rest->ptr + len + (end != NULL), rest->len - len - (end != NULL));
	if (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool has_line(struct slice text, struct slice wanted)
{
	struct slice line;
	while (next_line(&text, &line)) {
		if (slice_eq(line, wanted))
			return true;
	}
	return false;
}

bool own_gitignore(struct slice before, struct buf *out, struct error *err)
{
	struct slice line;
	const struct asset *asset = asset_find(GITIGNORE_PATH);
	struct slice rest = asset ? slice_of(asset->bytes, asset->len) : slice_of(NULL, 0);
	if (!asset)
		return error_set(err, ERR_FAILED, "the template of %s is missing", GITIGNORE_PATH);
	if (before.len == 0) {
		buf_add(out, rest.ptr, rest.len);
		return true;
	}
	buf_add(out, before.ptr, before.len);
	while (next_line(&rest, &line)) {
		if (line.len == 0 || *line.ptr == '#' || has_line(before, line))
			continue;
		if (out->data[out->len - 1] != '\n')
			buf_addc(out, '\n');
		buf_add(out, line.ptr, line.len);
		buf_addc(out, '\n');
	}
	return true;
}
