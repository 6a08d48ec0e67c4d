/* Prometheus: its flags and its configuration. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

#define RETENTION_UNLIMITED "36500d" /* as long as a key can say */

/* ---- retention ---- */

/* Prometheus knows years; cctm.yaml does not. Yours. */
static char *duration_text(const char *text)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	size_t len = strspn(text, "0123456789");
	AUTO(str) char *digits = mem_strndup(text, len);
	int64_t years, rest = 0;
	if (!len || text[len] != 'y' || !str_parse_int(digits, 0, 1000, &years, &ignored) ||
		(text[len + 1] && !str_parse_duration(text + len + 1, &rest, &ignored)))
		return mem_strdup(text);
	return str_duration(years * 365 * 86400000 + rest);
}

/* Prometheus counts KB, MB, GB in powers of 1024; for cctm.yaml these are KiB, MiB, GiB. Yours. */
static char *size_text(const char *text)
{
	size_t len = strspn(text, "0123456789");
	bool is_binary =
		len && text[len] && strchr("KMGTPE", text[len]) && strcmp(text + len + 1, "B") == 0;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *digits = mem_strndup(text, len);
	int64_t number;
	if (!is_binary || !str_parse_int(digits, 0, 1 << 20, &number, &ignored))
		return mem_strdup(text);
	for (const char *unit = "KMGTPE"; *unit; unit++) {
		if (__builtin_mul_overflow(number, INT64_C(1024), &number))
			return mem_strdup(text);
		if (*unit == text[len])
			break;
	}
	return str_size(number);
}

static void set_retention(const struct source *time_source, const struct node *time_node,
	const char *time, const struct source *size_source, const struct node *size_node,
	const char *size)
{
	if (time) {
		AUTO(str) char *text = duration_text(time);
		add_setting(time_source, time_node, "prometheus.retention_time", text);
	}
	if (size) {
		AUTO(str) char *text = size_text(size);
		add_setting(size_source, size_node, "prometheus.retention_size", text);
	}
}

/* Without a time Prometheus keeps 15 days, or with a size everything that fits. A shorter default would delete what
 * is there. */
static void set_default_retention(struct reader *reader, const struct node *size_node)
{
	const struct part *part = &reader->parts[SERVICE_PROMETHEUS];
	add_setting(&reader->compose, size_node ? size_node : part->node,
		"prometheus.retention_time", size_node ? RETENTION_UNLIMITED : "15d");
}

static void read_retention(struct reader *reader, const struct source *config)
{
	const struct part *part = &reader->parts[SERVICE_PROMETHEUS];
	const struct source *compose = &reader->compose;
	const struct node *time_node = NULL, *size_node = NULL;
	const char *time = command_flag(part, "--storage.tsdb.retention.time", &time_node);
	const char *size = command_flag(part, "--storage.tsdb.retention.size", &size_node);
	if (!time)
		time = command_flag(part, "--storage.tsdb.retention", &time_node);
	const struct node *storage = node_map(config, config->tree.root, "storage");
	const struct node *tsdb = node_map(config, storage, "tsdb");
	const struct node *retention = node_map(config, tsdb, "retention");
	const struct node *in_file_time = node_text(config, retention, "time");
	const struct node *in_file_size = node_text(config, retention, "size");
	/* The file wins over the flags. */
	set_retention(in_file_time ? config : compose, in_file_time ? in_file_time : time_node,
		in_file_time ? in_file_time->text : time, in_file_size ? config : compose,
		in_file_size ? in_file_size : size_node, in_file_size ? in_file_size->text : size);
	if (!time && !in_file_time)
		set_default_retention(reader, in_file_size ? part->node : size_node);
}

/* ---- other flags ---- */

static const struct {
	const char *flag, *key; /* NULL: the new stack says it itself, or it is of no use */
} flags[] = {
	{ "--query.timeout", "prometheus.query_timeout" },
	{ "--query.max-concurrency", "prometheus.query_concurrency" },
	{ "--config.file", NULL },
	{ "--storage.tsdb.path", NULL },
	{ "--storage.tsdb.retention.time", NULL },
	{ "--storage.tsdb.retention.size", NULL },
	{ "--storage.tsdb.retention", NULL },
	{ "--web.console.libraries", NULL },
	{ "--web.console.templates", NULL },
	{ "--web.enable-lifecycle", NULL },
	{ "--web.enable-remote-write-receiver", NULL },
	{ "--web.enable-admin-api", NULL },
	{ "--web.listen-address", NULL },
	{ "--log.level", NULL },
};

static bool is_known_flag(const char *word)
{
	size_t len = strcspn(word, "=");
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (slice_eq_str(slice_of(word, len), flags[i].flag))
			return true;
	}
	return false;
}

