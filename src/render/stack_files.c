#include "render/stack_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/zone.h"
#include "render/assets.h"
#include "render/check.h"
#include "render/data.h"
#include "render/mustache.h"

#define OUTPUT_MAX (4 << 20)
#define DEPTH_MAX  8 /* of folders under a directory of templates */

static bool has_bearer(const struct config *config)
{
	return strcmp(config_text(config, "otlp.auth"), "bearer") == 0;
}

static bool has_collector(const struct config *config)
{
	return service_is_used(config, SERVICE_COLLECTOR);
}

static bool has_loki(const struct config *config)
{
	return service_is_used(config, SERVICE_LOKI);
}

static bool has_alertmanager(const struct config *config)
{
	return service_is_used(config, SERVICE_ALERTMANAGER);
}

static bool has_proxy(const struct config *config)
{
	return service_is_used(config, SERVICE_PROXY);
}

/* Containers read what lies under config/ as users of their own, so it is readable for all; it holds no secret. */
static const struct {
	const char *path, *what;
	mode_t mode;
	bool (*is_used)(const struct config *config); /* NULL: always */
} table[] = {
	{ "docker-compose.yml", "the containers", 0644, NULL },
	{ "config/otel-collector-config.yaml", "the OpenTelemetry Collector", 0644, has_collector },
	{ "config/prometheus.yml", "what Prometheus reads", 0644, NULL },
	{ "config/rules/claude-code.yml", "the rules that make exact totals", 0644, NULL },
	{ "config/rules/alerts.yml", "budgets, alerts about spending, the API and missing data",
		0644, NULL },
	{ "config/rules/stack.yml", "alerts about the stack itself", 0644, NULL },
	{ "config/grafana/provisioning/datasources/datasources.yml", "Grafana's datasources", 0644,
		NULL },
	{ "config/loki.yaml", "Loki, which keeps events", 0644, has_loki },
	{ "config/alertmanager.yml", "who is told of alerts", 0644, has_alertmanager },
	{ "config/Caddyfile", "the TLS proxy", 0644, has_proxy },
	{ "claude-code.env", "what Claude Code must find in its environment", 0644, NULL },
	{ "claude-code-headers.sh", "prints the header with the token, for Claude Code", 0755,
		has_bearer },
	{ "managed-settings.json", "an example of managed settings for many machines", 0644, NULL },
	{ "README.md", "this page", 0644, NULL },
};

#define TABLE_COUNT (sizeof table / sizeof *table)

/* The bridge alone needs none of them, and its clients what brings the token. */
static bool is_wanted(size_t row, const struct config *config, const struct surroundings *around)
{
	if (around->is_embedded && table[row].is_used != has_bearer)
		return false;
	return !table[row].is_used || table[row].is_used(config);
}

/* ---- where a template comes from ---- */

struct source {
	const char *given; /* a directory, or NULL */
	char *own;	   /* the stack's templates/ */
	struct buf partials
		[2]; /* texts of partials that were read from files live until the render is over */
	size_t partial_count;
};

/* 1: read, 0: there is none, -1: error. */
static int read_from(const char *dir, const char *path, struct buf *out, struct error *err)
{
	if (!dir)
		return 0;
	AUTO(str) char *file = path_join(dir, path);
	int got = file_read(file, out, err);
	if (got < 0)
		error_wrap(err, "reading the template %s", file);
	return got;
}

static bool read_template(
	const struct source *source, const char *path, struct buf *out, struct error *err)
{
	int got = read_from(source->given, path, out, err);
	if (got == 0)
		got = read_from(source->own, path, out, err);
	if (got != 0)
		return got > 0;
	const struct asset *asset = asset_find(path);
	assert(asset);
	return buf_append(out, asset->bytes, asset->len) ||
	       error_set(err, ERR_FAILED, "the template %s is too large", path);
}

static int find_partial(void *ctx, const char *name, struct slice *text, struct error *err)
{
	struct source *source = ctx;
	AUTO(str) char *path = mem_printf("partials/%s.yml", name);
	if (!asset_find(path) ||
		source->partial_count == sizeof source->partials / sizeof *source->partials)
		return 0;
	struct buf *room = &source->partials[source->partial_count++];
	*room = (struct buf)BUF_INIT(MUSTACHE_TEMPLATE_MAX);
	if (!read_template(source, path, room, err))
		return -1;
	*text = buf_slice(room);
	return 1;
}

static void drop_partials(struct source *source)
{
	while (source->partial_count)
		buf_clear(&source->partials[--source->partial_count]);
}

/* ---- a directory of templates holds templates ---- */

static bool check_names(const char *dir, const char *below, int depth, struct error *err);

