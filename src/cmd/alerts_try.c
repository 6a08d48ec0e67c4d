/* cctm alerts test: an alert goes the whole way, and each step says whether it got that far. */
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/alerts_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"

#define POLL_MS	 250
#define SHOWN_MS 5000 /* until Alertmanager shows what it took */
#define SECOND_TRY_MS \
	5000		/* Alertmanager tries again what failed; one failure alone may be chance */
#define LASTS_MS 120000 /* the alert ends by itself */

void alerts_trial_add(struct alerts_trial *trial, char *why, const char *what, ...)
{
	va_list ap;
	va_start(ap, what);
	trial->steps = mem_grow(trial->steps, &trial->room, trial->count + 1, sizeof *trial->steps);
	trial->steps[trial->count++] =
		(struct alerts_step){ .what = mem_vprintf(what, ap), .why = why };
	trial->has_stopped |= why != NULL;
	va_end(ap);
}

static void trial_clear(struct alerts_trial *trial)
{
	for (size_t i = 0; i < trial->count; i++) {
		free(trial->steps[i].what);
		free(trial->steps[i].why);
	}
	free(trial->steps);
}

/* ---- the alert ---- */

struct trial_alert {
	char id[24];
	json_t *labels, *annotations;
};

static json_t *plain_copy(const json_t *texts)
{
	json_t *copy = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)texts, name, value)
	{
		const char *text = json_string_value(value);
		AUTO(str) char *plain = alerts_plain(text ? text : "");
		json_object_set_new(copy, name, json_string(plain));
	}
	return copy;
}

static void take_rule(struct trial_alert *alert, const struct prometheus_rule *rule)
{
	const struct prometheus_alert *active = rule->alert_count ? rule->alerts : NULL;
	alert->labels = active ? json_deep_copy(active->labels) : plain_copy(rule->labels);
	alert->annotations =
		active ? json_deep_copy(active->annotations) : plain_copy(rule->annotations);
	const char *summary = json_string_value(json_object_get(alert->annotations, "summary"));
	AUTO(str) char *marked = mem_printf("test: %s", summary ? summary : rule->name);
	json_object_set_new(alert->annotations, "summary", json_string(marked));
}

static bool make_alert(struct alerts_job *job, struct trial_alert *alert, struct error *err)
{
	AUTO(prometheus_rules) struct prometheus_rules rules = { 0 };
	const char *name = job->args->name;
	snprintf(alert->id, sizeof alert->id, "%lld", (long long)job->now_ms);
	if (name && !alerts_check_name(job, &rules, err))
		return false;
	const struct prometheus_rule *rule = name ? prometheus_rules_find(&rules, name) : NULL;
	if (rule) {
		take_rule(alert, rule);
	} else {
		alert->labels = json_pack("{s:s}", "severity", "info");
		alert->annotations =
			json_pack("{s:s, s:s}", "summary", "test: this is how alerts arrive",
				"description", "Nothing has happened: 'cctm alerts test' sent it.");
	}
	json_object_set_new(alert->labels, "alertname", json_string(name ? name : "Test"));
	json_object_set_new(alert->labels, "cctm_test", json_string("true"));
	json_object_set_new(alert->labels, "cctm_test_id", json_string(alert->id));
	return true;
}

/* ---- the steps ---- */

/* The message of an error becomes the reason of a step. */
static char *take_why(struct error *err)
{
	char *why = mem_strdup(err->message);
	error_clear(err);
	return why;
}

static void see_prometheus(const struct alerts_job *job, struct alerts_trial *trial)
{
	AUTO(error) struct error err = ERROR_INIT;
	size_t count = 0;
	char *why = NULL;
	if (!prometheus_alertmanagers(&job->prometheus, &count, &err))
		why = take_why(&err);
	else if (count == 0)
		why = mem_strdup(
			"it knows of none yet; 'cctm up' makes it read its configuration again");
	alerts_trial_add(trial, why, "Prometheus sends its alerts to Alertmanager");
}

