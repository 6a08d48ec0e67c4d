/* What the bridge of an embedded stack says of its alerts (GET /alerts on its health port), and its test (POST
 * /alerts/test). */
#include <string.h>

#include "cmd/alerts_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "http/http.h"
#include "render/model.h"

#define ASK_MS	   5000
#define ANSWER_MAX (4 << 20)

static bool refused(const struct http_answer *answer, const char *url, struct error *err)
{
	if (answer->status == 404) {
		error_set(err, ERR_FAILED, "the bridge that runs knows nothing of alerts");
		return error_hint(err, "it is another version than this cctm: 'cctm restart'");
	}
	return error_set(err, ERR_FAILED, "%s: the bridge answered %ld", url, answer->status);
}

/* The answer's JSON object, yours; NULL: error. */
static json_t *ask(const struct alerts_job *job, const char *path, const char *method,
	int64_t deadline_ms, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&job->stack.config, "ports.health", path);
	const struct http_request request = { .method = method,
		.url = url,
		.body = strcmp(method, "POST") == 0 ? "" : NULL,
		.deadline_ms = deadline_ms,
		.answer_max = ANSWER_MAX };
	if (!http_send(&request, &answer, err)) {
		error_wrap(err, "the bridge does not answer");
		error_hint(err, "'cctm up' starts it");
		return NULL;
	}
	json_t *root = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
	if (answer.status == 200 && json_is_object(root))
		return root;
	json_decref(root);
	if (answer.status == 200)
		error_set(err, ERR_FAILED, "%s: the answer is no JSON object", url);
	else
		refused(&answer, url, err);
	return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* ---- list ---- */

static enum alerts_state state_of(const char *state)
{
	if (strcmp(state, "firing") == 0)
		return ALERTS_FIRING;
	return strcmp(state, "pending") == 0 ? ALERTS_PENDING : ALERTS_INACTIVE;
}

/* "ada: $12.30 of $50.00 this day; told at 80 %" */
static char *summary_of(const json_t *alert)
{
	const json_t *limit = json_object_get(alert, "limit_usd");
	const char *subject = text_of(alert, "subject");
	if (!json_is_number(limit))
		return mem_strdup("no data have come for longer than alerts.no_data_after says");
	return mem_printf("%s%s$%.2f of $%.2f this %s; told of at %lld %%", subject,
		*subject ? ": " : "", json_number_value(json_object_get(alert, "value_usd")),
		json_number_value(limit), text_of(alert, "period"),
		(long long)json_integer_value(json_object_get(alert, "percent")));
}

static json_t *labels_of(const json_t *alert)
{
	static const char *const names[] = { "period", "scope", "subject" };
	json_t *labels = json_object();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = text_of(alert, names[i]);
		if (*value)
			json_object_set_new(labels, names[i], json_string(value));
	}
	const json_t *percent = json_object_get(alert, "percent");
	if (json_is_integer(percent)) {
		AUTO(str) char *text = mem_printf("%lld", (long long)json_integer_value(percent));
		json_object_set_new(labels, "percent", json_string(text));
	}
	return labels;
}

static void add_row(struct alerts_listing *out, const json_t *alert)
{
	struct alerts_row *row = alerts_listing_add(out);
	const json_t *value = json_object_get(alert, "value_usd");
	row->name = mem_strdup(text_of(alert, "name"));
	row->group = mem_strdup("bridge");
	row->error = mem_strdup("");
	row->summary = summary_of(alert);
	row->description = mem_strdup("");
	row->runbook = mem_strdup(json_is_number(value) ? "cctm budget" : "cctm env --check");
	row->labels = labels_of(alert);
	row->state = state_of(text_of(alert, "state"));
	row->has_value = json_is_number(value);
	row->value = json_number_value(value);
	if (!clock_parse(text_of(alert, "since"), &row->since_ms))
		row->since_ms = 0;
}

bool alerts_bridge_list(const struct alerts_job *job, struct alerts_listing *out, struct error *err)
{
	json_t *root = ask(job, "/alerts", "GET", ASK_MS, err);
	if (!root)
		return false;
	const json_t *alerts = json_object_get(root, "alerts");
	json_t *last = json_object_get(root, "last_notification");
	out->source = "bridge";
	for (enum alerts_state state = ALERTS_FIRING; state <= ALERTS_INACTIVE; state++) {
		for (size_t i = 0; i < json_array_size(alerts); i++) {
			const json_t *alert = json_array_get(alerts, i);
			if (state_of(text_of(alert, "state")) == state)
				add_row(out, alert);
		}
	}
	out->last_notification = json_is_object(last) ? json_incref(last) : NULL;
	json_decref(root);
	return true;
}

/* ---- test ---- */

bool alerts_bridge_try(const struct alerts_job *job, struct alerts_trial *out, struct error *err)
{
	json_t *root = ask(job, "/alerts/test", "POST", job->args->timeout_ms, err);
	if (!root)
		return false;
	const json_t *channels = json_object_get(root, "channels");
	for (size_t i = 0; i < json_array_size(channels); i++) {
		const json_t *channel = json_array_get(channels, i);
		bool is_ok = json_is_true(json_object_get(channel, "ok"));
		const char *why = text_of(channel, "error");
		alerts_trial_add(out,
			is_ok ? NULL : mem_strdup(*why ? why : "the bridge does not say why"),
			"delivered by %s", text_of(channel, "channel"));
	}
	if (json_array_size(channels) == 0)
		alerts_trial_add(out,
			mem_strdup("set alerts.webhook_url_file or alerts.command, then 'cctm up'"),
			"there is a way to people");
	json_decref(root);
	return true;
}
