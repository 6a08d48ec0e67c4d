/* Which files make the stack, as Compose finds them: compose.yaml, compose.yml, docker-compose.yml,
 * docker-compose.yaml in this order, or what COMPOSE_FILE names, with .env beside it. */
#include <string.h>
#include <unistd.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

static const char *const names[] = { "compose.yaml", "compose.yml", "docker-compose.yml",
	"docker-compose.yaml" };
static const char *const overrides[] = { "compose.override.yaml", "compose.override.yml",
	"docker-compose.override.yml", "docker-compose.override.yaml" };

static bool is_there(const struct reader *reader, const char *name)
{
	AUTO(str) char *path = source_path(reader, name);
	return access(path, F_OK) == 0;
}

static bool read_env(struct reader *reader)
{
	AUTO(str) char *path = source_path(reader, ".env");
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	AUTO(error) struct error why = ERROR_INIT;
	int found = file_check(reader, path, ".env");
	if (found < 0)
		return false;
	found = file_read(path, &text, &why);
	bool is_read =
		found == 0 || (found > 0 && env_file_parse(buf_slice(&text), &reader->env, &why));
	if (text.data)
		explicit_bzero(text.data, text.len);
	if (!is_read) {
		error_set(reader->err, why.code, "%s", why.message);
		if (why.hint)
			error_hint(reader->err, "%s", why.hint);
	}
	return is_read;
}

static bool refuse_several(struct reader *reader)
{
	error_set(reader->err, ERR_REFUSED, "COMPOSE_FILE names more than one file");
	return error_hint(reader->err,
		"write what 'docker compose config' prints into one docker-compose.yml, unset "
		"COMPOSE_FILE and try again");
}

static bool refuse_none(struct reader *reader)
{
	error_set(reader->err, ERR_REFUSED, "there is no Compose file in %s", reader->request->dir);
	return error_hint(
		reader->err, "name the directory that holds docker-compose.yml or compose.yaml");
}

static const char *standard_name(const struct reader *reader)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (is_there(reader, names[i]))
			return names[i];
	}
	return NULL;
}

/* Files that Compose would also look at, or that one might think it does. */
static void list_neighbours(struct reader *reader)
{
	const struct source other = { .reader = reader };
	for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
		struct source at = other;
		at.name = (char *)(uintptr_t)overrides[i];
		if (is_there(reader, overrides[i]))
			add_kept(&at, NULL,
				"Compose goes on applying it: see that it fits the new services",
				"override file %s, which was not read", overrides[i]);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct source at = other;
		at.name = (char *)(uintptr_t)names[i];
		if (strcmp(names[i], reader->out->compose_file) != 0 && is_there(reader, names[i]))
			add_kept(&at, NULL, "remove it, or Compose warns of it",
				"Compose file %s, which Compose does not use beside %s", names[i],
				reader->out->compose_file);
	}
}

/* Compose takes anchors and aliases, and can write them out. */
static bool explain_anchors(struct reader *reader)
{
	if (!strstr(reader->err->message, ": there is an a"))
		return false;
	AUTO(str) char *message = mem_strdup(reader->err->message);
	error_clear(reader->err);
	error_set(reader->err, ERR_CONFIG, "%s", message);
	return error_hint(reader->err,
		"anchors and aliases are not read: what 'docker compose config --no-interpolate' "
		"prints is the same file without");
}

bool compose_find(struct reader *reader)
{
	if (!read_env(reader))
		return false;
	AUTO(str) char *given = reader_variable(reader, "COMPOSE_FILE");
	const char *name = given && *given ? given : standard_name(reader);
	if (name && strchr(name, ':'))
		return refuse_several(reader);
	int found = name ? source_read(reader, name, &reader->compose) : 0;
	if (found == 0)
		return refuse_none(reader);
	if (found < 0)
		return explain_anchors(reader);
	reader->out->compose_file = mem_strdup(reader->compose.name);
	if (strcmp(reader->compose.name, "docker-compose.yml") != 0)
		add_fault(&reader->compose, NULL, FAULT_COMPOSE_NAME,
			"this Compose file is not named docker-compose.yml");
	list_neighbours(reader);
	return true;
}
