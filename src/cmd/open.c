/* cctm open: a page of the stack in the browser, or its address where there is none. */
#include <string.h>

#include "cmd/cmd.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "loaded/loaded.h"
#include "render/model.h"

struct open_args {
	const char *page;
	bool is_printed;
};

static const char *const pages[] = { "grafana", "prometheus", "status", NULL };

static const struct opt open_options[] = {
	OPT(struct open_args, is_printed, 0, "print", NULL, "print the address and open nothing"),
	OPT_END,
};

static const struct opt_argument open_arguments[] = {
	{ .offset = offsetof(struct open_args, page),
		.name = "PAGE",
		.is_optional = true,
		.choices = pages,
		.help = "grafana, prometheus, or status, the receiver's page about itself "
			"(default: grafana, and status of an "
			"embedded stack)" },
	OPT_ARGUMENT_END,
};

static const struct example open_examples[] = {
	{ "cctm open", "Grafana in the browser" },
	{ "cctm open prometheus --print", "the address of Prometheus" },
	{ NULL, NULL },
};

static int open_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_open = {
	.name = "open",
	.group = GROUP_STACK,
	.summary = "open a page of the stack in the browser",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct open_args),
	.options = open_options,
	.arguments = open_arguments,
	.examples = open_examples,
	.text = "Opens Grafana, Prometheus or the receiver's own page. Where no browser can be "
		"opened, the address is printed.",
	.run = open_run,
};

#define OPEN_MS 5000

static const char *port_key(const char *page)
{
	return strcmp(page, "grafana") == 0	 ? "ports.grafana"
	       : strcmp(page, "prometheus") == 0 ? "ports.prometheus"
						 : "ports.zpages";
}

/* The Collector has no page at its root. */
static const char *path_of(const struct loaded *stack, const char *page)
{
	bool is_collector = stack->runtime == RUNTIME_DOCKER &&
			    service_receiver(&stack->config) == SERVICE_COLLECTOR;
	return strcmp(page, "status") == 0 && is_collector ? "/debug/servicez" : "/";
}

static bool open_browser(const char *url)
{
	static const char *const openers[] = { "xdg-open", "open" };
	for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
		const char *const argv[] = { openers[i], url, NULL };
		const struct proc_request request = {
			.argv = argv, .deadline_ms = OPEN_MS, .output_max = 4096
		};
		AUTO(error) struct error ignored = ERROR_INIT;
		AUTO(proc_result) struct proc_result result = { 0 };
		if (proc_run(&request, &result, &ignored) && result.end == PROC_EXITED &&
			result.status == 0)
			return true;
	}
	return false;
}

static int open_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct open_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	if (!loaded_read(ctx->dir, &stack, err))
		return -1;
	bool is_docker = stack.runtime == RUNTIME_DOCKER;
	const char *page = args->page ? args->page : is_docker ? "grafana" : "status";
	if (!is_docker && strcmp(page, "status") != 0) {
		error_set(err, ERR_USAGE, "an embedded stack has no %s", page);
		error_hint(err, "'cctm open status' is the bridge's page");
		return -1;
	}
	AUTO(str) char *url = model_url(&stack.config, port_key(page), path_of(&stack, page));
	bool is_opened = !args->is_printed && !ctx->is_json && open_browser(url);
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:s, s:o}", "page", page, "url", out_json_text(url)));
	else if (!is_opened)
		out_printf(ctx->out, "%s\n", url);
	return 0;
}
