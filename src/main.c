/* cctm: global options, the command table, and the one place that prints an error. */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/out.h"
#include "core/proc.h"
#include "core/text.h"

/* One row a command, in the order of `cctm help`. */
static const struct command *const commands[] = {
	&cmd_init,
	&cmd_up,
	&cmd_down,
	&cmd_restart,
	&cmd_status,
	&cmd_doctor,
	&cmd_probe,
	&cmd_logs,
	&cmd_open,
	&cmd_import_dashboard,
	&cmd_dashboards,
	&cmd_password,
	&cmd_backup,
	&cmd_restore,
	&cmd_upgrade,
	&cmd_env,
	&cmd_render,
	&cmd_config,
	&cmd_report,
	&cmd_budget,
	&cmd_alerts,
	&cmd_bridge,
	&cmd_help,
	&cmd_version,
	&cmd_completion,
	&cmd_catalogue,
	NULL,
};

struct global_args {
	const char *dir, *color;
	bool is_json, is_quiet, is_verbose, is_help, is_version;
};

static const char *const color_modes[] = { "auto", "always", "never", NULL };

static const struct opt global_options[] = {
	OPT(struct global_args, dir, 'C', "dir", "DIR",
		"the stack's directory (environment: CCTM_DIR)"),
	OPT(struct global_args, is_json, 0, "json", NULL,
		"print exactly one JSON document on standard output"),
	OPT(struct global_args, is_quiet, 'q', "quiet", NULL, "print no progress and no notes"),
	OPT(struct global_args, is_verbose, 'v', "verbose", NULL, "say more about what is done"),
	OPT_CHOICE(struct global_args, color, 0, "color", "WHEN", color_modes, "auto",
		"use colours; auto means on a terminal without NO_COLOR"),
	OPT(struct global_args, is_help, 'h', "help", NULL, "explain the command and stop"),
	OPT(struct global_args, is_version, 0, "version", NULL, "print the version and stop"),
	OPT_END,
};

/* What the command line asks for: a command and its struct, filled. */
struct invocation {
	struct global_args globals;
	const struct command *command;
	void *args;
	uint64_t given;
};

/* The words behind a command's name: its own options and arguments, and the global ones. */
static bool read_words(struct invocation *in, const struct command *command, int argc,
	char *const *argv, struct error *err)
{
	in->command = command;
	in->args = mem_zalloc(command->args_size);
	in->given = 0;
	struct opt_set sets[3] = { { command->options, in->args, &in->given } };
	sets[command->options ? 1 : 0] = (struct opt_set){ global_options, &in->globals, NULL };
	return opt_defaults(command->options, in->args, command->args_size, err) &&
	       opt_parse_sets(sets, command->arguments, in->args, argc, argv, err);
}

static void drop_args(struct invocation *in)
{
	if (in->command && in->args)
		opt_clear(in->command->options, in->command->arguments, in->args);
	free(in->args);
	in->args = NULL;
}

/* The same invocation as a call of another command, whose words are right by construction. */
static bool turn_into(
	struct invocation *in, const struct command *command, const char *word, struct error *err)
{
	drop_args(in);
	error_clear(err);
	char *argv[] = { (char *)(uintptr_t)word };
	return read_words(in, command, word ? 1 : 0, argv, err);
}

static bool read_named(struct invocation *in, int argc, char *const *argv, struct error *err)
{
	const struct command *command = command_find(commands, argv[0], err);
	if (!command)
		return false;
	if (read_words(in, command, argc - 1, argv + 1, err))
		return true;
	error_wrap(err, "%s", command->name);
	return error_hint(err, "run 'cctm %s --help'", command->name);
}

