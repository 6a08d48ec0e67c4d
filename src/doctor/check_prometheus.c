/* Prometheus: does it read, record and keep what is received? */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "doctor/doctor_internal.h"
#include "render/model.h"

#define CLOCK_MAX_S 30
#define SERIES_MAX  200000

static void fix_by_restart(const struct doctor *d, struct check_outcome *out)
{
	if (d->is_own)
		outcome_cctm(out, d, FIX_SAFE, "restart", "prometheus", NULL);
	else
		outcome_advise(out, "'docker compose restart prometheus' in %s", d->dir);
}

/* False: it could not be asked, and that is said. */
static bool ask(struct doctor *d, const char *expression, struct prometheus_vector *found,
	struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *url = model_url(&d->stack.config, "ports.prometheus", "");
	const struct prometheus prometheus = { .url = url };
	if (prometheus_query(&prometheus, expression, found, &err))
		return true;
	outcome_say(out, CHECK_FAILURE, "%s", err.message);
	fix_by_restart(d, out);
	return false;
}

/* ---- what it reads ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static bool is_pushed(const struct doctor *d)
{
	return strcmp(config_text(&d->stack.config, "collector.export"), "remote_write") == 0 &&
	       !doctor_is_bridge(d);
}

void check_job(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const json_t *targets = doctor_targets(d), *target;
	size_t i;
	(void)check;
	if (is_pushed(d)) {
		outcome_say(out, CHECK_SKIPPED, "the Collector pushes");
		return;
	}
	json_array_foreach(targets, i, target)
	{
		const char *pool = text_of(target, "scrapePool");
		if (strcmp(pool, doctor_receiver(d)) == 0 ||
			(d->is_hand_made && strstr(text_of(target, "scrapeUrl"), ":8889")))
			return;
	}
	outcome_say(out, CHECK_FAILURE,
		"Prometheus has no job %s, so it never reads what is "
		"received",
		doctor_receiver(d));
	if (d->is_own)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
	outcome_advise(out, "config/prometheus.yml needs a job for port 8889 of %s, then 'cctm up'",
		doctor_receiver(d));
}

void check_targets(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const json_t *targets = doctor_targets(d), *target;
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	size_t i;
	(void)check;
	json_array_foreach(targets, i, target)
	{
		const char *health = text_of(target, "health");
		if (strcmp(health, "down") == 0)
			buf_addf(&all, "%s%s (%s): %s", all.len ? "; " : "",
				text_of(target, "scrapePool"), text_of(target, "scrapeUrl"),
				text_of(target, "lastError"));
	}
	if (!all.len)
		return;
	outcome_say(out, CHECK_FAILURE, "%s", buf_str(&all));
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "status", NULL);
	outcome_advise(out, "is the part up, and are name and port in config/prometheus.yml those "
			    "of the Compose file?");
}

/* What is received and does not come here. */
void check_arrived(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(prometheus_vector) struct prometheus_vector found = { 0 };
	const char *text = doctor_exposition(d);
	(void)check;
	if (!text || !strstr(text, "\nclaude_code_")) {
		outcome_say(out, CHECK_NOTE, "the receiver has nothing of Claude Code yet");
		return;
	}
	if (!ask(d, "count(last_over_time({__name__=~\"claude_code_.*_total\"}[1h]))", &found,
		    out) ||
		found.count)
		return;
	/* Nobody tells since when it is shown, so the first data of all are reported for as long as a scrape takes. */
	outcome_say(out, CHECK_WARNING,
		"the receiver shows metrics of Claude Code, and Prometheus has none of them; right "
		"after the first data that is so for %s",
		config_text(&d->stack.config, "prometheus.scrape_interval"));
	fix_by_restart(d, out);
	outcome_advise(out, "is the job's address the receiver's port for metrics (8889)?");
}

/* ---- how it is set up ---- */

void check_reload(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	static const char name[] = "prometheus_config_last_reload_successful";
	const char *text = doctor_prometheus_metrics(d);
	(void)check;
	if (!text || !strstr(text, name) || exposition_sum(text, name) > 0)
		return;
	outcome_say(out, CHECK_FAILURE,
		"its configuration was changed to one that it cannot read: "
		"it goes on with the former one");
	if (d->is_own)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "logs", "prometheus", NULL);
	outcome_advise(out, "the log names file and line; mend it, then 'cctm restart prometheus'");
}

