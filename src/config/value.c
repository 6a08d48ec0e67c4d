#include "config/value.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/tree.h"
#include "config/words.h"
#include "config/yaml_text.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

/* Written by the same rule for every type: the value, what is allowed, an example. */
static bool refuse(const struct key *key, const char *text, const char *why, struct error *err)
{
	AUTO(str) char *allowed = key_allowed(key);
	error_set(err, ERR_CONFIG, "\"%.80s%s\" %s", text, strlen(text) > 80 ? "…" : "", why);
	return error_hint(err, "allowed is %s; for example %s", allowed, key->example);
}

static bool in_bounds(const struct key *key, const char *text, int64_t number, struct error *err)
{
	if (number >= key->min && number <= key->max)
		return true;
	return refuse(key, text, number < key->min ? "is too small" : "is too large", err);
}

/* Decimal digits only: "010" is eight to other readers of YAML, and "+1" a text. */
static bool is_decimal_integer(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits && !text[digits] && (digits == 1 || text[0] != '0');
}

static bool parse_bool(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse(key, text, "is neither true nor false", err);
	out->number = strcmp(text, "true") == 0;
	return true;
}

static bool parse_integer(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	int64_t number;
	if (!is_decimal_integer(text))
		return refuse(key, text, "is not a whole number", err);
	if (!str_parse_int(text, 0, INT64_MAX, &number, &ignored))
		return refuse(key, text, "is too large", err);
	if (!in_bounds(key, text, number, err))
		return false;
	out->number = number;
	return true;
}

#define DECIMAL_DIGITS 3

/* "12.5": at most three digits behind the point, kept as thousandths so that nothing is rounded. */
static bool parse_decimal(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	size_t whole = strspn(text, "0123456789");
	size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	bool has_point = text[whole] == '.';
	if (!whole || (has_point && !part) || text[whole + has_point + part] ||
		(whole > 1 && text[0] == '0'))
		return refuse(key, text, "is not a number", err);
	if (part > DECIMAL_DIGITS)
		return refuse(key, text, "has more than three digits behind the point", err);
	if (whole > 12)
		return refuse(key, text, "is too large", err);
	int64_t number = 0;
	for (size_t i = 0; i < whole; i++)
		number = number * 10 + (text[i] - '0');
	for (size_t i = 0; i < DECIMAL_DIGITS; i++)
		number = number * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
	if (!in_bounds(key, text, number, err))
		return false;
	out->number = number;
	return true;
}

static bool parse_measure(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	int64_t number;
	bool is_duration = key->type == KEY_DURATION;
	bool is_read = is_duration ? str_parse_duration(text, &number, &ignored)
				   : str_parse_size(text, &number, &ignored);
	if (!is_read)
		return refuse(key, text, is_duration ? "is not a duration" : "is not a size", err);
	if (!in_bounds(key, text, number, err))
		return false;
	out->number = number;
	return true;
}

static bool parse_choice(const struct key *key, const char *text, struct error *err)
{
	size_t count = 0;
	for (; key->choices[count]; count++) {
		if (strcmp(key->choices[count], text) == 0)
			return true;
	}
	AUTO(str) char *allowed = key_allowed(key);
	const char *nearest = str_nearest(text, key->choices, count);
	error_set(err, ERR_CONFIG, "\"%.80s\" is not %s", text, allowed);
	if (nearest)
		return error_hint(err, "did you mean %s?", nearest);
	return error_hint(err, "write for example %s", key->example);
}

static bool parse_text(const struct key *key, const char *text, struct error *err)
{
	size_t len = strlen(text);
	if (len < (size_t)key->min)
		return refuse(key, text, "is too short", err);
	if (len > (size_t)key->max)
		return refuse(key, text, "is too long", err);
	return true;
}

static bool parse_words(const struct key *key, const char *text, struct error *err)
{
	const char *why = NULL;
	switch (key->type) {
	case KEY_ADDRESS:
		why = words_address(text);
		break;
	case KEY_URL:
		why = words_url(text);
		break;
	case KEY_ORIGIN:
		why = words_origin(text);
		break;
	case KEY_IMAGE:
		why = words_image(text);
		break;
	case KEY_PROJECT:
		why = words_project(text);
		break;
	case KEY_HOST:
		why = words_host(text);
		break;
	case KEY_ZONE:
		why = words_zone(text);
		break;
	case KEY_FILE:
		why = words_file(text);
		break;
	case KEY_PLACE:
		why = words_place(text);
		break;
	case KEY_NAME:
		why = words_name(text);
		break;
	case KEY_PAIR:
		why = words_pair(text);
		break;
	case KEY_TEXT:
	case KEY_BOOL:
	case KEY_INT:
	case KEY_DECIMAL:
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_PORT:
	case KEY_CHOICE:
		break;
	}
	return why ? refuse(key, text, why, err) : true;
}

