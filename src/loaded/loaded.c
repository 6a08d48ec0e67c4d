#include "loaded/loaded.h"

#include <stdlib.h>
#include <string.h>

#include "config/stack_dir.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/zone.h"
#include "render/env_file.h"
#include "render/own_files.h"

static bool read_all(const char *given, struct loaded *out, struct error *err)
{
	AUTO(stack_dir) struct stack_dir where = { 0 };
	if (!stack_dir_find(given, &where, err))
		return false;
	if (!where.has_file) {
		error_set(err, ERR_FAILED, "there is no stack in %s", where.dir);
		return error_hint(err, "'cctm init' makes one");
	}
	out->dir = realpath(where.dir, NULL);
	if (!out->dir)
		out->dir = mem_strdup(where.dir);
	const struct config_request request = { .path = where.file, .variable = config_getenv };
	return config_load(&request, &out->config, err) && manifest_read(out->dir, &out->last, err);
}

bool loaded_read(const char *given, struct loaded *out, struct error *err)
{
	*out = (struct loaded){ 0 };
	if (!read_all(given, out, err)) {
		loaded_clear(out);
		return false;
	}
	runtime_choose(&out->config, out->last.runtime, &out->choice);
	out->runtime = out->choice.runtime;
	return true;
}

bool loaded_use_zone(const struct loaded *stack, struct error *err)
{
	bool is_set = !config_is_null(&stack->config, "time_zone");
	return zone_use(is_set ? config_text(&stack->config, "time_zone") : NULL, err) ||
	       error_wrap(err, "time_zone");
}

static const char *value_of(const struct env_file *file, const char *name)
{
	const struct env_variable *variable = env_file_find(file, name);
	return variable ? variable->value : NULL;
}

static bool read_env(const struct loaded *stack, struct env_file *out, struct error *err)
{
	AUTO(str) char *path = path_join(stack->dir, ENV_PATH);
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	return file_read(path, &text, err) >= 0 && env_file_parse(buf_slice(&text), out, err);
}

bool loaded_secret(const struct loaded *stack, const char *name, char **out, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	if (!read_env(stack, &file, err))
		return false;
	const char *value = value_of(&file, name);
	*out = value ? mem_strdup(value) : NULL;
	return true;
}

bool loaded_probes(
	const struct loaded *stack, bool sends_sample, struct probes *out, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	if (!read_env(stack, &file, err))
		return false;
	probes_init(out, &stack->config, stack->runtime, value_of(&file, GRAFANA_PASSWORD),
		value_of(&file, OTLP_TOKEN), sends_sample);
	return true;
}

bool loaded_ways(const struct loaded *stack, const char *only, struct ways *out, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	if (!read_env(stack, &file, err))
		return false;
	ways_init(out, &stack->config, stack->runtime, only, value_of(&file, GRAFANA_PASSWORD),
		value_of(&file, OTLP_TOKEN));
	return true;
}

void loaded_clear(struct loaded *stack)
{
	free(stack->dir);
	config_clear(&stack->config);
	manifest_clear(&stack->last);
	runtime_choice_clear(&stack->choice);
	*stack = (struct loaded){ 0 };
}
