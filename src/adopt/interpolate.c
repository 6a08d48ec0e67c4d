/* What Compose does to the values of its file before it looks at them (Docker's "Interpolation"):
 *
 *   $$                        a dollar, as is a $ before anything else than what follows here
 *   $NAME, ${NAME}            the variable; nothing when nobody sets it
 *   ${NAME-text}              text when it is not set;          with :- also when it is empty
 *   ${NAME+text}              text when it is set, else nothing; with :+ only when it is not empty
 *   ${NAME?text}              the variable, which must be set;  with :? and not empty
 *
 * `text` is interpolated itself. Values come from outside as well: how long a result gets and how deep texts are
 * nested is bounded. A value is never put into a message.
 */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"

#define RESULT_MAX (16 << 10)
#define DEPTH_MAX  8
#define STEPS_MAX  100000 /* of all values together: variables of .env may refer to each other */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define NAMES	LETTERS "0123456789"

struct expansion {
	const struct source *source;
	const struct node *node;
	struct buf out;
	unsigned depth;
};

static bool expand(struct expansion *e, struct slice text);

static bool fail(struct expansion *e, const char *why)
{
	source_fail(e->source, e->node, "%s", why);
	return false;
}

static bool put(struct expansion *e, struct slice bytes)
{
	if (buf_append_slice(&e->out, bytes))
		return true;
	return fail(e, "this is longer than 16KiB once its variables are put in");
}

char *reader_variable(struct reader *reader, const char *name)
{
	const char *value = reader->request->variable ? reader->request->variable(name) : NULL;
	if (value)
		return mem_strdup(value);
	const struct env_variable *variable = env_file_find(&reader->env, name);
	return variable ? mem_strdup(variable->value) : NULL;
}

/* A value of .env may refer to other variables. */
static char *variable_of(struct expansion *e, const char *name)
{
	struct reader *reader = e->source->reader;
	const char *of_shell = reader->request->variable ? reader->request->variable(name) : NULL;
	const struct env_variable *variable = env_file_find(&reader->env, name);
	if (of_shell || !variable || !variable->refers)
		return reader_variable(reader, name);
	struct expansion inner = {
		.source = e->source, .node = e->node, .out = BUF_INIT(RESULT_MAX), .depth = e->depth
	};
	bool is_expanded = expand(&inner, slice_str(variable->value));
	char *value = is_expanded ? mem_strdup(buf_str(&inner.out)) : NULL;
	buf_clear(&inner.out);
	return value;
}

static bool note_unset(struct expansion *e, const char *name)
{
	add_fault(e->source, e->node, FAULT_UNSET,
		"the variable %s is set nowhere, so Compose puts nothing in its place", name);
	return true;
}

static bool put_braced(struct expansion *e, const char *name, struct slice rest)
{
	AUTO(str) char *value = variable_of(e, name);
	if (reader_failed(e->source->reader))
		return false;
	if (!rest.len)
		return value ? put(e, slice_str(value)) : note_unset(e, name);
	bool minds_empty = rest.ptr[0] == ':';
	char sign = rest.len > minds_empty ? (char)rest.ptr[minds_empty] : '\0';
	if (!sign || !strchr("-+?", sign))
		return fail(e, "Compose does not understand what stands between ${ and }");
	struct slice text = slice_of(rest.ptr + minds_empty + 1, rest.len - minds_empty - 1);
	bool is_there = value && (*value || !minds_empty);
	if (sign == '+')
		return is_there ? expand(e, text) : true;
	if (is_there)
		return put(e, slice_str(value));
	if (sign == '-')
		return expand(e, text);
	source_fail(e->source, e->node, "the variable %s must be set, and is not", name);
	return false;
}

/* The length of "{…}" with inner braces; 0: it is not closed. */
static size_t braced_len(struct slice text)
{
	size_t open = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '{' && (i == 0 || text.ptr[i - 1] == '$'))
			open++;
		else if (text.ptr[i] == '}' && --open == 0)
			return i + 1;
	}
	return 0;
}

static size_t name_len(struct slice text)
{
	size_t len = 0;
	while (len < text.len && strchr(len ? NAMES : LETTERS, text.ptr[len]))
		len++;
	return len;
}

/* At a $. Moves *text behind what it stands for. */
static bool expand_dollar(struct expansion *e, struct slice *text)
{
	struct slice rest = slice_of(text->ptr + 1, text->len - 1);
	size_t len = 1;
	bool is_put;
	if (rest.len && rest.ptr[0] == '$') {
		is_put = put(e, SLICE_LIT("$"));
	} else if (rest.len && rest.ptr[0] == '{') {
		len = braced_len(rest);
		struct slice inner = slice_of(rest.ptr + 1, len > 2 ? len - 2 : 0);
		size_t name = name_len(inner);
		if (!name)
			return fail(e, "there is a ${ without a variable's name or without its }");
		AUTO(str) char *copy = mem_strndup((const char *)inner.ptr, name);
		is_put = put_braced(e, copy, slice_of(inner.ptr + name, inner.len - name));
	} else {
		len = name_len(rest);
		AUTO(str) char *copy = mem_strndup((const char *)rest.ptr, len);
		is_put = len ? put_braced(e, copy, slice_of(NULL, 0)) : put(e, SLICE_LIT("$"));
	}
	*text = slice_of(rest.ptr + len, rest.len - len);
	return is_put;
}

static bool expand(struct expansion *e, struct slice text)
{
	if (++e->depth > DEPTH_MAX)
		return fail(e, "variables refer to each other too deeply");
	while (text.len) {
		if (++e->source->reader->expansions > STEPS_MAX)
			return fail(e, "too many variables refer to each other");
		const unsigned char *dollar = memchr(text.ptr, '$', text.len);
		size_t plain = dollar ? (size_t)(dollar - text.ptr) : text.len;
		if (!put(e, slice_of(text.ptr, plain)))
			return false;
		text = slice_of(text.ptr + plain, text.len - plain);
		if (text.len && !expand_dollar(e, &text))
			return false;
	}
	e->depth--;
	return true;
}

char *interpolate(const struct source *source, const struct node *node, const char *text)
{
	struct expansion e = { .source = source, .node = node, .out = BUF_INIT(RESULT_MAX) };
	bool is_expanded = expand(&e, slice_str(text));
	char *result = is_expanded ? mem_strdup(buf_str(&e.out)) : NULL;
	buf_clear(&e.out);
	return result;
}

static void interpolate_node(const struct source *source, struct node *node)
{
	if (reader_failed(source->reader))
		return;
	if (node->kind == NODE_SCALAR && strchr(node->text, '$')) {
		AUTO(str) char *before = node->text;
		char *result = interpolate(source, node, before);
		node->text = result ? result : mem_strdup("");
	}
	/* Compose leaves keys alone. */
	size_t step = node->kind == NODE_MAP ? 2 : 1;
	for (size_t i = step - 1; i < node->count; i += step)
		interpolate_node(source, node->children[i]);
}

void interpolate_tree(struct source *source)
{
	if (source->tree.root)
		interpolate_node(source, source->tree.root);
}
