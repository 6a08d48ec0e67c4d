#include "config/checks.h"

#include "config/config.h"
#include "config/problems.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

/* The one of two keys that was set last is the one that is wrong: where only one was set, that. */
static const char *culprit(const struct config *config, const char *a, const char *b)
{
	const struct origin *of_a = &config_setting(config, a)->origin;
	const struct origin *of_b = &config_setting(config, b)->origin;
	if (of_a->kind != of_b->kind)
		return of_a->kind > of_b->kind ? a : b;
	if (of_a->line != of_b->line)
		return of_a->line > of_b->line ? a : b;
	return of_a->column > of_b->column ? a : b;
}

static void blame(const struct config *config, const char *key, struct problems *problems,
	struct error *error)
{
	problems_add(problems, &config_setting(config, key)->origin, key, error);
}

static void check_ports(const struct config *config, struct problems *problems)
{
	for (size_t i = 0; i < config_key_count; i++) {
		for (size_t j = 0; config_keys[i].type == KEY_PORT && j < i; j++) {
			const char *a = config_keys[j].path, *b = config_keys[i].path;
			if (config_keys[j].type != KEY_PORT ||
				config_number(config, a) != config_number(config, b))
				continue;
			AUTO(error) struct error error = ERROR_INIT;
			const char *wrong = culprit(config, a, b), *other = wrong == a ? b : a;
			AUTO(str) char *where = origin_text(&config_setting(config, other)->origin);
			error_set(&error, ERR_CONFIG, "%s is also %s (%s)",
				config_text(config, wrong), other, where);
			error_hint(&error, "every port needs a number of its own");
			blame(config, wrong, problems, &error);
		}
	}
}

static const struct {
	const char *key, *than;
	int64_t margin_ms;
	const char *why;
} at_least[] = {
	{ "bridge.zero_hold", "prometheus.scrape_interval", 0,
		"a new series must be scraped once while it is shown as 0" },
	{ "prometheus.retention_time", "prometheus.lookback", 0,
		"the recording rules look back that far" },
	/* The delta processor sweeps once a minute. */
	{ "collector.expiration", "collector.max_stale", 60000,
		"a series may not vanish while its stream can come back; one minute more is "
		"needed" },
	{ "prometheus.lookback", "collector.expiration", 1,
		"the rules must still find a series that the Collector dropped" },
};

static void check_order(const struct config *config, struct problems *problems)
{
	for (size_t i = 0; i < sizeof at_least / sizeof *at_least; i++) {
		const char *key = at_least[i].key, *than = at_least[i].than;
		if (config_number(config, key) >=
			config_number(config, than) + at_least[i].margin_ms)
			continue;
		AUTO(error) struct error error = ERROR_INIT;
		const char *wrong = culprit(config, key, than), *other = wrong == key ? than : key;
		AUTO(str) char *where = origin_text(&config_setting(config, other)->origin);
		error_set(&error, ERR_CONFIG, "%s is too %s for %s: %s (%s)",
			config_text(config, wrong), wrong == key ? "short" : "long", other,
			config_text(config, other), where);
		error_hint(&error, "%s must be %s: %s", key,
			at_least[i].margin_ms ? "longer" : "at least as long", at_least[i].why);
		blame(config, wrong, problems, &error);
	}
}

static void check_pair(
	const struct config *config, const char *a, const char *b, struct problems *problems)
{
	if (config_is_null(config, a) == config_is_null(config, b))
		return;
	AUTO(error) struct error error = ERROR_INIT;
	const char *given = config_is_null(config, a) ? b : a;
	error_set(&error, ERR_CONFIG, "%s is missing", given == a ? b : a);
	error_hint(&error, "certificate and key come together");
	blame(config, given, problems, &error);
}

/* Alertmanager refuses its whole configuration when one of them is missing. */
static void check_mail(const struct config *config, struct problems *problems)
{
	static const char *const needed[] = { "alerts.smtp_host", "alerts.email_from" };
	bool is_sent = config_is(config, "alerts.alertmanager") &&
		       config_setting(config, "alerts.email_to")->value.count > 0;
	for (size_t i = 0; is_sent && i < sizeof needed / sizeof *needed; i++) {
		if (!config_is_null(config, needed[i]))
			continue;
		AUTO(error) struct error error = ERROR_INIT;
		error_set(&error, ERR_CONFIG, "%s is missing", needed[i]);
		error_hint(&error, "mail is sent with alerts.smtp_host, alerts.email_from and "
				   "alerts.email_to together");
		blame(config, "alerts.email_to", problems, &error);
	}
}

void config_cross_check(const struct config *config, struct problems *problems)
{
	check_ports(config, problems);
	check_order(config, problems);
	check_pair(config, "otlp.tls_cert_file", "otlp.tls_key_file", problems);
	check_pair(config, "proxy.tls_cert_file", "proxy.tls_key_file", problems);
	check_mail(config, problems);
}