static json_t *read_rules(struct doctor *d, struct check_outcome *out)
{
	AUTO(str) char *why = NULL;
	json_t *root = doctor_get_json(d, "ports.prometheus", "/api/v1/rules", &why);
	if (!root)
		outcome_say(out, CHECK_FAILURE, "%s", why);
	return root;
}

void check_rules(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	size_t i, k, count = 0;
	const json_t *group, *rule;
	json_t *root = read_rules(d, out);
	(void)check;
	json_array_foreach(json_object_get(json_object_get(root, "data"), "groups"), i, group)
	{
		json_array_foreach(json_object_get(group, "rules"), k, rule) count +=
			strcmp(text_of(rule, "type"), "recording") == 0;
	}
	if (root && !count) {
		outcome_say(out, CHECK_FAILURE,
			"no recording rules are loaded, and the dashboards "
			"add up what those record");
		fix_by_restart(d, out);
		outcome_advise(out, "rule_files in config/prometheus.yml has to name rules/*.yml");
	}
	json_decref(root);
}

void check_rule_errors(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	size_t i, k;
	const json_t *group, *rule;
	json_t *root = read_rules(d, out);
	(void)check;
	json_array_foreach(json_object_get(json_object_get(root, "data"), "groups"), i, group)
	{
		json_array_foreach(json_object_get(group, "rules"), k, rule)
		{
			const char *error = text_of(rule, "lastError");
			if (!*error || out->evidence)
				continue;
			outcome_say(out, CHECK_FAILURE, "%s: %s", text_of(rule, "name"), error);
			outcome_advise(out, "mend the rule in config/rules/, then 'cctm restart "
					    "prometheus'");
		}
	}
	json_decref(root);
}

void check_retention(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *why = NULL;
	AUTO(error) struct error ignored = ERROR_INIT;
	json_t *root = doctor_get_json(d, "ports.prometheus", "/api/v1/status/flags", &why);
	const char *said = text_of(json_object_get(root, "data"), "storage.tsdb.retention.time");
	int64_t wanted_ms = config_number(&d->stack.config, "prometheus.retention_time");
	int64_t has_ms = 0;
	(void)check;
	if (str_parse_duration(said, &has_ms, &ignored) && has_ms && has_ms < wanted_ms) {
		AUTO(str) char *wanted = str_duration(wanted_ms);
		outcome_say(out, CHECK_WARNING,
			"Prometheus keeps data for %s, and cctm.yaml asks for %s", said, wanted);
		outcome_cctm(out, d, FIX_SAFE, "up", NULL);
	}
	json_decref(root);
}

void check_clock(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(prometheus_vector) struct prometheus_vector found = { 0 };
	(void)check;
	if (!ask(d, "vector(time())", &found, out) || !found.count)
		return;
	double off_s = found.items[0].value - (double)clock_wall_ms() / 1000;
	if (off_s < CLOCK_MAX_S && off_s > -CLOCK_MAX_S)
		return;
	outcome_say(out, CHECK_FAILURE,
		"its clock is %.0f s %s this machine's: dashboards look where no data are",
		off_s < 0 ? -off_s : off_s, off_s < 0 ? "behind" : "before");
	outcome_advise(out, "set the clock, or restart the engine's virtual machine, whose clock "
			    "stands still while the machine sleeps");
}

/* How many series there are, and which label has most values. */
void check_series(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *why = NULL;
	json_t *root = doctor_get_json(d, "ports.prometheus", "/api/v1/status/tsdb", &why);
	const json_t *data = json_object_get(root, "data");
	const json_t *label =
		json_array_get(json_object_get(data, "labelValueCountByLabelName"), 0);
	int64_t count = json_integer_value(
		json_object_get(json_object_get(data, "headStats"), "numSeries"));
	(void)check;
	if (count > SERIES_MAX) {
		outcome_say(out, CHECK_WARNING,
			"%lld series are in memory; the label %s has most values, %lld",
			(long long)count, text_of(label, "name"),
			(long long)json_integer_value(json_object_get(label, "value")));
		outcome_advise(out,
			"fewer labels make fewer series: OTEL_METRICS_INCLUDE_SESSION_ID"
			"=false leaves out session_id, 'cctm config set ingest bridge' "
			"does so by itself; a shorter prometheus.retention_time does not "
			"help memory");
	}
	json_decref(root);
}
