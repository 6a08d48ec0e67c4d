#include "stack/volumes.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"

#define LOOK_MS	    10000
#define MEASURE_MS  60000 /* it adds up every file */
#define OUTPUT_MAX  (8 << 20)
#define VOLUMES_MAX 200

static bool ask(
	const char *const *argv, int64_t deadline_ms, struct proc_result *result, struct error *err)
{
	const struct proc_request request = {
		.argv = argv, .deadline_ms = deadline_ms, .output_max = OUTPUT_MAX
	};
	return proc_ask(&request, result, err);
}

static void add_names(struct volumes *out, const char *lines)
{
	while (*lines && out->count < VOLUMES_MAX) {
		size_t len = strcspn(lines, "\r\n");
		if (len) {
			out->items = mem_grow(
				out->items, &out->room, out->count + 1, sizeof *out->items);
			out->items[out->count++] =
				(struct volume){ .name = mem_strndup(lines, len) };
		}
		lines += len;
		lines += strspn(lines, "\r\n");
	}
}

static void add_sizes(struct volumes *out, const json_t *measured)
{
	for (size_t i = 0; i < json_array_size(measured); i++) {
		const json_t *row = json_array_get(measured, i);
		const char *name = json_string_value(json_object_get(row, "Name"));
		const char *size = json_string_value(json_object_get(row, "Size"));
		for (size_t j = 0; name && size && j < out->count; j++) {
			if (strcmp(out->items[j].name, name) == 0 && !out->items[j].size)
				out->items[j].size = mem_strdup(size);
		}
	}
}

/* An engine that cannot measure leaves them unknown. */
static void measure(const char *engine, struct volumes *out)
{
	const char *const argv[] = { engine, "system", "df", "-v", "--format", "{{json .Volumes}}",
		NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!out->count || !ask(argv, MEASURE_MS, &result, &ignored))
		return;
	json_t *root = json_loadb(buf_str(&result.out), result.out.len, 0, NULL);
	add_sizes(out, root);
	json_decref(root);
}

bool volumes_read(
	const struct compose *compose, const char *project, struct volumes *out, struct error *err)
{
	const char *engine = compose_engine(compose);
	AUTO(str) char *filter = mem_printf("label=com.docker.compose.project=%s", project);
	const char *const argv[] = { engine, "volume", "ls", "--filter", filter, "--format",
		"{{.Name}}", NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	*out = (struct volumes){ 0 };
	if (!ask(argv, LOOK_MS, &result, err))
		return false;
	add_names(out, buf_str(&result.out));
	measure(engine, out);
	return true;
}

void volumes_clear(struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++) {
		free(volumes->items[i].name);
		free(volumes->items[i].size);
	}
	free(volumes->items);
	*volumes = (struct volumes){ 0 };
}
