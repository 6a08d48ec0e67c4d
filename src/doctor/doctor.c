#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "doctor/lanes_internal.h"

#define LANE_MS 8500

const char *const check_result_names[] = { "ok", "skipped", "note", "warning", "failure" };
const char *const check_group_names[CHECK_GROUP_COUNT + 1] = { "machine", "configuration",
	"claude-code", "receiver", "prometheus", "grafana", "totals", NULL };

/* ---- the table, for people ---- */

size_t doctor_count(void)
{
	return check_count;
}

const struct check_about *doctor_about(size_t i)
{
	return &checks[i].about;
}

static size_t row_of(const char *id)
{
	size_t i = 0;
	while (i < check_count && strcmp(checks[i].about.id, id) != 0)
		i++;
	return i;
}

const struct check_about *doctor_find(const char *id)
{
	size_t row = row_of(id);
	return row < check_count ? &checks[row].about : NULL;
}

const char *doctor_nearest(const char *id)
{
	const char **ids = mem_calloc(check_count, sizeof *ids);
	for (size_t i = 0; i < check_count; i++)
		ids[i] = checks[i].about.id;
	const char *nearest = str_nearest(id, ids, check_count);
	free(ids);
	return nearest;
}

/* ---- which checks are done ---- */

/* Why a check means nothing here; NULL: it does. */
static const char *out_of_scope(const struct doctor *d, enum scope scope)
{
	bool is_docker = doctor_has_docker(d);
	if (scope == SCOPE_ANY)
		return NULL;
	if (scope == SCOPE_OWN && !d->is_own)
		return "there is no cctm.yaml";
	if (scope == SCOPE_OWN_DOCKER && !d->is_own)
		return "there is no cctm.yaml";
	if (!d->is_loaded)
		return d->is_own ? "cctm.yaml cannot be used" : "there is no stack";
	switch (scope) {
	case SCOPE_ANY:
	case SCOPE_STACK:
	case SCOPE_OWN:
		return NULL;
	case SCOPE_COMPOSE:
		return d->is_adopted ? NULL : "there is no Compose file that can be read";
	case SCOPE_DOCKER:
	case SCOPE_OWN_DOCKER:
		return is_docker ? NULL : "the stack needs no containers";
	case SCOPE_EMBEDDED:
		return is_docker ? "the stack runs in containers" : NULL;
	case SCOPE_COLLECTOR:
		return doctor_is_bridge(d) ? "the bridge receives, not the Collector" : NULL;
	case SCOPE_BRIDGE:
		return doctor_is_bridge(d) ? NULL : "the Collector receives, not the bridge";
	}
	return NULL;
}

/* A check that is asked for needs those that say whether it means anything. */
static void want(size_t row, bool *is_wanted)
{
	is_wanted[row] = true;
	for (size_t k = 0; k < CHECK_NEEDS_MAX && checks[row].needs[k]; k++) {
		size_t needed = row_of(checks[row].needs[k]);
		if (needed < row)
			want(needed, is_wanted);
	}
}

static bool is_asked(const struct doctor_request *request, const struct check_about *about)
{
	if (request->id)
		return strcmp(request->id, about->id) == 0;
	return !request->group || strcmp(request->group, check_group_names[about->group]) == 0;
}

/* ---- what comes of them ---- */

/* What fails because of another fault is no fault of its own, and what is well in spite of one is well somewhere else: a port
 * that answers while the stack does not run is another program's. Within a lane this is so already. */
static void skip_what_follows(const struct lanes_request *lanes, struct check_outcome *outcomes)
{
	for (size_t i = 0; i < check_count; i++) {
		const char *needed = lanes->is_wanted[i] && !outcomes[i].is_blocked
					     ? lanes_blocking(lanes, outcomes, i)
					     : NULL;
		if (needed)
			outcome_block(&outcomes[i], needed);
	}
}

static void take(struct diagnosis *out, size_t row, struct check_outcome *outcome, int64_t took_ms)
{
	struct diagnosis_row *to = &out->rows[out->count++];
	*to = (struct diagnosis_row){ .about = &checks[row].about,
		.result = outcome->result,
		.evidence = TAKE(outcome->evidence),
		.advice = TAKE(outcome->advice),
		.is_safe = outcome->is_safe,
		.is_blocked = outcome->is_blocked,
		.took_ms = took_ms };
	for (size_t i = 0; i < outcome->word_count; i++)
		to->words[i] = TAKE(outcome->words[i]);
	outcome->word_count = 0;
	if (outcome->last_sample_ms)
		out->last_sample_ms = outcome->last_sample_ms;
}

