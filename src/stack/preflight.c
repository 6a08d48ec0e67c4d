#include "stack/preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/text.h"
#include "stack/docker_cli.h"
#include "stack/engine.h"
#include "stack/ports.h"

#define ASK_MS	    5000
#define SAID_MAX    200
#define MEMINFO_MAX 65536
/* The bridge needs room for its journal and for what SQLite adds meanwhile. */
#define EMBEDDED_DISK_MIN (INT64_C(64) << 20)

static struct finding *add(
	struct findings *out, enum finding_kind kind, bool is_fatal, char *what, char *hint)
{
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	out->items[out->count] =
		(struct finding){ .kind = kind, .is_fatal = is_fatal, .what = what, .hint = hint };
	return &out->items[out->count++];
}

/* ---- ports ---- */

static bool is_published(const struct compose_services *running, int64_t port)
{
	for (size_t i = 0; i < running->count; i++) {
		const struct compose_service *service = &running->items[i];
		for (size_t j = 0; j < service->port_count; j++) {
			if (service->ports[j] == port)
				return true;
		}
	}
	return false;
}

/* The container of another stack that publishes the port, for a listener that belongs to the engine. Yours; NULL: none. */
static char *container_at(const char *program, int64_t port)
{
	AUTO(str) char *filter = mem_printf("publish=%lld", (long long)port);
	const char *const argv[] = { program, "ps", "--filter", filter, "--format",
		"the container {{.Names}} ({{.Image}})", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 4096
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, &ignored) || result.end != PROC_EXITED || result.status)
		return NULL;
	AUTO(str) char *line = text_first_line(buf_str(&result.out), SAID_MAX);
	return *line ? TAKE(line) : NULL;
}

/* The engine's own programs hold the ports of containers; in other network namespaces nobody is seen at all. */
static bool may_be_container(const struct port_holder *holder)
{
	return !holder->program || strstr(holder->program, "docker") != NULL ||
	       strstr(holder->program, "rootlessport") != NULL ||
	       strstr(holder->program, "rootlesskit") != NULL ||
	       strstr(holder->program, "conmon") != NULL ||
	       strstr(holder->program, "slirp4netns") != NULL ||
	       strstr(holder->program, "pasta") != NULL;
}

static bool is_a_port_of(void *ctx, int64_t number)
{
	const struct config *config = ctx;
	for (size_t i = 0; i < service_port_count; i++) {
		if (config_number(config, service_ports[i].key) == number)
			return true;
	}
	return false;
}

static void check_port(const struct config *config, const struct listeners *ports,
	const struct service_port *port, const char *program, struct findings *out)
{
	int64_t number = config_number(config, port->key);
	AUTO(port_holder) struct port_holder holder = { 0 };
	listeners_holder(ports, service_port_address(config, port), number, &holder);
	if (!holder.is_taken)
		return;
	AUTO(str)
	char *container =
		program && may_be_container(&holder) ? container_at(program, number) : NULL;
	int64_t is_free = listeners_free_above(ports, service_port_address(config, port), number,
		is_a_port_of, (void *)(uintptr_t)config);
	struct finding *finding = add(out, FINDING_PORT, true,
		mem_printf("port %lld (%s) is held by %s", (long long)number, port->what,
			container ? container : holder.who),
		is_free ? mem_printf("end that program, or give the stack another port: 'cctm init "
				     "--set %s=%lld'",
				  port->key, (long long)is_free)
			: mem_strdup("end that program, or give the stack another port in "
				     "cctm.yaml"));
	finding->port_key = port->key;
	finding->free_port = is_free;
}

/* ---- room ---- */

static char *size_text(int64_t bytes)
{
	const int64_t mib = INT64_C(1) << 20;
	return bytes < mib ? str_size(bytes) : str_size(bytes / mib * mib);
}

static void check_disk(const char *path, int64_t min, const char *hint, struct findings *out)
{
	struct statvfs fs;
	if (statvfs(path, &fs) < 0)
		return;
	int64_t free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
	if (free_bytes >= min)
		return;
	AUTO(str) char *has = size_text(free_bytes);
	AUTO(str) char *needs = size_text(min);
	add(out, FINDING_DISK, true,
		mem_printf("%s has %s free, and %s are needed", path, has, needs),
		mem_strdup(hint));
}

