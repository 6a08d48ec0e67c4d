/* cctm.yaml to the bridge's options. The room bridge takes plain options and never sees the file. */
#include <stdlib.h>
#include <string.h>

#include "cmd/bridge_internal.h"
#include "config/bridge_dir.h"
#include "config/stack_dir.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/log.h"

/* The option, the key that stands for it, and the field both fill. */
static const struct {
	const char *option, *key;
	size_t offset;

	enum { NUMBER, TEXT, TRUTH } kind;
} rows[] = {
	{ "bind", "bind", offsetof(struct bridge_args, bind), TEXT },
	{ "otlp-http-port", "ports.otlp_http", offsetof(struct bridge_args, otlp_http_port),
		NUMBER },
	{ "otlp-grpc-port", "ports.otlp_grpc", offsetof(struct bridge_args, otlp_grpc_port),
		NUMBER },
	{ "exporter-port", "ports.exporter", offsetof(struct bridge_args, exporter_port), NUMBER },
	{ "health-port", "ports.health", offsetof(struct bridge_args, health_port), NUMBER },
	{ "zpages-port", "ports.zpages", offsetof(struct bridge_args, zpages_port), NUMBER },
	{ "durability", "bridge.durability", offsetof(struct bridge_args, durability), TEXT },
	{ "series-max", "bridge.series_max", offsetof(struct bridge_args, series_max), NUMBER },
	{ "streams-max", "bridge.streams_max", offsetof(struct bridge_args, streams_max), NUMBER },
	{ "max-body", "otlp.max_body", offsetof(struct bridge_args, max_body), NUMBER },
	{ "zero-hold", "bridge.zero_hold", offsetof(struct bridge_args, zero_hold_ms), NUMBER },
	{ "session-label", "bridge.session_label", offsetof(struct bridge_args, session_label),
		TRUTH },
	{ "retention", "bridge.retention", offsetof(struct bridge_args, retention_ms), NUMBER },
};

/* Keys that are for the bridge and that this version does not act on. Left alone they would be believed. */
static const char *const unused[] = { "bridge.stream_ttl", "bridge.journal_max",
	"bridge.dedupe_window", "labels.keep", "labels.drop", "labels.hash", "labels.promote",
	"labels.rename", "labels.map", "forward.remote_write", "forward.otlp", "forward.loki",
	"forward.queue_max" };

static void fill(const struct config *config, size_t i, struct bridge_args *args)
{
	void *field = (char *)args + rows[i].offset;
	switch (rows[i].kind) {
	case NUMBER:
		*(int64_t *)field = config_number(config, rows[i].key);
		break;
	case TEXT:
		*(const char **)field = config_text(config, rows[i].key);
		break;
	case TRUTH:
		*(bool *)field = config_is(config, rows[i].key);
		break;
	}
}

/* "a,b", as the option takes them; NULL: none. */
static char *join_origins(const struct config *config)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	const struct value *list = &config_setting(config, "otlp.cors_origins")->value;
	for (size_t i = 0; i < list->count; i++)
		buf_addf(&text, "%s%s", i ? "," : "", list->items[i]);
	return list->count ? buf_detach(&text) : NULL;
}

static bool refuse(
	const struct config *config, const char *key, const char *what, struct error *err)
{
	AUTO(str) char *where = origin_text(&config_setting(config, key)->origin);
	error_set(err, ERR_REFUSED, "%s asks for %s (%s), which this version does not do", key,
		what, where);
	return error_hint(err, "'cctm config set %s %s' opens the ports without it", key,
		strcmp(key, "otlp.auth") == 0 ? "none" : "null");
}

/* Ports that the user believes protected are not opened unprotected. */
static bool check_protection(const struct config *config, struct error *err)
{
	static const char *const files[] = { "otlp.token_file", "otlp.tls_cert_file",
		"otlp.tls_key_file", "otlp.tls_client_ca_file" };
	if (strcmp(config_text(config, "otlp.auth"), "none") != 0)
		return refuse(config, "otlp.auth", "a bearer token", err);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (!config_is_null(config, files[i]))
			return refuse(config, files[i], i ? "TLS" : "a bearer token", err);
	}
	return true;
}

static void warn_of_unused(const struct config *config)
{
	for (size_t i = 0; i < sizeof unused / sizeof *unused; i++) {
		if (!config_is_set(config, unused[i]))
			continue;
		AUTO(str) char *where = origin_text(&config_setting(config, unused[i])->origin);
		log_warning("%s (%s) has no effect in this version", unused[i], where);
	}
}

bool bridge_take_file(const struct context *ctx, const struct opt *options,
	struct bridge_args *args, struct bridge_file *file, struct error *err)
{
	AUTO(stack_dir) struct stack_dir where = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	if (!ctx->dir || !stack_dir_find(ctx->dir, &where, &ignored) || !where.has_file) {
		file->state = bridge_dir(NULL, NULL);
		return true;
	}
	const struct config_request request = { .path = where.file, .variable = config_getenv };
	if (!config_load(&request, &file->config, err) || !check_protection(&file->config, err))
		return false;
	warn_of_unused(&file->config);
	file->state = bridge_dir(where.dir, &file->config);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!context_is_given(ctx, options, rows[i].option))
			fill(&file->config, i, args);
	}
	if (!bridge_take_alerts(file, where.dir, err) || !bridge_check_kept(args, file, err))
		return false;
	file->cors_origins = join_origins(&file->config);
	if (!context_is_given(ctx, options, "cors-origins"))
		args->cors_origins = file->cors_origins;
	return true;
}

void bridge_file_clear(struct bridge_file *file)
{
	config_clear(&file->config);
	free(file->cors_origins);
	free(file->command);
	free(file->command_path);
	free(file->program);
	free(file->post_alert);
	free(file->state);
}
