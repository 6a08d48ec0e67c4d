/* Options as constant rows: parsing, help, completion and manual pages read them.
 *
 * A row holds the offset of a field in the command's own args struct; its type is taken from the field by
 * _Generic, so that row and field cannot disagree:
 *
 *     struct report_args { const char *since; bool csv; int64_t max_ms; };
 *     static const struct opt report_options[] = {
 *             OPT(struct report_args, since, 0, "since", "TIME", "start of the range (default 7d)"),
 *             OPT(struct report_args, csv, 0, "csv", NULL, "print comma-separated values"),
 *             OPT_DURATION(struct report_args, max_ms, 't', "timeout", 0, 3600000, "2m", "give up after this"),
 *             OPT_END,
 *     };
 *
 * Field types: bool (a flag; --no-NAME clears it where OPT_NEGATABLE made the row), const char *, int64_t, and struct
 * opt_rest for an option that may be repeated.
 * Defaults are text, parsed by the same code as the command line; NULL: none.
 */
#ifndef CCTM_CORE_OPT_H
#define CCTM_CORE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

enum opt_type {
	OPT_TYPE_END,
	OPT_TYPE_FLAG,
	OPT_TYPE_TEXT,
	OPT_TYPE_INT,
	OPT_TYPE_DURATION,
	OPT_TYPE_SIZE,
	OPT_TYPE_LIST
};

/* What was given repeatedly: the last argument's words, or the values of an option that may be repeated. */
struct opt_rest {
	const char *const *items;
	size_t count;
};

struct opt {
	enum opt_type type;
	size_t offset;
	char letter; /* 0: none */
	const char *name;
	const char *argument;	    /* "DIR"; NULL for flags */
	const char *fallback;	    /* default as text; NULL: none */
	int64_t min, max;	    /* of numbers, durations (ms) and sizes (bytes) */
	const char *const *choices; /* allowed texts, NULL-terminated; NULL: any */
	bool is_negatable;
	/* The value of an option that is given without one; one that has it takes its value attached only, --name=VALUE.
	 * NULL: a value must be given. */
	const char *implied;
	/* One sentence, lower case, no full stop; the frame adds default and choices. NULL: not shown. */
	const char *help;
};

struct opt_argument {
	size_t offset; /* of a const char * field, or of a struct opt_rest for the last when is_repeated */
	const char *name; /* "COMMAND" */
	bool is_optional, is_repeated;
	const char *help;
	const char *const *choices; /* for completion and checking; NULL: any */
	/* Words that completion offers and nothing checks, NULL-terminated; NULL: none. For sets that the
	 * command itself knows better how to speak of. */
	const char *const *(*suggest)(void);
};

#define OPT_FIELD_TYPE(type_, field_) \
	_Generic(((type_ *)0)->field_, bool : OPT_TYPE_FLAG, const char * : OPT_TYPE_TEXT, int64_t : OPT_TYPE_INT, \
		struct opt_rest : OPT_TYPE_LIST)

#define OPT(type_, field_, letter_, name_, argument_, help_)                                     \
	{                                                                                        \
		.type = OPT_FIELD_TYPE(type_, field_), .offset = offsetof(type_, field_),        \
		.letter = (letter_), .name = (name_), .argument = (argument_), .min = INT64_MIN, \
		.max = INT64_MAX, .help = (help_)                                                \
	}
#define OPT_TEXT(type_, field_, letter_, name_, argument_, fallback_, help_)                       \
	{                                                                                          \
		.type = OPT_TYPE_TEXT, .offset = offsetof(type_, field_), .letter = (letter_),     \
		.name = (name_), .argument = (argument_), .fallback = (fallback_), .help = (help_) \
	}
#define OPT_CHOICE(type_, field_, letter_, name_, argument_, choices_, fallback_, help_)       \
	{                                                                                      \
		.type = OPT_TYPE_TEXT, .offset = offsetof(type_, field_), .letter = (letter_), \
		.name = (name_), .argument = (argument_), .choices = (choices_),               \
		.fallback = (fallback_), .help = (help_)                                       \
	}