struct doctor_job {
	struct doctor doctor;
	bool *is_wanted, *is_run;
	struct check_outcome *outcomes;
	int64_t *took_ms;
};

static void fail_again(struct check_outcome *outcome, bool *is_run)
{
	*is_run = false;
	outcome_say(outcome, CHECK_FAILURE, "it failed before, and is not tried again");
}

static void job_begin(struct doctor_job *job, const struct doctor_request *request)
{
	job->is_wanted = mem_calloc(check_count, sizeof *job->is_wanted);
	job->is_run = mem_calloc(check_count, sizeof *job->is_run);
	job->outcomes = mem_calloc(check_count, sizeof *job->outcomes);
	job->took_ms = mem_calloc(check_count, sizeof *job->took_ms);
	doctor_open(&job->doctor, request->given);
	for (size_t i = 0; i < check_count; i++) {
		if (is_asked(request, &checks[i].about))
			want(i, job->is_wanted);
	}
	for (size_t i = 0; i < check_count; i++) {
		const char *why = out_of_scope(&job->doctor, checks[i].scope);
		job->is_run[i] = job->is_wanted[i] && !why;
		if (why) {
			outcome_say(&job->outcomes[i], CHECK_SKIPPED, "%s", why);
			job->outcomes[i].is_blocked = !job->doctor.is_loaded;
		}
		if (!why && request->without && strcmp(request->without, checks[i].about.id) == 0)
			fail_again(&job->outcomes[i], &job->is_run[i]);
	}
}

static void job_end(struct doctor_job *job)
{
	for (size_t i = 0; i < check_count; i++)
		outcome_clear(&job->outcomes[i]);
	doctor_close(&job->doctor);
	free(job->is_wanted);
	free(job->is_run);
	free(job->outcomes);
	free(job->took_ms);
}

bool doctor_look(const struct doctor_request *request, struct diagnosis *out, struct error *err)
{
	struct doctor_job job = { 0 };
	int64_t began_ms = clock_mono_ms();
	*out = (struct diagnosis){ .rows = mem_calloc(check_count, sizeof *out->rows) };
	job_begin(&job, request);
	const struct lanes_request lanes = { .table = checks,
		.count = check_count,
		.is_wanted = job.is_run,
		.doctor = &job.doctor,
		.check_ms = request->deadline_ms ? request->deadline_ms : DOCTOR_CHECK_MS,
		.lane_ms = LANE_MS };
	bool is_done = lanes_run(&lanes, job.outcomes, job.took_ms, err);
	skip_what_follows(&lanes, job.outcomes);
	for (size_t i = 0; is_done && i < check_count; i++) {
		if (is_asked(request, &checks[i].about))
			take(out, i, &job.outcomes[i], job.took_ms[i]);
	}
	if (job.doctor.is_own || job.doctor.is_hand_made)
		out->dir = mem_strdup(job.doctor.dir);
	out->took_ms = clock_mono_ms() - began_ms;
	job_end(&job);
	return is_done;
}

void diagnosis_clear(struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		free(diagnosis->rows[i].evidence);
		free(diagnosis->rows[i].advice);
		for (size_t k = 0; diagnosis->rows[i].words[k]; k++)
			free(diagnosis->rows[i].words[k]);
	}
	free(diagnosis->rows);
	free(diagnosis->dir);
	*diagnosis = (struct diagnosis){ 0 };
}

size_t diagnosis_count(const struct diagnosis *diagnosis, enum check_result result)
{
	size_t count = 0;
	for (size_t i = 0; i < diagnosis->count; i++)
		count += diagnosis->rows[i].result == result;
	return count;
}

bool diagnosis_is_well(const struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		if (diagnosis->rows[i].result == CHECK_FAILURE || diagnosis->rows[i].is_blocked)
			return false;
	}
	return true;
}

const struct diagnosis_row *diagnosis_first(const struct diagnosis *diagnosis)
{
	for (enum check_result result = CHECK_FAILURE; result >= CHECK_WARNING; result--) {
		for (size_t i = 0; i < diagnosis->count; i++) {
			if (diagnosis->rows[i].result == result)
				return &diagnosis->rows[i];
		}
	}
	return NULL;
}
