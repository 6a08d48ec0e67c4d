/* merge_lines_of BASE OURS THEIRS: the merged text on stdout, or status 1 where both sides clash.
 * merge_lines_of BEFORE AFTER: their unified diff, of a file f that is not there where it is empty. For git_test.py. */
#include <stdbool.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/diff.h"
#include "core/error.h"
#include "core/file.h"
#include "core/merge.h"

enum status { DONE, CLASH, FAILED };

#define FILES_MAX 3

static bool read_all(char **paths, int count, struct buf *texts, struct error *err)
{
	for (int i = 0; i < count; i++) {
		int got = file_read(paths[i], &texts[i], err);
		if (got == 0)
			return error_set(err, ERR_USAGE, "%s: no such file", paths[i]);
		if (got < 0)
			return false;
	}
	return true;
}

static enum status work(const struct buf *texts, int count, struct buf *out)
{
	struct slice first = buf_slice(&texts[0]), second = buf_slice(&texts[1]);
	if (count == FILES_MAX)
		return merge_lines(first, second, buf_slice(&texts[2]), out) ? DONE : CLASH;
	diff_unified(out, first.len ? "f" : NULL, second.len ? "f" : NULL, first, second);
	return DONE;
}

int main(int argc, char **argv)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct buf texts[FILES_MAX] = { BUF_INIT(8 << 20), BUF_INIT(8 << 20), BUF_INIT(8 << 20) };
	int count = argc - 1;
	enum status status = FAILED;
	if ((count == 2 || count == 3) && read_all(argv + 1, count, texts, &err))
		status = work(texts, count, &out);
	else
		fprintf(stderr, "merge_lines_of: %s\n", err.message ? err.message : "wrong usage");
	if (status == DONE && fwrite(buf_str(&out), 1, out.len, stdout) != out.len)
		status = FAILED;
	for (int i = 0; i < FILES_MAX; i++)
		buf_clear(&texts[i]);
	return (int)status;
}
