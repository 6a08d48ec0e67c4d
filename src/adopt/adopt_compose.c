/* The Compose file as a whole: its top level, the project's name, which service is which, and what goes for every
 * service of ours. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

static const char service_advice[] =
	"write it into docker-compose.override.yml, in the network stack";

/* ---- which service is which: by its image, and where that says nothing, by its name ---- */

static const struct {
	enum service service;
	const char *image; /* last part of the reference */
} images[] = {
	{ SERVICE_COLLECTOR, "opentelemetry-collector" },
	{ SERVICE_COLLECTOR, "opentelemetry-collector-contrib" },
	{ SERVICE_COLLECTOR, "opentelemetry-collector-k8s" },
	{ SERVICE_PROMETHEUS, "prometheus" },
	{ SERVICE_GRAFANA, "grafana" },
	{ SERVICE_GRAFANA, "grafana-oss" },
	{ SERVICE_GRAFANA, "grafana-enterprise" },
};

static const struct {
	enum service service;
	const char *name, *word; /* of the service; what its image has in its name */
} usual[] = {
	{ SERVICE_COLLECTOR, "otel-collector", "otel" },
	{ SERVICE_COLLECTOR, "collector", "otel" },
	{ SERVICE_COLLECTOR, "otelcol", "otel" },
	{ SERVICE_PROMETHEUS, "prometheus", "prometheus" },
	{ SERVICE_GRAFANA, "grafana", "grafana" },
};

static int service_of_image(const char *image)
{
	const char *slash = strrchr(image, '/'), *last = slash ? slash + 1 : image;
	size_t len = strcspn(last, ":@");
	for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
		if (slice_eq_str(slice_of(last, len), images[i].image))
			return (int)images[i].service;
	}
	return -1;
}

static int service_of(const struct source *source, const char *name, const struct node *node)
{
	const struct node *image = node_text(source, node, "image");
	int found = image ? service_of_image(image->text) : -1;
	for (size_t i = 0; found < 0 && i < sizeof usual / sizeof *usual; i++) {
		if (strcmp(usual[i].name, name) == 0 &&
			(!image || strstr(image->text, usual[i].word)))
			found = (int)usual[i].service;
	}
	return found;
}

/* Of two of a kind the one with cctm's own name is taken, else the first. */
static void place_service(
	struct reader *reader, enum service service, const char *name, const struct node *node)
{
	struct part *part = &reader->parts[service];
	const struct source *source = &reader->compose;
	bool is_better = !part->name || strcmp(name, service_rows[service].name) == 0;
	if (part->name)
		add_kept(source, is_better ? part->node : node, service_advice,
			"service %s, a second one for %s", is_better ? part->name : name,
			service_rows[service].title);
	if (is_better)
		*part = (struct part){ .name = name, .node = node };
}

static void place_services(struct reader *reader, const struct node *services)
{
	const struct source *source = &reader->compose;
	for (size_t i = 0; i + 1 < services->count; i += 2) {
		const struct node *key = services->children[i];
		const struct node *node = node_map(source, services, key->text);
		if (!node)
			continue;
		int service = service_of(source, key->text, node);
		if (service >= 0)
			place_service(reader, (enum service)service, key->text, node);
		else
			add_kept(source, key, service_advice, "service %s", key->text);
	}
}

static void find_missing(struct reader *reader, const struct node *services)
{
	static const enum service needed[] = { SERVICE_COLLECTOR, SERVICE_PROMETHEUS,
		SERVICE_GRAFANA };

	size_t missing = 0;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		if (reader->parts[needed[i]].name)
			continue;
		missing++;
		add_fault(&reader->compose, services, FAULT_SERVICE_MISSING,
			"no service here is %s", service_rows[needed[i]].title);
	}
	if (missing < sizeof needed / sizeof *needed || reader_failed(reader))
		return;
	error_set(reader->err, ERR_REFUSED,
		"%s: no service is a Collector, Prometheus or Grafana, so there is nothing to "
		"adopt",
		reader->compose.name);
	error_hint(reader->err, "'cctm init' writes a stack of its own");
}

