/* One loop over the words, one lookup over the rows.
 *
 * getopt_long was not used: it takes abbreviations (so that a new option breaks old scripts), prints its own
 * errors, and keeps its state in globals.
 */
#include "core/opt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

struct words {
	const struct opt_set *sets;
	int argc;
	char *const *argv;
	int next;
};

struct found {
	const struct opt *row; /* NULL: no such option */
	const struct opt_set *set;
	bool is_negated;
};

static void *field(void *args, size_t offset)
{
	return (char *)args + offset;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static bool names_row(const struct opt *row, const char *name, size_t len)
{
	return strlen(row->name) == len && strncmp(row->name, name, len) == 0;
}

static struct found find_long(const struct opt_set *sets, const char *name, size_t len)
{
	for (; sets->options; sets++) {
		for (const struct opt *row = sets->options; row->type != OPT_TYPE_END; row++) {
			if (names_row(row, name, len))
				return (struct found){ row, sets, false };
			if (row->is_negatable && len > 3 && strncmp(name, "no-", 3) == 0 &&
				names_row(row, name + 3, len - 3))
				return (struct found){ row, sets, true };
		}
	}
	return (struct found){ 0 };
}

static struct found find_letter(const struct opt_set *sets, char letter)
{
	for (; sets->options; sets++) {
		for (const struct opt *row = sets->options; row->type != OPT_TYPE_END; row++) {
			if (row->letter == letter)
				return (struct found){ row, sets, false };
		}
	}
	return (struct found){ 0 };
}

/* "-é" is one letter of two bytes: name what the user typed, not its first byte. */
static int letter_bytes(const char *at)
{
	int len = 1;
	while ((at[len] & 0xC0) == 0x80)
		len++;
	return len;
}

static bool unknown_option(
	const struct opt_set *sets, const char *name, size_t len, struct error *err)
{
	const char *names[256];
	size_t count = 0;
	for (; sets->options; sets++) {
		for (const struct opt *row = sets->options; row->type != OPT_TYPE_END; row++) {
			if (row->help && count < sizeof names / sizeof *names)
				names[count++] = row->name;
		}
	}
	AUTO(str) char *word = mem_strndup(name, len);
	const char *nearest = str_nearest(word, names, count);
	error_set(err, ERR_USAGE, "unknown option --%s", word);
	return nearest ? error_hint(err, "did you mean --%s?", nearest) : false;
}

static bool is_choice(const char *text, const char *const *choices)
{
	for (; *choices; choices++) {
		if (strcmp(*choices, text) == 0)
			return true;
	}
	return false;
}

static bool check_choice(const char *text, const char *const *choices, struct error *err)
{
	if (!choices || is_choice(text, choices))
		return true;
	AUTO(buf) struct buf list = BUF_INIT(BUF_UNLIMITED);
	size_t count = 0;
	for (; choices[count]; count++)
		buf_addf(&list, "%s%s", count ? ", " : "", choices[count]);
	error_set(err, ERR_USAGE, "\"%s\" is not one of %s", text, buf_str(&list));
	const char *nearest = str_nearest(text, choices, count);
	return nearest ? error_hint(err, "did you mean %s?", nearest) : false;
}

static char *number_text(const struct opt *row, int64_t value)
{
	if (row->type == OPT_TYPE_DURATION)
		return str_duration(value);
	return row->type == OPT_TYPE_SIZE ? str_size(value) : mem_printf("%lld", (long long)value);
}

static bool check_bounds(const struct opt *row, const char *text, int64_t value, struct error *err)
{
	if (value >= row->min && value <= row->max)
		return true;
	AUTO(str) char *bound = number_text(row, value < row->min ? row->min : row->max);
	return error_set(err, ERR_USAGE, "%s is %s than %s", text,
		value < row->min ? "less" : "more", bound);
}

static bool store_number(const struct opt *row, int64_t *into, const char *text, struct error *err)
{
	int64_t value = 0;
	bool is_read = row->type == OPT_TYPE_DURATION ? str_parse_duration(text, &value, err)
		       : row->type == OPT_TYPE_SIZE
			       ? str_parse_size(text, &value, err)
			       : str_parse_int(text, INT64_MIN, INT64_MAX, &value, err);
	if (!is_read || !check_bounds(row, text, value, err))
		return false;
	*into = value;
	return true;
}

static void append(struct opt_rest *rest, const char *word)
{
	const char **items =
		mem_realloc((void *)(uintptr_t)rest->items, rest->count + 1, sizeof *items);
	items[rest->count] = word;
	rest->items = items;
	rest->count++;
}

static bool store(const struct opt *row, void *args, const char *text, struct error *err)
{
	void *into = field(args, row->offset);
	switch (row->type) {
	case OPT_TYPE_FLAG:
		*(bool *)into = strcmp(text, "on") == 0;
		return true;
	case OPT_TYPE_TEXT:
		if (!check_choice(text, row->choices, err))
			return false;
		*(const char **)into = text;
		return true;
	case OPT_TYPE_LIST:
		append(into, text);
		return true;
	case OPT_TYPE_INT:
	case OPT_TYPE_DURATION:
	case OPT_TYPE_SIZE:
		return store_number(row, into, text, err);
	case OPT_TYPE_END:
		break;
	}
	abort(); /* a row without a type ends the list and is never stored */
}

static bool store_found(const struct found *found, const char *text, struct error *err)
{
	if (!store(found->row, found->set->args, text, err))
		return false;
	ptrdiff_t row = found->row - found->set->options;
	if (found->set->given && row < 64)
		*found->set->given |= UINT64_C(1) << row;
	return true;
}

/* The value of an option: attached, or the next word. */
static bool take_value(struct words *words, const struct found *found, const char *spelled,
	const char *attached, struct error *err)
{
	const char *value = attached ? attached : found->row->implied;
	if (!value) {
		bool is_missing = words->next >= words->argc;
		if (is_missing || is_option(words->argv[words->next])) {
			error_set(err, ERR_USAGE, "%s needs a value: %s", spelled,
				found->row->argument);
			return is_missing ? false
					  : error_hint(err,
						    "a value that begins with - is written --%s=%s",
						    found->row->name, words->argv[words->next]);
		}
		value = words->argv[words->next++];
	}
	return store_found(found, value, err) || error_wrap(err, "%s", spelled);
}

static bool take_long(struct words *words, const char *word, struct error *err)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *attached = name[len] ? name + len + 1 : NULL;
	struct found found = find_long(words->sets, name, len);
	if (!found.row)
		return unknown_option(words->sets, name, len, err);
	AUTO(str) char *spelled = mem_strndup(word, len + 2);
	if (found.row->type != OPT_TYPE_FLAG)
		return take_value(words, &found, spelled, attached, err);
	if (attached)
		return error_set(err, ERR_USAGE, "%s takes no value", spelled);
	return store_found(&found, found.is_negated ? "off" : "on", err);
}

