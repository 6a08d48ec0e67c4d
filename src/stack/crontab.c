#include "stack/crontab.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/str.h"

#define ASK_MS	 10000
#define TEXT_MAX (1 << 20)

bool crontab_is_there(void)
{
	AUTO(str) char *program = proc_find("crontab");
	return program != NULL;
}

/* A user without one is told so, with exit status 1. */
static bool read_all(struct buf *out, struct error *err)
{
	static const char *const argv[] = { "crontab", "-l", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = TEXT_MAX
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, err))
		return false;
	bool is_none = result.end == PROC_EXITED && result.status == 1 &&
		       strstr(buf_str(&result.err), "no crontab");
	if (is_none)
		return true;
	if (result.end != PROC_EXITED || result.status || result.is_cut)
		return error_set(err, ERR_FAILED, "crontab -l: %.200s",
			result.err.len ? buf_str(&result.err) : "it did not end well");
	buf_add(out, result.out.data, result.out.len);
	return true;
}

static bool write_all(const struct buf *text, struct error *err)
{
	static const char *const argv[] = { "crontab", "-", NULL };
	const struct proc_request request = {
		.argv = argv, .input = buf_slice(text), .deadline_ms = ASK_MS, .output_max = 65536
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	return proc_ask(&request, &result, err);
}

/* "# cctm-backup /home/ann/stack" at a line's end. */
static bool has_mark(const char *line, size_t len, const char *mark)
{
	size_t mark_len = strlen(mark);
	return len > mark_len + 2 && memcmp(line + len - mark_len, mark, mark_len) == 0 &&
	       memcmp(line + len - mark_len - 2, "# ", 2) == 0;
}

/* Copies the lines of others; how many were ours. */
static size_t copy_others(const char *text, const char *mark, struct buf *out)
{
	size_t ours = 0;
	while (*text) {
		size_t len = strcspn(text, "\n");
		if (has_mark(text, len, mark)) {
			ours++;
		} else {
			buf_add(out, text, len);
			buf_addc(out, '\n');
		}
		text += len + (text[len] == '\n');
	}
	return ours;
}

/* In single quotes every byte is itself but the quote; cron makes a newline of "%". */
static bool add_word(struct buf *out, const char *word, struct error *err)
{
	for (const char *c = word; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f || strchr("'%\\", *c))
			return error_set(
				err, ERR_FAILED, "a crontab cannot safely hold the name %s", word);
	}
	buf_addf(out, "'%s' ", word);
	return true;
}

int crontab_has(const char *mark, struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(BUF_UNLIMITED), others = BUF_INIT(BUF_UNLIMITED);
	if (!read_all(&before, err))
		return -1;
	return copy_others(buf_str(&before), mark, &others) > 0;
}

bool crontab_put(const char *mark, const char *const *words, unsigned hour, unsigned minute,
	struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(BUF_UNLIMITED), after = BUF_INIT(BUF_UNLIMITED);
	if (!read_all(&before, err))
		return false;
	copy_others(buf_str(&before), mark, &after);
	buf_addf(&after, "%u %u * * * ", minute, hour);
	for (size_t i = 0; words[i]; i++) {
		if (!add_word(&after, words[i], err))
			return false;
	}
	/* What it says when all is well would come as mail, every day. */
	buf_addf(&after, ">/dev/null # %s\n", mark);
	return write_all(&after, err);
}

bool crontab_remove(const char *mark, struct error *err)
{
	AUTO(buf) struct buf before = BUF_INIT(BUF_UNLIMITED), after = BUF_INIT(BUF_UNLIMITED);
	if (!read_all(&before, err))
		return false;
	return copy_others(buf_str(&before), mark, &after) == 0 || write_all(&after, err);
}