static void read_flags(struct reader *reader)
{
	const struct part *part = &reader->parts[SERVICE_PROMETHEUS];
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		const struct node *node = NULL;
		const char *value = flags[i].key ? command_flag(part, flags[i].flag, &node) : NULL;
		if (value)
			add_setting(&reader->compose, node, flags[i].key, value);
	}
	for (size_t i = 0; i < part->word_count; i++) {
		const char *word = part->words[i];
		if (str_has_prefix(word, "--") && !is_known_flag(word))
			add_kept(&reader->compose, part->word_nodes[i], advice_override,
				"flag %.*s of Prometheus", (int)strcspn(word, "="), word);
	}
}

static void read_listen_address(struct reader *reader)
{
	const struct part *part = &reader->parts[SERVICE_PROMETHEUS];
	const struct node *node;
	const char *address = command_flag(part, "--web.listen-address", &node);
	if (!address)
		return;
	const struct node named = {
		.kind = NODE_SCALAR, .start = node->start, .text = (char *)(uintptr_t)address
	};
	set_container_port(&reader->compose, &named, "ports.prometheus");
}

/* ---- the configuration ---- */

/* Whether one of a job's targets is a port of that host. */
static bool has_target(const struct source *source, const struct node *job, const char *target)
{
	const struct node *statics = node_list(source, job, "static_configs");
	for (size_t i = 0; statics && i < statics->count; i++) {
		const struct node *targets = node_list(source, statics->children[i], "targets");
		for (size_t k = 0; targets && k < targets->count; k++) {
			if (node_says(targets->children[k], target))
				return true;
		}
	}
	return false;
}

/* Only what the service ever listens on tells which job reads it: jobs are named as people like. */
static bool reads_port(
	const struct source *source, const struct node *job, const char *host, const char *key)
{
	const struct reader *reader = source->reader;
	for (size_t row = 0; host && row < service_port_count; row++) {
		if (strcmp(service_ports[row].key, key) != 0)
			continue;
		AUTO(str)
		char *target = mem_printf("%s:%lld", host, (long long)reader->container_ports[row]);
		if (has_target(source, job, target))
			return true;
	}
	return false;
}

static bool reads_service(
	const struct source *source, const struct node *job, enum service service, const char *key)
{
	const struct part *part = &source->reader->parts[service];
	const struct node *name = node_text(&source->reader->compose, part->node, "container_name");
	return reads_port(source, job, part->name, key) ||
	       reads_port(source, job, name ? name->text : NULL, key);
}

static void list_job_keys(const struct source *source, const struct node *job, const char *name)
{
	static const char *const known[] = { "job_name", "scrape_interval", "scrape_timeout",
		"static_configs", "honor_labels", "metrics_path", "scheme", NULL };
	AUTO(str) char *owner = mem_printf("the scrape job %s", name);
	const struct others others = { .known = known, .owner = owner, .advice = advice_edit };
	list_others(source, job, &others);
}

static void list_labels(const struct source *source, const struct node *job, const char *name)
{
	static const char *const known[] = { "app", "source", "instance", NULL };
	AUTO(str) char *owner = mem_printf("the scrape job %s", name);
	const struct others others = {
		.known = known, .prefix = "label ", .owner = owner, .advice = advice_edit
	};
	const struct node *statics = node_list(source, job, "static_configs");
	for (size_t i = 0; statics && i < statics->count; i++)
		list_others(source, node_map(source, statics->children[i], "labels"), &others);
}

/* The new file has a target a job. */
static void list_further_targets(
	const struct source *source, const struct node *job, const char *name)
{
	size_t count = 0;
	const struct node *statics = node_list(source, job, "static_configs");
	for (size_t i = 0; statics && i < statics->count; i++) {
		const struct node *targets = node_list(source, statics->children[i], "targets");
		count += targets ? targets->count : 0;
	}
	if (count > 1)
		add_kept(
			source, statics, advice_edit, "further targets of the scrape job %s", name);
}

static void read_receiver_job(const struct source *source, const struct node *job, const char *name)
{
	const struct node *global = node_map(source, source->tree.root, "global");
	const struct node *interval = node_text(source, job, "scrape_interval");
	const struct node *general = node_text(source, global, "scrape_interval");
	const struct node *effective = interval ? interval : general;
	/* Of neither, Prometheus takes a minute. */
	AUTO(str) char *text = duration_text(effective ? effective->text : "1m");
	add_setting(source, effective ? effective : job, "prometheus.scrape_interval", text);
	list_job_keys(source, job, name);
	list_further_targets(source, job, name);
	list_labels(source, job, name);
}

