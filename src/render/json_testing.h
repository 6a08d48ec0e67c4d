/* JSON as template values, for tests. A null is the empty text; a number is a text, written with as few digits
 * as it needs, and is not told from a string: the tests of the specification do not care. */
#ifndef CCTM_RENDER_JSON_TESTING_H
#define CCTM_RENDER_JSON_TESTING_H

#include <jansson.h>

#include "core/buf.h"
#include "render/data.h"

static inline struct data *data_of_real(double number)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&text, "%g", number);
	return data_text(buf_str(&text));
}

static inline struct data *data_of_json(const json_t *json);

static inline struct data *data_of_object(const json_t *json)
{
	struct data *map = data_map();
	const char *name;
	json_t *item;
	/* jansson iterates over const objects through a pointer that is not. */
	json_object_foreach((json_t *)(uintptr_t)json, name, item)
		data_set(map, name, data_of_json(item));
	return map;
}

static inline struct data *data_of_array(const json_t *json)
{
	struct data *list = data_list();
	for (size_t i = 0; i < json_array_size(json); i++)
		data_append(list, data_of_json(json_array_get(json, i)));
	return list;
}

static inline struct data *data_of_json(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return data_of_object(json);
	case JSON_ARRAY:
		return data_of_array(json);
	case JSON_STRING:
		return data_text_slice(slice_of(json_string_value(json), json_string_length(json)));
	case JSON_INTEGER:
		return data_int(json_integer_value(json));
	case JSON_REAL:
		return data_of_real(json_real_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return data_bool(json_is_true(json));
	case JSON_NULL:
		break;
	}
	return data_text("");
}

#endif