/* NULL: it is there and told of. */
static char *see_alert(const struct alerts_job *job, const struct trial_alert *alert,
	struct alertmanager_seen *seen)
{
	AUTO(error) struct error err = ERROR_INIT;
	int64_t until_ms = clock_mono_ms() + SHOWN_MS;
	int found = alertmanager_find(&job->manager, "cctm_test_id", alert->id, seen, &err);
	while (found == 0 && clock_mono_ms() < until_ms) {
		poll(NULL, 0, POLL_MS);
		found = alertmanager_find(&job->manager, "cctm_test_id", alert->id, seen, &err);
	}
	if (found < 0)
		return take_why(&err);
	if (found == 0)
		return mem_strdup("it took the alert and does not show it");
	if (seen->is_silenced)
		return mem_strdup("a silence holds for it ('cctm alerts' lists them)");
	if (seen->is_inhibited)
		return mem_strdup("another alert that fires inhibits it");
	return seen->is_muted ? mem_strdup("it is muted at this time") : NULL;
}

static char *names_of(const json_t *receivers)
{
	char *names = NULL;
	for (size_t i = 0; i < json_array_size(receivers); i++) {
		const char *one = json_string_value(json_array_get(receivers, i));
		char *more = mem_printf("%s%s%s", names ? names : "", names ? ", " : "", one);
		free(names);
		names = more;
	}
	return names ? names : mem_strdup("nobody");
}

/* ---- delivery ---- */

struct delivery {
	struct alertmanager_ways before, now;
	int64_t failed_at_ms; /* monotonic, of the first failure that was seen; 0: none */
};

static double sent(const struct delivery *delivery, size_t i)
{
	const struct alertmanager_way *a = &delivery->before.items[i], *b = &delivery->now.items[i];
	return (b->requests - b->failed) - (a->requests - a->failed);
}

static double failed(const struct delivery *delivery, size_t i)
{
	return delivery->now.items[i].failed - delivery->before.items[i].failed;
}

/* Is there nothing more to wait for? */
static bool is_settled(struct delivery *delivery)
{
	bool is_waiting = false, has_failed = false;
	for (size_t i = 0; i < delivery->now.count; i++) {
		has_failed |= sent(delivery, i) < 1 && failed(delivery, i) >= 1;
		is_waiting |= sent(delivery, i) < 1 && failed(delivery, i) < 1;
	}
	if (has_failed && !delivery->failed_at_ms)
		delivery->failed_at_ms = clock_mono_ms();
	return !is_waiting &&
	       (!has_failed || clock_mono_ms() >= delivery->failed_at_ms + SECOND_TRY_MS);
}

static bool wait_for_delivery(
	const struct alerts_job *job, struct delivery *delivery, struct error *err)
{
	int64_t until_ms = clock_mono_ms() + job->args->timeout_ms;
	do {
		AUTO(str) char *metrics = alertmanager_metrics(&job->manager, err);
		if (!metrics)
			return false;
		alertmanager_ways_count(metrics, &delivery->now);
		if (is_settled(delivery))
			return true;
		out_status(job->ctx->out, "waiting for the delivery");
		poll(NULL, 0, POLL_MS);
	} while (clock_mono_ms() < until_ms);
	return true;
}

static void tell_delivery(
	const struct alerts_job *job, const struct delivery *delivery, struct alerts_trial *trial)
{
	for (size_t i = 0; i < delivery->now.count; i++) {
		char *why = NULL;
		if (sent(delivery, i) < 1 && failed(delivery, i) >= 1)
			why = mem_printf("it was tried %.0f times and failed; 'cctm logs "
					 "alertmanager --errors' says why",
				failed(delivery, i));
		else if (sent(delivery, i) < 1)
			why = mem_printf("nothing was sent within %lld s",
				(long long)job->args->timeout_ms / 1000);
		alerts_trial_add(trial, why, "delivered by %s", delivery->now.items[i].integration);
	}
}

