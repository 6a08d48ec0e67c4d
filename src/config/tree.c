#include "config/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

struct builder {
	struct slice bytes;
	uint32_t *offsets; /* of each character, and of the end; NULL: all are one byte long */
	size_t characters;
	yaml_parser_t parser;
	size_t nodes;
	struct error *err;
};

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

struct place tree_place(struct slice bytes, size_t offset)
{
	struct place place = { 1, 1 };
	for (size_t i = 0; i < offset && i < bytes.len; i++) {
		bool is_crlf =
			bytes.ptr[i] == '\r' && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n';
		if (bytes.ptr[i] == '\n' || (bytes.ptr[i] == '\r' && !is_crlf)) {
			place.line++;
			place.column = 1;
		} else if (!is_continuation(bytes.ptr[i])) {
			place.column++;
		}
	}
	return place;
}

static bool fail(struct builder *b, size_t offset, const char *fmt, ...) PRINTF(3, 4);

static bool fail(struct builder *b, size_t offset, const char *fmt, ...)
{
	struct place place = tree_place(b->bytes, offset);
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	return error_set(b->err, ERR_CONFIG, "%zu:%zu: %s", place.line, place.column, message);
}

/* ---- before libyaml sees them: bytes that no settings file holds ---- */

static bool check_utf8(struct builder *b)
{
	for (size_t i = 0; i < b->bytes.len;) {
		size_t len = 1;
		while (len <= 4 && i + len <= b->bytes.len &&
			!str_is_utf8(slice_of(b->bytes.ptr + i, len)))
			len++;
		if (len > 4 || i + len > b->bytes.len) {
			fail(b, i, "the byte 0x%02X is not UTF-8", b->bytes.ptr[i]);
			return error_hint(b->err, "save the file as UTF-8");
		}
		i += len;
	}
	return true;
}

static bool check_bytes(struct builder *b)
{
	if (b->bytes.len > TREE_BYTES_MAX)
		return fail(b, 0, "the file is larger than 1MiB");
	if (b->bytes.len >= 3 && memcmp(b->bytes.ptr, "\xEF\xBB\xBF", 3) == 0) {
		fail(b, 0, "the file begins with a byte order mark");
		return error_hint(b->err, "save it as UTF-8 without one");
	}
	for (size_t i = 0; i < b->bytes.len; i++) {
		unsigned char c = b->bytes.ptr[i];
		if (c == '\0')
			return fail(b, i, "there is a NUL character");
		if ((c < 0x20 && !strchr("\t\n\r", c)) || c == 0x7F)
			return fail(b, i, "there is the control character 0x%02X", c);
	}
	return str_is_utf8(b->bytes) || check_utf8(b);
}

static void map_characters(struct builder *b)
{
	for (size_t i = 0; i < b->bytes.len; i++)
		b->characters += !is_continuation(b->bytes.ptr[i]);
	if (b->characters == b->bytes.len)
		return;
	b->offsets = mem_calloc(b->characters + 1, sizeof *b->offsets);
	size_t at = 0;
	for (size_t i = 0; i < b->bytes.len; i++) {
		if (!is_continuation(b->bytes.ptr[i]))
			b->offsets[at++] = (uint32_t)i;
	}
	b->offsets[at] = (uint32_t)b->bytes.len;
}

static size_t byte_of(const struct builder *b, yaml_mark_t mark)
{
	if (mark.index >= b->characters)
		return b->bytes.len;
	return b->offsets ? b->offsets[mark.index] : mark.index;
}

/* ---- events to nodes ---- */

static bool fail_syntax(struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	if (parser->error == YAML_READER_ERROR)
		return fail(
			b, parser->problem_offset, "there is a character that YAML does not allow");
	size_t at = byte_of(b, parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "it cannot be read";
	if (at < b->bytes.len && b->bytes.ptr[at] == '\t') {
		fail(b, at, "there is a tab where YAML takes spaces only");
		return error_hint(b->err, "indent with spaces");
	}
	if (strstr(problem, "undefined alias"))
		problem = "an alias refers to nothing";
	if (parser->context)
		fail(b, at, "not valid YAML: %s %s", problem, parser->context);
	else
		fail(b, at, "not valid YAML: %s", problem);
	return error_hint(b->err,
		"is the line indented as its neighbours, and a text with : # { [ or "
		"quotes between quotes?");
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
	return yaml_parser_parse(&b->parser, event) ? true : fail_syntax(b);
}

static bool take_node(
	struct builder *b, const yaml_event_t *event, unsigned depth, struct node **out);

static void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_free(node->children[i]);
	free(node->children);
	free(node->text);
	free(node);
}

static bool refuse_properties(struct builder *b, const yaml_event_t *event,
	const yaml_char_t *anchor, const yaml_char_t *tag)
{
	size_t at = byte_of(b, event->start_mark);
	if (anchor) {
		fail(b, at, "there is an anchor (&%.40s)", (const char *)anchor);
		return error_hint(b->err, "anchors and aliases are not taken: write the value out");
	}
	if (tag) {
		fail(b, at, "there is a tag (%.40s)", (const char *)tag);
		return error_hint(b->err, "tags are not taken: write the value without");
	}
	return true;
}

static enum node_style scalar_style(yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		return NODE_SINGLE_QUOTED;
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return NODE_DOUBLE_QUOTED;
	return style == YAML_PLAIN_SCALAR_STYLE ? NODE_PLAIN : NODE_BLOCK;
}

/* A block scalar's last event mark stands behind its empty lines. */
static size_t trimmed_end(const struct builder *b, size_t start, size_t end)
{
	while (end > start && strchr(" \t\r\n", b->bytes.ptr[end - 1]))
		end--;
	return end;
}

