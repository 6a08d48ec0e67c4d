/* Grafana: its variables, its data and what is provisioned. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

#define UID_OF_CCTM	"prometheus_claude_metrics"
#define PASSWORD_MIN	8
#define PLUGINS_MAX	64
#define PROVISIONED_MAX 64

static const struct part *grafana_of(const struct reader *reader)
{
	return &reader->parts[SERVICE_GRAFANA];
}

static char *variable(struct reader *reader, const char *name, const struct node **node)
{
	return environment_value(reader, grafana_of(reader), name, node);
}

/* ---- login ---- */

static bool is_weak(const char *password)
{
	static const char *const known[] = { "admin", "password", "changeme", "change-me",
		"grafana", "administrator", "claude-code", "password1", "admin123", "adminadmin",
		"12345678", NULL };
	return strlen(password) < PASSWORD_MIN || is_one_of(password, known);
}

/* True when Grafana's database is seen to be not there yet. */
static bool is_new(struct reader *reader)
{
	struct stat st;
	const struct node *ignored;
	AUTO(str) char *elsewhere = variable(reader, "GF_DATABASE_TYPE", &ignored);
	AUTO(str) char *url = variable(reader, "GF_DATABASE_URL", &ignored);
	const struct adoption *out = reader->out;
	for (size_t i = 0; !elsewhere && !url && i < out->data_count; i++) {
		const struct adopt_data *data = &out->data[i];
		if (data->service != SERVICE_GRAFANA || data->place != ADOPT_DIRECTORY)
			continue;
		AUTO(str) char *dir = source_path(reader, data->source);
		AUTO(str) char *file = path_join(dir, "grafana.db");
		return stat(file, &st) < 0 && errno == ENOENT;
	}
	return false;
}

/* Not through a variable, and not in an env_file. */
static bool is_written_out(const struct source *source, const struct node *node)
{
	struct slice bytes = buf_slice(&source->bytes);
	static const char name[] = "GF_SECURITY_ADMIN_PASSWORD";
	const unsigned char *line = bytes.ptr + node->start;
	const unsigned char *end = memchr(line, '\n', bytes.len - node->start);
	size_t len = end ? (size_t)(end - line) : bytes.len - node->start;
	return memmem(line, len, name, sizeof name - 1) && !memchr(line, '$', len);
}

static void read_password(struct reader *reader)
{
	const struct source *source = &reader->compose;
	const struct node *node = grafana_of(reader)->node;
	AUTO(str) char *file = variable(reader, "GF_SECURITY_ADMIN_PASSWORD__FILE", &node);
	if (file && *file) {
		add_fault(source, node, FAULT_PASSWORD_UNKNOWN,
			"Grafana's password is in a file of its container, which was not read");
		return;
	}
	AUTO(str) char *given = variable(reader, "GF_SECURITY_ADMIN_PASSWORD", &node);
	/* Of none, Grafana makes the same. */
	const char *password = given && *given ? given : "admin";
	const char *why =
		strcmp(password, "admin") == 0 ? "admin, as everybody knows" : "easy to guess";
	bool weak = is_weak(password);
	if (weak && is_new(reader)) {
		add_fault(source, node, FAULT_WEAK_PASSWORD_UNUSED,
			"Grafana's password would be %s", why);
	} else {
		add_secret(source, node, "GRAFANA_ADMIN_PASSWORD", password, weak);
		if (!weak && is_written_out(source, node))
			add_fault(source, node, FAULT_PASSWORD_IN_FILE,
				"Grafana's password stands in the Compose file, which others may "
				"read and which gets into version control");
		if (weak)
			add_fault(
				source, node, FAULT_WEAK_PASSWORD, "Grafana's password is %s", why);
	}
	if (given)
		explicit_bzero(given, strlen(given));
}

static void read_login(struct reader *reader)
{
	const struct source *source = &reader->compose;
	const struct node *node = NULL;
	AUTO(str) char *user = variable(reader, "GF_SECURITY_ADMIN_USER", &node);
	if (user && *user)
		add_setting(source, node, "grafana.admin_user", user);
	AUTO(str) char *sign_up = variable(reader, "GF_USERS_ALLOW_SIGN_UP", &node);
	if (sign_up && strcasecmp(sign_up, "true") == 0)
		add_fault(source, node, FAULT_SIGN_UP,
			"whoever reaches Grafana can make an account for themselves");
	AUTO(str) char *anonymous = variable(reader, "GF_AUTH_ANONYMOUS_ENABLED", &node);
	bool is_anonymous = anonymous && strcasecmp(anonymous, "true") == 0;
	if (is_anonymous)
		add_setting(source, node, "grafana.anonymous", "true");
	AUTO(str) char *role = variable(reader, "GF_AUTH_ANONYMOUS_ORG_ROLE", &node);
	if (is_anonymous && role && strcasecmp(role, "viewer") != 0)
		add_fault(source, node, FAULT_ANONYMOUS_ROLE,
			"without a login one has the role %.40s and can change dashboards", role);
}

/* ---- address ---- */

