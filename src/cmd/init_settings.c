#include <stdlib.h>
#include <string.h>

#include "cmd/init_internal.h"
#include "config/edit.h"
#include "config/problems.h"
#include "config/sample.h"
#include "config/tree.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

bool init_settings_set(struct init_job *job, const char *path, const char *text, struct error *err)
{
	AUTO(value) struct value value = { 0 };
	AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
	const struct key *key = key_find(path);
	if (!key) {
		const struct key *nearest = key_nearest(path);
		error_set(err, ERR_USAGE, "there is no key %.120s", path);
		if (key_is_secret(path))
			error_hint(err, "secrets do not stand in cctm.yaml but in .env");
		return nearest ? error_hint(err, "did you mean %s?", nearest->path)
			       : error_hint(err, "'cctm config' lists all keys");
	}
	if (!value_parse_words(key, text, &value, err)) {
		err->code = ERR_USAGE;
		return error_wrap(err, "%s", path);
	}
	if (!edit_set(buf_slice(&job->settings), key, &value, &after, err))
		return error_wrap(err, "%s", job->file);
	job->settings.len = 0;
	buf_add(&job->settings, after.data, after.len);
	return true;
}

/* KEY=VALUE of --set. */
static bool set_pair(struct init_job *job, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	if (!equals) {
		error_set(err, ERR_USAGE, "--set %s: there is no =", pair);
		return error_hint(err, "write for example --set ports.grafana=3001");
	}
	AUTO(str) char *path = mem_strndup(pair, (size_t)(equals - pair));
	return init_settings_set(job, path, equals + 1, err) || error_wrap(err, "--set");
}

bool init_settings_read(struct init_job *job, struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(TREE_BYTES_MAX);
	int got = file_read(job->file, &before, err);
	if (got < 0)
		return false;
	job->is_new = got == 0;
	job->settings = (struct buf)BUF_INIT(BUF_UNLIMITED);
	if (job->is_new)
		config_sample(&job->settings);
	else
		buf_add(&job->settings, before.data, before.len);
	for (size_t i = 0; i < job->adoption.setting_count; i++) {
		const struct adopt_setting *setting = &job->adoption.settings[i];
		if (!init_settings_set(job, setting->key, setting->text, err))
			return error_wrap(err, "%s", setting->where);
	}
	if (job->args->adopt && !init_settings_set(job, "runtime", "docker", err))
		return false;
	if (job->args->profile && !init_settings_set(job, "profile", job->args->profile, err))
		return false;
	if (job->args->runtime && !init_settings_set(job, "runtime", job->args->runtime, err))
		return false;
	for (size_t i = 0; i < job->args->set.count; i++) {
		if (!set_pair(job, job->args->set.items[i], err))
			return false;
	}
	return init_settings_load(job, err);
}

bool init_settings_load(struct init_job *job, struct error *err)
{
	AUTO(problems) struct problems problems = { 0 };
	const struct config_request request = { .path = job->file, .variable = config_getenv };
	config_clear(&job->config);
	if (config_check_bytes(&request, buf_slice(&job->settings), &job->config, &problems))
		return true;
	return problems_error(&problems, err);
}