static bool reads_collector_itself(const struct source *source, const struct node *job)
{
	const char *name = source->reader->parts[SERVICE_COLLECTOR].name;
	AUTO(str) char *target = mem_printf("%s:8888", name ? name : "");
	return has_target(source, job, target);
}

static void read_job(const struct source *source, const struct node *job)
{
	const struct node *name = node_text(source, job, "job_name");
	if (!name)
		return;
	bool is_receiver = reads_service(source, job, SERVICE_COLLECTOR, "ports.exporter");
	bool is_ours = reads_port(source, job, "localhost", "ports.prometheus") ||
		       reads_service(source, job, SERVICE_PROMETHEUS, "ports.prometheus") ||
		       reads_service(source, job, SERVICE_GRAFANA, "ports.grafana") ||
		       reads_collector_itself(source, job);
	if (is_receiver)
		read_receiver_job(source, job, name->text);
	else if (is_ours)
		list_job_keys(source, job, name->text);
	else
		add_kept(source, job, advice_edit, "scrape job %s", name->text);
}

static void read_remote_write(const struct source *source)
{
	const struct node *list = node_list(source, source->tree.root, "remote_write");
	char *urls[64];
	size_t count = 0;
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *entry = list->children[i];
		const struct node *url = node_text(source, entry, "url");
		if (url && entry->count == 2 && count < sizeof urls / sizeof *urls)
			urls[count++] = url->text;
		else
			add_kept(source, entry, advice_edit,
				"a remote_write with settings of its own");
	}
	add_list_setting(source, list, "prometheus.remote_write", urls, count);
}

static void read_rules(const struct source *source)
{
	const struct node *rules = node_list(source, source->tree.root, "rule_files");
	if (!rules || !rules->count)
		add_fault(source, rules, FAULT_NO_RULES,
			"there are no rules: dashboards have to use increase(), which misses the "
			"first value of every session, and nobody is told when a part is down");
	for (size_t i = 0; rules && i < rules->count; i++) {
		const struct node *rule = rules->children[i];
		if (rule->kind == NODE_SCALAR)
			add_kept(source, rule,
				"copy it into config/rules, where the new stack "
				"looks for rules",
				"rule file %s", rule->text);
	}
}

static bool has_alertmanagers(const struct source *source, const struct node *alerting)
{
	const struct node *list = node_list(source, alerting, "alertmanagers");
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *statics = node_list(source, list->children[i], "static_configs");
		for (size_t k = 0; statics && k < statics->count; k++) {
			const struct node *targets =
				node_list(source, statics->children[k], "targets");
			if (targets && targets->count)
				return true;
		}
		if (!statics && list->children[i]->count)
			return true;
	}
	return list == NULL;
}

/* The new file has 15 seconds for both intervals. */
static void list_globals(const struct source *source, const struct node *global)
{
	for (size_t i = 0; global && i + 1 < global->count; i += 2) {
		const struct node *key = global->children[i];
		bool is_interval = str_has_suffix(key->text, "_interval");
		if (!is_interval || !node_says(global->children[i + 1], "15s"))
			add_kept(source, key, advice_edit, "global.%s of Prometheus", key->text);
	}
}

static void list_other_keys(const struct source *source)
{
	static const char *const known[] = { "global", "alerting", "rule_files", "scrape_configs",
		"remote_write", "storage", NULL };
	const struct others others = {
		.known = known, .owner = "Prometheus", .advice = advice_edit
	};
	const struct node *root = source->tree.root;
	const struct node *alerting = node_map(source, root, "alerting");
	list_others(source, root, &others);
	list_globals(source, node_map(source, root, "global"));
	if (alerting && has_alertmanagers(source, alerting))
		add_kept(source, alerting,
			"add it to the new file, or set alerts.alertmanager to true",
			"alerting of Prometheus");
}

static void read_config(const struct source *source)
{
	const struct node *jobs = node_list(source, source->tree.root, "scrape_configs");
	for (size_t i = 0; jobs && i < jobs->count; i++)
		read_job(source, jobs->children[i]);
	read_rules(source);
	read_remote_write(source);
	list_other_keys(source);
}

void prometheus_read(struct reader *reader)
{
	struct part *part = &reader->parts[SERVICE_PROMETHEUS];
	const struct node *ignored;
	struct source source = { .reader = reader };
	if (!part->name)
		return;
	read_listen_address(reader);
	const char *path = command_flag(part, "--config.file", &ignored);
	if (mount_read(reader, part, path ? path : "/etc/prometheus/prometheus.yml", &source))
		read_config(&source);
	read_retention(reader, &source);
	read_flags(reader);
	source_clear(&source);
	path = command_flag(part, "--storage.tsdb.path", &ignored);
	data_read(reader, SERVICE_PROMETHEUS, path ? path : "/prometheus");
}
