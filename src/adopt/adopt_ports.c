/* Published ports:
 *
 *   [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]   HOST and CONTAINER may be ranges of equal length
 *   { target, published, host_ip, protocol }
 *
 * Which setting a port is follows from the container's port, as the program's configuration has it. */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

struct range {
	int64_t first, last; /* 0: not given */
};

struct published {
	const struct node *node;
	char *address; /* "" of all */
	struct range host, container;
	bool is_tcp;
};

/* What has been seen of all ports. */
struct survey {
	bool is_seen[PORTS_MAX];
	const struct node *first_open, *first_bound; /* on all interfaces; on one */
	struct buf open;			     /* "3000, 9090" */
	char *address;
	bool is_mixed;
};

static bool read_range(const struct source *source, const struct node *node, const char *text,
	size_t len, struct range *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *first = mem_strndup(text, len);
	char *dash = strchr(first, '-');
	const char *last = dash ? dash + 1 : first;
	if (dash)
		*dash = '\0';
	if (str_parse_int(first, 1, 65535, &out->first, &ignored) &&
		str_parse_int(last, out->first, 65535, &out->last, &ignored))
		return true;
	source_fail(
		source, node, "\"%.80s\" is not a published port", node->text ? node->text : "");
	return false;
}

/* "ADDRESS:HOST", "[ADDRESS]:HOST", "ADDRESS:" or "HOST". */
static bool read_host(
	const struct source *source, const char *text, size_t len, struct published *out)
{
	size_t colon = len;
	while (colon && text[colon - 1] != ':')
		colon--;
	if (colon) {
		bool has_brackets = text[0] == '[' && colon > 2 && text[colon - 2] == ']';
		free(out->address);
		out->address = has_brackets ? mem_strndup(text + 1, colon - 3)
					    : mem_strndup(text, colon - 1);
	}
	return colon == len || read_range(source, out->node, text + colon, len - colon, &out->host);
}

static bool read_short(const struct source *source, struct published *out)
{
	const char *text = out->node->text;
	size_t len = strcspn(text, "/");
	out->is_tcp = !text[len] || strcmp(text + len, "/tcp") == 0;
	size_t colon = len;
	while (colon && text[colon - 1] != ':')
		colon--;
	if (!read_range(source, out->node, text + colon, len - colon, &out->container))
		return false;
	return colon < 2 || read_host(source, text, colon - 1, out);
}

static bool read_long(const struct source *source, struct published *out)
{
	const struct node *target = node_text(source, out->node, "target");
	const struct node *host = node_text(source, out->node, "published");
	const struct node *address = node_text(source, out->node, "host_ip");
	const struct node *protocol = node_text(source, out->node, "protocol");
	if (!target) {
		source_fail(source, out->node, "a published port has no target");
		return false;
	}
	if (address) {
		free(out->address);
		out->address = mem_strdup(address->text);
	}
	out->is_tcp = !protocol || node_says(protocol, "tcp");
	return read_range(source, target, target->text, strlen(target->text), &out->container) &&
	       (!host || read_range(source, host, host->text, strlen(host->text), &out->host));
}

