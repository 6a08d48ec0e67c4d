#include "claude/effective.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "claude/json_edit.h"
#include "claude/processes.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define SETTINGS_MAX (8 << 20)

const char *layer_name(enum layer layer)
{
	static const char *const names[] = {
		[LAYER_MANAGED] = "managed settings",
		[LAYER_COMMAND_LINE] = "--settings",
		[LAYER_LOCAL] = "local settings",
		[LAYER_PROJECT] = "project settings",
		[LAYER_USER] = "user settings",
		[LAYER_SHELL] = "environment",
	};
	return layer < LAYER_COUNT ? names[layer] : "unknown";
}

void effective_init(struct effective *out)
{
	*out = (struct effective){ 0 };
}

void effective_clear(struct effective *effective)
{
	for (size_t i = 0; i < LAYER_COUNT; i++) {
		free(effective->sources[i].path);
		free(effective->sources[i].fault);
		json_decref(effective->sources[i].settings);
	}
	*effective = (struct effective){ 0 };
}

/* ---- reading ---- */

/* What telemetry reads of settings, and nothing else: what stands beside it may be beyond a strict reader. */
static void take_key(struct effective_source *source, const struct buf *plain, const char *key)
{
	struct slice raw;
	if (!json_edit_find(buf_slice(plain), NULL, key, &raw))
		return;
	json_t *value = json_loadb((const char *)raw.ptr, raw.len, JSON_DECODE_ANY, NULL);
	if (value)
		json_object_set_new(source->settings, key, value);
	else
		source->fault = mem_printf("\"%s\" is not well formed Unicode", key);
}

/* Comments and a byte-order mark are passed over. */
static void read_text(struct effective_source *source, const char *text, size_t len)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf plain = BUF_INIT(BUF_UNLIMITED);
	if (!json_edit_check(slice_of(text, len), &err)) {
		source->fault = mem_strdup(err.message);
		return;
	}
	buf_add(&plain, text, len);
	json_edit_plain(&plain);
	source->settings = json_object();
	take_key(source, &plain, "env");
	if (!source->fault)
		take_key(source, &plain, "otelHeadersHelper");
	/* No setting at all, and often written: to tell of it. */
	if (!source->fault)
		take_key(source, &plain, "telemetry");
}

