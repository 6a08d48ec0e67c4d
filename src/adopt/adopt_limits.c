/* Limits of a service: deploy.resources.limits, or the older cpus and mem_limit beside it. Compose's sizes count in
 * powers of 1024, however they are spelled. */
#include <ctype.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

/* "512m", "1.5G", "64MB", "64MiB", "1073741824"; -1: it is none. */
static int64_t read_memory(const char *text)
{
	static const char units[] = "bkmgt";
	double number;
	size_t len = strspn(text, "0123456789.");
	const char *unit = text + len + strspn(text + len, " ");
	if (!str_double(slice_of(text, len), &number) || number < 0)
		return -1;
	const char *letter = *unit ? strchr(units, tolower((unsigned char)*unit)) : units;
	const char *rest = *unit ? unit + 1 : unit;
	if (!letter || (*rest && strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0))
		return -1;
	for (const char *p = units; p < letter; p++)
		number *= 1024;
	return number < 1e18 ? (int64_t)number : -1;
}

static void read_cpus(const struct source *source, const struct node *node, const char *service)
{
	AUTO(str) char *key = mem_printf("limits.%s.cpus", service);
	AUTO(str) char *text = mem_printf("%s%s", *node->text == '.' ? "0" : "", node->text);
	add_setting(source, node, key, text);
}

static void read_bytes(const struct source *source, const struct node *node, const char *service)
{
	AUTO(str) char *key = mem_printf("limits.%s.memory", service);
	int64_t bytes = read_memory(node->text);
	AUTO(str) char *text = bytes < 0 ? mem_strdup(node->text) : str_size(bytes);
	add_setting(source, node, key, text);
}

static void list_other_keys(const struct source *source, const struct node *map, const char *prefix,
	const char *known, const struct part *part)
{
	const struct others others = { .known = (const char *const[]){ known, NULL },
		.prefix = prefix,
		.owner = part->name,
		.advice = advice_override };
	list_others(source, map, &others);
}

void limits_read(struct reader *reader, enum service service)
{
	const struct source *source = &reader->compose;
	const struct part *part = &reader->parts[service];
	const char *name = service_rows[service].key;
	const struct node *deploy = node_map(source, part->node, "deploy");
	const struct node *resources = node_map(source, deploy, "resources");
	const struct node *limits = node_map(source, resources, "limits");
	const struct node *cpus = node_text(source, limits, "cpus");
	const struct node *memory = node_text(source, limits, "memory");
	cpus = cpus ? cpus : node_text(source, part->node, "cpus");
	memory = memory ? memory : node_text(source, part->node, "mem_limit");
	if (cpus)
		read_cpus(source, cpus, name);
	if (memory)
		read_bytes(source, memory, name);
	list_other_keys(source, deploy, "deploy.", "resources", part);
	list_other_keys(source, resources, "deploy.resources.", "limits", part);
}
