#include "stack/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"

#define DEADLINE_MS	5000
#define OUTPUT_MAX	65536
#define STANDARD_SOCKET "/var/run/docker.sock"
#define SENTENCE_MAX	200

static bool is_set(const char *variable)
{
	const char *text = getenv(variable);
	return text && *text;
}

/* A context that was chosen is named in docker's own settings; any mention of one is enough to ask docker. */
static bool names_context(void)
{
	const char *home = getenv("HOME"), *dir = getenv("DOCKER_CONFIG");
	AUTO(str)
	char *folder = dir && *dir ? mem_strdup(dir) : path_join(home ? home : "/", ".docker");
	AUTO(str) char *path = path_join(folder, "config.json");
	AUTO(buf) struct buf text = BUF_INIT(1 << 20);
	AUTO(error) struct error ignored = ERROR_INIT;
	int got = file_read(path, &text, &ignored);
	return got < 0 || (got > 0 && strstr(buf_str(&text), "currentContext"));
}

/* The errno of connecting to the standard socket; 0: it takes connections. */
static int try_standard_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = STANDARD_SOCKET };
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	int result = connect(fd, (const struct sockaddr *)&address, sizeof address);
	return result == 0 || errno == EAGAIN || errno == EINPROGRESS ? 0 : errno;
}

static void say(struct engine *out, char *why, const char *hint)
{
	out->why = why;
	out->hint = hint ? mem_strdup(hint) : NULL;
}

static void say_unreachable(struct engine *out, int why)
{
	if (why == EACCES)
		say(out,
			mem_strdup("Docker is installed, but you may not use its "
				   "socket " STANDARD_SOCKET),
			"become a member of the group docker, or use a rootless engine");
	else
		say(out, mem_strdup("Docker is installed, but its engine does not run"),
			"start it, for example with 'systemctl start docker'");
}

static void ask(struct engine *out)
{
	const char *const argv[] = { out->program, "version", "--format", "{{.Server.Version}}",
		NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = DEADLINE_MS, .output_max = OUTPUT_MAX
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, &err)) {
		say(out, mem_strdup(err.message), NULL);
		return;
	}
	if (result.end == PROC_TIMED_OUT) {
		say(out, mem_printf("%s did not answer within five seconds", out->program), NULL);
		return;
	}
	if (result.end != PROC_EXITED || result.status != 0) {
		AUTO(str) char *said = text_first_line(buf_str(&result.err), SENTENCE_MAX);
		say(out, mem_printf("%s cannot reach its engine: %s", out->program, said), NULL);
		return;
	}
	out->is_reachable = true;
	out->version = text_first_line(buf_str(&result.out), SENTENCE_MAX);
	say(out, mem_printf("%s %s answers", out->program, out->version), NULL);
}

void engine_find(struct engine *out)
{
	*out = (struct engine){ 0 };
	AUTO(str) char *docker = proc_find("docker");
	AUTO(str) char *podman = docker ? NULL : proc_find("podman");
	if (!docker && !podman) {
		say(out, mem_strdup("no container engine is installed"), NULL);
		return;
	}
	out->program = mem_strdup(docker ? "docker" : "podman");
	bool is_standard =
		docker && !is_set("DOCKER_HOST") && !is_set("DOCKER_CONTEXT") && !names_context();
	int why = is_standard ? try_standard_socket() : 0;
	if (why)
		say_unreachable(out, why);
	else
		ask(out);
}

void engine_clear(struct engine *engine)
{
	free(engine->program);
	free(engine->version);
	free(engine->why);
	free(engine->hint);
	*engine = (struct engine){ 0 };
}
