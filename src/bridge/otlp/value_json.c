/* KeyValue { "key", "value" } and AnyValue { "stringValue", "boolValue", "intValue", "doubleValue",
 * "arrayValue", "kvlistValue", "bytesValue" } in JSON; the last two hold their items in "values". */
#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"

bool attr_json_read(struct json *j, unsigned depth, struct otlp_attr *out)
{
	struct json_object o;
	int got;
	*out = (struct otlp_attr){ .value = { .kind = OTLP_EMPTY } };
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		bool ok = json_key(&o, "key")	  ? json_text(j, &out->key)
			  : json_key(&o, "value") ? value_json_read(j, depth, &out->value)
						  : json_skip(j);
		if (!ok)
			return false;
	}
	return got == 0;
}

/* An array of values at `depth`. */
static bool check_array(struct json *j, unsigned depth, bool are_pairs)
{
	struct json_array a;
	int got;
	if (!json_enter_array(j, &a))
		return false;
	while ((got = json_element(j, &a)) > 0) {
		struct otlp_attr attr;
		bool ok = are_pairs ? attr_json_read(j, depth, &attr)
				    : value_json_read(j, depth, &attr.value);
		if (!ok)
			return false;
	}
	return got == 0;
}

/* {"values":[…]}; `out` becomes its text. */
static bool read_items(struct json *j, unsigned depth, bool are_pairs, struct otlp_value *out)
{
	struct json_object o;
	int got;
	const unsigned char *start = j->p;
	if (depth == VALUE_DEPTH_MAX)
		return json_fail_with(j, REASON_TOO_DEEP);
	/* The items are read again by whoever wants them; here they leave nothing in the arena. */
	struct json plain = { j->p, j->end, NULL, REASON_OK };
	bool ok = json_enter_object(&plain, &o);
	while (ok && (got = json_member(&plain, &o)) != 0) {
		ok = got > 0 && (json_key(&o, "values") ? check_array(&plain, depth + 1, are_pairs)
							: json_skip(&plain));
	}
	j->p = plain.p;
	if (!ok)
		return json_fail_with(j, plain.reason);
	out->kind = are_pairs ? OTLP_KVLIST : OTLP_ARRAY;
	out->bytes = slice_of(start, (size_t)(j->p - start));
	return true;
}

static bool read_bool(struct json *j, struct otlp_value *out)
{
	bool value;
	if (!json_bool(j, &value))
		return false;
	out->kind = OTLP_BOOL;
	out->integer = value;
	return true;
}

static bool read_kind(
	struct json *j, const struct json_object *o, unsigned depth, struct otlp_value *out)
{
	struct otlp_value value = { .kind = OTLP_STRING };
	bool ok;
	if (json_key(o, "stringValue")) {
		ok = json_text(j, &value.bytes);
	} else if (json_key(o, "boolValue")) {
		ok = read_bool(j, &value);
	} else if (json_key(o, "intValue")) {
		value.kind = OTLP_INT;
		ok = json_int64(j, &value.integer);
	} else if (json_key(o, "doubleValue")) {
		value.kind = OTLP_DOUBLE;
		ok = json_double(j, &value.number);
	} else if (json_key(o, "arrayValue")) {
		ok = read_items(j, depth, false, &value);
	} else if (json_key(o, "kvlistValue")) {
		ok = read_items(j, depth, true, &value);
	} else if (json_key(o, "bytesValue")) {
		value.kind = OTLP_BYTES;
		ok = json_base64(j, &value.bytes);
	} else {
		return json_skip(j);
	}
	if (ok)
		*out = value;
	return ok;
}

bool value_json_read(struct json *j, unsigned depth, struct otlp_value *out)
{
	struct json_object o;
	int got;
	*out = (struct otlp_value){ .kind = OTLP_EMPTY };
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!read_kind(j, &o, depth, out))
			return false;
	}
	return got == 0;
}

/* The text was found by its brackets, so its end is not the end of the body: never truncated. */
enum reason attrs_json_check(struct slice text)
{
	struct json j = json_of(text, NULL);
	if (check_array(&j, 0, true) && json_is_over(&j))
		return REASON_OK;
	return j.reason == REASON_TOO_DEEP ? REASON_TOO_DEEP : REASON_MALFORMED_JSON;
}

void attrs_json_first(struct slice *left)
{
	if (left->len > 0)
		*left = slice_of(left->ptr + 1, left->len - 1);
}

bool attrs_json_next(struct slice *left, struct arena *arena, struct otlp_attr *out)
{
	struct json j = json_of(*left, arena);
	if (!json_space(&j))
		return false;
	if (*j.p == ',')
		j.p++;
	bool found = json_space(&j) && *j.p == '{' && attr_json_read(&j, 0, out);
	*left = found ? slice_of(j.p, (size_t)(j.end - j.p)) : slice_of(j.end, 0);
	return found;
}
