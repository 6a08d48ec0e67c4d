/* The variables as text for a shell, or as JSON. Secrets are named, never shown. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "claude/catalogue.h"
#include "cmd/env_internal.h"
#include "core/mem.h"
#include "core/out.h"

static bool is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

/* "export NAME='…'", and for a secret the command that prints it. */
static void add_assignment(const struct env_job *job, enum shell shell, size_t i, struct buf *text)
{
	const struct env_setting *setting = &job->wanted.settings[i];
	const char *const words[] = { "cctm", "-q", "-C", job->stack.dir, "password", "otlp",
		NULL };
	if (!setting->is_secret)
		shell_assign(text, shell, setting->name, setting->value);
	else if (!shell_assign_output(text, shell, setting->name, "Authorization=Bearer ", words))
		buf_addf(text,
			"# %s=Authorization=Bearer TOKEN, as 'cctm password otlp' prints it\n",
			setting->name);
}

static void print_text(const struct env_job *job)
{
	struct out *out = job->ctx->out;
	enum shell shell =
		shell_find(job->args->shell ? job->args->shell : getenv("SHELL"), SHELL_BASH);
	bool has_comments = is_terminal();
	for (size_t i = 0; i < job->wanted.count; i++) {
		AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
		add_assignment(job, shell, i, &text);
		if (has_comments)
			out_printf(out, "%s# %s%s\n", out_style(out, STYLE_DIM),
				job->wanted.comments[i], out_style(out, STYLE_PLAIN));
		out_write(out, buf_str(&text), text.len);
	}
}

static json_t *variable_json(const struct env_job *job, size_t i)
{
	const struct env_setting *setting = &job->wanted.settings[i];
	const struct catalogue_row *row = catalogue_find(CATALOGUE_VARIABLE, setting->name);
	return json_pack("{s:s, s:o, s:b, s:s, s:s?}", "name", setting->name, "value",
		setting->is_secret ? json_null() : out_json_text(setting->value), "secret",
		setting->is_secret, "why", job->wanted.comments[i], "meaning",
		row ? row->meaning : NULL);
}

static void print_json(const struct env_job *job)
{
	json_t *variables = json_array();
	for (size_t i = 0; i < job->wanted.count; i++)
		json_array_append_new(variables, variable_json(job, i));
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:o, s:o}", "directory", out_json_text(job->stack.dir),
			"variables", variables, "headers_helper", out_json_text(job->helper)));
}

/* Where Claude Code sees this machine under another name than it does itself. */
static const char *note_of_place(void)
{
	if (access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0)
		return "this is a container: a stack on its host has another address here, such as "
		       "--host host.docker.internal";
	if (access("/proc/sys/fs/binfmt_misc/WSLInterop", F_OK) == 0 || getenv("WSL_DISTRO_NAME"))
		return "this is WSL: a Claude Code on the Windows side may need another address, "
		       "see --host";
	return NULL;
}

void env_print(const struct env_job *job)
{
	const char *note = note_of_place();
	if (job->ctx->is_json) {
		print_json(job);
		return;
	}
	print_text(job);
	if (!is_terminal())
		return;
	out_note(job->ctx->out,
		"Claude Code reads them when it starts, so start it anew; 'cctm env "
		"--check' shows what is in effect");
	if (note && !job->args->host)
		out_note(job->ctx->out, "%s", note);
}

void env_print_settings(const struct env_job *job)
{
	json_t *env = json_object();
	for (size_t i = 0; i < job->wanted.count; i++) {
		const struct env_setting *setting = &job->wanted.settings[i];
		if (!setting->is_secret)
			json_object_set_new(env, setting->name, out_json_text(setting->value));
	}
	json_t *settings = json_pack("{s:o}", "env", env);
	if (job->helper)
		json_object_set_new(settings, "otelHeadersHelper", out_json_text(job->helper));
	if (job->ctx->is_json) {
		out_json(job->ctx->out, 1, json_pack("{s:o}", "settings", settings));
	} else {
		AUTO(str) char *text = json_dumps(settings, JSON_INDENT(2));
		out_printf(job->ctx->out, "%s\n", text);
		json_decref(settings);
	}
	if (job->token && !job->helper)
		out_note(job->ctx->out, "the stack asks for a token, which is not printed: each "
					"user needs OTEL_EXPORTER_OTLP_HEADERS besides");
	if (job->helper)
		out_note(job->ctx->out,
			"otelHeadersHelper runs on each machine: it needs the script and a token "
			"file there; Claude Code runs it again every 29 minutes, for HTTP only");
}
