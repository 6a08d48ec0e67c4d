/* Feeds a fuzz target every file of the directories named on the command line, so that the kept corpus is
 * a test with any compiler. Each input is copied to its exact size, for the sanitizers' sake. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static bool replay_file(const char *path, struct error *err)
{
	AUTO(buf) struct buf input = BUF_INIT(INPUT_MAX);
	int got = file_read(path, &input, err);
	if (got < 0)
		return false;
	if (got == 0)
		return error_set(err, ERR_IO, "%s is not there", path);
	uint8_t *exact = mem_memdup(input.data, input.len);
	LLVMFuzzerTestOneInput(exact, input.len);
	free(exact);
	return true;
}

static bool replay_directory(const char *dir, size_t *count, struct error *err)
{
	DIR *entries = opendir(dir);
	bool ok = true;
	if (!entries)
		return error_set(err, ERR_IO, "cannot open %s", dir);
	for (struct dirent *entry; ok && (entry = readdir(entries));) {
		if (entry->d_name[0] == '.')
			continue;
		AUTO(str) char *path = path_join(dir, entry->d_name);
		ok = replay_file(path, err);
		(*count)++;
	}
	closedir(entries);
	return ok;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	size_t count = 0;
	for (int i = 1; i < argc; i++) {
		if (!replay_directory(argv[i], &count, &err)) {
			fprintf(stderr, "replay: %s\n", err.message);
			error_clear(&err);
			return 1;
		}
	}
	fprintf(stderr, "replayed %zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