static bool check_name(const char *dir, const char *path, int depth, struct error *err)
{
	struct stat st;
	AUTO(str) char *full = path_join(dir, path);
	if (stat(full, &st) == 0 && S_ISDIR(st.st_mode))
		return depth >= DEPTH_MAX || check_names(dir, path, depth + 1, err);
	if (asset_find(path))
		return true;
	error_set(err, ERR_CONFIG, "%s is no template of the stack", full);
	return error_hint(err,
		"templates lie there under the names of the files they make, such as "
		"docker-compose.yml or config/prometheus.yml");
}

static bool check_names(const char *dir, const char *below, int depth, struct error *err)
{
	AUTO(str) char *full = *below ? path_join(dir, below) : mem_strdup(dir);
	bool is_right = true;
	struct dirent *entry;
	DIR *stream = opendir(full);
	if (!stream && errno == ENOENT && depth == 0)
		return true;
	if (!stream)
		return error_set_errno(err, ERR_IO, errno, "cannot read the directory %s", full);
	while (is_right && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		AUTO(str) char *path = path_join(below, entry->d_name);
		is_right = check_name(dir, path, depth, err);
	}
	closedir(stream);
	return is_right;
}

static bool check_given(const char *dir, struct error *err)
{
	struct stat st;
	if (!dir)
		return true;
	if (stat(dir, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot use the templates in %s", dir);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERR_USAGE, "%s is not a directory", dir);
	return check_names(dir, "", 0, err);
}

/* ---- rendering ---- */

static bool render_text(struct source *source, const char *path, const struct data *root,
	struct buf *out, struct error *err)
{
	struct mustache_options options = {
		.missing = MUSTACHE_MISSING_FAILS, .partial = find_partial, .partial_ctx = source
	};
	AUTO(buf) struct buf text = BUF_INIT(MUSTACHE_TEMPLATE_MAX);
	if (!escape_for_path(path, &options.escape, err) ||
		!read_template(source, path, &text, err))
		return false;
	AUTO(mustache) struct mustache *t = mustache_parse(path, buf_slice(&text), err);
	bool is_rendered = t && mustache_render(t, root, &options, out, err);
	drop_partials(source);
	return is_rendered;
}

static bool render_file(struct source *source, size_t row, const struct data *root,
	struct stack_files *out, struct error *err)
{
	struct stack_file *file = &out->items[out->count++];
	*file = (struct stack_file){
		.path = table[row].path, .mode = table[row].mode, .text = BUF_INIT(OUTPUT_MAX)
	};
	if (!render_text(source, file->path, root, &file->text, err))
		return error_wrap(err, "rendering %s", file->path);
	return check_text(file->path, buf_slice(&file->text), err) ||
	       error_wrap(err, "what the template makes cannot be read");
}

static void describe(struct data *root, const struct config *config)
{
	struct data *list = data_list();
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (table[i].is_used && !table[i].is_used(config))
			continue;
		struct data *item = data_map();
		data_set(item, "path", data_text(table[i].path));
		data_set(item, "what", data_text(table[i].what));
		data_append(list, item);
	}
	data_set(root, "files", list);
}

static bool use_zone(const struct config *config, struct error *err)
{
	bool is_given = !config_is_null(config, "time_zone");
	return zone_use(is_given ? config_text(config, "time_zone") : NULL, err) ||
	       error_wrap(err, "time_zone");
}

bool stack_files_render(const struct config *config, const struct surroundings *around,
	const char *template_dir, struct stack_files *out, struct error *err)
{
	AUTO(str) char *own = path_join(around->dir, "templates");
	struct source source = { .given = template_dir, .own = own };
	*out = (struct stack_files){ 0 };
	if (around->is_embedded && !has_bearer(config))
		return true;
	if (!check_given(template_dir, err) || !check_names(own, "", 0, err) ||
		!use_zone(config, err))
		return false;
	out->items = mem_calloc(TABLE_COUNT, sizeof *out->items);
	AUTO(data) struct data *root = model_new(config, around);
	describe(root, config);
	bool is_right = true;
	for (size_t i = 0; is_right && i < TABLE_COUNT; i++) {
		if (is_wanted(i, config, around))
			is_right = render_file(&source, i, root, out, err);
	}
	if (!is_right)
		stack_files_clear(out);
	return is_right;
}

bool stack_template_render(
	const char *path, const struct data *root, struct buf *out, struct error *err)
{
	struct source source = { 0 };
	return render_text(&source, path, root, out, err);
}

void stack_files_clear(struct stack_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		buf_clear(&files->items[i].text);
	free(files->items);
	*files = (struct stack_files){ 0 };
}

const struct stack_file *stack_files_find(const struct stack_files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(files->items[i].path, path) == 0)
			return &files->items[i];
	}
	return NULL;
}