/* ---- top level ---- */

/* As Compose makes a name out of a directory's: lower case, letters, digits, - and _, none of these first. */
static char *normalize(const char *name)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (const char *p = name; *p; p++) {
		int c = tolower((unsigned char)*p);
		bool is_sign = c == '-' || c == '_';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (is_sign && text.len))
			buf_addc(&text, (char)c);
	}
	return mem_strdup(buf_str(&text));
}

static char *directory_name(const struct reader *reader)
{
	AUTO(str) char *dir = mem_strdup(reader->request->dir);
	for (size_t len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	const char *slash = strrchr(dir, '/'), *last = slash ? slash + 1 : dir;
	if (*last && strcmp(last, ".") != 0 && strcmp(last, "..") != 0)
		return mem_strdup(last);
	AUTO(str) char *real = realpath(dir, NULL);
	slash = real ? strrchr(real, '/') : NULL;
	return mem_strdup(slash ? slash + 1 : "");
}

/* COMPOSE_PROJECT_NAME, the key name, the directory: volumes and containers are found by it. */
static void read_project(struct reader *reader, const struct node *root)
{
	const struct source *source = &reader->compose;
	const struct node *name = node_text(source, root, "name");
	AUTO(str) char *variable = reader_variable(reader, "COMPOSE_PROJECT_NAME");
	if (variable && *variable) {
		reader->project = mem_strdup(variable);
		name = NULL;
	} else if (name) {
		reader->project = mem_strdup(name->text);
	} else {
		AUTO(str) char *directory = directory_name(reader);
		reader->project = normalize(directory);
	}
	add_setting(source, name, "project", reader->project);
}

static void read_top_level(struct reader *reader, const struct node *root)
{
	static const char *const known[] = { "version", "services", "networks", "volumes", "name",
		NULL };
	const struct source *source = &reader->compose;
	const struct node *version = node_any(root, "version");
	if (version)
		add_fault(source, version, FAULT_VERSION_KEY,
			"the key version is obsolete: Compose ignores it and warns at every "
			"command");
	for (size_t i = 0; i + 1 < root->count; i += 2) {
		const struct node *key = root->children[i];
		if (!str_has_prefix(key->text, "x-") && !is_one_of(key->text, known))
			add_kept(source, key, advice_override, "%s, which was not read", key->text);
	}
	const struct node *networks = node_map(source, root, "networks");
	for (size_t i = 0; networks && i + 1 < networks->count; i += 2) {
		const struct node *key = networks->children[i];
		if (node_any(networks->children[i + 1], "external"))
			add_kept(
				source, key, advice_override, "network %s from outside", key->text);
	}
}

/* ---- what goes for every service of ours ---- */

static const char *const known_keys[] = { "image", "container_name", "command", "volumes", "ports",
	"restart", "networks", "depends_on", "healthcheck", "environment", "env_file", "deploy",
	"cpus", "mem_limit", "network_mode", "logging", "security_opt", "cap_drop", "read_only",
	"stop_grace_period", "hostname", "expose", "init", "pull_policy", NULL };

static void list_other_keys(const struct source *source, const struct part *part)
{
	const struct others others = {
		.known = known_keys, .owner = part->name, .advice = advice_override
	};
	list_others(source, part->node, &others);
}

/* Names alone: a value may be a secret. Grafana's are looked at one by one elsewhere. */
static void list_environment(const struct source *source, const struct part *part)
{
	const struct node *environment = node_any(part->node, "environment");
	size_t step = environment && environment->kind == NODE_MAP ? 2 : 1;
	for (size_t i = 0; environment && i < environment->count; i += step) {
		const struct node *item = environment->children[i];
		if (item->kind == NODE_SCALAR)
			add_kept(source, item, advice_override, "variable %.*s of %s",
				(int)strcspn(item->text, "="), item->text, part->name);
	}
	const struct node *file = node_any(part->node, "env_file");
	if (file)
		add_kept(source, file, advice_override, "env_file of %s", part->name);
}

static void check_container_names(struct reader *reader)
{
	AUTO(buf) struct buf names = BUF_INIT(BUF_UNLIMITED);
	const struct node *first = NULL;
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct node *name =
			node_text(&reader->compose, reader->parts[i].node, "container_name");
		if (!name)
			continue;
		buf_addf(&names, "%s%s", first ? ", " : "", name->text);
		if (!first || name->start < first->start)
			first = name;
	}
	if (first)
		add_fault(&reader->compose, first, FAULT_CONTAINER_NAME,
			"container_name is fixed (%s): a second stack on this machine cannot start "
			"beside this one",
			buf_str(&names));
}

