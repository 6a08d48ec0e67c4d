/* A command, as one constant entry in its own file under cmd/; main.c lists the entries.
 *
 * Usage, parsing, --help, `cctm help`, "did you mean", the completions and the SYNOPSIS and OPTIONS of the
 * manual pages come from here and are written nowhere else.
 */
#ifndef CCTM_COMMAND_H
#define CCTM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/opt.h"

struct error;
struct out;

enum command_group { GROUP_STACK, GROUP_DATA, GROUP_BRIDGE, GROUP_HELP };

enum command_effect { EFFECT_READS, EFFECT_CHANGES, EFFECT_DESTROYS };

struct command;

/* What the global options said, where results go, and what the program offers (main.c's two tables, for
 * help and completion). */
struct context {
	struct out *out; /* results: text or one JSON document */
	const char *dir; /* -C DIR, or NULL */
	bool is_json;
	bool is_quiet;
	int verbosity;
	const struct command *const *commands; /* in the order of `cctm help`; ends with NULL */
	const struct opt *global_options;
	uint64_t
		given; /* bit i is set when row i of the command's options stood in the command line */
};

/* Was the option of that name given, rather than left at its default? (In cmd/help.c.) */
bool context_is_given(const struct context *ctx, const struct opt *options, const char *name);

struct command {
	const char *name;
	enum command_group group;
	const char *summary; /* one line, no full stop */
	enum command_effect effect;
	size_t args_size;		      /* of the command's struct, zeroed before parsing */
	const struct opt *options;	      /* ends with OPT_END */
	const struct opt_argument *arguments; /* ends with OPT_ARGUMENT_END; NULL: takes none */
	const struct example *examples;
	const char *text; /* the description: paragraphs, separated by empty lines */
	/* The exit status, or -1 with err set. */
	int (*run)(struct context *ctx, const void *args, struct error *err);
};

struct example {
	const char *command_line, *explanation; /* a row of NULLs ends the list */
};

#endif
