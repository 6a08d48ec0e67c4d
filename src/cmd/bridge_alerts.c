/* The budgets and alerts of cctm.yaml as the bridge takes them. There are no options for them: a budget that a command
 * line holds would be forgotten with it. */
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "cmd/bridge_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/zone.h"

#define DAY_MS INT64_C(86400000)
/* What has to be in the ledger: the running period and a day, for a restart; four weeks to compare a weekday with. */
#define WEEK_KEPT_MS  (8 * DAY_MS)
#define MONTH_KEPT_MS (32 * DAY_MS)
#define QUIET_KEPT_MS (29 * DAY_MS)

static const char *const period_keys[PERIOD_COUNT] = { "daily_usd", "weekly_usd", "monthly_usd" };
static const char *const scope_keys[SCOPE_COUNT] = { "", "per_user.", "per_team.", "per_model." };

static void read_budgets(const struct config *config, struct budgets *out)
{
	for (unsigned i = 0; i < PERIOD_COUNT * SCOPE_COUNT; i++) {
		unsigned period = i / SCOPE_COUNT, scope = i % SCOPE_COUNT;
		AUTO(str)
		char *key = mem_printf("budgets.%s%s", scope_keys[scope], period_keys[period]);
		if (!config_is_null(config, key))
			out->limit_usd[period][scope] = (double)config_number(config, key) / 1000;
	}
}

/* The longest that has to be remembered, and for which key. */
static int64_t kept_ms(const struct bridge_file *file, const char **why)
{
	int64_t kept = 0;
	for (unsigned i = 0; i < PERIOD_COUNT * SCOPE_COUNT; i++) {
		unsigned period = i / SCOPE_COUNT;
		int64_t needed = period == PERIOD_MONTH	 ? MONTH_KEPT_MS
				 : period == PERIOD_WEEK ? WEEK_KEPT_MS
							 : 0;
		if (file->budgets.limit_usd[period][i % SCOPE_COUNT] <= 0 || needed <= kept)
			continue;
		kept = needed;
		*why = period == PERIOD_MONTH ? "a monthly budget" : "a weekly budget";
	}
	if (file->no_data_after_ms > 0 && kept < QUIET_KEPT_MS) {
		kept = QUIET_KEPT_MS;
		*why = "alerts.no_data_after";
	}
	return kept;
}

bool bridge_check_kept(
	const struct bridge_args *args, const struct bridge_file *file, struct error *err)
{
	const char *why = NULL;
	int64_t needed_ms = kept_ms(file, &why);
	if (args->retention_ms >= needed_ms)
		return true;
	AUTO(str) char *kept = str_duration(args->retention_ms);
	AUTO(str) char *needed = str_duration(needed_ms);
	error_set(err, ERR_CONFIG, "history is kept for %s, but %s needs %s of it", kept, why,
		needed);
	return error_hint(err, "'cctm config set bridge.retention 400d', or --retention");
}

/* In containers Prometheus' rules find the same and Alertmanager tells of it, so once is enough; what the user's files and
 * programs are is not known there either. */
static bool leaves_telling(const struct config *config)
{
	bool has_alertmanager = config_is(config, "alerts.alertmanager");
	bool is_embedded = strcmp(config_text(config, "runtime"), "embedded") == 0;
	bool is_docker = strcmp(config_text(config, "runtime"), "docker") == 0;
	if (has_alertmanager && is_embedded)
		log_warning("alerts.alertmanager has no effect in an embedded stack: the bridge "
			    "itself tells of alerts");
	if (!has_alertmanager && is_docker &&
		(config_is_set(config, "alerts.webhook_url_file") ||
			config_is_set(config, "alerts.command")))
		log_warning("the bridge of a stack in containers tells nobody of alerts: 'cctm "
			    "config set alerts.alertmanager true' has Alertmanager do it");
	return is_docker || (has_alertmanager && !is_embedded);
}

/* A container may have no time zones at all: data is taken all the same. */
static void use_zone(const struct config *config)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(error) struct error ignored = ERROR_INIT;
	bool has_zone = !config_is_null(config, "time_zone");
	if (zone_use(has_zone ? config_text(config, "time_zone") : NULL, &err))
		return;
	log_warning("%s; the days of budgets begin at midnight UTC", err.message);
	if (!zone_use("UTC", &ignored))
		log_warning("%s", ignored.message);
}

static void warn_of_mail(const struct config *config)
{
	static const char *const keys[] = { "alerts.email_to", "alerts.email_from",
		"alerts.smtp_host" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct value *value = &config_setting(config, keys[i])->value;
		if (!config_is_set(config, keys[i]) || (!value->count && !value->text) ||
			value->is_null)
			continue;
		AUTO(str) char *where = origin_text(&config_setting(config, keys[i])->origin);
		log_warning("%s (%s) has no effect here: only Alertmanager sends mail, the bridge "
			    "calls a webhook or a command",
			keys[i], where);
	}
}

/* As seen from the stack's directory, wherever the bridge was started. Yours. */
static char *from_stack(const char *dir, const char *path)
{
	return *path == '/' ? mem_strdup(path) : path_join(dir, path);
}

static bool take_webhook(struct bridge_file *file, const char *dir, struct error *err)
{
	if (config_is_null(&file->config, "alerts.webhook_url_file"))
		return true;
	AUTO(str)
	char *path = from_stack(dir, config_text(&file->config, "alerts.webhook_url_file"));
	file->program = proc_self(err);
	if (!file->program)
		return false;
	bridge_check_webhook(path);
	file->post_alert = mem_printf("--post-alert=%s", path);
	const char *const words[] = { file->program, "bridge", file->post_alert, NULL };
	memcpy(file->webhook, words, sizeof words);
	return true;
}

/* A name without a slash is looked for in PATH. */
static void take_command(struct bridge_file *file, const char *dir)
{
	const struct value *list = &config_setting(&file->config, "alerts.command")->value;
	if (!list->count)
		return;
	file->command = mem_calloc(list->count + 1, sizeof *file->command);
	for (size_t i = 0; i < list->count; i++)
		file->command[i] = list->items[i];
	if (!strchr(file->command[0], '/'))
		return;
	file->command_path = from_stack(dir, file->command[0]);
	file->command[0] = file->command_path;
}

bool bridge_take_alerts(struct bridge_file *file, const char *dir, struct error *err)
{
	const struct config *config = &file->config;
	read_budgets(config, &file->budgets);
	if (!config_is_null(config, "alerts.no_data_after"))
		file->no_data_after_ms = config_number(config, "alerts.no_data_after");
	if (budgets_any(&file->budgets) || file->no_data_after_ms > 0)
		use_zone(config);
	if (leaves_telling(config))
		return true;
	warn_of_mail(config);
	take_command(file, dir);
	return take_webhook(file, dir, err);
}