/* The address that cctm gives anyway: the published port on this machine. */
static bool is_local_url(const char *url)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = str_has_prefix(url, "http://") ? url + strlen("http://") : "";
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t len = strlen(hosts[i]);
		if (strncmp(host, hosts[i], len) != 0)
			continue;
		const char *rest = host + len;
		if (*rest == ':')
			rest += 1 + strspn(rest + 1, "0123456789");
		return !*rest || strcmp(rest, "/") == 0;
	}
	return false;
}

static void read_address(struct reader *reader)
{
	const struct node *node = NULL;
	AUTO(str) char *port = variable(reader, "GF_SERVER_HTTP_PORT", &node);
	if (port && *port) {
		const struct node named = {
			.kind = NODE_SCALAR, .start = node->start, .text = port
		};
		set_container_port(&reader->compose, &named, "ports.grafana");
	}
	AUTO(str) char *url = variable(reader, "GF_SERVER_ROOT_URL", &node);
	if (url && *url && !is_local_url(url))
		add_setting(&reader->compose, node, "grafana.root_url", url);
}

/* ---- plug-ins ---- */

static void report_angular(const struct source *source, const struct node *node, const char *id)
{
	add_fault(source, node, FAULT_ANGULAR,
		"%s is an Angular plug-in, which Grafana has not been able to load since version "
		"12",
		id);
	if (strcmp(id, "grafana-piechart-panel") == 0)
		set_remedy(source->reader,
			"it is left out; Grafana turns its panels into its own pie chart");
}

static bool is_angular(const char *id)
{
	static const char *const known[] = { "grafana-piechart-panel", "grafana-worldmap-panel",
		"grafana-simple-json-datasource", "natel-discrete-panel", "vonage-status-panel",
		NULL };
	return is_one_of(id, known);
}

/* "id", "id 1.2.3", "id@1.2.3", "https://address;folder". NULL: nothing to install by name. Yours. */
static char *plugin_id(const struct source *source, const struct node *node, struct slice item)
{
	AUTO(str) char *text = mem_strndup((const char *)item.ptr, item.len);
	size_t len = strcspn(text, " @;");
	if (strstr(text, "://")) {
		add_kept(source, node, advice_override, "a plug-in from an address of its own");
		return NULL;
	}
	if (text[len])
		add_kept(source, node, advice_override, "the version of the plug-in %.*s", (int)len,
			text);
	return len ? mem_strndup(text, len) : NULL;
}

static void read_plugin_list(
	struct reader *reader, const struct node *node, const char *text, char **ids, size_t *count)
{
	for (const char *at = text; *at && *count < PLUGINS_MAX; at += *at == ',') {
		at += strspn(at, " ");
		size_t len = strcspn(at, ",");
		AUTO(str) char *id = plugin_id(&reader->compose, node, slice_of(at, len));
		if (id && is_angular(id))
			report_angular(&reader->compose, node, id);
		else if (id)
			ids[(*count)++] = TAKE(id);
		at += len;
	}
}

static void read_plugins(struct reader *reader)
{
	static const char *const names[] = { "GF_INSTALL_PLUGINS", "GF_PLUGINS_PREINSTALL",
		"GF_PLUGINS_PREINSTALL_SYNC" };
	char *ids[PLUGINS_MAX];
	size_t count = 0;
	const struct node *node = NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str) char *text = variable(reader, names[i], &node);
		if (text && *text && i == 0)
			add_fault(&reader->compose, node, FAULT_PLUGIN_VARIABLE,
				"GF_INSTALL_PLUGINS is deprecated: newer images of Grafana do not "
				"read it");
		if (text)
			read_plugin_list(reader, node, text, ids, &count);
	}
	if (count)
		add_list_setting(&reader->compose, node, "grafana.plugins", ids, count);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
}

/* ---- variables that the new stack does not have: names alone, for a value may be a secret ---- */

static bool is_known_variable(const char *name, size_t len)
{
	static const char *const known[] = { "GF_SECURITY_ADMIN_USER", "GF_SECURITY_ADMIN_PASSWORD",
		"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_USERS_ALLOW_SIGN_UP", "GF_SERVER_ROOT_URL",
		"GF_SERVER_HTTP_PORT", "GF_INSTALL_PLUGINS", "GF_PLUGINS_PREINSTALL",
		"GF_PLUGINS_PREINSTALL_SYNC", "GF_PLUGINS_PREINSTALL_DISABLED", "GF_PATHS_DATA",
		"GF_PATHS_PROVISIONING", "GF_AUTH_ANONYMOUS_ENABLED", "GF_AUTH_ANONYMOUS_ORG_ROLE",
		"GF_LOG_MODE", "GF_SECURITY_DISABLE_GRAVATAR" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (slice_eq_str(slice_of(name, len), known[i]))
			return true;
	}
	return strncmp(name, "GF_ANALYTICS_", 13) == 0 || strncmp(name, "GF_NEWS_", 8) == 0;
}