static bool read_command_line(struct invocation *in, int argc, char *const *argv, struct error *err)
{
	const struct opt_set sets[] = { { global_options, &in->globals, NULL }, { 0 } };
	int used = 0;
	if (!opt_defaults(global_options, &in->globals, sizeof in->globals, err))
		return false;
	/* also for an error in front of it */
	in->globals.is_json = opt_is_given(argc, argv, "--json");
	if (!opt_parse_leading(sets, argc, argv, &used, err))
		return error_hint(err, "run 'cctm help'");
	bool is_read = used == argc || read_named(in, argc - used, argv + used, err);
	/* Whoever asks for help gets it, whatever else is wrong in the line. */
	bool wants_help = in->globals.is_help || opt_is_given(argc, argv, "--help") ||
			  opt_is_given(argc, argv, "-h");
	if (wants_help && (is_read || in->command))
		return turn_into(in, &cmd_help, in->command ? in->command->name : NULL, err);
	if (is_read && in->globals.is_version)
		return turn_into(in, &cmd_version, NULL, err);
	return is_read && (in->command || turn_into(in, &cmd_help, NULL, err));
}

static enum color_mode color_mode(const char *name)
{
	if (!name || strcmp(name, "auto") == 0)
		return COLOR_AUTO;
	return strcmp(name, "always") == 0 ? COLOR_ALWAYS : COLOR_NEVER;
}

static const char *stack_directory(const struct global_args *globals)
{
	const char *dir = globals->dir ? globals->dir : getenv("CCTM_DIR");
	return dir && *dir ? dir : NULL;
}

static void print_error_text(const struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, "cctm: ");
	text_visible(&text, err->message);
	if (err->hint) {
		buf_adds(&text, "\n  hint: ");
		text_visible(&text, err->hint);
	}
	fprintf(stderr, "%s\n", buf_str(&text));
}

static void print_error(struct out *out, const struct error *err, bool is_json)
{
	if (!is_json || out_has_document(out)) {
		out_end_status(out);
		print_error_text(err);
		return;
	}
	out_json(out, 1,
		json_pack("{s:{s:o, s:o, s:s}}", "error", "message", out_json_text(err->message),
			"hint", out_json_text(err->hint), "code", error_slug(err->code)));
}

static int run(const struct invocation *in, struct out *out, struct error *err)
{
	struct context ctx = {
		.out = out,
		.dir = stack_directory(&in->globals),
		.is_json = in->globals.is_json,
		.is_quiet = in->globals.is_quiet,
		.verbosity = in->globals.is_verbose ? 1 : 0,
		.commands = commands,
		.global_options = global_options,
		.given = in->given,
	};
	if (ctx.is_quiet || ctx.verbosity)
		log_set_level(ctx.verbosity ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	int status = in->command->run(&ctx, in->args, err);
	assert((status < 0) == error_is_set(err));
	return status;
}

/* A descriptor that is closed would be given to the next file opened, and results written into it. Opened
 * for reading, it fails each write instead, and that is reported. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(1);
	}
}

static void end_interrupted(int signal_number)
{
	(void)signal_number;
	proc_interrupt();
	_exit(130);
}

/* A command that has something to finish on an interrupt installs its own handler. */
static void prepare_signals(void)
{
	struct sigaction was;
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is reported as an error of the write */
	if (sigaction(SIGINT, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
		signal(SIGINT, end_interrupted);
}

int main(int argc, char **argv)
{
	keep_standard_descriptors();
	prepare_signals();
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(error) struct error flush_err = ERROR_INIT;
	struct invocation in = { 0 };
	bool is_read = read_command_line(&in, argc - 1, argv + 1, &err);
	struct out *out = out_new(color_mode(in.globals.color));
	out_set_quiet(out, in.globals.is_quiet);
	int status = is_read ? run(&in, out, &err) : -1;
	if (error_is_set(&err)) {
		status = error_exit_status(err.code);
		print_error(out, &err, in.globals.is_json);
	}
	if (!out_flush(out, &flush_err)) {
		status = status ? status : error_exit_status(flush_err.code);
		print_error_text(&flush_err);
	}
	out_free(out);
	drop_args(&in);
	return status;
}
