#include "stack/containers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/text.h"

#define LOOK_MS	   10000
#define OUTPUT_MAX (8 << 20)
#define SAID_MAX   200
#define IDS_MAX	   60

static bool ask(const char *const *argv, struct proc_result *result, struct error *err)
{
	const struct proc_request request = {
		.argv = argv, .deadline_ms = LOOK_MS, .output_max = OUTPUT_MAX
	};
	if (!proc_run(&request, result, err))
		return false;
	if (result->end == PROC_EXITED && (result->status == 0 || result->out.len > 3))
		return true;
	AUTO(str) char *said = text_last_line(buf_str(&result->err), SAID_MAX, NULL);
	return error_set(err, ERR_FAILED, "%s %s: %s", argv[0], argv[1],
		*said ? said : "it did not answer in time");
}

static char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return mem_strdup(text ? text : "");
}

static void add(struct containers *out, const json_t *object)
{
	const json_t *state = json_object_get(object, "State");
	out->items[out->count++] = (struct container){
		.id = text_of(object, "Id"),
		.image = text_of(json_object_get(object, "Config"), "Image"),
		.image_id = text_of(object, "Image"),
		.started_at = text_of(state, "StartedAt"),
		.exit_code = json_integer_value(json_object_get(state, "ExitCode")),
		.restarts = json_integer_value(json_object_get(object, "RestartCount")),
		.is_killed_for_memory = json_is_true(json_object_get(state, "OOMKilled")),
		.cpu_percent = -1,
		.memory = -1,
	};
}

bool containers_read(const struct compose *compose, const struct compose_services *services,
	struct containers *out, struct error *err)
{
	const char *argv[IDS_MAX + 4] = { compose_engine(compose), "inspect", "--type=container" };
	size_t count = 3;
	AUTO(proc_result) struct proc_result result = { 0 };
	*out = (struct containers){ 0 };
	for (size_t i = 0; i < services->count && i < IDS_MAX; i++)
		argv[count++] = services->items[i].id;
	if (count == 3)
		return true;
	if (!ask(argv, &result, err))
		return false;
	json_t *root = json_loadb(buf_str(&result.out), result.out.len, 0, NULL);
	out->items = mem_calloc(json_array_size(root) + 1, sizeof *out->items);
	for (size_t i = 0; i < json_array_size(root); i++)
		add(out, json_array_get(root, i));
	json_decref(root);
	return true;
}

const struct container *container_find(const struct containers *containers, const char *id)
{
	for (size_t i = 0; *id && i < containers->count; i++) {
		if (str_has_prefix(containers->items[i].id, id))
			return &containers->items[i];
	}
	return NULL;
}

/* "12.5MiB / 1GiB": the first; -1: no size. */
static int64_t size_of(const char *text)
{
	static const struct {
		const char *unit;
		double bytes;
	} units[] = { { "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 },
		{ "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 } };

	size_t digits = strspn(text, "0123456789.");
	size_t len = strcspn(text + digits, " /");
	double number;
	if (!str_double(slice_of(text, digits), &number))
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strlen(units[i].unit) == len && memcmp(units[i].unit, text + digits, len) == 0)
			return (int64_t)(number * units[i].bytes);
	}
	return -1;
}

/* A line: ID, CPU, memory. */
static void add_line(struct containers *containers, const char *line)
{
	for (size_t i = 0; i < containers->count; i++) {
		struct container *container = &containers->items[i];
		size_t len = strcspn(line, " ");
		if (len < 12 || strncmp(container->id, line, len) != 0)
			continue;
		const char *cpu = line + len + 1;
		double percent;
		if (str_double(slice_of(cpu, strspn(cpu, "0123456789.")), &percent))
			container->cpu_percent = percent;
		cpu += strcspn(cpu, " \n");
		container->memory = size_of(*cpu == ' ' ? cpu + 1 : cpu);
	}
}

bool containers_add_usage(
	const struct compose *compose, struct containers *containers, struct error *err)
{
	const char *argv[IDS_MAX + 6] = { compose_engine(compose), "stats", "--no-stream",
		"--format", "{{.ID}} {{.CPUPerc}} {{.MemUsage}}" };
	size_t count = 5;
	AUTO(proc_result) struct proc_result result = { 0 };
	for (size_t i = 0; i < containers->count && i < IDS_MAX; i++)
		argv[count++] = containers->items[i].id;
	if (count == 5)
		return true;
	if (!ask(argv, &result, err))
		return false;
	for (const char *line = buf_str(&result.out); line; line = strchr(line, '\n')) {
		line += *line == '\n';
		add_line(containers, line);
	}
	return true;
}

void containers_clear(struct containers *containers)
{
	for (size_t i = 0; i < containers->count; i++) {
		free(containers->items[i].id);
		free(containers->items[i].image);
		free(containers->items[i].image_id);
		free(containers->items[i].started_at);
	}
	free(containers->items);
	*containers = (struct containers){ 0 };
}
