#include "bridge/alerts/courier.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/alerts/message.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"

#define OUTPUT_MAX ((size_t)16 << 10)
#define SAID_MAX   300

struct courier {
	pthread_t thread;
	bool has_thread, is_busy; /* the loop's own */
	atomic_bool is_cancelled;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	/* under the mutex */
	bool has_job, has_result, ends;
	struct courier_job job;
	struct courier_result result;
};

struct courier *courier_new(void)
{
	struct courier *c = mem_zalloc(sizeof *c);
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	return c;
}

static void job_clear(struct courier_job *job)
{
	message_free_environment(job->environment);
	buf_clear(&job->input);
	*job = (struct courier_job){ 0 };
}

void courier_result_clear(struct courier_result *result)
{
	free(result->error);
	free(result->said);
	*result = (struct courier_result){ 0 };
}

/* cctm's own errors begin with its name, which says nothing here. */
static const char *without_name(const char *said)
{
	static const char name[] = "cctm: ";
	return strncmp(said, name, sizeof name - 1) == 0 ? said + sizeof name - 1 : said;
}

static char *why_not(const struct proc_result *result, const struct courier_job *job)
{
	AUTO(str) char *said = text_last_line(buf_str(&result->err), SAID_MAX, NULL);
	const char *behind = *said ? ": " : "";
	switch (result->end) {
	case PROC_TIMED_OUT:
		return mem_printf("it did not end within %d s", (int)(job->deadline_ms / 1000));
	case PROC_KILLED:
		return mem_printf("it was ended by signal %d%s%s", result->status, behind,
			without_name(said));
	case PROC_EXITED:
		break;
	}
	if (job->is_own && *said)
		return mem_strdup(without_name(said));
	return mem_printf(
		"it ended with status %d%s%s", result->status, behind, without_name(said));
}

static void work(struct courier *c, const struct courier_job *job, struct courier_result *out)
{
	const struct proc_request request = {
		.argv = job->argv,
		.env = (const char *const *)job->environment,
		.input = buf_slice(&job->input),
		.deadline_ms = job->deadline_ms,
		.is_cancelled = &c->is_cancelled,
		.output_max = OUTPUT_MAX,
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	*out = (struct courier_result){ 0 };
	if (!proc_run(&request, &result, &err)) {
		out->error = mem_strdup(err.message);
	} else {
		out->is_ok = result.end == PROC_EXITED && result.status == 0;
		out->error = out->is_ok ? NULL : why_not(&result, job);
	}
	out->said = text_last_line(buf_str(&result.out), SAID_MAX, NULL);
}

static void *run(void *ctx)
{
	struct courier *c = ctx;
	pthread_mutex_lock(&c->mutex);
	for (;;) {
		while (!c->has_job && !c->ends)
			pthread_cond_wait(&c->wake, &c->mutex);
		if (c->ends)
			break;
		struct courier_job job = c->job;
		struct courier_result result;
		c->job = (struct courier_job){ 0 };
		c->has_job = false;
		pthread_mutex_unlock(&c->mutex);
		work(c, &job, &result);
		job_clear(&job);
		pthread_mutex_lock(&c->mutex);
		c->result = result;
		c->has_result = true;
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

/* Signals are the loop's. */
static bool start_thread(struct courier *c)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		pthread_setname_np(c->thread, "cctm-courier");
	return !failed;
}

void courier_give(struct courier *c, struct courier_job *job)
{
	if (!c->has_thread)
		c->has_thread = start_thread(c);
	c->is_busy = true;
	pthread_mutex_lock(&c->mutex);
	if (c->has_thread && !c->ends) {
		c->job = *job;
		c->has_job = true;
		pthread_cond_signal(&c->wake);
	} else {
		job_clear(job);
		c->has_result = true;
		c->result = (struct courier_result){
			.error = mem_strdup("no thread from the system to run it in"),
			.said = mem_strdup(""),
		};
	}
	pthread_mutex_unlock(&c->mutex);
	*job = (struct courier_job){ 0 };
}

bool courier_is_busy(const struct courier *c)
{
	return c->is_busy;
}

bool courier_take(struct courier *c, struct courier_result *result)
{
	pthread_mutex_lock(&c->mutex);
	bool has_result = c->has_result;
	if (has_result)
		*result = c->result;
	c->has_result = false;
	pthread_mutex_unlock(&c->mutex);
	c->is_busy = c->is_busy && !has_result;
	return has_result;
}

void courier_cancel(struct courier *c)
{
	c->is_cancelled = true;
	pthread_mutex_lock(&c->mutex);
	c->ends = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
}

void courier_free(struct courier *c)
{
	if (!c)
		return;
	courier_cancel(c);
	if (c->has_thread)
		pthread_join(c->thread, NULL);
	struct courier_result left;
	if (courier_take(c, &left))
		courier_result_clear(&left);
	job_clear(&c->job);
	pthread_mutex_destroy(&c->mutex);
	pthread_cond_destroy(&c->wake);
	free(c);
}