static void list_variables(struct reader *reader)
{
	const struct node *environment = node_any(grafana_of(reader)->node, "environment");
	size_t step = environment && environment->kind == NODE_MAP ? 2 : 1;
	for (size_t i = 0; environment && i < environment->count; i += step) {
		const struct node *item = environment->children[i];
		size_t len = item->kind == NODE_SCALAR ? strcspn(item->text, "=") : 0;
		if (len && !is_known_variable(item->text, len))
			add_kept(&reader->compose, item, advice_override,
				"variable %.*s of Grafana", (int)len, item->text);
	}
}

/* ---- provisioning ---- */

static bool reads_prometheus(const struct source *source, const struct node *entry)
{
	const char *name = source->reader->parts[SERVICE_PROMETHEUS].name;
	const struct node *url = node_text(source, entry, "url");
	if (!name || !url || !node_says(node_text(source, entry, "type"), "prometheus"))
		return false;
	AUTO(str) char *with_port = mem_printf("://%s:", name);
	return strstr(url->text, with_port) != NULL;
}

static void read_datasource(const struct source *source, const struct node *entry)
{
	const struct node *name = node_text(source, entry, "name");
	const struct node *uid = node_text(source, entry, "uid");
	static const char *const known[] = { "name", "type", "access", "orgId", "uid", "url",
		"basicAuth", "editable", "isDefault", "jsonData", "version", NULL };
	const struct others others = {
		.known = known, .owner = "the datasource for Prometheus", .advice = advice_edit
	};
	if (!reads_prometheus(source, entry)) {
		add_kept(source, entry, advice_edit, "datasource %s", name ? name->text : "");
		return;
	}
	list_others(source, entry, &others);
	if (!node_says(uid, UID_OF_CCTM))
		add_fault(source, uid ? uid : entry, FAULT_DATASOURCE_UID,
			"Prometheus has the uid %.80s in Grafana, and dashboards refer to it by "
			"that",
			uid ? uid->text : "that Grafana made up");
}

static void read_datasources(struct reader *reader, const char *name)
{
	struct source source = { 0 };
	if (source_read(reader, name, &source) > 0) {
		const struct node *list = node_list(&source, source.tree.root, "datasources");
		for (size_t i = 0; list && i < list->count; i++)
			read_datasource(&source, list->children[i]);
	}
	source_clear(&source);
}

static void list_provisioned(struct reader *reader, const char *name)
{
	const struct source file = { .reader = reader, .name = (char *)(uintptr_t)name };
	add_kept(&file, NULL,
		"it goes on being used where it lies in config/grafana/provisioning; else copy it "
		"there",
		"what is provisioned by %s", name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the YAML files in a directory, sorted. */
static size_t yaml_files(const char *dir, char **names)
{
	size_t count = 0;
	struct dirent *entry;
	DIR *stream = opendir(dir);
	while (stream && count < PROVISIONED_MAX && (entry = readdir(stream))) {
		if (str_has_suffix(entry->d_name, ".yml") || str_has_suffix(entry->d_name, ".yaml"))
			names[count++] = mem_strdup(entry->d_name);
	}
	if (stream)
		closedir(stream);
	qsort(names, count, sizeof *names, by_name);
	return count;
}

static void read_folder(struct reader *reader, const char *folder,
	void (*read_one)(struct reader *reader, const char *name))
{
	struct part *part = &reader->parts[SERVICE_GRAFANA];
	const struct node *ignored;
	char *names[PROVISIONED_MAX];
	AUTO(str) char *base = variable(reader, "GF_PATHS_PROVISIONING", &ignored);
	AUTO(str)
	char *inside = mem_printf("%s/%s", base ? base : "/etc/grafana/provisioning", folder);
	AUTO(str) char *host = mount_host(part, inside);
	AUTO(str) char *dir = host ? source_path(reader, host) : NULL;
	size_t count = dir ? yaml_files(dir, names) : 0;
	for (size_t i = 0; i < count; i++) {
		const char *shown = host + (str_has_prefix(host, "./") ? 2 : 0);
		AUTO(str) char *name = path_join(shown, names[i]);
		read_one(reader, name);
		free(names[i]);
	}
	/* Files that are mounted one by one. */
	for (size_t i = 0; i < part->mount_count; i++) {
		struct mount *mount = &part->mounts[i];
		size_t len = strlen(inside);
		if (strncmp(mount->target, inside, len) != 0 || mount->target[len] != '/' ||
			!mount->is_directory)
			continue;
		mount->is_used = true;
		read_one(reader, mount->source);
	}
}

void grafana_read(struct reader *reader)
{
	const struct node *ignored;
	if (!grafana_of(reader)->name)
		return;
	AUTO(str) char *data = variable(reader, "GF_PATHS_DATA", &ignored);
	data_read(reader, SERVICE_GRAFANA, data ? data : "/var/lib/grafana");
	read_login(reader);
	read_password(reader);
	read_address(reader);
	read_plugins(reader);
	list_variables(reader);
	read_folder(reader, "datasources", read_datasources);
	read_folder(reader, "dashboards", list_provisioned);
	read_folder(reader, "alerting", list_provisioned);
	read_folder(reader, "plugins", list_provisioned);
}
