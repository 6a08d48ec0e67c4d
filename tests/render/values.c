#include "values.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/mem.h"
#include "render/data.h"

#define MIXTURES     2000
#define PIECES_MAX   6
#define LONG_BYTES   10240
#define VALUES_PATH  "tests/data/hostile/values.json"
#define DEFAULT_SEED 20261125

static struct slice *values;
static size_t count, room;

static void add(const char *bytes, size_t len)
{
	values = mem_grow(values, &room, count + 1, sizeof *values);
	values[count++] = slice_of(mem_strndup(bytes, len), len);
}

/* A fixed sequence: a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void add_mixture(uint32_t *state, size_t listed)
{
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t pieces = 2 + next_random(state) % (PIECES_MAX - 1); pieces; pieces--) {
		struct slice piece = values[next_random(state) % listed];
		buf_add(&text, piece.ptr, piece.len);
	}
	add(buf_str(&text), text.len);
	buf_clear(&text);
}

static void add_long(size_t listed)
{
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; text.len < LONG_BYTES; i++)
		buf_add(&text, values[i % listed].ptr, values[i % listed].len);
	add(buf_str(&text), text.len);
	buf_clear(&text);
}

static void load(void)
{
	json_error_t why;
	json_t *list = json_load_file(VALUES_PATH, 0, &why);
	uint32_t state = DEFAULT_SEED;
	if (!list) {
		fprintf(stderr, "%s: %s\n", VALUES_PATH, why.text);
		exit(1);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		add(json_string_value(item), json_string_length(item));
	}
	json_decref(list);
	size_t listed = count;
	add_long(listed);
	for (size_t i = 0; i < MIXTURES; i++)
		add_mixture(&state, listed);
}

size_t hostile_count(void)
{
	if (!values)
		load();
	return count;
}

struct slice hostile_value(size_t index)
{
	return values[index];
}

struct data *hostile_map(void)
{
	struct data *root = data_map(), *list = data_list();
	for (size_t i = 0; i < hostile_count(); i++) {
		char name[32];
		struct data *item = data_map();
		snprintf(name, sizeof name, "V%zu", i);
		data_set(item, "name", data_text(name));
		data_set(item, "text", data_text_slice(values[i]));
		data_append(list, item);
	}
	data_set(root, "values", list);
	return root;
}
