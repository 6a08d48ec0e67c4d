/* env_values FILE…: what each .env file makes of the variable V, ended by a NUL: "=" and the value, "$" when that refers
 * to other variables, "-" when it is not set, "!" and the error when the file is refused. For readers.py. */
#include <stdio.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "render/env_file.h"

static void print_value(const char *path)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	AUTO(env_file) struct env_file file = { 0 };
	if (file_read(path, &text, &err) <= 0 || !env_file_parse(buf_slice(&text), &file, &err)) {
		printf("!%s", err.message ? err.message : "there is no such file");
		return;
	}
	const struct env_variable *v = env_file_find(&file, "V");
	printf("%s%s", !v ? "-" : v->refers ? "$" : "=", v && !v->refers ? v->value : "");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		print_value(argv[i]);
		putchar('\0');
	}
	return ferror(stdout) ? 1 : 0;
}
