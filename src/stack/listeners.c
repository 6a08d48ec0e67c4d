/* Reading the system's TCP listeners. The kernel is asked for these alone (sock_diag(7)), which takes microseconds. Its
 * tables in /proc list every connection as well, and a kernel walks all its buckets to print them: milliseconds on an idle
 * machine, and as many lines as a busy one has connections. They are for kernels without the former.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "stack/ports.h"
#include "stack/ports_internal.h"

#define TABLE_MAX     (64 << 20) /* bytes of /proc/net/tcp: some hundred thousand sockets */
#define LISTENERS_MAX 100000
#define LISTENING     "0A"
#define LINE_MAX_LEN  255
#define ANSWER_BYTES  32768 /* what the kernel fills at most, per message of a dump */
#define ANSWER_S      1

const unsigned char address_mapped_prefix[12] = { [10] = 0xFF, [11] = 0xFF };

static void add(struct listeners *out, const struct listener *listener)
{
	if (out->count >= LISTENERS_MAX)
		return;
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	out->items[out->count++] = *listener;
}

/* ---- sock_diag(7) ---- */

static bool ask(int fd, unsigned char family)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = { .nlmsg_len = sizeof message,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1U << TCP_LISTEN },
	};

	return send(fd, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

static void add_diagnosed(struct listeners *out, const struct inet_diag_msg *m)
{
	struct listener listener = {
		.port = ntohs(m->id.idiag_sport), .uid = m->idiag_uid, .inode = m->idiag_inode
	};
	bool is_ipv4 = m->idiag_family == AF_INET;
	if (is_ipv4)
		memcpy(listener.address.bytes, address_mapped_prefix, sizeof address_mapped_prefix);
	memcpy(listener.address.bytes + (is_ipv4 ? 12 : 0), m->id.idiag_src, is_ipv4 ? 4 : 16);
	add(out, &listener);
}

enum answer { ANSWER_GOES_ON, ANSWER_ENDS, ANSWER_FAILS };

/* One message at `bytes`; *len becomes how far the next one is. */
static enum answer read_message(
	const unsigned char *bytes, size_t room, size_t *len, struct listeners *out)
{
	struct nlmsghdr header;
	struct inet_diag_msg body;
	if (room < sizeof header)
		return ANSWER_FAILS;
	memcpy(&header, bytes, sizeof header);
	*len = NLMSG_ALIGN(header.nlmsg_len);
	if (header.nlmsg_len < sizeof header || header.nlmsg_len > room)
		return ANSWER_FAILS;
	if (header.nlmsg_type == NLMSG_DONE)
		return ANSWER_ENDS;
	if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		header.nlmsg_len < NLMSG_HDRLEN + sizeof body)
		return ANSWER_FAILS;
	memcpy(&body, bytes + NLMSG_HDRLEN, sizeof body);
	add_diagnosed(out, &body);
	return ANSWER_GOES_ON;
}

static bool hear(int fd, struct listeners *out)
{
	unsigned char bytes[ANSWER_BYTES];
	for (;;) {
		ssize_t got = recv(fd, bytes, sizeof bytes, 0);
		size_t len, end = got > 0 ? (size_t)got : 0;
		if (end == 0)
			return false;
		for (size_t at = 0; at < end; at += len) {
			enum answer answer = read_message(bytes + at, end - at, &len, out);
			if (answer != ANSWER_GOES_ON)
				return answer == ANSWER_ENDS;
		}
	}
}

bool listeners_read_diagnosis(struct listeners *out)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	AUTO(fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool is_told = fd >= 0 &&
		       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
		       ask(fd, AF_INET) && hear(fd, out) && ask(fd, AF_INET6) && hear(fd, out);
	out->is_known |= is_told;
	if (!is_told)
		out->count = 0;
	return is_told;
}

/* ---- /proc/net/tcp ---- */

/* The kernel prints each 32-bit word of the address in the machine's byte order. */
static bool read_hex_address(const char *hex, size_t len, struct address *out)
{
	*out = (struct address){ 0 };
	unsigned char *to = out->bytes + (len == 8 ? 12 : 0);
	if (len != 8 && len != 32)
		return false;
	if (len == 8)
		memcpy(out->bytes, address_mapped_prefix, sizeof address_mapped_prefix);
	for (size_t i = 0; i < len / 8; i++) {
		uint32_t word;
		if (sscanf(hex + 8 * i, "%8x", &word) != 1)
			return false;
		memcpy(to + 4 * i, &word, sizeof word);
	}
	return true;
}

/* "  0: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12345 …" */
static bool read_listener(const char *line, struct listener *out)
{
	char hex[40], state[4];
	int fields = sscanf(line, " %*u: %39[0-9A-F]:%x %*[0-9A-F]:%*x %3s %*s %*s %*s %u %*u %lu",
		hex, &out->port, state, &out->uid, &out->inode);
	return fields == 5 && strcmp(state, LISTENING) == 0 &&
	       read_hex_address(hex, strlen(hex), &out->address);
}

static bool read_table(const char *folder, const char *name, struct listeners *out)
{
	AUTO(str) char *path = path_join(folder, name);
	AUTO(buf) struct buf text = BUF_INIT(TABLE_MAX);
	AUTO(error) struct error ignored = ERROR_INIT;
	if (file_read(path, &text, &ignored) <= 0)
		return false;
	for (const char *at = strchr(buf_str(&text), '\n'); at; at = strchr(at, '\n')) {
		struct listener listener;
		/* sscanf measures its whole text, so it gets one line. */
		char line[LINE_MAX_LEN + 1];
		size_t len = strcspn(++at, "\n");
		memcpy(line, at, len < LINE_MAX_LEN ? len : LINE_MAX_LEN);
		line[len < LINE_MAX_LEN ? len : LINE_MAX_LEN] = '\0';
		if (read_listener(line, &listener))
			add(out, &listener);
	}
	return true;
}

bool listeners_read_tables(const char *folder, struct listeners *out)
{
	bool has_ipv4 = read_table(folder, "tcp", out), has_ipv6 = read_table(folder, "tcp6", out);
	out->is_known |= has_ipv4 || has_ipv6;
	return has_ipv4 || has_ipv6;
}

/* ---- either ---- */

struct listeners *listeners_read(void)
{
	struct listeners *ports = mem_zalloc(sizeof *ports);
	if (!listeners_read_diagnosis(ports))
		(void)!listeners_read_tables("/proc/net", ports);
	return ports;
}

void listeners_free(struct listeners *ports)
{
	if (ports)
		free(ports->items);
	free(ports);
}
