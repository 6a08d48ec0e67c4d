#include "config/sample.h"

#include <assert.h>
#include <string.h>

#include "config/keys.h"
#include "config/value.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

#define COLUMNS 98

static void add_prose(struct buf *out, const char *text)
{
	AUTO(buf) struct buf wrapped = BUF_INIT(BUF_UNLIMITED);
	text_wrap(&wrapped, text, 0, COLUMNS);
	const char *at = buf_str(&wrapped);
	while (*at) {
		size_t len = strcspn(at, "\n");
		buf_addf(out, "# %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

static char *fallback_text(const struct key *key, const char *fallback)
{
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	bool is_right = value_parse_words(key, fallback ? fallback : "null", &value, &err);
	assert(is_right);
	return value_text(key, &value);
}

static void add_profiles(struct buf *prose, const struct key *key)
{
	for (int i = 0; i < PROFILE_COUNT; i++) {
		if (!key->profile_fallback[i])
			continue;
		AUTO(str) char *text = fallback_text(key, key->profile_fallback[i]);
		buf_addf(prose, " Profile %s: %s.", profile_names[i], text);
	}
}

/* "limits.collector.cpus" in "limits.bridge" → the levels that must be opened: all from the first that
 * differs. */
static void add_groups(struct buf *out, const char *path, const char *before)
{
	size_t depth = 0;
	for (const char *dot = path; (dot = strchr(dot, '.')); dot++, depth++) {
		size_t len = (size_t)(dot - path) + 1;
		if (strncmp(path, before, len) == 0)
			continue;
		size_t from = len - 1;
		while (from > 0 && path[from - 1] != '.')
			from--;
		buf_addf(out, "%s#%*s%.*s:\n", depth ? "" : "\n", (int)(2 * depth), "",
			(int)(len - 1 - from), path + from);
	}
}

static void add_key(struct buf *out, const struct key *key, const char *before)
{
	AUTO(buf) struct buf prose = BUF_INIT(BUF_UNLIMITED);
	AUTO(str) char *allowed = key_allowed(key);
	AUTO(str) char *text = fallback_text(key, key->fallback);
	const char *dot = strrchr(key->path, '.');
	size_t depth = 0;
	for (const char *at = key->path; *at; at++)
		depth += *at == '.';
	add_groups(out, key->path, before);
	if (!dot)
		buf_addc(out, '\n');
	buf_addf(&prose, "%s Allowed: %s.", key->sentence, allowed);
	add_profiles(&prose, key);
	add_prose(out, buf_str(&prose));
	bool is_on = strcmp(key->path, "version") == 0;
	buf_addf(out, "%s%*s%s: %s\n", is_on ? "" : "#", (int)(2 * depth), "",
		dot ? dot + 1 : key->path, text);
}

void config_sample(struct buf *out)
{
	add_prose(out, "Settings of cctm. Every key may be left out; the defaults are shown. Take "
		       "the # away "
		       "from a line, and from the line of its group, to change it.");
	add_prose(out,
		"'cctm config' shows what is in force and who set it. Passwords and tokens do not "
		"belong here but into .env.");
	const char *before = "";
	for (size_t i = 0; i < config_key_count; i++) {
		add_key(out, &config_keys[i], before);
		before = config_keys[i].path;
	}
}