static bool parse_scalar(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	switch (key->type) {
	case KEY_BOOL:
		return parse_bool(key, text, out, err);
	case KEY_INT:
	case KEY_PORT:
		return parse_integer(key, text, out, err);
	case KEY_DECIMAL:
		return parse_decimal(key, text, out, err);
	case KEY_DURATION:
	case KEY_SIZE:
		return parse_measure(key, text, out, err);
	case KEY_CHOICE:
		return parse_choice(key, text, err);
	case KEY_TEXT:
		return parse_text(key, text, err);
	case KEY_ADDRESS:
	case KEY_URL:
	case KEY_ORIGIN:
	case KEY_IMAGE:
	case KEY_PROJECT:
	case KEY_HOST:
	case KEY_ZONE:
	case KEY_FILE:
	case KEY_PLACE:
	case KEY_NAME:
	case KEY_PAIR:
		return parse_words(key, text, err);
	}
	abort();
}

static bool is_number(enum key_type type)
{
	return type == KEY_BOOL || type == KEY_INT || type == KEY_DECIMAL || type == KEY_PORT;
}

static bool says_null(const char *text, enum value_style style)
{
	return *text == '\0' ||
	       (style == VALUE_PLAIN && (strcmp(text, "null") == 0 || strcmp(text, "~") == 0));
}

bool value_parse(const struct key *key, const char *text, enum value_style style, struct value *out,
	struct error *err)
{
	struct value value = { 0 };
	if (says_null(text, style) && key->is_nullable) {
		*out = (struct value){ .is_null = true, .text = mem_strdup("") };
		return true;
	}
	if (says_null(text, style) && style == VALUE_PLAIN) {
		AUTO(str) char *allowed = key_allowed(key);
		error_set(err, ERR_CONFIG, "there is no value");
		return error_hint(err, "allowed is %s; for example %s", allowed, key->example);
	}
	if (style == VALUE_QUOTED && is_number(key->type))
		return refuse(key, text, "is a text here: write it without quotes", err);
	if (!parse_scalar(key, text, &value, err))
		return false;
	value.text = mem_strdup(text);
	*out = value;
	return true;
}

bool value_add_item(const struct key *key, const char *text, struct value *out, struct error *err)
{
	struct value ignored = { 0 };
	if (out->count >= VALUE_ITEMS_MAX)
		return error_set(
			err, ERR_CONFIG, "the list has more than %d items", VALUE_ITEMS_MAX);
	if (*text == '\0' && key->type != KEY_TEXT)
		return refuse(key, text, "is an empty item", err);
	if (!parse_scalar(key, text, &ignored, err))
		return false;
	out->items = mem_realloc(out->items, out->count + 1, sizeof *out->items);
	out->items[out->count++] = mem_strdup(text);
	return true;
}

static bool split_commas(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	for (const char *at = text; *at;) {
		at += strspn(at, " ");
		size_t len = strcspn(at, ","), trimmed = len;
		while (trimmed && at[trimmed - 1] == ' ')
			trimmed--;
		AUTO(str) char *item = mem_strndup(at, trimmed);
		if (!value_add_item(key, item, out, err))
			return false;
		at += len;
		if (*at == ',' && !*++at)
			return refuse(key, "", "is an empty item", err);
	}
	return true;
}

/* "[a, b]" as in the file: so that an item can hold a comma. */
static bool split_flow(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	AUTO(tree) struct tree tree = { 0 };
	if (!tree_parse(slice_str(text), &tree, err))
		return error_wrap(err, "\"%.80s\"", text);
	if (!tree.root || tree.root->kind != NODE_LIST)
		return refuse(key, text, "is not a list", err);
	for (size_t i = 0; i < tree.root->count; i++) {
		const struct node *item = tree.root->children[i];
		if (item->kind != NODE_SCALAR)
			return refuse(key, text, "holds more than texts", err);
		if (!value_add_item(key, item->text, out, err))
			return false;
	}
	return true;
}

bool value_parse_words(
	const struct key *key, const char *text, struct value *out, struct error *err)
{
	if (!str_is_utf8(slice_str(text)))
		return refuse(key, "", "is not UTF-8", err);
	if (!key->is_list)
		return value_parse(key, text, VALUE_PLAIN, out, err);
	AUTO(value) struct value list = { 0 };
	bool is_read = *text == '[' ? split_flow(key, text, &list, err)
				    : split_commas(key, text, &list, err);
	if (!is_read)
		return false;
	*out = list;
	list = (struct value){ 0 };
	return true;
}

char *value_text(const struct key *key, const struct value *value)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (!key->is_list) {
		if (value->is_null)
			buf_adds(&text, "null");
		else
			yaml_add_scalar(
				&text, value->text, is_number(key->type), YAML_QUOTE_IF_NEEDED);
		return buf_detach(&text);
	}
	buf_addc(&text, '[');
	for (size_t i = 0; i < value->count; i++) {
		buf_adds(&text, i ? ", " : "");
		yaml_add_scalar(&text, value->items[i], false, YAML_QUOTE_IF_NEEDED);
	}
	buf_addc(&text, ']');
	return buf_detach(&text);
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->is_null != b->is_null || a->number != b->number || a->count != b->count ||
		!a->text != !b->text || (a->text && strcmp(a->text, b->text) != 0))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

void value_clear(struct value *value)
{
	for (size_t i = 0; i < value->count; i++)
		free(value->items[i]);
	free(value->items);
	free(value->text);
	*value = (struct value){ 0 };
}