static bool is_everywhere(const char *address)
{
	return !*address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static void note_address(struct survey *survey, const struct published *port, int64_t number)
{
	if (is_everywhere(port->address)) {
		buf_addf(
			&survey->open, "%s%lld", survey->first_open ? ", " : "", (long long)number);
		if (!survey->first_open || port->node->start < survey->first_open->start)
			survey->first_open = port->node;
		return;
	}
	if (!survey->first_bound)
		survey->first_bound = port->node;
	if (!survey->address)
		survey->address = mem_strdup(port->address);
	else if (strcmp(survey->address, port->address) != 0)
		survey->is_mixed = true;
}

static void take_port(const struct source *source, struct survey *survey, size_t row,
	const struct published *port)
{
	const char *key = service_ports[row].key;
	bool is_single =
		port->host.last - port->host.first == port->container.last - port->container.first;
	int64_t number =
		port->host.first + source->reader->container_ports[row] - port->container.first;
	if (!port->host.first || !is_single) {
		add_fault(source, port->node, FAULT_PORT_RANDOM,
			"Docker chooses the port of %s anew at every start",
			service_ports[row].what);
		return;
	}
	if (survey->is_seen[row]) {
		add_fault(source, port->node, FAULT_PORT_TWICE, "%s is published a second time",
			service_ports[row].what);
		return;
	}
	AUTO(str) char *text = mem_printf("%lld", (long long)number);
	survey->is_seen[row] = true;
	add_setting(source, port->node, key, text);
	note_address(survey, port, number);
}

static void place_port(const struct source *source, struct survey *survey, const struct part *part,
	const struct published *port)
{
	bool is_ours = false;
	enum service service = (enum service)(part - source->reader->parts);
	for (size_t row = 0; port->is_tcp && row < service_port_count; row++) {
		int64_t inside = source->reader->container_ports[row];
		if (service_ports[row].service != service || inside < port->container.first ||
			inside > port->container.last)
			continue;
		is_ours = true;
		take_port(source, survey, row, port);
	}
	if (!is_ours)
		add_kept(source, port->node, advice_override, "port %lld of %s",
			(long long)port->container.first, part->name);
}

static void read_part(struct reader *reader, struct survey *survey, const struct part *part)
{
	const struct source *source = &reader->compose;
	const struct node *list = node_list(source, part->node, "ports");
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *item = list->children[i];
		struct published port = { .node = item, .address = mem_strdup("") };
		if (item->kind == NODE_SCALAR ? read_short(source, &port)
					      : read_long(source, &port))
			place_port(source, survey, part, &port);
		free(port.address);
	}
}

/* All ports of its containers are then the machine's own. */
static void read_host_network(struct reader *reader, const struct part *part)
{
	const struct node *mode = node_text(&reader->compose, part->node, "network_mode");
	if (!node_says(mode, "host"))
		return;
	add_fault(&reader->compose, mode, FAULT_HOST_NETWORK,
		"%s uses the machine's own network, so that every port it opens is open on every "
		"interface",
		part->name);
	for (size_t row = 0; row < service_port_count; row++) {
		AUTO(str) char *text = mem_printf("%lld", (long long)reader->container_ports[row]);
		if (service_ports[row].service == (enum service)(part - reader->parts))
			add_setting(&reader->compose, mode, service_ports[row].key, text);
	}
}

static void settle_addresses(struct reader *reader, const struct survey *survey)
{
	const struct source *source = &reader->compose;
	if (survey->first_open) {
		add_fault(source, survey->first_open, FAULT_PORTS_OPEN,
			"ports are open on every interface (%s): whoever reaches this machine can "
			"read what was measured, and send what was not",
			buf_str(&survey->open));
	} else if (survey->is_mixed) {
		add_fault(source, survey->first_bound, FAULT_PORTS_MIXED,
			"ports are opened on different addresses");
	} else if (survey->address) {
		add_setting(source, survey->first_bound, "bind", survey->address);
		if (find_setting(reader, "bind") && !address_is_loopback(survey->address))
			add_fault(source, survey->first_bound, FAULT_PORTS_NETWORK,
				"ports are opened on %s without a password or token: whoever "
				"reaches it can read and send",
				survey->address);
	}
}

void ports_read(struct reader *reader)
{
	struct survey survey = { .open = BUF_INIT(BUF_UNLIMITED) };
	for (size_t i = 0; i < PART_COUNT; i++) {
		read_part(reader, &survey, &reader->parts[i]);
		if (reader->parts[i].name)
			read_host_network(reader, &reader->parts[i]);
	}
	settle_addresses(reader, &survey);
	buf_clear(&survey.open);
	free(survey.address);
}

void set_container_port(const struct source *source, const struct node *node, const char *key)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *colon = strrchr(node->text, ':');
	int64_t port;
	if (!str_parse_int(colon ? colon + 1 : node->text, 1, 65535, &port, &ignored)) {
		add_fault(source, node, FAULT_VALUE, "the port in \"%.80s\" is not a number",
			node->text);
		set_remedy(
			source->reader, "its usual port was looked for among the published ones");
		return;
	}
	for (size_t row = 0; row < service_port_count; row++) {
		if (strcmp(service_ports[row].key, key) == 0)
			source->reader->container_ports[row] = port;
	}
}