static bool take_scalar(struct builder *b, const yaml_event_t *event, struct node *node)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	if (!refuse_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag))
		return false;
	if (memchr(text, '\0', len))
		return fail(b, node->start, "the text holds a NUL character");
	node->style = scalar_style(event->data.scalar.style);
	node->text = mem_strndup(text, len);
	node->end = trimmed_end(b, node->start, byte_of(b, event->end_mark));
	return true;
}

static bool check_key(struct builder *b, const struct node *map, const struct node *key)
{
	if (key->kind != NODE_SCALAR || key->style == NODE_BLOCK)
		return fail(b, key->start, "a key is not a word");
	if (strlen(key->text) > TREE_KEY_MAX)
		return fail(b, key->start, "a key is longer than %d bytes", TREE_KEY_MAX);
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		if (strcmp(map->children[i]->text, key->text) != 0)
			continue;
		struct place first = tree_place(b->bytes, map->children[i]->start);
		return fail(b, key->start, "the key %.80s is given twice, first in line %zu",
			key->text, first.line);
	}
	return true;
}

static bool add_child(
	struct builder *b, const yaml_event_t *event, unsigned depth, struct node *parent)
{
	struct node *child = NULL;
	if (!take_node(b, event, depth + 1, &child))
		return false;
	bool is_key = parent->kind == NODE_MAP && parent->count % 2 == 0;
	if (is_key && !check_key(b, parent, child)) {
		node_free(child);
		return false;
	}
	parent->children = mem_realloc(parent->children, parent->count + 1, sizeof(struct node *));
	parent->children[parent->count++] = child;
	return true;
}

/* All children up to the end event. A block ends where its last child does: libyaml notices the end only at
 * the next token, behind comments. */
static bool take_children(struct builder *b, unsigned depth, struct node *node)
{
	yaml_event_type_t end =
		node->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	bool is_over = false, is_taken = true;
	while (!is_over && is_taken) {
		yaml_event_t event;
		if (!next_event(b, &event))
			return false;
		is_over = event.type == end;
		if (is_over)
			node->end = byte_of(b, event.end_mark);
		else
			is_taken = add_child(b, &event, depth, node);
		yaml_event_delete(&event);
	}
	if (is_taken && node->style == NODE_BLOCK)
		node->end = node->count ? node->children[node->count - 1]->end : node->start;
	return is_taken;
}

static bool fill_node(
	struct builder *b, const yaml_event_t *event, unsigned depth, struct node *node)
{
	node->start = byte_of(b, event->start_mark);
	if (event->type == YAML_ALIAS_EVENT) {
		fail(b, node->start, "there is an alias (*%.40s)",
			(const char *)event->data.alias.anchor);
		return error_hint(b->err, "anchors and aliases are not taken: write the value out");
	}
	if (depth > TREE_DEPTH_MAX)
		return fail(b, node->start, "values are nested more than %d deep", TREE_DEPTH_MAX);
	if (++b->nodes > TREE_NODES_MAX)
		return fail(
			b, node->start, "there are more than %d keys and values", TREE_NODES_MAX);
	if (event->type == YAML_SCALAR_EVENT)
		return take_scalar(b, event, node);
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	bool is_flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
			      : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	node->kind = is_map ? NODE_MAP : NODE_LIST;
	node->style = is_flow ? NODE_FLOW : NODE_BLOCK;
	if (!refuse_properties(b, event,
		    is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
		    is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag))
		return false;
	return take_children(b, depth, node);
}

static bool take_node(
	struct builder *b, const yaml_event_t *event, unsigned depth, struct node **out)
{
	struct node *node = mem_zalloc(sizeof *node);
	if (!fill_node(b, event, depth, node)) {
		node_free(node);
		return false;
	}
	*out = node;
	return true;
}

/* Stream start, one document, stream end. */
static bool take_stream(struct builder *b, struct tree *tree)
{
	bool is_over = false, is_taken = true;
	unsigned documents = 0;
	while (!is_over && is_taken) {
		yaml_event_t event;
		if (!next_event(b, &event))
			return false;
		if (event.type == YAML_STREAM_END_EVENT) {
			is_over = true;
		} else if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
			is_taken = fail(
				b, byte_of(b, event.start_mark), "a second document begins here");
			error_hint(b->err, "all settings stand in one document");
		} else if (event.type != YAML_STREAM_START_EVENT &&
			   event.type != YAML_DOCUMENT_START_EVENT &&
			   event.type != YAML_DOCUMENT_END_EVENT) {
			is_taken = take_node(b, &event, 1, &tree->root);
		}
		yaml_event_delete(&event);
	}
	return is_taken;
}

bool tree_parse(struct slice bytes, struct tree *out, struct error *err)
{
	struct builder b = { .bytes = bytes, .err = err };
	struct tree tree = { 0 };
	if (!check_bytes(&b))
		return false;
	map_characters(&b);
	if (!yaml_parser_initialize(&b.parser)) {
		free(b.offsets);
		return error_set(err, ERR_FAILED, "libyaml has no memory");
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&b.parser, bytes.len ? bytes.ptr : (const unsigned char *)"", bytes.len);
	bool is_taken = take_stream(&b, &tree);
	yaml_parser_delete(&b.parser);
	free(b.offsets);
	if (is_taken)
		*out = tree;
	else
		tree_clear(&tree);
	return is_taken;
}

void tree_clear(struct tree *tree)
{
	node_free(tree->root);
	tree->root = NULL;
}

struct node *node_child(const struct node *map, const char *key, size_t *at)
{
	for (size_t i = 0; map->kind == NODE_MAP && i + 1 < map->count; i += 2) {
		if (strcmp(map->children[i]->text, key) == 0) {
			*at = i;
			return map->children[i + 1];
		}
	}
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->style == NODE_PLAIN &&
	       (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}
