/* JSON as template values, for tests. A null is the empty text; a number is a text, written with as few digits
 * as it needs, and is not told from a string: the tests of the specification do not care. */
#ifndef CCTM_RENDER_JSON_TESTING_H
#define CCTM_RENDER_JSON_TESTING_H

#include <jansson.h>

#include "core/buf.h"
#include "render/value.h"

static inline struct value *value_of_real(double number)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&text, "%g", number);
	return value_text(buf_str(&text));
}

static inline struct value *value_of_json(const json_t *json);

static inline struct value *value_of_object(const json_t *json)
{
	struct value *map = value_map();
	const char *name;
	json_t *item;
	/* jansson iterates over const objects through a pointer that is not. */
	json_object_foreach((json_t *)(uintptr_t)json, name, item)
		value_set(map, name, value_of_json(item));
	return map;
}

static inline struct value *value_of_array(const json_t *json)
{
	struct value *list = value_list();
	for (size_t i = 0; i < json_array_size(json); i++)
		value_append(list, value_of_json(json_array_get(json, i)));
	return list;
}

static inline struct value *value_of_json(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return value_of_object(json);
	case JSON_ARRAY:
		return value_of_array(json);
	case JSON_STRING:
		return value_text_slice(
			slice_of(json_string_value(json), json_string_length(json)));
	case JSON_INTEGER:
		return value_int(json_integer_value(json));
	case JSON_REAL:
		return value_of_real(json_real_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return value_bool(json_is_true(json));
	case JSON_NULL:
		break;
	}
	return value_text("");
}

#endif
