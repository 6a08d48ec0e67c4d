#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "doctor/lanes_internal.h"

#define LINE_MAX_BYTES (1 << 20)
#define NONE	       SIZE_MAX
#define AFTER_HANG_MS  1000 /* what a check may take in a lane where one hung before */

/* A lane as the parent sees it. What the process says are lines of JSON: {"begin": ROW}, and {"end": ROW, …}. */
struct lane_state {
	enum lane lane;
	pid_t pid; /* 0: none runs */
	int fd;
	struct buf said;
	size_t next;   /* the first row that is not done */
	size_t at;     /* the row that is being done; NONE */
	int64_t at_ms; /* since when */
	int64_t began_ms, check_ms;
};

struct lane_work {
	const struct lanes_request *request;
	enum lane lane;
	size_t from;
	struct check_outcome *outcomes; /* so far; in the lane's process its own copy */
};

/* ---- what waits for what ---- */

static const struct check_outcome *outcome_of(
	const struct lanes_request *request, const struct check_outcome *outcomes, const char *id)
{
	for (size_t i = 0; i < request->count; i++) {
		if (strcmp(request->table[i].about.id, id) == 0)
			return &outcomes[i];
	}
	return NULL;
}

const char *lanes_blocking(
	const struct lanes_request *request, const struct check_outcome *outcomes, size_t row)
{
	const char *const *needs = request->table[row].needs;
	for (size_t k = 0; k < CHECK_NEEDS_MAX && needs[k]; k++) {
		const struct check_outcome *needed = outcome_of(request, outcomes, needs[k]);
		if (needed && (needed->result == CHECK_FAILURE || needed->is_blocked))
			return needs[k];
	}
	return NULL;
}

/* ---- in the lane's process ---- */

static bool say(int fd, json_t *line)
{
	size_t written;
	AUTO(str) char *text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	AUTO(str) char *whole = mem_printf("%s\n", text ? text : "{}");
	return fd_write_all(fd, whole, strlen(whole), &written);
}

static json_t *outcome_json(size_t row, const struct check_outcome *outcome)
{
	json_t *words = json_array();
	for (size_t i = 0; i < outcome->word_count; i++)
		json_array_append_new(words, out_json_text(outcome->words[i]));
	return json_pack("{s:I, s:i, s:o, s:o, s:o, s:b, s:b, s:I}", "end", (json_int_t)row,
		"result", (int)outcome->result, "evidence", out_json_text(outcome->evidence),
		"advice", out_json_text(outcome->advice), "words", words, "safe", outcome->is_safe,
		"blocked", outcome->is_blocked, "sample", (json_int_t)outcome->last_sample_ms);
}

static bool is_in(const struct lanes_request *request, size_t row, enum lane lane)
{
	return request->is_wanted[row] && request->table[row].lane == lane;
}

/* What cannot be well is not even asked: a password that was wrong is not tried again. */
static void do_one(const struct lane_work *work, size_t row)
{
	const struct check *check = &work->request->table[row];
	struct check_outcome *outcome = &work->outcomes[row];
	const char *needed = lanes_blocking(work->request, work->outcomes, row);
	outcome_clear(outcome);
	if (needed)
		outcome_block(outcome, needed);
	else
		check->run(work->request->doctor, check, outcome);
}

static int work(void *ctx, int fd)
{
	const struct lane_work *work = ctx;
	for (size_t i = work->from; i < work->request->count; i++) {
		if (!is_in(work->request, i, work->lane))
			continue;
		if (!say(fd, json_pack("{s:I}", "begin", (json_int_t)i)))
			return 1;
		do_one(work, i);
		if (!say(fd, outcome_json(i, &work->outcomes[i])))
			return 1;
	}
	return 0;
}

/* ---- in ours ---- */

static size_t next_row(const struct lanes_request *request, enum lane lane, size_t from)
{
	while (from < request->count && !is_in(request, from, lane))
		from++;
	return from;
}

static bool start(const struct lanes_request *request, struct lane_state *state,
	struct check_outcome *outcomes, struct error *err)
{
	struct lane_work todo = { request, state->lane, state->next, outcomes };
	state->at = NONE;
	state->at_ms = clock_mono_ms();
	buf_clear(&state->said);
	return proc_fork(work, &todo, &state->pid, &state->fd, err);
}

static char *text_at(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));
	return text ? mem_strdup(text) : NULL;
}

static void take_outcome(const json_t *line, struct check_outcome *out)
{
	const json_t *words = json_object_get(line, "words");
	outcome_clear(out);
	out->result = (enum check_result)json_integer_value(json_object_get(line, "result"));
	out->evidence = text_at(line, "evidence");
	out->advice = text_at(line, "advice");
	out->is_safe = json_is_true(json_object_get(line, "safe"));
	out->is_blocked = json_is_true(json_object_get(line, "blocked"));
	out->last_sample_ms = json_integer_value(json_object_get(line, "sample"));
	for (size_t i = 0; i < json_array_size(words) && i < FIX_WORDS_MAX; i++)
		out->words[out->word_count++] =
			mem_strdup(json_string_value(json_array_get(words, i)));
}

