#include "claude/attributes.h"

#include <ctype.h>
#include <string.h>

#include "claude/catalogue.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

/* Attributes that Claude Code puts on its data by itself: given in OTEL_RESOURCE_ATTRIBUTES they leak onto the data that
 * lacks them, "type=evil" onto the cost for one. */
static bool is_own(const char *key)
{
	const struct catalogue_row *row = catalogue_find(CATALOGUE_ATTRIBUTE, key);
	return row && row->is_own;
}

static bool is_key_char(char c)
{
	return isalnum((unsigned char)c) || strchr("_.-/", c) != NULL;
}

static bool check_key(const char *key, struct error *err)
{
	size_t len = strlen(key);
	bool is_key = len > 0 && len <= ATTRIBUTE_MAX && isalpha((unsigned char)*key);
	for (const char *at = key; is_key && *at; at++)
		is_key = is_key_char(*at);
	if (!is_key) {
		error_set(err, ERR_USAGE, "\"%.60s\" is no name of an attribute", key);
		return error_hint(err, "letters, digits, _ . - and / with a letter first, at most "
				       "255 of them: team.id");
	}
	if (!is_own(key))
		return true;
	error_set(err, ERR_USAGE, "Claude Code sets the attribute %s itself", key);
	return error_hint(err, "choose another name, such as my.%s", key);
}

/* Unreserved in RFC 3986, and some that W3C Baggage allows and people use in names. '=' is not: the client drops an
 * attribute with two of them. */
static bool stays(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || (c && strchr("-._~:/@+", c)));
}

static void encode(struct buf *out, const char *value)
{
	for (const char *at = value; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (stays(c))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

bool attributes_add(struct buf *list, const char *key, const char *value, struct error *err)
{
	AUTO(buf) struct buf written = BUF_INIT(BUF_UNLIMITED);
	if (!check_key(key, err))
		return false;
	if (strlen(value) > ATTRIBUTE_MAX || !str_is_utf8(slice_of(value, strlen(value))))
		return error_set(err, ERR_USAGE,
			"the value of the attribute %s is longer than %d bytes or no UTF-8", key,
			ATTRIBUTE_MAX);
	encode(&written, value);
	if (written.len > ATTRIBUTE_MAX) {
		error_set(err, ERR_USAGE,
			"the value of the attribute %s takes %zu bytes as it has to be written, "
			"and "
			"Claude Code drops what is longer than %d",
			key, written.len, ATTRIBUTE_MAX);
		return error_hint(err, "shorten it");
	}
	if (list->len + strlen(key) + written.len + 2 > ATTRIBUTE_LIST_MAX)
		return error_set(err, ERR_USAGE, "the attributes take more than %d bytes",
			ATTRIBUTE_LIST_MAX);
	buf_addf(list, "%s%s=%s", list->len ? "," : "", key, buf_str(&written));
	return true;
}

bool attributes_add_pair(struct buf *list, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	if (!equals) {
		error_set(err, ERR_USAGE, "the attribute \"%.60s\" has no value", pair);
		return error_hint(err, "write it as name=value");
	}
	AUTO(str) char *key = mem_strndup(pair, (size_t)(equals - pair));
	return attributes_add(list, key, equals + 1, err);
}
