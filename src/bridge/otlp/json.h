/* A pull reader of JSON (RFC 8259) over borrowed bytes: no tree, no allocation per value.
 *
 * The caller asks for what it expects next. The first thing that is not as expected sets `reason` and makes
 * the call return false (or -1); nothing is read after that. Strings are slices of the text unless a
 * backslash is in them; then they are undone into the arena. Bytes that are not UTF-8 pass: the label layer
 * replaces and counts them.
 *
 *     struct json j = json_of(text, &arena);
 *     struct json_object o;
 *     if (!json_enter_object(&j, &o)) …
 *     while ((got = json_member(&j, &o)) > 0)
 *             if (json_key(&o, "name")) ok = json_text(&j, &name); else ok = json_skip(&j);
 *
 * Members whose value is null are passed over inside: in protobuf's JSON mapping null is absence.
 */
#ifndef CCTM_BRIDGE_OTLP_JSON_H
#define CCTM_BRIDGE_OTLP_JSON_H

#include <stdint.h>
#include <string.h>

#include "bridge/otlp/reasons.h"
#include "core/slice.h"

struct arena;
struct otlp_attr;
struct otlp_value;

/* Values that are only skipped are followed this deep. */
#define JSON_DEPTH_MAX 64

struct json {
	const unsigned char *p, *end;
	struct arena *arena; /* NULL: strings are checked, but stay as they are written */
	enum reason reason;
};

/* A name as a constant initializer, which SLICE_LIT is not in strict C. */
#define JSON_NAME(s)                                      \
	{                                                 \
		(const unsigned char *)(s), sizeof(s) - 1 \
	}

struct json_object {
	struct slice key; /* of the member at hand */
	bool is_first;
};

struct json_array {
	bool is_first;
};

static inline struct json json_of(struct slice text, struct arena *arena)
{
	return (struct json){ text.ptr, text.ptr + text.len, arena, REASON_OK };
}

/* Sets the reason: REASON_TRUNCATED at the end of the text, else REASON_MALFORMED_JSON. */
bool json_fail(struct json *j);
bool json_fail_with(struct json *j, enum reason reason);

bool json_space_slow(struct json *j);

/* Past white space; false at the end of the text. */
static inline bool json_space(struct json *j)
{
	return (j->end > j->p && *j->p > ' ') || json_space_slow(j);
}

/* True when only white space is left. */
bool json_is_over(struct json *j);

bool json_enter_object(struct json *j, struct json_object *o);
int json_member(struct json *j, struct json_object *o); /* 1: at a value, 0: over, -1: failed */
bool json_enter_array(struct json *j, struct json_array *a);
int json_element(struct json *j, struct json_array *a);

#define json_key(o_, literal_)                    \
	((o_)->key.len == sizeof(literal_) - 1 && \
		memcmp((o_)->key.ptr, (literal_), sizeof(literal_) - 1) == 0)

bool json_text(struct json *j, struct slice *out);
bool json_bool(struct json *j, bool *out);

/* Numbers, also written as strings (proto3 JSON); json_double takes "NaN", "Infinity", "-Infinity" too. */
bool json_double(struct json *j, double *out);
bool json_uint64(struct json *j, uint64_t *out);
bool json_int64(struct json *j, int64_t *out);
bool json_uint32(struct json *j, uint32_t *out);
bool json_int32(struct json *j, int32_t *out);

/* Enums are numbers only (OTLP specification, "JSON Protobuf Encoding"). */
bool json_enum(struct json *j, int64_t *out);

/* Bytes in base64, standard or URL alphabet, padded or not; decoded into the arena. */
bool json_base64(struct json *j, struct slice *out);

/* Past one value, checking its syntax. */
bool json_skip(struct json *j);

/* Past one object or array, finding its end by brackets outside of strings and checking nothing else: for
 * text that is read properly later, or was before. Other values are checked as json_skip does. */
bool json_skim(struct json *j);
/* The same where only an array may stand; *text is all of it. */
bool json_skim_array(struct json *j, struct slice *text);

/* Attributes, see value_json.c. */
enum reason attrs_json_check(struct slice text);
void attrs_json_first(struct slice *left);
bool attrs_json_next(struct slice *left, struct arena *arena, struct otlp_attr *out);
bool value_json_read(struct json *j, unsigned depth, struct otlp_value *out);
bool attr_json_read(struct json *j, unsigned depth, struct otlp_attr *out);

#endif