static void take_line(const struct lanes_request *request, struct lane_state *state,
	const char *text, struct check_outcome *outcomes, int64_t *took_ms)
{
	json_t *line = json_loads(text, 0, NULL);
	const json_t *begin = json_object_get(line, "begin"), *end = json_object_get(line, "end");
	size_t row = (size_t)json_integer_value(begin ? begin : end);
	if (row < request->count && begin) {
		state->at = row;
		state->at_ms = clock_mono_ms();
	} else if (row < request->count && end) {
		take_outcome(line, &outcomes[row]);
		took_ms[row] = clock_mono_ms() - state->at_ms;
		state->at = NONE;
		state->next = next_row(request, state->lane, row + 1);
	}
	json_decref(line);
}

/* False: the process has closed its end. */
static bool hear(const struct lanes_request *request, struct lane_state *state,
	struct check_outcome *outcomes, int64_t *took_ms)
{
	unsigned char *at = buf_reserve(&state->said, 65536);
	ssize_t got = at ? read(state->fd, at, 65536) : 0;
	if (got < 0)
		return errno == EINTR;
	if (got == 0)
		return false;
	buf_wrote(&state->said, (size_t)got);
	char *newline;
	while ((newline = memchr(state->said.data, '\n', state->said.len)) != NULL) {
		size_t len = (size_t)((unsigned char *)newline - state->said.data);
		AUTO(str) char *text = mem_strndup((char *)state->said.data, len);
		take_line(request, state, text, outcomes, took_ms);
		buf_drop_front(&state->said, len + 1);
	}
	return true;
}

/* Ends the lane's process. A check that was on its way has failed, for the reason `why`. */
static void end(struct lane_state *state, const struct lanes_request *request, const char *why,
	struct check_outcome *outcomes, int64_t *took_ms)
{
	int status = proc_end_group(state->pid);
	close(state->fd);
	state->pid = 0;
	state->fd = -1;
	size_t row = state->at == NONE ? state->next : state->at;
	if (row >= request->count)
		return;
	outcome_clear(&outcomes[row]);
	took_ms[row] = clock_mono_ms() - state->at_ms;
	if (why)
		outcome_say(&outcomes[row], CHECK_FAILURE, "%s", why);
	else
		outcome_say(&outcomes[row], CHECK_FAILURE,
			"the check itself broke (status %d): this is a fault of cctm", status);
	state->next = next_row(request, state->lane, row + 1);
}

static void skip_rest(struct lane_state *state, const struct lanes_request *request,
	struct check_outcome *outcomes)
{
	while (state->next < request->count) {
		outcome_clear(&outcomes[state->next]);
		outcome_say(&outcomes[state->next], CHECK_SKIPPED,
			"checks before it took all the time there was");
		state->next = next_row(request, state->lane, state->next + 1);
	}
}

static bool go_on(struct lane_state *state, const struct lanes_request *request,
	struct check_outcome *outcomes, struct error *err)
{
	int64_t left_ms = state->began_ms + request->lane_ms - clock_mono_ms();
	if (left_ms < AFTER_HANG_MS)
		skip_rest(state, request, outcomes);
	return state->next >= request->count || start(request, state, outcomes, err);
}

static bool attend(const struct lanes_request *request, struct lane_state *state, bool is_readable,
	struct check_outcome *outcomes, int64_t *took_ms, struct error *err)
{
	if (is_readable) {
		if (hear(request, state, outcomes, took_ms))
			return true;
		end(state, request, NULL, outcomes, took_ms);
		return go_on(state, request, outcomes, err);
	}
	if (clock_mono_ms() - state->at_ms < state->check_ms)
		return true;
	AUTO(str)
	char *why = mem_printf("no answer within %.1f s", (double)state->check_ms / 1000);
	end(state, request, why, outcomes, took_ms);
	state->check_ms = AFTER_HANG_MS;
	return go_on(state, request, outcomes, err);
}

/* Waits for the lanes that run; false: none does. */
static bool wait_for_some(const struct lane_state *states, struct pollfd *polls)
{
	bool is_any = false;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		polls[i] = (struct pollfd){ .fd = states[i].pid ? states[i].fd : -1,
			.events = POLLIN };
		is_any = is_any || states[i].pid;
	}
	if (is_any)
		poll(polls, LANE_COUNT, 50);
	return is_any;
}

bool lanes_run(const struct lanes_request *request, struct check_outcome *outcomes,
	int64_t *took_ms, struct error *err)
{
	struct lane_state states[LANE_COUNT];
	struct pollfd polls[LANE_COUNT];
	bool is_fine = true;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		states[i] = (struct lane_state){ .lane = (enum lane)i,
			.fd = -1,
			.said = BUF_INIT(LINE_MAX_BYTES),
			.began_ms = clock_mono_ms(),
			.check_ms = request->check_ms };
		states[i].next = next_row(request, states[i].lane, 0);
		if (is_fine && states[i].next < request->count)
			is_fine = start(request, &states[i], outcomes, err);
	}
	while (is_fine && wait_for_some(states, polls)) {
		for (size_t i = 0; is_fine && i < LANE_COUNT; i++) {
			if (states[i].pid)
				is_fine = attend(request, &states[i], polls[i].revents != 0,
					outcomes, took_ms, err);
		}
	}
	for (size_t i = 0; i < LANE_COUNT; i++) {
		if (states[i].pid) {
			proc_end_group(states[i].pid);
			close(states[i].fd);
		}
		buf_clear(&states[i].said);
	}
	return is_fine;
}