void effective_add_file(struct effective *effective, enum layer layer, const char *path)
{
	struct effective_source *source = &effective->sources[layer];
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(SETTINGS_MAX);
	struct stat st;
	source->path = mem_strdup(path);
	int found = file_read(path, &text, &err);
	if (found > 0)
		read_text(source, buf_str(&text), text.len);
	if (found < 0)
		source->fault = mem_strdup(err.message);
	if (found > 0 && stat(path, &st) == 0)
		source->changed_ms =
			(int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

void effective_add_text(struct effective *effective, enum layer layer, struct slice text)
{
	read_text(&effective->sources[layer], (const char *)text.ptr, text.len);
}

void effective_add_option(struct effective *effective, const char *value, const char *directory)
{
	struct effective_source *source = &effective->sources[LAYER_COMMAND_LINE];
	if (*value == '{') {
		read_text(source, value, strlen(value));
		return;
	}
	AUTO(str)
	char *path = *value == '/' || !directory ? mem_strdup(value) : path_join(directory, value);
	effective_add_file(effective, LAYER_COMMAND_LINE, path);
}

void effective_add_environ(struct effective *effective, const struct buf *text)
{
	effective->environ = text;
}

/* ---- asking ---- */

static const char *find_in(const struct effective *effective, enum layer layer, const char *name)
{
	if (layer == LAYER_SHELL)
		return effective->environ ? environ_find(effective->environ, name) : NULL;
	const json_t *env = json_object_get(effective->sources[layer].settings, "env");
	return json_string_value(json_object_get(env, name));
}

const char *effective_find(const struct effective *effective, const char *name, enum layer *layer)
{
	for (enum layer at = 0; at < LAYER_COUNT; at++) {
		const char *value = find_in(effective, at, name);
		if (!value)
			continue;
		*layer = at;
		return value;
	}
	return NULL;
}

const char *effective_headers_helper(const struct effective *effective, enum layer *layer)
{
	for (enum layer at = 0; at < LAYER_SHELL; at++) {
		const char *value = json_string_value(
			json_object_get(effective->sources[at].settings, "otelHeadersHelper"));
		if (!value)
			continue;
		*layer = at;
		return value;
	}
	return NULL;
}

int64_t effective_changed_ms(const struct effective *effective)
{
	int64_t last = 0;
	for (size_t i = 0; i < LAYER_COUNT; i++) {
		if (effective->sources[i].changed_ms > last)
			last = effective->sources[i].changed_ms;
	}
	return last;
}

/* ---- comparing ---- */

static void add_row(struct comparison *out, const struct comparison_row *row)
{
	if (out->count == COMPARISON_MAX)
		return;
	out->rows[out->count++] = *row;
	out->wrong += row->verdict > VERDICT_NOTE;
}

static void compare_one(const struct effective *effective, const struct env_setting *setting,
	struct comparison *out)
{
	struct comparison_row row = { .name = setting->name,
		.wanted = setting->value,
		.is_secret = setting->is_secret,
		.verdict = VERDICT_MISSING };
	row.value = effective_find(effective, setting->name, &row.layer);
	if (row.value)
		row.verdict = wanted_is_met(setting, row.value) ? VERDICT_OK : VERDICT_DIFFERS;
	if (setting->is_advice && row.verdict != VERDICT_OK)
		row.verdict = VERDICT_NOTE;
	/* A script that prints headers stands in for the variable. */
	if (setting->is_secret && row.verdict != VERDICT_OK &&
		effective_headers_helper(effective, &row.layer)) {
		row.name = "otelHeadersHelper";
		row.value = effective_headers_helper(effective, &row.layer);
		row.verdict = VERDICT_OK;
		row.note = "a script brings the token";
	}
	add_row(out, &row);
}

/* Variables of one signal, which win over those of all. */
static const struct {
	const char *name;
	const char *general; /* the wanted variable in front of which it stands */
	const char *
		path; /* what a per-signal endpoint has behind the base over HTTP; NULL: no endpoint */
} special[] = {
	{ "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/metrics" },
	{ "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/logs" },
	{ "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces" },
	{ "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", NULL },
	{ "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", NULL },
	{ "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", NULL },
	{ "OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", NULL },
	{ "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", NULL },
};

static bool is_grpc(const struct wanted *wanted)
{
	const struct env_setting *protocol = wanted_find(wanted, "OTEL_EXPORTER_OTLP_PROTOCOL");
	return protocol && strcmp(protocol->value, "grpc") == 0;
}

static bool is_same_signal(
	const struct wanted *wanted, size_t i, const struct env_setting *general, const char *value)
{
	if (!special[i].path || is_grpc(wanted))
		return wanted_is_met(general, value);
	AUTO(str) char *whole = mem_printf("%s%s", general->value, special[i].path);
	return strcmp(whole, value) == 0;
}

static void compare_special(const struct effective *effective, const struct wanted *wanted,
	size_t i, struct comparison *out)
{
	struct comparison_row row = { .name = special[i].name, .verdict = VERDICT_IN_THE_WAY };
	const struct env_setting *general = wanted_find(wanted, special[i].general);
	row.value = effective_find(effective, row.name, &row.layer);
	row.is_secret = strcmp(special[i].general, "OTEL_EXPORTER_OTLP_HEADERS") == 0;
	if (!row.value || !*row.value || (general && is_same_signal(wanted, i, general, row.value)))
		return;
	row.note = special[i].path ? "it is used as it stands, also without the path of the signal"
				   : "it wins over the variable for all signals";
	add_row(out, &row);
}

/* The address of the endpoint in `value`, without scheme and port; *len says how long. */
static const char *host_of(const char *url, size_t *len)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	if (*host == '[') {
		*len = strcspn(++host, "]");
		return host;
	}
	*len = strcspn(host, ":/");
	return host;
}

static bool names_host(const char *list, const char *host, size_t len)
{
	while (*list) {
		list += strspn(list, ", ");
		size_t item = strcspn(list, ", ");
		if ((item == 1 && *list == '*') ||
			(item == len && strncasecmp(list, host, len) == 0))
			return true;
		list += item;
	}
	return false;
}

/* A proxy of the environment would be asked for our address too. */
static void compare_proxy(
	const struct effective *effective, const struct wanted *wanted, struct comparison *out)
{
	static const char *const proxies[] = { "HTTP_PROXY", "http_proxy", "HTTPS_PROXY",
		"https_proxy" };
	static const char *const exceptions[] = { "NO_PROXY", "no_proxy" };
	const struct env_setting *endpoint = wanted_find(wanted, "OTEL_EXPORTER_OTLP_ENDPOINT");
	enum layer layer = LAYER_SHELL;
	size_t len = 0;
	const char *host = endpoint ? host_of(endpoint->value, &len) : "";
	bool is_here = strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
		       strncmp(host, "::1", 3) == 0;
	if (!is_here || wanted_find(wanted, "NO_PROXY"))
		return;
	for (size_t i = 0; i < 2; i++) {
		const char *list = effective_find(effective, exceptions[i], &layer);
		if (list && names_host(list, host, len))
			return;
	}
	for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) {
		struct comparison_row row = { .name = proxies[i],
			.verdict = VERDICT_IN_THE_WAY,
			.is_secret = true,
			.note = "this machine's own address would go through it: set NO_PROXY" };
		row.value = effective_find(effective, row.name, &row.layer);
		if (row.value && *row.value) {
			add_row(out, &row);
			return;
		}
	}
}

void effective_compare(
	const struct effective *effective, const struct wanted *wanted, struct comparison *out)
{
	*out = (struct comparison){ 0 };
	for (size_t i = 0; i < wanted->count; i++)
		compare_one(effective, &wanted->settings[i], out);
	for (size_t i = 0; i < sizeof special / sizeof *special; i++)
		compare_special(effective, wanted, i, out);
	compare_proxy(effective, wanted, out);
}
