#include "stack/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"
#include "stack/compose.h"
#include "stack/docker_cli.h"

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
	AUTO(str) char *folder = docker_cli_folder();
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

#define HINT_GROUP "become a member of the group docker, or use a rootless engine"
#define HINT_START "start it, for example with 'systemctl start docker'"

static void say_unreachable(struct engine *out, int why)
{
	if (why == EACCES)
		say(out,
			mem_strdup("Docker is installed, but you may not use its "
				   "socket " STANDARD_SOCKET),
			HINT_GROUP);
	else
		say(out, mem_strdup("Docker is installed, but its engine does not run"),
			HINT_START);
}

/* It was not content: its first line says why. */
static void say_refused(struct engine *out, const char *text)
{
	AUTO(str) char *said = text_first_line(text, SENTENCE_MAX);
	const char *hint = strstr(text, "permission denied")		  ? HINT_GROUP
			   : strstr(text, "Is the docker daemon running") ? HINT_START
									  : NULL;
	say(out, mem_printf("%s cannot reach its engine: %s", out->program, said), hint);
}

/* ---- versions ---- */

static char *text_at(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text_first_line(text, SENTENCE_MAX) : NULL;
}

/* Podman's versions are counted differently. Its program may be called docker, or docker may talk to its engine. */
static bool is_podman(const struct engine *engine, const json_t *client, const json_t *server)
{
	size_t i;
	const json_t *component;
	if (strcmp(engine->program, "podman") == 0 || json_object_get(client, "APIVersion"))
		return true;
	json_array_foreach(json_object_get(server, "Components"), i, component)
	{
		const char *name = json_string_value(json_object_get(component, "Name"));
		if (name && strstr(name, "Podman"))
			return true;
	}
	return false;
}

/* From {"Client": {"Version": …}, "Server": {"Version": …}}. Podman without a server of its own has a client only, and
 * that is the engine. */
static void judge_versions(struct engine *out, const json_t *root)
{
	const json_t *client = json_object_get(root, "Client");
	const json_t *server = json_object_get(root, "Server");
	bool is_other = is_podman(out, client, server);
	out->client = text_at(client, "Version");
	out->version = text_at(is_other && !json_is_object(server) ? client : server, "Version");
	out->is_reachable = out->version != NULL;
	out->is_usable = out->is_reachable;
	if (!out->is_reachable)
		say(out, mem_printf("%s does not say its engine's version", out->program), NULL);
	else if (!is_other &&
		 docker_cli_is_before(out->version, ENGINE_OLDEST_MAJOR, ENGINE_OLDEST_MINOR)) {
		out->is_usable = false;
		say(out,
			mem_printf("%s %s answers, but %d.%d or later is needed", out->program,
				out->version, ENGINE_OLDEST_MAJOR, ENGINE_OLDEST_MINOR),
			NULL);
	}
}

static void judge_compose(struct engine *out)
{
	struct compose compose;
	AUTO(error) struct error err = ERROR_INIT;
	if (compose_open(".", &compose, &err)) {
		say(out, mem_printf("%s %s answers", out->program, out->version), NULL);
		return;
	}
	out->is_usable = false;
	say(out, mem_printf("%s %s answers, but %s", out->program, out->version, err.message),
		err.hint);
}

static void judge_answer(struct engine *out, const struct proc_result *result)
{
	json_error_t why;
	json_t *root = json_loads(buf_str(&result->out), 0, &why);
	judge_versions(out, root);
	json_decref(root);
	if (out->is_usable)
		judge_compose(out);
}

static void ask(struct engine *out)
{
	const char *const argv[] = { out->program, "version", "--format", "{{json .}}", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = DEADLINE_MS, .output_max = OUTPUT_MAX
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, &err))
		say(out, mem_strdup(err.message), NULL);
	else if (result.end == PROC_TIMED_OUT)
		say(out, mem_printf("%s did not answer within five seconds", out->program), NULL);
	else if (result.end != PROC_EXITED || result.status != 0)
		say_refused(out, buf_str(&result.err));
	else
		judge_answer(out, &result);
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
	free(engine->client);
	free(engine->version);
	free(engine->why);
	free(engine->hint);
	*engine = (struct engine){ 0 };
}
