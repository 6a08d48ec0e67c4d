/* cctm alerts: which alert rules there are and what they say, whether a notification arrives, and silences.
 *
 * Rules are Prometheus' and notifications Alertmanager's; an embedded stack's bridge does both. A list only reads. A test
 * sends one alert that says that it is a test, and claims no delivery that Alertmanager did not count.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/alerts_internal.h"
#include "cmd/cmd.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/str.h"
#include "render/model.h"

static const char *const actions[] = { "list", "test", "silence", NULL };

static const struct opt alerts_options[] = {
	OPT_DURATION(struct alerts_args, for_ms, 0, "for", 60000, INT64_C(31536000000), "2h",
		"silence: how long"),
	OPT(struct alerts_args, comment, 0, "comment", "TEXT", "silence: why, for others to read"),
	OPT(struct alerts_args, is_removed, 0, "remove", NULL,
		"silence: end the silences of that alert"),
	OPT_DURATION(struct alerts_args, timeout_ms, 't', "timeout", 1000, 600000, "1m",
		"test: give up waiting for the delivery after this long"),
	OPT(struct alerts_args, is_dry_run, 0, "dry-run", NULL,
		"silence: say what would be done, and do nothing"),
	OPT_END,
};

static const struct opt_argument alerts_arguments[] = {
	{ .offset = offsetof(struct alerts_args, action),
		.name = "ACTION",
		.is_optional = true,
		.choices = actions,
		.help = "list: every rule with its state, and the silences (this is the default); "
			"test: send an alert the whole way; silence: tell nobody of one for a "
			"while" },
	{ .offset = offsetof(struct alerts_args, name),
		.name = "NAME",
		.is_optional = true,
		.help = "the name of an alert, as list shows it" },
	OPT_ARGUMENT_END,
};

static const struct example alerts_examples[] = {
	{ "cctm alerts", "what fires, what is about to, and what is watched" },
	{ "cctm alerts test", "does a notification arrive?" },
	{ "cctm alerts test BudgetReached", "what will it look like?" },
	{ "cctm alerts silence PartDown --for 1h --comment maintenance", "no notification of it" },
	{ "cctm alerts silence PartDown --remove", "tell of it again" },
	{ NULL, NULL },
};

static int alerts_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_alerts = {
	.name = "alerts",
	.group = GROUP_DATA,
	.summary = "list alerts, test that they arrive, silence one",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct alerts_args),
	.options = alerts_options,
	.arguments = alerts_arguments,
	.examples = alerts_examples,
	.text = "list shows every alert rule of the stack with its state: inactive, pending (what "
		"it waits for is so, but not yet for long enough), firing, or that its expression "
		"fails; and the silences that hold.\n\n"
		"test sends an alert with the label cctm_test the way that others go: it is put "
		"into Alertmanager, seen there, and what Alertmanager counts for each way "
		"(webhook, "
		"slack, email) says whether it was delivered. It says where it stopped, and exits "
		"with 3. Another alert that is delivered at the same moment counts too. With NAME "
		"it has that rule's labels and annotations.\n\n"
		"silence makes Alertmanager tell nobody of an alert for a while; run again, it "
		"changes the time. Who is told is set by alerts.webhook_url_file, "
		"alerts.slack_url_file and alerts.email_to in cctm.yaml.\n\n"
		"In an embedded stack the bridge watches budgets and missing data and calls a "
		"webhook or a command by itself; there are no silences.",
	.run = alerts_run,
};

static bool check_words(
	const struct context *ctx, const struct alerts_args *args, struct error *err)
{
	static const struct {
		const char *option, *action;
	} belongs[] = { { "for", "silence" }, { "comment", "silence" }, { "remove", "silence" },
		{ "dry-run", "silence" }, { "timeout", "test" } };

	const char *action = args->action ? args->action : "list";
	bool is_silence = strcmp(action, "silence") == 0;
	for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
		if (context_is_given(ctx, alerts_options, belongs[i].option) &&
			strcmp(belongs[i].action, action) != 0)
			return error_set(err, ERR_USAGE, "--%s goes with %s", belongs[i].option,
				belongs[i].action);
	}
	if (is_silence && !args->name) {
		error_set(err, ERR_USAGE, "silence takes the name of an alert");
		return error_hint(err, "'cctm alerts' lists them");
	}
	if (args->name && strcmp(action, "list") == 0)
		return error_set(err, ERR_USAGE, "list takes no name");
	if (args->is_removed && (args->comment || context_is_given(ctx, alerts_options, "for")))
		return error_set(err, ERR_USAGE, "--remove goes with neither --for nor --comment");
	return true;
}

static bool begin(struct alerts_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err) || !loaded_use_zone(&job->stack, err))
		return false;
	const struct config *config = &job->stack.config;
	job->is_embedded = job->stack.runtime == RUNTIME_EMBEDDED;
	job->has_manager = !job->is_embedded && service_is_used(config, SERVICE_ALERTMANAGER);
	job->prometheus_url = model_url(config, "ports.prometheus", "");
	job->manager_url = model_url(config, "ports.alertmanager", "");
	job->prometheus.url = job->prometheus_url;
	job->manager.url = job->manager_url;
	job->now_ms = clock_wall_ms();
	return true;
}

static int act(struct alerts_job *job, struct error *err)
{
	const char *action = job->args->action ? job->args->action : "list";
	if (strcmp(action, "test") == 0)
		return alerts_try(job, err);
	return strcmp(action, "silence") == 0 ? alerts_silence(job, err) : alerts_list(job, err);
}

static int alerts_run(struct context *ctx, const void *raw, struct error *err)
{
	struct alerts_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (!check_words(ctx, job.args, err))
		return -1;
	if (begin(&job, err))
		status = act(&job, err);
	free(job.prometheus_url);
	free(job.manager_url);
	loaded_clear(&job.stack);
	return status;
}

/* ---- shared by the actions ---- */

#define NAMES_MAX 1000

bool alerts_check_name(struct alerts_job *job, struct prometheus_rules *rules, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *names[NAMES_MAX], *nearest;
	size_t count = 0;
	if (!prometheus_rules_read(&job->prometheus, rules, &ignored) ||
		prometheus_rules_find(rules, job->args->name))
		return true;
	for (size_t i = 0; i < rules->count && count < NAMES_MAX; i++)
		names[count++] = rules->items[i].name;
	nearest = str_nearest(job->args->name, names, count);
	error_set(err, ERR_USAGE, "there is no alert %.120s", job->args->name);
	if (nearest)
		error_hint(err, "did you mean %s?", nearest);
	return error_hint(err, "'cctm alerts' lists them");
}
