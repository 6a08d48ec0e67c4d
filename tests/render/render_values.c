/* render_values PATH: renders a template for the file PATH. On stdin {"template": …, "data": {…}}, on stdout what
 * comes of it. For readers.py. */
#include <stdio.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "render/json_testing.h"
#include "render/mustache.h"

static bool render(const char *path, const json_t *input, struct buf *out, struct error *err)
{
	const char *template = json_string_value(json_object_get(input, "template"));
	const json_t *values = json_object_get(input, "data");
	struct mustache_options options = { .missing = MUSTACHE_MISSING_FAILS };
	if (!template || !values)
		return error_set(err, ERR_USAGE, "stdin must hold a template and its data");
	AUTO(data) struct data *root = data_of_json(values);
	AUTO(mustache) struct mustache *t = mustache_parse(path, slice_str(template), err);
	return t && escape_for_path(path, &options.escape, err) &&
	       mustache_render(t, root, &options, out, err);
}

int main(int argc, char **argv)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(64 << 20);
	json_error_t why;
	json_t *input = argc == 2 ? json_loadf(stdin, 0, &why) : NULL;
	bool ok = input && render(argv[1], input, &out, &err);
	json_decref(input);
	if (!ok) {
		fprintf(stderr, "render_values: %s\n", err.message ? err.message : "wrong usage");
		return 1;
	}
	return fwrite(buf_str(&out), 1, out.len, stdout) == out.len ? 0 : 1;
}
