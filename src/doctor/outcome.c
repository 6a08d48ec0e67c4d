/* What a check says, and the command that mends what it found. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"
#include "doctor/doctor_internal.h"
#include "render/escape.h"

#define MEND_MS	   300000
#define OUTPUT_MAX (1 << 20)
#define SAID_MAX   2000

/* Evidence holds what other programs said: nothing in it may reach a terminal as it is. */
static char *visible(char *text)
{
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(str) char *whole = text;
	whole[strnlen(whole, SAID_MAX)] = 0;
	text_visible(&shown, whole);
	return mem_strdup(buf_str(&shown));
}

void outcome_say(struct check_outcome *out, enum check_result result, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	free(out->evidence);
	out->result = result;
	out->evidence = visible(text);
}

void outcome_advise(struct check_outcome *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	free(out->advice);
	out->advice = visible(mem_vprintf(fmt, ap));
	va_end(ap);
}

static void forget_words(struct check_outcome *out)
{
	for (size_t i = 0; i < out->word_count; i++)
		free(out->words[i]);
	memset(out->words, 0, sizeof out->words);
	out->word_count = 0;
}

void outcome_word(struct check_outcome *out, const char *word)
{
	if (out->word_count < FIX_WORDS_MAX)
		out->words[out->word_count++] = mem_strdup(word);
}

static void add_words(struct check_outcome *out, va_list ap)
{
	for (const char *word = va_arg(ap, const char *); word; word = va_arg(ap, const char *))
		outcome_word(out, word);
}

void outcome_cctm(struct check_outcome *out, const struct doctor *d, enum safety safety, ...)
{
	va_list ap;
	forget_words(out);
	outcome_word(out, "cctm");
	if (d->dir) {
		outcome_word(out, "-C");
		outcome_word(out, d->dir);
	}
	va_start(ap, safety);
	add_words(out, ap);
	va_end(ap);
	out->is_safe = safety == FIX_SAFE;
}

void outcome_command(struct check_outcome *out, enum safety safety, ...)
{
	va_list ap;
	forget_words(out);
	va_start(ap, safety);
	add_words(out, ap);
	va_end(ap);
	out->is_safe = safety == FIX_SAFE;
}

void outcome_block(struct check_outcome *out, const char *needed)
{
	outcome_clear(out);
	outcome_say(out, CHECK_SKIPPED, "it waits for %s", needed);
	out->is_blocked = true;
}

void outcome_clear(struct check_outcome *out)
{
	forget_words(out);
	free(out->evidence);
	free(out->advice);
	*out = (struct check_outcome){ 0 };
}

/* ---- the command, as it is typed and as it is run ---- */

static bool is_plain(const char *word)
{
	return *word &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "-_./:=,@%+") == strlen(word);
}

char *diagnosis_fix(const struct diagnosis_row *row)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error ignored = ERROR_INIT;
	for (size_t i = 0; row->words[i]; i++) {
		if (i)
			buf_addc(&text, ' ');
		if (is_plain(row->words[i]))
			buf_adds(&text, row->words[i]);
		else if (!escape_append(ESCAPE_SHELL, slice_str(row->words[i]), &text, &ignored))
			return NULL;
	}
	if (text.len)
		return mem_strdup(buf_str(&text));
	return row->advice ? mem_strdup(row->advice) : NULL;
}

bool diagnosis_mend(const struct diagnosis_row *row, struct error *err)
{
	const char *argv[FIX_WORDS_MAX + 1] = { NULL };
	AUTO(str) char *self = NULL;
	AUTO(proc_result) struct proc_result result = { 0 };
	for (size_t i = 0; row->words[i]; i++)
		argv[i] = row->words[i];
	if (!argv[0])
		return error_set(err, ERR_FAILED, "there is no command for it");
	if (strcmp(argv[0], "cctm") == 0) {
		self = proc_self(err);
		argv[0] = self;
	}
	const struct proc_request request = {
		.argv = argv, .deadline_ms = MEND_MS, .output_max = OUTPUT_MAX
	};
	return argv[0] && proc_ask(&request, &result, err);
}
