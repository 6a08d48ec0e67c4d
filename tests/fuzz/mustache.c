/* Templates from anybody: parsing and rendering end, within their bounds, with an output or an error that says
 * where. The first byte chooses the language and what a missing name does; the template is its own partial. */
#include "render/mustache.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"
#include "render/value.h"

#define OUTPUT_MAX (1 << 16)

static void must(bool claim)
{
	if (!claim)
		abort();
}

static struct value *sample(void)
{
	struct value *map = value_map(), *list = value_list(), *item = value_map();
	value_set(map, "t", value_text("a\"$ #'\n\xE2\x80\xA8{{t}}"));
	value_set(map, "e", value_text(""));
	value_set(map, "n", value_int(-7));
	value_set(map, "f", value_bool(false));
	value_set(item, "t", value_text("inner"));
	value_append(list, item);
	value_append(list, value_text("x"));
	value_append(list, value_bool(true));
	value_set(map, "l", list);
	item = value_map();
	value_set(item, "a", value_text("b"));
	value_set(map, "m", item);
	return map;
}

static int self(void *ctx, const char *name, struct slice *text, struct error *err)
{
	const struct slice *template = ctx;
	(void)err;
	*text = *template;
	return name[0] != 'x';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct value *values;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(OUTPUT_MAX);
	if (len == 0)
		return 0;
	if (!values)
		values = sample();
	struct slice text = slice_of(bytes + 1, len - 1);
	struct mustache_options options = {
		.escape = (enum escape)(bytes[0] % ESCAPE_COUNT),
		.missing = bytes[0] & 0x80 ? MUSTACHE_MISSING_FAILS : MUSTACHE_MISSING_IS_EMPTY,
		.partial = self,
		.partial_ctx = &text,
	};
	AUTO(mustache) struct mustache *t = mustache_parse("fuzz", text, &err);
	bool ok = t && mustache_render(t, values, &options, &out, &err);
	must(out.len <= OUTPUT_MAX);
	must(ok != error_is_set(&err));
	must(ok || strstr(err.message, ", line ") || strncmp(err.message, "fuzz: ", 6) == 0);
	return 0;
}
