/* cctm version: which cctm this is, and which libraries it runs with. It reads nothing and changes nothing.
 *
 * The smallest whole command: copy this file to begin another one. A distribution may replace a shared
 * library after cctm was built, so both versions are shown: compiled against, and running.
 */
#include <event2/event.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include <jansson.h>
#include <sqlite3.h>
#include <xxhash.h>
#include <yaml.h>
#include <zlib.h>

#include "cmd/cmd.h"
#include "core/out.h"
#include "core/table.h"

static const struct example version_examples[] = {
	{ "cctm version", "what to name in a bug report" },
	{ "cctm version --json", "the same for a program" },
	{ NULL, NULL },
};

static int version_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_version = {
	.name = "version",
	.group = GROUP_HELP,
	.summary = "show the version of cctm and of its libraries",
	.effect = EFFECT_READS,
	.examples = version_examples,
	.text = "Prints the version of cctm, and for each library the version cctm was compiled "
		"against and the one it runs with. They differ when the system replaced a shared "
		"library since; both belong in a bug report.",
	.run = version_run,
};

struct library {
	const char *name, *compiled, *running;
};

#define LIBRARY_COUNT 7

struct versions {
	struct library libraries[LIBRARY_COUNT];
	char xxhash_running[16];
};

static void ask(struct versions *versions);
static void print_text(struct out *out, const struct versions *versions);
static void print_json(struct out *out, const struct versions *versions);

static int version_run(struct context *ctx, const void *args, struct error *err)
{
	(void)args;
	(void)err;
	struct versions versions;
	ask(&versions);
	if (ctx->is_json)
		print_json(ctx->out, &versions);
	else
		print_text(ctx->out, &versions);
	return 0;
}

#define NUMBER_TEXT(number)  #number
#define NUMBER_VALUE(number) NUMBER_TEXT(number)
#define XXHASH_COMPILED                 \
	NUMBER_VALUE(XXH_VERSION_MAJOR) \
	"." NUMBER_VALUE(XXH_VERSION_MINOR) "." NUMBER_VALUE(XXH_VERSION_RELEASE)

static void ask(struct versions *versions)
{
	unsigned xxhash = XXH_versionNumber();
	snprintf(versions->xxhash_running, sizeof versions->xxhash_running, "%u.%u.%u",
		xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
	const struct library libraries[LIBRARY_COUNT] = {
		{ "libevent", LIBEVENT_VERSION, event_get_version() },
		{ "nghttp2", NGHTTP2_VERSION, nghttp2_version(0)->version_str },
		{ "sqlite", SQLITE_VERSION, sqlite3_libversion() },
		{ "zlib", ZLIB_VERSION, zlibVersion() },
		{ "jansson", JANSSON_VERSION, jansson_version_str() },
		{ "xxhash", XXHASH_COMPILED, versions->xxhash_running },
		/* Its headers do not say their version; the build system knows it. */
		{ "libyaml", CCTM_LIBYAML_VERSION, yaml_get_version_string() },
	};
	for (size_t i = 0; i < LIBRARY_COUNT; i++)
		versions->libraries[i] = libraries[i];
}

static void print_text(struct out *out, const struct versions *versions)
{
	static const struct table_column columns[] = {
		{ "library", TABLE_LEFT },
		{ "compiled", TABLE_LEFT },
		{ "running", TABLE_LEFT },
	};
	out_printf(out, "cctm %s\n\n", CCTM_VERSION);
	AUTO(table) struct table *table = table_new(columns, 3);
	for (size_t i = 0; i < LIBRARY_COUNT; i++) {
		const struct library *library = &versions->libraries[i];
		table_add(table, STYLE_PLAIN, "%s", library->name);
		table_add(table, STYLE_PLAIN, "%s", library->compiled);
		table_add(table, STYLE_PLAIN, "%s", library->running);
	}
	table_print(table, out);
}

static void print_json(struct out *out, const struct versions *versions)
{
	json_t *libraries = json_array();
	for (size_t i = 0; i < LIBRARY_COUNT; i++) {
		const struct library *library = &versions->libraries[i];
		json_array_append_new(
			libraries, json_pack("{s:s, s:s, s:s}", "name", library->name, "compiled",
					   library->compiled, "running", library->running));
	}
	out_json(out, 1, json_pack("{s:s, s:o}", "version", CCTM_VERSION, "libraries", libraries));
}