/* A flag that --no-NAME clears; `fallback_` is "on" or NULL. */
#define OPT_NEGATABLE(type_, field_, letter_, name_, fallback_, help_)                          \
	{                                                                                       \
		.type = OPT_FIELD_TYPE(type_, field_), .offset = offsetof(type_, field_),       \
		.letter = (letter_), .name = (name_), .fallback = (fallback_), .help = (help_), \
		.is_negatable = true                                                            \
	}
#define OPT_NUMBER_ROW(                                                                  \
	kind_, type_, field_, letter_, name_, argument_, min_, max_, fallback_, help_)   \
	{                                                                                \
		.type = (kind_), .offset = offsetof(type_, field_), .letter = (letter_), \
		.name = (name_), .argument = (argument_), .min = (min_), .max = (max_),  \
		.fallback = (fallback_), .help = (help_)                                 \
	}
#define OPT_INT(type_, field_, letter_, name_, argument_, min_, max_, fallback_, help_)    \
	OPT_NUMBER_ROW(OPT_TYPE_INT, type_, field_, letter_, name_, argument_, min_, max_, \
		fallback_, help_)
#define OPT_DURATION(type_, field_, letter_, name_, min_, max_, fallback_, help_)                \
	OPT_NUMBER_ROW(OPT_TYPE_DURATION, type_, field_, letter_, name_, "DURATION", min_, max_, \
		fallback_, help_)
/* "--name" or "--name=DURATION". */
#define OPT_DURATION_IMPLIED(type_, field_, name_, min_, max_, implied_, help_)                \
	{                                                                                      \
		.type = OPT_TYPE_DURATION, .offset = offsetof(type_, field_), .name = (name_), \
		.argument = "DURATION", .min = (min_), .max = (max_), .implied = (implied_),   \
		.help = (help_)                                                                \
	}
#define OPT_SIZE(type_, field_, letter_, name_, min_, max_, fallback_, help_)            \
	OPT_NUMBER_ROW(OPT_TYPE_SIZE, type_, field_, letter_, name_, "SIZE", min_, max_, \
		fallback_, help_)
#define OPT_END                      \
	{                            \
		.type = OPT_TYPE_END \
	}
#define OPT_ARGUMENT_END     \
	{                    \
		.name = NULL \
	}

struct error;

/* Parses argv[0..argc) (behind the command's name) into `args`, which is zeroed and given the defaults
 * first. "--name value", "--name=value", "-n value", "-nvalue", clustered flags, "--" ends options; options
 * and arguments may be mixed, the last of a repeated option wins, abbreviations are not taken. A value that
 * begins with "-" must be attached ("--name=-1"), so that a forgotten value is noticed.
 * Texts borrow from argv. Unknown options name the nearest one in the hint. */
bool opt_parse(const struct opt *options, const struct opt_argument *arguments, int argc,
	char *const *argv, void *args, size_t args_size, struct error *err) MUST_CHECK;

/* The pieces of opt_parse, for a command line that fills several structs: the global options' and the
 * command's. Where two sets name the same option, the first set has it. */
struct opt_set {
	const struct opt *options; /* a row of NULLs ends the list */
	void *args;
	uint64_t
		*given; /* bit i is set when row i (below 64) stood in the words; NULL: not asked */
};

/* Zeroes `args` and stores the rows' defaults. */
bool opt_defaults(const struct opt *options, void *args, size_t args_size, struct error *err)
	MUST_CHECK;

/* Parses options up to the first word that is none; *used says how many words were read. */
bool opt_parse_leading(const struct opt_set *sets, int argc, char *const *argv, int *used,
	struct error *err) MUST_CHECK;

/* Parses all of argv; what is no option goes into `args` through the `arguments` rows (NULL: none). */
bool opt_parse_sets(const struct opt_set *sets, const struct opt_argument *arguments, void *args,
	int argc, char *const *argv, struct error *err) MUST_CHECK;

/* True when `word` stands among argv's options, in front of any "--". */
bool opt_is_given(int argc, char *const *argv, const char *word);

/* Releases the lists of a repeated argument and of repeated options, the only things in `args` that parsing allocates. */
void opt_clear(const struct opt *options, const struct opt_argument *arguments, void *args);

#endif