static bool take_letters(struct words *words, const char *word, struct error *err)
{
	for (const char *at = word + 1; *at; at++) {
		struct found found = find_letter(words->sets, *at);
		if (!found.row)
			return error_set(
				err, ERR_USAGE, "unknown option -%.*s", letter_bytes(at), at);
		if (found.row->type != OPT_TYPE_FLAG) {
			const char spelled[] = { '-', *at, '\0' };
			return take_value(words, &found, spelled, at[1] ? at + 1 : NULL, err);
		}
		if (!store_found(&found, "on", err))
			return false;
	}
	return true;
}

/* 1: an option was read; 0: the next word is none ("--" is read over and sets *is_over); -1: error. */
static int take_option(struct words *words, bool *is_over, struct error *err)
{
	const char *word = words->argv[words->next];
	if (*is_over || !is_option(word))
		return 0;
	words->next++;
	if (strcmp(word, "--") == 0) {
		*is_over = true;
		return 1;
	}
	bool is_long = word[1] == '-';
	bool is_taken = is_long ? take_long(words, word, err) : take_letters(words, word, err);
	return is_taken ? 1 : -1;
}

static bool take_argument(
	const struct opt_argument *row, void *args, const char *word, struct error *err)
{
	if (!check_choice(word, row->choices, err))
		return error_wrap(err, "%s", row->name);
	if (!row->is_repeated) {
		*(const char **)field(args, row->offset) = word;
		return true;
	}
	append(field(args, row->offset), word);
	return true;
}

static bool check_all_given(const struct opt_argument *row, bool is_row_filled, struct error *err)
{
	if (row && row->name && is_row_filled)
		row++;
	if (!row || !row->name || row->is_optional)
		return true;
	error_set(err, ERR_USAGE, "%s is missing", row->name);
	return false;
}

bool opt_defaults(const struct opt *options, void *args, size_t args_size, struct error *err)
{
	if (args_size)
		memset(args, 0, args_size);
	for (const struct opt *row = options; row && row->type != OPT_TYPE_END; row++) {
		assert(row->offset < args_size);
		if (row->fallback && !store(row, args, row->fallback, err))
			return error_wrap(err, "default of --%s", row->name);
	}
	return true;
}

bool opt_parse_leading(
	const struct opt_set *sets, int argc, char *const *argv, int *used, struct error *err)
{
	struct words words = { .sets = sets, .argc = argc, .argv = argv };
	bool is_over = false;
	while (words.next < argc && !is_over) {
		int taken = take_option(&words, &is_over, err);
		if (taken < 0)
			return false;
		if (taken == 0)
			break;
	}
	*used = words.next;
	return true;
}

bool opt_parse_sets(const struct opt_set *sets, const struct opt_argument *arguments, void *args,
	int argc, char *const *argv, struct error *err)
{
	struct words words = { .sets = sets, .argc = argc, .argv = argv };
	const struct opt_argument *row = arguments;
	bool is_over = false, is_row_filled = false;
	while (words.next < argc) {
		int taken = take_option(&words, &is_over, err);
		if (taken < 0)
			return false;
		if (taken > 0)
			continue;
		const char *word = argv[words.next++];
		if (!row || !row->name)
			return error_set(err, ERR_USAGE, "unexpected argument \"%s\"", word);
		if (!take_argument(row, args, word, err))
			return false;
		if (row->is_repeated)
			is_row_filled = true;
		else
			row++;
	}
	return check_all_given(row, is_row_filled, err);
}

bool opt_parse(const struct opt *options, const struct opt_argument *arguments, int argc,
	char *const *argv, void *args, size_t args_size, struct error *err)
{
	const struct opt_set sets[] = { { .options = options, .args = args }, { 0 } };
	return opt_defaults(options, args, args_size, err) &&
	       opt_parse_sets(sets, arguments, args, argc, argv, err);
}

bool opt_is_given(int argc, char *const *argv, const char *word)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], word) == 0)
			return true;
	}
	return false;
}

static void clear_list(struct opt_rest *rest)
{
	free((void *)(uintptr_t)rest->items);
	*rest = (struct opt_rest){ 0 };
}

void opt_clear(const struct opt *options, const struct opt_argument *arguments, void *args)
{
	for (const struct opt *row = options; row && row->type != OPT_TYPE_END; row++) {
		if (row->type == OPT_TYPE_LIST)
			clear_list(field(args, row->offset));
	}
	for (const struct opt_argument *row = arguments; row && row->name; row++) {
		if (row->is_repeated)
			clear_list(field(args, row->offset));
	}
}
