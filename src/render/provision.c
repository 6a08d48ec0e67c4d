#include "render/provision.h"

#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "render/env_file.h"
#include "render/own_files.h"

bool provision_is_under_git(const char *dir)
{
	AUTO(str) char *at = mem_strdup(dir);
	for (;;) {
		struct stat st;
		AUTO(str) char *git = path_join(at, ".git");
		if (stat(git, &st) == 0)
			return true;
		char *slash = strrchr(at, '/');
		if (!slash || slash == at)
			return false;
		*slash = '\0';
	}
}

/* What the manifest is to say beside its files: the ports a stack has, whoever opens them. */
static void note_ports(const struct provision_request *request, struct manifest *now)
{
	bool is_embedded = request->runtime == RUNTIME_EMBEDDED;
	now->runtime = request->runtime;
	for (size_t i = 0; i < service_port_count; i++) {
		const struct service_port *port = &service_ports[i];
		bool is_used = is_embedded ? port->service == SERVICE_COLLECTOR
					   : service_port_is_used(request->config, port);
		if (is_used)
			manifest_add_port(
				now, port->key, config_number(request->config, port->key));
	}
}

static bool read_own(const char *dir, const char *name, struct buf *out, struct error *err)
{
	AUTO(str) char *path = path_join(dir, name);
	return file_read(path, out, err) >= 0;
}

/* .env as it is, with what is taken over. */
static bool read_env(const struct provision_request *request, struct buf *out, struct error *err)
{
	if (!read_own(request->dir, ENV_PATH, out, err))
		return false;
	for (const struct provision_secret *s = request->secrets; s && s->name; s++) {
		AUTO(buf) struct buf longer = BUF_INIT(BUF_UNLIMITED);
		if (!env_file_set(buf_slice(out), s->name, s->value, &longer, err))
			return false;
		out->len = 0;
		if (!buf_append(out, longer.data, longer.len))
			return error_set(err, ERR_FAILED, ".env is too large");
	}
	return true;
}

static bool add_env(const struct provision_request *request, struct plan *plan, struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(ENV_FILE_MAX);
	AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
	return read_env(request, &before, err) &&
	       own_env(buf_slice(&before), request->runtime == RUNTIME_DOCKER, &after, err) &&
	       plan_add_secret(plan, ENV_PATH, buf_slice(&after), err);
}

static bool add_gitignore(
	const struct provision_request *request, struct plan *plan, struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(1 << 20);
	AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
	if (request->runtime == RUNTIME_EMBEDDED && !provision_is_under_git(request->dir))
		return true;
	return read_own(request->dir, GITIGNORE_PATH, &before, err) &&
	       own_gitignore(buf_slice(&before), &after, err) &&
	       plan_add(plan, GITIGNORE_PATH, buf_slice(&after), 0644, err);
}

static bool make(const struct provision_request *request, struct provision *out, struct error *err)
{
	struct surroundings around = { .dir = request->dir,
		.is_embedded = request->runtime == RUNTIME_EMBEDDED };
	AUTO(manifest) struct manifest now = { 0 };
	owners_find(request->config, request->dir, around.owners);
	memcpy(out->owners, around.owners, sizeof out->owners);
	note_ports(request, &now);
	return stack_files_render(
		       request->config, &around, request->template_dir, &out->files, err) &&
	       plan_make(request->dir, &out->files, request->last, &now, &request->options,
		       &out->plan, err) &&
	       add_env(request, &out->plan, err) && add_gitignore(request, &out->plan, err);
}

bool provision_make(
	const struct provision_request *request, struct provision *out, struct error *err)
{
	*out = (struct provision){ 0 };
	if (make(request, out, err))
		return true;
	provision_clear(out);
	return false;
}

bool provision_apply(const struct provision_request *request, const struct provision *provision,
	struct error *err)
{
	if (!plan_apply(&provision->plan, err))
		return false;
	if (request->runtime == RUNTIME_DOCKER)
		return owners_make_directories(
			request->config, request->dir, provision->owners, err);
	AUTO(str) char *state = path_join(request->dir, "bridge");
	return dir_make(state, 0700, err);
}

bool provision_close_directories(const struct provision_request *request, struct error *err)
{
	return owners_close_directories(request->config, request->dir, err);
}

void provision_clear(struct provision *provision)
{
	stack_files_clear(&provision->files);
	plan_clear(&provision->plan);
	*provision = (struct provision){ 0 };
}
