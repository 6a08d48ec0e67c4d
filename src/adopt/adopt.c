#include "adopt/adopt.h"

#include <stdlib.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"

static void part_clear(struct part *part)
{
	for (size_t i = 0; i < part->mount_count; i++) {
		free(part->mounts[i].source);
		free(part->mounts[i].target);
	}
	for (size_t i = 0; i < part->word_count; i++)
		free(part->words[i]);
}

static void reader_clear(struct reader *reader)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		part_clear(&reader->parts[i]);
	source_clear(&reader->compose);
	env_file_clear(&reader->env);
	free(reader->project);
}

/* The configurations say on which ports the programs listen, so they come before the Compose file's ports, and
 * Prometheus', which refers to the ports of the others, after these. */
static void read_stack(struct reader *reader)
{
	static void (*const steps[])(struct reader *) = { compose_read, images_read, collector_read,
		grafana_read, prometheus_read, ports_read, mounts_list_unused, settings_settle,
		findings_sort };
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !reader_failed(reader); i++)
		steps[i](reader);
}

bool adopt_read(const struct adopt_request *request, struct adoption *out, struct error *err)
{
	struct reader reader = { .request = request, .out = out, .err = err };
	*out = (struct adoption){ 0 };
	for (size_t i = 0; i < service_port_count && i < PORTS_MAX; i++)
		reader.container_ports[i] = service_ports[i].container_port;
	if (compose_find(&reader))
		read_stack(&reader);
	bool is_read = !reader_failed(&reader);
	reader_clear(&reader);
	if (!is_read)
		adoption_clear(out);
	return is_read;
}
