#include "core/ask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

bool ask_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool has_terminal(const char *question, const char *option, struct error *err)
{
	if (ask_is_possible())
		return true;
	error_set(err, ERR_USAGE, "there is no terminal to ask on: %s", question);
	return error_hint(err, "%s answers it", option);
}

bool ask_choice(const char *question, const char *const *choices, size_t count, const char *option,
	size_t *chosen, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	char line[16] = "";
	int64_t number;
	if (!has_terminal(question, option, err))
		return false;
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%3zu  %s\n", i + 1, choices[i]);
	fprintf(stderr, "%s [1-%zu] ", question, count);
	if (!fgets(line, sizeof line, stdin))
		fputc('\n', stderr);
	line[strcspn(line, "\r\n")] = '\0';
	if (!str_parse_int(line, 1, (int64_t)count, &number, &ignored)) {
		error_set(err, ERR_INTERRUPTED, "not done: the answer was none of them");
		return error_hint(err, "%s answers it", option);
	}
	*chosen = (size_t)number - 1;
	return true;
}

bool ask_yes(const char *question, const char *option, struct error *err)
{
	char line[16] = "";
	if (!has_terminal(question, option, err))
		return false;
	fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(line, sizeof line, stdin))
		fputc('\n', stderr);
	line[strcspn(line, "\r\n")] = '\0';
	if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0)
		return true;
	return error_set(err, ERR_INTERRUPTED, "not done: the answer was no");
}
