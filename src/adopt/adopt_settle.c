/* Settings that are right one by one and do not go together: what cctm.yaml would refuse is settled here, so that the
 * settings of an adoption can be used as they are. */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "config/config.h"
#include "config/problems.h"
#include "core/error.h"
#include "core/mem.h"

#define ROUNDS_MAX 100

/* A source that says "where" as a setting does. */
static struct source place_of(struct reader *reader, const char *where)
{
	return (struct source){ .reader = reader, .name = (char *)(uintptr_t)where };
}

/* The keys' numbers with all settings, whether they go together or not. */
static int64_t number_of(const struct reader *reader, const char *path)
{
	const struct adopt_setting *setting = find_setting(reader, path);
	const struct key *key = key_find(path);
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *text = setting ? setting->text : key_fallback(key, PROFILE_LOCAL);
	return value_parse_words(key, text, &value, &ignored) ? value.number : 0;
}

/* `key` has to follow `cause`, which the user's stack has, and takes its text. */
static void follow(struct reader *reader, const char *key, const char *cause)
{
	const struct adopt_setting *setting = find_setting(reader, cause);
	AUTO(str) char *where = mem_strdup(setting->where);
	AUTO(str) char *text = mem_strdup(setting->text);
	const struct source source = place_of(reader, where);
	add_setting(&source, NULL, key, text);
}

static void settle_durations(struct reader *reader)
{
	const struct adopt_setting *retention = find_setting(reader, "prometheus.retention_time");
	if (retention && number_of(reader, "prometheus.retention_time") <
				 number_of(reader, "prometheus.lookback")) {
		AUTO(str) char *where = mem_strdup(retention->where);
		const struct source source = place_of(reader, where);
		add_fault(&source, NULL, FAULT_RETENTION_SHORT,
			"Prometheus keeps samples for %s, and recording rules look back further",
			retention->text);
		follow(reader, "prometheus.lookback", "prometheus.retention_time");
	}
	if (number_of(reader, "prometheus.scrape_interval") > number_of(reader, "bridge.zero_hold"))
		follow(reader, "bridge.zero_hold", "prometheus.scrape_interval");
}

static const char *holder_of(const struct reader *reader, int64_t port, const char *except)
{
	for (size_t row = 0; row < service_port_count; row++) {
		const char *key = service_ports[row].key;
		if (strcmp(key, except) != 0 && number_of(reader, key) == port)
			return key;
	}
	return NULL;
}

static int64_t free_port(const struct reader *reader, int64_t port)
{
	while (port < 65535 && holder_of(reader, port, ""))
		port++;
	return port;
}

/* A port that the user's stack uses for one thing may be cctm's default for another, which then moves. */
static void settle_ports(struct reader *reader)
{
	for (size_t row = 0; row < service_port_count; row++) {
		const char *key = service_ports[row].key;
		int64_t port = number_of(reader, key);
		const char *holder = holder_of(reader, port, key);
		if (!holder || find_setting(reader, key))
			continue;
		AUTO(str) char *text = mem_printf("%lld", (long long)free_port(reader, port + 1));
		AUTO(str) char *where = mem_strdup(find_setting(reader, holder)->where);
		const struct source source = place_of(reader, where);
		add_setting(&source, NULL, key, text);
	}
}

/* The first problem of all settings together. False: there is none. */
static bool find_problem(struct reader *reader, char **key, char **message)
{
	const struct adoption *out = reader->out;
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	struct config_flag *flags = mem_calloc(out->setting_count + 1, sizeof *flags);
	for (size_t i = 0; i < out->setting_count; i++)
		flags[i] = (struct config_flag){ .key = out->settings[i].key,
			.text = out->settings[i].text,
			.name = out->settings[i].where };
	const struct config_request request = { .flags = flags, .flag_count = out->setting_count };
	bool is_right = config_check(&request, &config, &problems);
	if (!is_right) {
		const struct problem *first = &problems.items[0];
		*key = first->key ? mem_strdup(first->key) : NULL;
		*message = mem_strdup(first->error.message);
	}
	free(flags);
	return !is_right;
}

static void refuse(struct reader *reader, const char *key, const char *message)
{
	const struct adopt_setting *setting = find_setting(reader, key);
	AUTO(str) char *where = mem_strdup(setting->where);
	const struct source source = place_of(reader, where);
	drop_setting(reader, key);
	add_fault(&source, NULL, FAULT_VALUE, "%s: %s", key, message);
	set_remedy(reader, "the default stays");
}

void settings_settle(struct reader *reader)
{
	settle_durations(reader);
	settle_ports(reader);
	for (unsigned round = 0; round < ROUNDS_MAX && !reader_failed(reader); round++) {
		AUTO(str) char *key = NULL;
		AUTO(str) char *message = NULL;
		if (!find_problem(reader, &key, &message))
			return;
		if (!key || !find_setting(reader, key)) {
			error_set(reader->err, ERR_CONFIG,
				"the settings of this stack do not go "
				"together: %s",
				message);
			return;
		}
		refuse(reader, key, message);
	}
}
