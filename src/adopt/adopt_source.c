/* The files that are read. Names are as the Compose file has them, so that a finding can be shown as
 * "config/prometheus.yml:12". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

bool reader_failed(const struct reader *reader)
{
	return error_is_set(reader->err);
}

char *source_path(const struct reader *reader, const char *name)
{
	if (str_has_prefix(name, "./"))
		name += 2;
	return *name == '/' ? mem_strdup(name) : path_join(reader->request->dir, name);
}

int file_check(struct reader *reader, const char *path, const char *name)
{
	struct stat st;
	if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (stat(path, &st) < 0)
		error_set_errno(reader->err, ERR_IO, errno, "cannot read %s", name);
	else if (!S_ISREG(st.st_mode))
		error_set(reader->err, ERR_CONFIG, "%s is not a file", name);
	else if (st.st_size > TREE_BYTES_MAX)
		error_set(reader->err, ERR_CONFIG, "%s is larger than 1MiB", name);
	return reader_failed(reader) ? -1 : 1;
}

/* Places stay as they are, for findings name them. What the anchor holds (capabilities, logging, restart) is nothing that is
 * looked at. */
static void pass_over_own_anchor(struct buf *bytes)
{
	static const char *const words[] = { "x-service: &service", "<<: *service" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t len = strlen(words[i]), keep = i == 0 ? strlen("x-service:") : 0;
		unsigned char *at = bytes->data;
		while (at && (at = memmem(at, bytes->len - (size_t)(at - bytes->data), words[i],
				      len)) != NULL) {
			memset(at + keep, ' ', len - keep);
			at += len;
		}
	}
}

int source_read(struct reader *reader, const char *name, struct source *out)
{
	while (str_has_prefix(name, "./"))
		name += 2;
	AUTO(str) char *path = source_path(reader, name);
	*out = (struct source){
		.reader = reader, .name = mem_strdup(name), .bytes = BUF_INIT(TREE_BYTES_MAX)
	};
	if (reader_failed(reader))
		return -1;
	int found = file_check(reader, path, name);
	if (found > 0)
		found = file_read(path, &out->bytes, reader->err);
	if (found <= 0)
		return found;
	if (reader->request->is_own)
		pass_over_own_anchor(&out->bytes);
	if (!tree_parse(buf_slice(&out->bytes), &out->tree, reader->err)) {
		/* Its message begins with line and column. */
		AUTO(str) char *message = mem_strdup(reader->err->message);
		AUTO(str) char *hint = reader->err->hint ? mem_strdup(reader->err->hint) : NULL;
		error_clear(reader->err);
		error_set(reader->err, ERR_CONFIG, "%s:%s", name, message);
		if (hint)
			error_hint(reader->err, "%s", hint);
		return -1;
	}
	add_file(reader, name);
	return 1;
}

void source_clear(struct source *source)
{
	if (source->bytes.data)
		explicit_bzero(source->bytes.data, source->bytes.len); /* may hold a password */
	buf_clear(&source->bytes);
	tree_clear(&source->tree);
	free(source->name);
	*source = (struct source){ 0 };
}

void source_fail(const struct source *source, const struct node *node, const char *fmt, ...)
{
	if (reader_failed(source->reader))
		return;
	struct place place = tree_place(buf_slice(&source->bytes), node->start);
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	error_set(source->reader->err, ERR_CONFIG, "%s:%zu:%zu: %s", source->name, place.line,
		place.column, message);
}

char *source_where(const struct source *source, const struct node *node)
{
	if (!node)
		return mem_strdup(source->name);
	return mem_printf(
		"%s:%zu", source->name, tree_place(buf_slice(&source->bytes), node->start).line);
}

const struct node *node_any(const struct node *parent, const char *key)
{
	size_t at;
	const struct node *node = parent ? node_child(parent, key, &at) : NULL;
	return node && !node_is_null(node) ? node : NULL;
}

static const char *const kind_names[] = {
	[NODE_SCALAR] = "a single value",
	[NODE_MAP] = "a map",
	[NODE_LIST] = "a list",
};

static const struct node *node_of(const struct source *source, const struct node *parent,
	const char *key, enum node_kind kind)
{
	const struct node *node = node_any(parent, key);
	if (!node || node->kind == kind)
		return node;
	source_fail(source, node, "%s is %s and should be %s", key, kind_names[node->kind],
		kind_names[kind]);
	return NULL;
}

const struct node *node_map(const struct source *source, const struct node *parent, const char *key)
{
	return node_of(source, parent, key, NODE_MAP);
}

const struct node *node_list(
	const struct source *source, const struct node *parent, const char *key)
{
	return node_of(source, parent, key, NODE_LIST);
}

const struct node *node_text(
	const struct source *source, const struct node *parent, const char *key)
{
	return node_of(source, parent, key, NODE_SCALAR);
}

bool node_says(const struct node *node, const char *text)
{
	return node && node->kind == NODE_SCALAR && strcmp(node->text, text) == 0;
}