/* Of the engine: where it keeps images and volumes, and how old it is. One call, for each costs time. */
static void check_engine(const char *program, const char *dir, struct findings *out)
{
	const char *const argv[] = { program, "info", "--format",
		"{{.ServerVersion}} {{.DockerRootDir}}", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 4096
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	bool is_told = proc_run(&request, &result, &ignored) && result.end == PROC_EXITED &&
		       result.status == 0;
	AUTO(str) char *line = text_first_line(is_told ? buf_str(&result.out) : "", SAID_MAX);
	AUTO(str) char *version = mem_strndup(line, strcspn(line, " "));
	const char *folder = line + strlen(version);
	folder += *folder == ' ';
	if (docker_cli_is_before(version, ENGINE_OLDEST_MAJOR, ENGINE_OLDEST_MINOR))
		add(out, FINDING_ENGINE, true,
			mem_printf("Docker %s is too old, 20.10 is needed", version),
			mem_strdup("update Docker, or use 'cctm init --runtime embedded'"));
	check_disk(*folder == '/' ? folder : dir, PREFLIGHT_DISK_MIN,
		"make room there; 'docker system df' shows what the engine keeps", out);
}

static void check_memory(struct findings *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(MEMINFO_MAX);
	static const char name[] = "MemAvailable:";
	const char *at = file_read("/proc/meminfo", &text, &ignored) == 1
				 ? strstr(buf_str(&text), name)
				 : NULL;
	if (!at)
		return;
	at += sizeof name - 1;
	at += strspn(at, " ");
	int64_t kib = 0;
	AUTO(str) char *digits = mem_strndup(at, strspn(at, "0123456789"));
	if (!str_parse_int(digits, 0, INT64_MAX / 1024, &kib, &ignored) ||
		kib * 1024 >= PREFLIGHT_MEMORY_MIN)
		return;
	AUTO(str) char *has = size_text(kib * 1024);
	add(out, FINDING_MEMORY, false,
		mem_printf("%s of memory can be had, and a stack takes about 1 GiB", has), NULL);
}

/* ---- the two runtimes ---- */

/* An engine on another machine has its ports there. */
static bool is_remote(void)
{
	const char *host = getenv("DOCKER_HOST");
	return host && *host && !str_has_prefix(host, "unix:");
}

void preflight_containers(const struct config *config, const char *dir,
	const struct compose_services *running, struct findings *out)
{
	AUTO(listeners) struct listeners *ports = listeners_read();
	AUTO(str) char *docker = proc_find("docker");
	const char *program = docker ? "docker" : "podman";
	*out = (struct findings){ 0 };
	for (size_t i = 0; i < service_port_count; i++) {
		const struct service_port *port = &service_ports[i];
		if (!is_remote() && service_port_is_used(config, port) &&
			!is_published(running, config_number(config, port->key)))
			check_port(config, ports, port, program, out);
	}
	check_engine(program, dir, out);
	check_memory(out);
}

void preflight_embedded(
	const struct config *config, const char *state_dir, bool is_running, struct findings *out)
{
	AUTO(listeners) struct listeners *ports = listeners_read();
	*out = (struct findings){ 0 };
	for (size_t i = 0; !is_running && i < service_port_count; i++) {
		/* The Collector's are the bridge's too. */
		if (service_ports[i].service == SERVICE_COLLECTOR)
			check_port(config, ports, &service_ports[i], NULL, out);
	}
	if (access(state_dir, F_OK) == 0 && access(state_dir, R_OK | W_OK | X_OK) < 0)
		add(out, FINDING_FOLDER, true,
			mem_printf("%s, where the bridge keeps its data, may not be used: it "
				   "belongs to another user",
				state_dir),
			mem_strdup("run this as that user, or give the stack another place "
				   "(data.bridge in cctm.yaml)"));
	check_disk(state_dir, EMBEDDED_DISK_MIN, "make room there", out);
}

bool findings_judge(const struct findings *findings, struct error *err)
{
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	const char *hint = NULL;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		if (!finding->is_fatal)
			continue;
		buf_addf(&all, "%s%s", all.len ? "; " : "", finding->what);
		hint = hint ? hint : finding->hint;
	}
	if (!all.len)
		return true;
	error_set(err, ERR_FAILED, "the stack cannot start: %s", buf_str(&all));
	return hint ? error_hint(err, "%s", hint) : false;
}

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].what);
		free(findings->items[i].hint);
	}
	free(findings->items);
	*findings = (struct findings){ 0 };
}