static bool has_health_check(const struct source *source, const struct node *service)
{
	const struct node *check = node_map(source, service, "healthcheck");
	const struct node *test = node_any(check, "test");
	bool is_none = node_says(test, "NONE") || (test && test->kind == NODE_LIST && test->count &&
							  node_says(test->children[0], "NONE"));
	return check && !is_none && !node_says(node_any(check, "disable"), "true");
}

/* A service that waits for the health of one of ours that has no check. */
static void check_waiting(struct reader *reader, const char *name, const struct node *service)
{
	const struct source *source = &reader->compose;
	const struct node *waits = node_any(service, "depends_on");
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct part *part = &reader->parts[i];
		const struct node *on = part->name ? node_any(waits, part->name) : NULL;
		const struct node *condition = node_any(on, "condition");
		if (node_says(condition, "service_healthy") &&
			!has_health_check(source, part->node))
			add_fault(source, condition, FAULT_NO_HEALTH_CHECK,
				"%s waits until %s is healthy, which has no health check: 'docker "
				"compose up' ends with an error and starts neither %s nor what "
				"waits for it",
				name, part->name, name);
	}
}

static void check_health(struct reader *reader, const struct node *services)
{
	for (size_t i = 0; i + 1 < services->count; i += 2)
		check_waiting(reader, services->children[i]->text, services->children[i + 1]);
	const struct part *collector = &reader->parts[SERVICE_COLLECTOR];
	if (collector->name && has_health_check(&reader->compose, collector->node))
		add_fault(&reader->compose, node_any(collector->node, "healthcheck"),
			FAULT_HEALTH_CHECK,
			"the Collector's image has neither a shell nor wget, so a check in its "
			"container always fails");
}

static void check_names(struct reader *reader)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct part *part = &reader->parts[i];
		if (part->name && strcmp(part->name, service_rows[i].name) != 0)
			add_fault(&reader->compose, part->node, FAULT_SERVICE_RENAMED,
				"the service %s is called %s in the new stack", part->name,
				service_rows[i].name);
	}
}

static void read_parts(struct reader *reader)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct part *part = &reader->parts[i];
		if (!part->name)
			continue;
		list_other_keys(&reader->compose, part);
		if (i != SERVICE_GRAFANA)
			list_environment(&reader->compose, part);
		command_read(reader, (enum service)i);
		mounts_read(reader, (enum service)i);
		limits_read(reader, (enum service)i);
	}
}

void compose_read(struct reader *reader)
{
	struct source *source = &reader->compose;
	interpolate_tree(source);
	const struct node *root = source->tree.root;
	if (!reader_failed(reader) && (!root || root->kind != NODE_MAP))
		error_set(reader->err, ERR_CONFIG, "%s is no Compose file: it holds no map",
			source->name);
	if (reader_failed(reader))
		return;
	const struct node *services = node_map(source, root, "services");
	if (!services && !reader_failed(reader))
		error_set(reader->err, ERR_CONFIG, "%s has no services", source->name);
	if (!services)
		return;
	read_top_level(reader, root);
	read_project(reader, root);
	place_services(reader, services);
	find_missing(reader, services);
	if (reader_failed(reader))
		return;
	check_container_names(reader);
	check_health(reader, services);
	check_names(reader);
	read_parts(reader);
}
