/* The list of keys in cctm.yaml(5), in mdoc(7), from the table; tests/agree/refresh puts it into man/. */
#include <string.h>

#include "cmd/config_internal.h"
#include "config/keys.h"
#include "core/buf.h"
#include "core/out.h"
#include "core/text.h"

/* A literal that no macro is seen in. */
static void add_literal(struct buf *out, const char *text)
{
	buf_adds(out, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *text);
	}
}

static const char *shown(const char *fallback)
{
	return !fallback ? "null" : *fallback ? fallback : "[]";
}

static void add_default(struct buf *out, const char *profile, const char *text)
{
	if (profile)
		buf_addf(out, "In the profile %s:\n.Ql ", profile);
	else
		buf_adds(out, "Default:\n.Ql ");
	add_literal(out, shown(text));
	buf_adds(out, " .\n");
}

static void add_key(struct buf *out, const struct key *key)
{
	AUTO(str) char *allowed = key_allowed(key);
	AUTO(buf) struct buf sentence = BUF_INIT(BUF_UNLIMITED);
	buf_addf(out, ".It Ic %s\n", key->path);
	text_mdoc(out, key->sentence);
	buf_addf(&sentence, "Allowed: %s.", allowed);
	text_mdoc(out, buf_str(&sentence));
	add_default(out, NULL, key->fallback);
	for (int i = 0; i < PROFILE_COUNT; i++) {
		if (key->profile_fallback[i])
			add_default(out, profile_names[i], key->profile_fallback[i]);
	}
	buf_adds(out, "Example:\n.Ql ");
	add_literal(out, key->example);
	buf_adds(out, " .\n");
}

void config_print_man(struct context *ctx)
{
	AUTO(buf) struct buf page = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&page, ".\\\" begin keys\n.Sh KEYS\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < config_key_count; i++)
		add_key(&page, &config_keys[i]);
	buf_adds(&page, ".El\n.\\\" end keys\n");
	out_write(ctx->out, buf_str(&page), page.len);
}