static void see_delivery(const struct alerts_job *job, const char *metrics,
	const struct alertmanager_seen *seen, struct alerts_trial *trial)
{
	AUTO(error) struct error err = ERROR_INIT;
	struct delivery delivery = { 0 };
	AUTO(str) char *names = names_of(seen->receivers);
	bool is_read =
		alertmanager_ways_read(&job->manager, seen->receivers, &delivery.before, &err) &&
		alertmanager_ways_read(&job->manager, seen->receivers, &delivery.now, &err);
	if (is_read && delivery.now.count == 0) {
		alerts_trial_add(trial,
			mem_printf("receiver %s tells nobody: set alerts.webhook_url_file, "
				   "alerts.slack_url_file or alerts.email_to, then 'cctm init' and "
				   "'cctm up'",
				names),
			"there is a way to people");
	} else if (is_read && delivery.before.count == delivery.now.count) {
		alertmanager_ways_count(metrics, &delivery.before);
		is_read = wait_for_delivery(job, &delivery, &err);
		if (is_read)
			tell_delivery(job, &delivery, trial);
	}
	if (!is_read)
		alerts_trial_add(trial, take_why(&err), "what Alertmanager delivered is known");
	alertmanager_ways_clear(&delivery.before);
	alertmanager_ways_clear(&delivery.now);
}

static void try_manager(
	const struct alerts_job *job, const struct trial_alert *alert, struct alerts_trial *trial)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(alertmanager_seen) struct alertmanager_seen seen = { 0 };
	AUTO(str) char *metrics = alertmanager_metrics(&job->manager, &err);
	bool is_put = metrics && alertmanager_put(&job->manager, alert->labels, alert->annotations,
					 job->now_ms, job->now_ms + LASTS_MS, &err);
	alerts_trial_add(trial, is_put ? NULL : take_why(&err), "Alertmanager takes an alert");
	if (!is_put)
		return;
	char *why = see_alert(job, alert, &seen);
	bool is_told = !why;
	alerts_trial_add(trial, why, "it shows it and nothing holds it back");
	if (is_told)
		see_delivery(job, metrics, &seen, trial);
}

/* ---- showing it ---- */

static void print_text(const struct alerts_job *job, const struct alerts_trial *trial)
{
	struct out *out = job->ctx->out;
	out_end_status(out);
	for (size_t i = 0; i < trial->count; i++) {
		const struct alerts_step *step = &trial->steps[i];
		out_printf(out, "%s%s%s %s%s%s\n",
			out_style(out, step->why ? STYLE_RED : STYLE_GREEN),
			step->why ? "no " : "yes", out_style(out, STYLE_PLAIN), step->what,
			step->why ? ": " : "", step->why ? step->why : "");
	}
}

static void print_json(const struct alerts_job *job, const struct alerts_trial *trial)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < trial->count; i++)
		json_array_append_new(steps,
			json_pack("{s:o, s:b, s:o}", "step", out_json_text(trial->steps[i].what),
				"ok", trial->steps[i].why == NULL, "why",
				out_json_text(trial->steps[i].why)));
	const char *name = job->args->name;
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:o}", "alert", out_json_text(name ? name : "Test"),
			"delivered", !trial->has_stopped, "steps", steps));
}

static int finish(const struct alerts_job *job, struct alerts_trial *trial)
{
	if (job->ctx->is_json)
		print_json(job, trial);
	else
		print_text(job, trial);
	int status = trial->has_stopped ? error_exit_status(ERR_UNHEALTHY) : 0;
	trial_clear(trial);
	return status;
}

int alerts_try(struct alerts_job *job, struct error *err)
{
	struct alerts_trial trial = { 0 };
	struct trial_alert alert = { 0 };
	if (job->is_embedded)
		return alerts_bridge_try(job, &trial, err) ? finish(job, &trial) : -1;
	if (!job->has_manager) {
		error_set(err, ERR_UNHEALTHY,
			"nobody is told of alerts: Alertmanager is not part of the stack");
		error_hint(err, "'cctm config set alerts.alertmanager true', then 'cctm init' and "
				"'cctm up'");
		return -1;
	}
	int status = -1;
	if (make_alert(job, &alert, err)) {
		see_prometheus(job, &trial);
		try_manager(job, &alert, &trial);
		status = finish(job, &trial);
	}
	json_decref(alert.labels);
	json_decref(alert.annotations);
	return status;
}
