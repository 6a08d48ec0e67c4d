/* Two forms a language: plain where no reader can take the bytes for anything else, quoted otherwise. Plain is
 * decided by what is allowed, never by what is known to be dangerous: YAML 1.1 and 1.2, their schemas and the
 * libraries in use (libyaml, go-yaml 2 and 3) differ in what they make of yes, 1e3, 0x1F, 12:30:45, =, << or
 * 2026-11-25, and all agree on a word of letters.
 *
 * YAML's double-quoted style and JSON's strings share every escape that is needed, so one function writes both
 * (YAML 1.2.2, section 5.7; RFC 8259, section 7).
 */
#include "render/escape.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/str.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static const struct {
	const char *name;
	bool doubles_dollars;
} languages[] = {

#define X(escape, name, doubles_dollars) [escape] = { name, doubles_dollars },
	ESCAPES(X)
#undef X
};

static_assert(sizeof languages / sizeof *languages == ESCAPE_COUNT, "a row a language");

const char *escape_name(enum escape escape)
{
	return languages[escape].name;
}

/* Which file is which. The first row that fits decides; `folder` is a part of the path, with its slashes. */
static const struct {
	const char *folder; /* NULL: any */
	const char *prefix; /* of the file's name */
	const char *suffix;
	enum escape escape;
} files[] = {
	/* clang-format off */
	{ "grafana/provisioning/", "", ".yml", ESCAPE_GRAFANA },
	{ "grafana/provisioning/", "", ".yaml", ESCAPE_GRAFANA },
	{ NULL, "docker-compose", ".yml", ESCAPE_COMPOSE },
	{ NULL, "docker-compose", ".yaml", ESCAPE_COMPOSE },
	{ NULL, "compose", ".yml", ESCAPE_COMPOSE },
	{ NULL, "compose", ".yaml", ESCAPE_COMPOSE },
	{ NULL, "otel-collector", ".yml", ESCAPE_COLLECTOR },
	{ NULL, "otel-collector", ".yaml", ESCAPE_COLLECTOR },
	{ NULL, "prometheus", ".yml", ESCAPE_PROMETHEUS },
	{ NULL, "prometheus", ".yaml", ESCAPE_PROMETHEUS },
	{ NULL, "", ".yml", ESCAPE_YAML },
	{ NULL, "", ".yaml", ESCAPE_YAML },
	{ NULL, "", ".json", ESCAPE_JSON },
	{ NULL, "", ".sh", ESCAPE_SHELL },
	{ NULL, "", ".env", ESCAPE_ENV },
	{ NULL, "", ".md", ESCAPE_NONE },
	{ NULL, "", ".txt", ESCAPE_NONE },
	{ NULL, "", ".gitignore", ESCAPE_NONE },
	{ NULL, "Caddyfile", "", ESCAPE_NONE }, /* values there are checked names and paths of ours */
	/* clang-format on */
};

bool escape_for_path(const char *path, enum escape *out, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if ((!files[i].folder || strstr(path, files[i].folder)) &&
			str_has_prefix(name, files[i].prefix) &&
			str_has_suffix(name, files[i].suffix)) {
			*out = files[i].escape;
			return true;
		}
	}
	error_set(err, ERR_FAILED, "nothing is known about how values are written in %s", path);
	return error_hint(err, "its name must end in .yml, .yaml, .json, .sh, .env, .md or .txt");
}

static bool add(struct buf *out, const char *s)
{
	return buf_append(out, s, strlen(s));
}

static bool add_byte(struct buf *out, unsigned char byte)
{
	return buf_append(out, &byte, 1);
}

/* Writes as bare text the bytes up to the first one in `stop`; *rest is what follows. */
static bool add_until(struct buf *out, struct slice *rest, const char *stop)
{
	size_t len = 0;
	while (len < rest->len && !strchr(stop, rest->ptr[len]))
		len++;
	bool fits = buf_append(out, rest->ptr, len);
	*rest = slice_of(rest->ptr + len, rest->len - len);
	return fits;
}

static unsigned char take_byte(struct slice *rest)
{
	unsigned char byte = rest->ptr[0];
	*rest = slice_of(rest->ptr + 1, rest->len - 1);
	return byte;
}

