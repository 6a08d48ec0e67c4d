/* Why a stack in containers did not get healthy, as far as the engine and the logs tell. */
#include <stdlib.h>
#include <string.h>

#include "cmd/up_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "stack/causes.h"
#include "stack/containers.h"
#include "stack/engine.h"

#define LOG_MS	  12000
#define LOG_LINES "20"

/* Does Compose say that it is ill, or has the engine started it again since? */
static bool is_ill(const struct compose_service *service, const struct containers *containers)
{
	const struct container *container = container_find(containers, service->id);
	if (container && container->restarts > 0)
		return true;
	return strcmp(service->state, "created") != 0 &&
	       (strcmp(service->state, "running") != 0 ||
		       strcmp(service->health, "unhealthy") == 0);
}

/* Which part is it about? The one that crashes, one that does not run, or the one behind the probe that failed. */
static const struct compose_service *find_ill(
	const struct up_job *job, const struct compose_services *now, enum service *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(containers) struct containers containers = { 0 };
	const struct probe *failed = wait_failed(&job->probes);
	enum service chosen = job->ill;
	bool is_known = containers_read(&job->compose, now, &containers, &ignored);
	for (enum service s = 0; chosen == SERVICE_COUNT && s < SERVICE_COUNT; s++) {
		const struct compose_service *found =
			compose_service_find(now, service_rows[s].name);
		if (is_known && found && is_ill(found, &containers))
			chosen = s;
	}
	if (chosen == SERVICE_COUNT && failed && failed->why)
		chosen = failed->service;
	*out = chosen;
	return chosen == SERVICE_COUNT ? NULL
				       : compose_service_find(now, service_rows[chosen].name);
}

/* "it restarts (exit status 1, 5 times so far)"; yours. */
static char *state_of(const struct compose_service *service, const struct container *container)
{
	AUTO(buf) struct buf text = BUF_INIT(4096);
	buf_addf(&text, "it is %s", service->state);
	if (*service->health)
		buf_addf(&text, " and %s", service->health);
	if (container && (container->exit_code || container->restarts))
		buf_addf(&text, ", its last exit status is %lld, it was started again %lld times",
			(long long)container->exit_code, (long long)container->restarts);
	if (container && container->is_killed_for_memory)
		buf_addf(&text, ", and it was killed for want of memory");
	return mem_strdup(buf_str(&text));
}

/* The end of its log, shown line by line; the text for looking into it. */
static void read_log(const struct up_job *job, enum service service, struct proc_result *result)
{
	const char *const words[] = { "logs", "--no-color", "--no-log-prefix", "--tail", LOG_LINES,
		service_rows[service].name, NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	if (!compose_run(&job->compose, words, false, LOG_MS, result, &ignored))
		return;
	/* Docker hands on each stream as the container's program wrote it. */
	const char *at = buf_str(&result->out);
	if (result->out.len == 0 || !up_is_shown(job))
		return;
	out_note(job->ctx->out, "the end of the log of %s:", service_rows[service].title);
	while (*at) {
		AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
		AUTO(str) char *raw = mem_strndup(at, strcspn(at, "\n"));
		text_visible(&line, raw);
		out_note(job->ctx->out, "    %s", buf_str(&line));
		at += strlen(raw);
		at += *at == '\n';
	}
}

/* An engine that was stopped meanwhile is behind all that follows from it. */
static bool is_engine_gone(struct error *err)
{
	AUTO(engine) struct engine engine = { 0 };
	engine_find(&engine);
	if (engine.is_reachable)
		return false;
	error_wrap(err, "the engine went away while the stack was started (%s)", engine.why);
	error_hint(err, "%s, then 'cctm up'", engine.hint ? engine.hint : "start it");
	return true;
}

static void explain_service(const struct up_job *job, const struct compose_service *found,
	enum service service, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(containers) struct containers containers = { 0 };
	AUTO(proc_result) struct proc_result log = { 0 };
	const struct compose_services one = { .items = (struct compose_service *)(uintptr_t)found,
		.count = 1 };
	const struct container *container =
		containers_read(&job->compose, &one, &containers, &ignored)
			? container_find(&containers, found->id)
			: NULL;
	read_log(job, service, &log);
	AUTO(str) char *state = state_of(found, container);
	const struct cause *cause = cause_find(buf_str(&log.out),
		container && strcmp(found->state, "running") != 0 ? container->exit_code : 0);
	error_wrap(err, "%s did not get healthy (%s%s%s)", service_rows[service].title, state,
		cause ? "; most likely " : "", cause ? cause->sentence : "");
	if (cause)
		error_hint(err, "%s", cause->cure);
}

void up_explain(const struct up_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(compose_services) struct compose_services now = { 0 };
	enum service service = SERVICE_COUNT;
	if (err->code == ERR_INTERRUPTED || is_engine_gone(err))
		return;
	const struct compose_service *found =
		compose_list(&job->compose, &now, &ignored) ? find_ill(job, &now, &service) : NULL;
	if (found)
		explain_service(job, found, service, err);
	const struct probe *failed = wait_failed(&job->probes);
	AUTO(str) char *hint = found && failed ? wait_hint(failed) : NULL;
	error_hint(err, "%s",
		hint ? hint
		     : "what Docker said stands above; '--keep-on-failure' leaves what was "
		       "started, to look into it");
}
