#include "core/ask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"

bool ask_yes(const char *question, const char *option, struct error *err)
{
	char line[16] = "";
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		error_set(err, ERR_USAGE, "there is no terminal to ask on: %s", question);
		return error_hint(err, "%s answers it", option);
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(line, sizeof line, stdin))
		fputc('\n', stderr);
	line[strcspn(line, "\r\n")] = '\0';
	if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0)
		return true;
	return error_set(err, ERR_INTERRUPTED, "not done: the answer was no");
}
