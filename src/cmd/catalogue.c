/* cctm catalogue: what Claude Code reads and sends about its telemetry, in words. */
#include "claude/catalogue.h"

#include <string.h>

#include <jansson.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/out.h"
#include "core/text.h"

struct catalogue_args {
	const char *kind, *name;
	bool is_man;
};

static const struct opt catalogue_options[] = {
	OPT(struct catalogue_args, is_man, 0, "man", NULL, NULL),
	OPT_END,
};

static const struct opt_argument catalogue_arguments[] = {
	{ .offset = offsetof(struct catalogue_args, kind),
		.name = "KIND",
		.is_optional = true,
		.choices = catalogue_kind_names,
		.help = "only variables, metrics, attributes, events or spans" },
	{ .offset = offsetof(struct catalogue_args, name),
		.name = "NAME",
		.is_optional = true,
		.help = "only this one" },
	OPT_ARGUMENT_END,
};

static const struct example catalogue_examples[] = {
	{ "cctm catalogue variable", "every variable that has to do with telemetry" },
	{ "cctm catalogue metric claude_code.cost.usage", "what one of them means" },
	{ "cctm catalogue --json", "all of it for a program" },
	{ NULL, NULL },
};

static int catalogue_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_catalogue = {
	.name = "catalogue",
	.group = GROUP_HELP,
	.summary = "explain what Claude Code sends and which variables it reads",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct catalogue_args),
	.options = catalogue_options,
	.arguments = catalogue_arguments,
	.examples = catalogue_examples,
	.text = "Lists the variables, metrics, attributes, events and spans of Claude Code's "
		"telemetry, each with its meaning, unit, default, the version it was recorded "
		"from, and what it tells about people: nothing, an id, who somebody is, what "
		"somebody wrote, or a secret. The same as claude-code-telemetry(7).",
	.run = catalogue_run,
};

static bool is_asked_for(const struct catalogue_args *args, const struct catalogue_row *row)
{
	return (!args->kind || strcmp(catalogue_kind_names[row->kind], args->kind) == 0) &&
	       (!args->name || strcmp(row->name, args->name) == 0);
}

static const char *made_of(const struct catalogue_row *row)
{
	if (!row->is_of_events)
		return NULL;
	return row->is_histogram ? "counted from events; a histogram" : "counted from events";
}

/* "unit USD; default 60000; recorded from 2.1.328; tells about people: content" */
static void add_facts(struct buf *out, const struct catalogue_row *row)
{
	const struct {
		const char *before, *text;
	} facts[] = {
		{ "unit ", row->unit },
		{ "default ", row->fallback },
		{ "since ", row->since },
		{ "recorded from ", row->seen },
		{ "", made_of(row) },
		{ "", row->label ? "label of claude_code.events" : NULL },
		{ "tells about people: ",
			row->privacy == PRIVACY_NONE ? NULL : privacy_name(row->privacy) },
	};

	size_t begin = out->len;
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		if (facts[i].text)
			buf_addf(out, "%s%s%s", out->len > begin ? "; " : "", facts[i].before,
				facts[i].text);
	}
}

/* ---- text and JSON ---- */

static void print_row(struct out *out, const struct catalogue_row *row)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf facts = BUF_INIT(BUF_UNLIMITED);
	add_facts(&facts, row);
	out_printf(out, "%s%s%s\n", out_style(out, STYLE_BOLD), row->name,
		out_style(out, STYLE_PLAIN));
	buf_adds(&text, "    ");
	text_wrap(&text, row->meaning, 4, out_width(out));
	out_printf(out, "%s\n", buf_str(&text));
	if (facts.len)
		out_printf(out, "    %s%s%s\n", out_style(out, STYLE_DIM), buf_str(&facts),
			out_style(out, STYLE_PLAIN));
}

static json_t *row_json(const struct catalogue_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s, s:b, s:b, s:s?}", "kind",
		catalogue_kind_names[row->kind], "name", row->name, "meaning", row->meaning, "unit",
		row->unit, "default", row->fallback, "since", row->since, "recorded_from",
		row->seen, "privacy", privacy_name(row->privacy), "is_of_events", row->is_of_events,
		"is_histogram", row->is_histogram, "event_label", catalogue_label_name(row->label));
}

static size_t print(struct context *ctx, const struct catalogue_args *args)
{
	json_t *rows = ctx->is_json ? json_array() : NULL;
	size_t count = 0;
	for (size_t i = 0; i < catalogue_count; i++) {
		if (!is_asked_for(args, &catalogue[i]))
			continue;
		count++;
		if (rows)
			json_array_append_new(rows, row_json(&catalogue[i]));
		else
			print_row(ctx->out, &catalogue[i]);
	}
	if (rows && count)
		out_json(ctx->out, 1, json_pack("{s:o}", "rows", rows));
	else
		json_decref(rows);
	return count;
}

/* ---- the page, in mdoc(7) ---- */

static void print_man(struct context *ctx)
{
	static const char *const titles[CATALOGUE_KIND_COUNT] = { "VARIABLES", "METRICS",
		"ATTRIBUTES", "EVENTS", "SPANS" };
	AUTO(buf) struct buf page = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&page, ".\\\" begin catalogue\n");
	for (size_t kind = 0; kind < CATALOGUE_KIND_COUNT; kind++) {
		buf_addf(&page, ".Sh %s\n.Bl -tag -width Ds\n", titles[kind]);
		for (size_t i = 0; i < catalogue_count; i++) {
			AUTO(buf) struct buf facts = BUF_INIT(BUF_UNLIMITED);
			if (catalogue[i].kind != kind)
				continue;
			buf_addf(&page, ".It Li %s\n", catalogue[i].name);
			text_mdoc(&page, catalogue[i].meaning);
			add_facts(&facts, &catalogue[i]);
			if (facts.len) {
				buf_adds(&page, ".br\n");
				text_mdoc(&page, buf_str(&facts));
			}
		}
		buf_adds(&page, ".El\n");
	}
	buf_adds(&page, ".\\\" end catalogue\n");
	out_write(ctx->out, buf_str(&page), page.len);
}

static int catalogue_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct catalogue_args *args = raw;
	if (args->is_man) {
		print_man(ctx);
		return 0;
	}
	if (print(ctx, args))
		return 0;
	error_set(err, ERR_USAGE, "no %s %s is known", args->kind, args->name);
	error_hint(err, "'cctm catalogue %s' lists those that are", args->kind);
	return -1;
}