static bool consists_of(struct slice s, const char *first, const char *others)
{
	if (s.len == 0 || !strchr(first, s.ptr[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!strchr(others, s.ptr[i]))
			return false;
	return true;
}

static bool append_html(struct slice rest, struct buf *out)
{
	while (rest.len) {
		if (!add_until(out, &rest, "&<>\""))
			return false;
		if (!rest.len)
			break;
		unsigned char c = take_byte(&rest);
		if (!add(out, c == '&'	 ? "&amp;"
			      : c == '<' ? "&lt;"
			      : c == '>' ? "&gt;"
					 : "&quot;"))
			return false;
	}
	return true;
}

/* Words that some schema of YAML takes for something other than text, in any case. */
static bool is_yaml_word(struct slice s)
{
	static const char *const words[] = { "y", "yes", "n", "no", "true", "false", "on", "off",
		"null", "none", "nil", "nan", "inf", "infinity" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (s.len == strlen(words[i]) &&
			strncasecmp((const char *)s.ptr, words[i], s.len) == 0)
			return true;
	return false;
}

static bool is_plain_in_yaml(struct slice s)
{
	return consists_of(s, LETTERS "/", LETTERS DIGITS "_./-") && !is_yaml_word(s);
}

/* Code points that must or had better not stand in a file as they are: controls (C0, DEL, C1 with NEL, where
 * YAML 1.1 breaks a line), the no-break space, which looks like a blank, line and paragraph separator, marks
 * that turn the direction of text, surrogates' neighbours U+FFFE and U+FFFF and the byte order mark. */
static bool is_hidden(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point <= 0xA0) ||
	       (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
	       (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || point == 0xFFFE ||
	       point == 0xFFFF;
}

/* The code point in front, of well-formed UTF-8; *len bytes long. */
static uint32_t point_at(struct slice s, size_t *len)
{
	unsigned char first = s.ptr[0];
	*len = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (*len == 1)
		return first;
	uint32_t point = first & (0xFFU >> (*len + 1));
	for (size_t i = 1; i < *len; i++)
		point = point << 6 | (s.ptr[i] & 0x3FU);
	return point;
}

static bool append_hidden(uint32_t point, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = { '\\', 'u', hex[point >> 12 & 15], hex[point >> 8 & 15],
		hex[point >> 4 & 15], hex[point & 15], '\0' };
	return add(out, point == '\n'	? "\\n"
			: point == '\r' ? "\\r"
			: point == '\t' ? "\\t"
					: text);
}

static bool append_quoted(struct slice rest, bool doubles_dollars, struct buf *out)
{
	bool fits = add_byte(out, '"');
	while (fits && rest.len) {
		size_t len;
		uint32_t point = point_at(rest, &len);
		if (is_hidden(point)) {
			fits = append_hidden(point, out);
		} else {
			if (point == '"' || point == '\\')
				fits = add_byte(out, '\\');
			else if (point == '$' && doubles_dollars)
				fits = add_byte(out, '$');
			fits = fits && buf_append(out, rest.ptr, len);
		}
		rest = slice_of(rest.ptr + len, rest.len - len);
	}
	return fits && add_byte(out, '"');
}

/* Everything in single quotes is itself but the single quote, which is put between two quoted pieces. */
static bool append_shell(struct slice rest, struct buf *out)
{
	if (consists_of(rest, LETTERS DIGITS "_./:@%+-,", LETTERS DIGITS "_./:@%+-,"))
		return buf_append_slice(out, rest);
	bool fits = add_byte(out, '\'');
	while (fits && rest.len) {
		fits = add_until(out, &rest, "'");
		if (fits && rest.len) {
			take_byte(&rest);
			fits = add(out, "'\\''");
		}
	}
	return fits && add_byte(out, '\'');
}

/* In double quotes Compose undoes \n, \r, \t, \\, \", \$ and \0NNN (octal), and then interpolates. Octal is for
 * the other controls. */
static bool append_env_quoted(struct slice rest, struct buf *out)
{
	bool fits = add_byte(out, '"');
	while (fits && rest.len) {
		unsigned char c = take_byte(&rest);
		const char octal[] = { '\\', '0', (char)('0' + (c >> 6)),
			(char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7)), '\0' };
		if (c == '\n')
			fits = add(out, "\\n");
		else if (c == '\r')
			fits = add(out, "\\r");
		else if (c == '\t')
			fits = add(out, "\\t");
		else if (c < 0x20 || c == 0x7F)
			fits = add(out, octal);
		else if (strchr("\"\\$", c))
			fits = add_byte(out, '\\') && add_byte(out, c);
		else
			fits = add_byte(out, c);
	}
	return fits && add_byte(out, '"');
}

/* Plain and single-quoted values mean the same to Compose and to sh. In single quotes Compose takes \' for a
 * quote and keeps every other backslash, so that a value ending in one could not be written; and a newline
 * would be kept, but could leave a comment. Those are written in double quotes. */
static bool append_env(struct slice value, struct buf *out)
{
	if (consists_of(value, LETTERS DIGITS "_./:@%+-,", LETTERS DIGITS "_./:@%+-,="))
		return buf_append_slice(out, value);
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = value.ptr[i];
		if (c < 0x20 || c == 0x7F || c == '\'' || c == '\\')
			return append_env_quoted(value, out);
	}
	return add_byte(out, '\'') && buf_append_slice(out, value) && add_byte(out, '\'');
}

static bool append(enum escape escape, struct slice value, struct buf *out)
{
	switch (escape) {
	case ESCAPE_NONE:
		return buf_append_slice(out, value);
	case ESCAPE_HTML:
		return append_html(value, out);
	case ESCAPE_YAML:
	case ESCAPE_COMPOSE:
	case ESCAPE_COLLECTOR:
	case ESCAPE_GRAFANA:
	case ESCAPE_PROMETHEUS:
		if (is_plain_in_yaml(value))
			return buf_append_slice(out, value);
		return append_quoted(value, languages[escape].doubles_dollars, out);
	case ESCAPE_JSON:
		return append_quoted(value, false, out);
	case ESCAPE_SHELL:
		return append_shell(value, out);
	case ESCAPE_ENV:
		return append_env(value, out);
	}
	return false;
}

bool escape_append(enum escape escape, struct slice value, struct buf *out, struct error *err)
{
	if (value.len && memchr(value.ptr, '\0', value.len))
		return error_set(err, ERR_FAILED, "the value holds a NUL byte");
	if (!str_is_utf8(value))
		return error_set(err, ERR_FAILED, "the value is not UTF-8");
	if (!append(escape, value, out))
		return error_set(err, ERR_FAILED, "the output would pass %zu bytes", out->max);
	return true;
}

char *escape_dollars(const char *value)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	for (; *value; value++) {
		if (*value == '$')
			buf_addc(&out, '$');
		buf_addc(&out, *value);
	}
	return buf_detach(&out);
}
