/* Variables of a service's container: environment as a map or a list, and the files of env_file, which it overrides.
 * A name without a value takes the one Compose itself has. */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

static char *value_in_map(
	struct reader *reader, const struct node *map, const char *name, const struct node **node)
{
	size_t at;
	const struct node *value = node_child(map, name, &at);
	if (!value)
		return NULL;
	if (value->kind != NODE_SCALAR) {
		source_fail(&reader->compose, value, "the variable %s is no text", name);
		return NULL;
	}
	*node = map->children[at];
	/* "NAME:" and nothing behind it. */
	return node_is_null(value) ? reader_variable(reader, name) : mem_strdup(value->text);
}

static char *value_in_list(
	struct reader *reader, const struct node *list, const char *name, const struct node **node)
{
	char *value = NULL;
	size_t len = strlen(name);
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->children[i];
		if (item->kind != NODE_SCALAR) {
			source_fail(&reader->compose, item, "a variable is no text");
			continue;
		}
		if (strncmp(item->text, name, len) != 0 ||
			(item->text[len] && item->text[len] != '='))
			continue;
		free(value);
		value = item->text[len] ? mem_strdup(item->text + len + 1)
					: reader_variable(reader, name);
		*node = item;
	}
	return value;
}

static char *value_in_file(struct reader *reader, const struct node *entry, const char *name)
{
	const struct node *path_node =
		entry->kind == NODE_MAP ? node_text(&reader->compose, entry, "path") : entry;
	if (!path_node || path_node->kind != NODE_SCALAR || reader_failed(reader))
		return NULL;
	AUTO(str) char *path = source_path(reader, path_node->text);
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	AUTO(env_file) struct env_file file = { 0 };
	if (file_check(reader, path, path_node->text) <= 0 ||
		file_read(path, &text, reader->err) <= 0)
		return NULL;
	bool is_read = env_file_parse(buf_slice(&text), &file, reader->err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	if (!is_read) {
		error_wrap(reader->err, "%s", path_node->text);
		return NULL;
	}
	const struct env_variable *variable = env_file_find(&file, name);
	if (variable && variable->refers)
		return interpolate(&reader->compose, path_node, variable->value);
	return variable ? mem_strdup(variable->value) : NULL;
}

/* The last file that sets it. */
static char *value_in_files(
	struct reader *reader, const struct node *files, const char *name, const struct node **node)
{
	if (files->kind != NODE_LIST) {
		*node = files;
		return value_in_file(reader, files, name);
	}
	for (size_t i = files->count; i-- > 0;) {
		char *value = value_in_file(reader, files->children[i], name);
		if (value) {
			*node = files->children[i];
			return value;
		}
	}
	return NULL;
}

char *environment_value(
	struct reader *reader, const struct part *part, const char *name, const struct node **node)
{
	const struct node *environment = node_any(part->node, "environment");
	const struct node *files = node_any(part->node, "env_file");
	char *value = NULL;
	if (environment && environment->kind == NODE_MAP)
		value = value_in_map(reader, environment, name, node);
	else if (environment && environment->kind == NODE_LIST)
		value = value_in_list(reader, environment, name, node);
	else if (environment)
		source_fail(
			&reader->compose, environment, "environment is neither a map nor a list");
	return value || !files ? value : value_in_files(reader, files, name, node);
}
