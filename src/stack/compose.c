#include "stack/compose.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "stack/docker_cli.h"

#define LOOK_MS	    10000
#define OUTPUT_MAX  (4 << 20)
#define SAID_MAX    300
#define VERSION_MS  5000
#define VERSION_MAX 60
#define LIST_MAX    1000

const char *compose_engine(const struct compose *compose)
{
	return strcmp(compose->words[0], "podman") == 0 ? "podman" : "docker";
}

void compose_words(const struct compose *compose, const char *const *words, const char **argv)
{
	size_t count = 0;
	for (size_t i = 0; compose->words[i]; i++)
		argv[count++] = compose->words[i];
	for (size_t i = 0; words[i] && count < COMPOSE_WORDS_MAX - 1; i++)
		argv[count++] = words[i];
	argv[count] = NULL;
}

/* What `words` ("docker", "compose") say to "version --short"; NULL: they are not content. Yours. */
static char *version_of(const char *const *words)
{
	const char *const argv[] = { words[0], words[1] ? words[1] : "version",
		words[1] ? "version" : "--short", words[1] ? "--short" : NULL, NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = VERSION_MS, .output_max = 4096
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	bool is_told = proc_run(&request, &result, &ignored) && result.end == PROC_EXITED &&
		       result.status == 0;
	return is_told ? text_first_line(buf_str(&result.out), VERSION_MAX) : NULL;
}

/* The plug-ins began with version 2; the program by itself may be the first version still. */
static bool is_there(const char *const *words, char **old)
{
	AUTO(str) char *program = proc_find(words[0]);
	if (!program)
		return false;
	if (strcmp(words[0], "docker") == 0 && docker_cli_has_plugin("docker-compose"))
		return true;
	AUTO(str) char *version = version_of(words);
	if (!version || !docker_cli_is_before(version, 2, 0))
		return version != NULL;
	free(*old);
	*old = TAKE(version);
	return false;
}

bool compose_open(const char *dir, struct compose *out, struct error *err)
{
	static const char *const kinds[][3] = {
		{ "docker", "compose", NULL },
		{ "docker-compose", NULL },
		{ "podman", "compose", NULL },
	};
	AUTO(str) char *old = NULL;
	*out = (struct compose){ .dir = dir };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (is_there(kinds[i], &old)) {
			memcpy(out->words, kinds[i], sizeof out->words);
			return true;
		}
	}
	if (old)
		error_set(
			err, ERR_FAILED, "docker-compose %s is too old, version 2 is needed", old);
	else
		error_set(err, ERR_FAILED, "Docker Compose 2 is not installed");
	return error_hint(err, "install it (docker-compose-plugin, or docker-compose 2), or use "
			       "'cctm init --runtime embedded'");
}

static bool judge(
	const char *asked, const struct proc_result *result, bool is_shown, struct error *err)
{
	if (result->end == PROC_EXITED && result->status == 0)
		return true;
	if (result->end == PROC_TIMED_OUT)
		return error_set(err, ERR_FAILED, "compose %s did not end in time", asked);
	if (is_shown)
		return error_set(err, ERR_FAILED, "compose %s failed", asked);
	AUTO(str) char *said = text_last_line(buf_str(&result->err), SAID_MAX, NULL);
	return error_set(err, ERR_FAILED, "compose %s failed: %s", asked, said);
}

bool compose_run(const struct compose *compose, const char *const *words, bool is_shown,
	int64_t deadline_ms, struct proc_result *result, struct error *err)
{
	const char *argv[COMPOSE_WORDS_MAX];
	compose_words(compose, words, argv);
	const struct proc_request request = { .argv = argv,
		.dir = compose->dir,
		.deadline_ms = deadline_ms,
		.output_max = OUTPUT_MAX,
		.is_shown = is_shown };
	return proc_run(&request, result, err) && judge(words[0], result, is_shown, err);
}

/* ---- what runs ---- */

static char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return mem_strdup(text ? text : "");
}

static void add_port(struct compose_service *service, int64_t port)
{
	for (size_t i = 0; i < service->port_count; i++) {
		if (service->ports[i] == port)
			return;
	}
	if (port > 0 && service->port_count < COMPOSE_PORTS_MAX)
		service->ports[service->port_count++] = port;
}

/* An address family each has its own entry. */
static void add_ports(struct compose_service *service, const json_t *publishers)
{
	for (size_t i = 0; i < json_array_size(publishers); i++) {
		const json_t *publisher = json_array_get(publishers, i);
		add_port(service, json_integer_value(json_object_get(publisher, "PublishedPort")));
	}
}

static void add_service(struct compose_services *out, const json_t *object)
{
	if (!json_is_object(object) || out->count >= LIST_MAX)
		return;
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	out->items[out->count++] = (struct compose_service){
		.id = text_of(object, "ID"),
		.name = text_of(object, "Service"),
		.state = text_of(object, "State"),
		.health = text_of(object, "Health"),
		.exit_code = json_integer_value(json_object_get(object, "ExitCode")),
	};
	add_ports(&out->items[out->count - 1], json_object_get(object, "Publishers"));
}

/* Compose 2.21 and later print an object a line, earlier ones a list. */
static void read_list(const struct buf *text, struct compose_services *out)
{
	const char *at = buf_str(text);
	for (;;) {
		json_error_t why;
		at += strspn(at, " \t\r\n");
		json_t *value = *at ? json_loads(at, JSON_DISABLE_EOF_CHECK, &why) : NULL;
		if (!value)
			return;
		for (size_t i = 0; i < json_array_size(value); i++)
			add_service(out, json_array_get(value, i));
		add_service(out, value);
		json_decref(value);
		at += why.position;
	}
}

bool compose_list(const struct compose *compose, struct compose_services *out, struct error *err)
{
	static const char *const words[] = { "ps", "--all", "--format", "json", NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	*out = (struct compose_services){ 0 };
	if (!compose_run(compose, words, false, LOOK_MS, &result, err))
		return false;
	read_list(&result.out, out);
	return true;
}

bool compose_images(const struct compose *compose, char *out[SERVICE_COUNT], struct error *err)
{
	static const char *const words[] = { "config", "--format", "json", NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!compose_run(compose, words, false, LOOK_MS, &result, err))
		return false;
	json_t *root = json_loadb(buf_str(&result.out), result.out.len, 0, NULL);
	const json_t *services = json_object_get(root, "services");
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		const json_t *service = json_object_get(services, service_rows[s].name);
		const char *image = json_string_value(json_object_get(service, "image"));
		out[s] = image ? mem_strdup(image) : NULL;
	}
	bool is_read = json_is_object(services);
	json_decref(root);
	return is_read || error_set(err, ERR_FAILED, "compose config says nothing of services");
}

const struct compose_service *compose_service_find(
	const struct compose_services *services, const char *name)
{
	for (size_t i = 0; i < services->count; i++) {
		if (strcmp(services->items[i].name, name) == 0)
			return &services->items[i];
	}
	return NULL;
}

void compose_services_clear(struct compose_services *services)
{
	for (size_t i = 0; i < services->count; i++) {
		free(services->items[i].id);
		free(services->items[i].name);
		free(services->items[i].state);
		free(services->items[i].health);
	}
	free(services->items);
	*services = (struct compose_services){ 0 };
}
