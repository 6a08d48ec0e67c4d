/* Templates from anybody: parsing and rendering end, within their bounds, with an output or an error that says
 * where. The first byte chooses the language and what a missing name does; the template is its own partial. */
#include "render/mustache.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"
#include "render/data.h"

#define OUTPUT_MAX (1 << 16)

static void must(bool claim)
{
	if (!claim)
		abort();
}

static struct data *sample(void)
{
	struct data *map = data_map(), *list = data_list(), *item = data_map();
	data_set(map, "t", data_text("a\"$ #'\n\xE2\x80\xA8{{t}}"));
	data_set(map, "e", data_text(""));
	data_set(map, "n", data_int(-7));
	data_set(map, "f", data_bool(false));
	data_set(item, "t", data_text("inner"));
	data_append(list, item);
	data_append(list, data_text("x"));
	data_append(list, data_bool(true));
	data_set(map, "l", list);
	item = data_map();
	data_set(item, "a", data_text("b"));
	data_set(map, "m", item);
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
	static struct data *values;
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
