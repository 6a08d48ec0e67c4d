#include "stack/ports.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/text.h"
#include "stack/ports_internal.h"

#define PORT_MAX    65535
#define TRIES_MAX   1000
#define PROGRAM_MAX 256

static bool is_any(const struct address *a)
{
	static const unsigned char zero[16];
	bool is_mapped = memcmp(a->bytes, address_mapped_prefix, sizeof address_mapped_prefix) == 0;
	return memcmp(a->bytes + (is_mapped ? 12 : 0), zero, is_mapped ? 4 : 16) == 0;
}

static bool is_ipv4(const struct address *a)
{
	return memcmp(a->bytes, address_mapped_prefix, sizeof address_mapped_prefix) == 0;
}

static struct address address_of(const char *text)
{
	struct address out = { 0 };
	if (inet_pton(AF_INET, text, out.bytes + 12) == 1)
		memcpy(out.bytes, address_mapped_prefix, sizeof address_mapped_prefix);
	else
		(void)!inet_pton(AF_INET6, text, out.bytes);
	return out;
}

/* Would listeners on both get into each other's way? [::] takes IPv4 too, unless it says otherwise, which cannot be seen:
 * better a port too many that is called taken. */
static bool clash(const struct address *a, const struct address *b)
{
	if (memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0)
		return true;
	if (is_any(a))
		return !is_ipv4(a) || is_ipv4(b) || is_any(b);
	if (is_any(b))
		return !is_ipv4(b) || is_ipv4(a);
	return false;
}

static const struct listener *find_listener(
	const struct listeners *ports, const struct address *wanted, int64_t port)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->items[i].port == port && clash(&ports->items[i].address, wanted))
			return &ports->items[i];
	}
	return NULL;
}

/* ---- whose socket it is ---- */

static bool holds_socket(const char *pid, const char *socket)
{
	bool is_found = false;
	struct dirent *entry;
	AUTO(str) char *folder = mem_printf("/proc/%s/fd", pid);
	DIR *fds = opendir(folder);
	while (fds && !is_found && (entry = readdir(fds))) {
		char target[64];
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, target, sizeof target - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		is_found = strcmp(target, socket) == 0;
	}
	if (fds)
		closedir(fds);
	return is_found;
}

static char *program_of(const char *pid)
{
	AUTO(str) char *path = mem_printf("/proc/%s/comm", pid);
	AUTO(buf) struct buf text = BUF_INIT(PROGRAM_MAX);
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error ignored = ERROR_INIT;
	if (file_read(path, &text, &ignored) <= 0)
		return mem_strdup("a program");
	AUTO(str) char *name = mem_strndup(buf_str(&text), strcspn(buf_str(&text), "\n"));
	text_visible(&shown, name);
	return mem_strdup(buf_str(&shown));
}

static void find_process(const struct listener *listener, struct port_holder *out)
{
	struct dirent *entry;
	AUTO(str) char *socket = mem_printf("socket:[%lu]", listener->inode);
	DIR *processes = opendir("/proc");
	while (processes && !out->pid && (entry = readdir(processes))) {
		AUTO(error) struct error none = ERROR_INIT;
		int64_t pid;
		if (*entry->d_name < '1' || *entry->d_name > '9' ||
			!str_parse_int(entry->d_name, 1, INT32_MAX, &pid, &none) ||
			!holds_socket(entry->d_name, socket))
			continue;
		out->pid = pid;
		out->program = program_of(entry->d_name);
		out->who = mem_printf("%s (process %lld)", out->program, (long long)pid);
	}
	if (processes)
		closedir(processes);
}

static void name_user(const struct listener *listener, struct port_holder *out)
{
	const struct passwd *user = getpwuid(listener->uid);
	out->who = user ? mem_printf("a process of user %s", user->pw_name)
			: mem_printf("a process of user %u", listener->uid);
}

/* Without /proc: whoever cannot bind finds it taken. */
static bool can_bind(const struct address *address, unsigned port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int one = 1;
	AUTO(fd) int fd = socket(AF_INET6, SOCK_STREAM, 0);
	memcpy(&to.sin6_addr, address->bytes, sizeof address->bytes);
	if (fd < 0)
		return true;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	return bind(fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno != EADDRINUSE;
}

void listeners_holder(
	const struct listeners *ports, const char *address, int64_t port, struct port_holder *out)
{
	struct address wanted = address_of(address);
	const struct listener *listener = find_listener(ports, &wanted, port);
	*out = (struct port_holder){ 0 };
	if (!ports->is_known) {
		out->is_taken = !can_bind(&wanted, (unsigned)port);
		out->who = mem_strdup("another program");
		return;
	}
	out->is_taken = listener != NULL;
	if (!listener)
		return;
	find_process(listener, out);
	if (!out->who)
		name_user(listener, out);
}

void port_holder_clear(struct port_holder *holder)
{
	free(holder->program);
	free(holder->who);
	*holder = (struct port_holder){ 0 };
}

static bool is_free(const struct listeners *ports, const struct address *wanted, int64_t port)
{
	return ports->is_known ? !find_listener(ports, wanted, port)
			       : can_bind(wanted, (unsigned)port);
}

int64_t listeners_free_above(const struct listeners *ports, const char *address, int64_t port,
	bool (*is_used)(void *ctx, int64_t port), void *ctx)
{
	struct address wanted = address_of(address);
	for (int64_t next = port + 1; next <= PORT_MAX && next <= port + TRIES_MAX; next++) {
		if (!(is_used && is_used(ctx, next)) && is_free(ports, &wanted, next))
			return next;
	}
	return 0;
}
