/* cctm backup schedule: a backup once a day, by a timer of the user's own systemd, else by a line in the user's crontab. */
#include <stdlib.h>
#include <string.h>

#include "cmd/backup_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "core/str.h"
#include "stack/crontab.h"
#include "stack/systemd.h"

#define DEFAULT_AT "03:00"
#define WORDS_MAX  20

struct schedule {
	struct backup_job *job;
	const char *words[WORDS_MAX]; /* behind the program's name */
	size_t count;
	char *texts[4]; /* of numbers among them */
	size_t text_count;
	char *mark; /* of the line in the crontab */
	unsigned hour, minute;
};

/* "HH:MM". */
static bool parse_at(const char *text, struct schedule *s, struct error *err)
{
	if (strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789") == 2 &&
		strspn(text + 3, "0123456789") == 2) {
		s->hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
		s->minute = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
		if (s->hour < 24 && s->minute < 60)
			return true;
	}
	return error_set(
		err, ERR_USAGE, "--at: %.40s is no time of day, such as " DEFAULT_AT, text);
}

static void add_rule(struct schedule *s, const char *option, int64_t count)
{
	if (!count)
		return;
	char *text = mem_printf("%lld", (long long)count);
	s->texts[s->text_count++] = text;
	s->words[s->count++] = option;
	s->words[s->count++] = text;
}

/* Without rules it would fill the disk. */
static void add_rules(struct schedule *s)
{
	static const struct keep_rules usual = { .daily = 7, .weekly = 4, .monthly = 6 };
	const struct backup_args *args = s->job->args;
	const struct keep_rules rules = backup_has_rules(args) ? backup_rules(args) : usual;
	add_rule(s, "--keep-last", rules.last);
	add_rule(s, "--keep-daily", rules.daily);
	add_rule(s, "--keep-weekly", rules.weekly);
	add_rule(s, "--keep-monthly", rules.monthly);
}

static void say_words(struct schedule *s)
{
	s->words[s->count++] = "-q";
	s->words[s->count++] = "-C";
	s->words[s->count++] = s->job->stack.dir;
	s->words[s->count++] = "backup";
	if (!s->job->args->has_secrets)
		s->words[s->count++] = "--no-secrets";
	add_rules(s);
}

/* Which of both has it; NULL: none. */
static bool find(const struct schedule *s, const char **by, struct error *err)
{
	*by = systemd_has_timer(s->job->stack.dir) ? "systemd" : NULL;
	if (*by || !crontab_is_there())
		return true;
	int found = crontab_has(s->mark, err);
	if (found > 0)
		*by = "crontab";
	return found >= 0;
}

static bool remove_both(const struct schedule *s, struct error *err)
{
	return systemd_remove_timer(s->job->stack.dir, err) &&
	       (!crontab_is_there() || crontab_remove(s->mark, err));
}

static bool put_crontab(struct schedule *s, struct error *err)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	AUTO(str) char *self = proc_self(err);
	if (!self)
		return false;
	words[0] = self;
	for (size_t i = 0; i < s->count; i++)
		words[i + 1] = s->words[i];
	return crontab_put(s->mark, words, s->hour, s->minute, err);
}

static bool put(struct schedule *s, const char **by, struct error *err)
{
	const char *dir = s->job->stack.dir;
	AUTO(str) char *at = mem_printf("%02u:%02u", s->hour, s->minute);
	if (systemd_answers()) {
		*by = "systemd";
		return (!crontab_is_there() || crontab_remove(s->mark, err)) &&
		       systemd_write_timer(dir, s->words, at, err);
	}
	*by = "crontab";
	if (crontab_is_there())
		return put_crontab(s, err);
	error_set(err, ERR_FAILED, "there is neither a systemd of yours nor a crontab");
	return error_hint(err, "let something else run 'cctm backup' once a day");
}

static void print(const struct schedule *s, const char *by, bool is_removed)
{
	struct out *out = s->job->ctx->out;
	AUTO(str) char *at = mem_printf("%02u:%02u", s->hour, s->minute);
	if (s->job->ctx->is_json)
		out_json(out, 1,
			json_pack("{s:o, s:b, s:o, s:o}", "directory",
				out_json_text(s->job->stack.dir), "scheduled", !is_removed, "by",
				out_json_text(by), "at",
				is_removed ? json_null() : json_string(at)));
	else if (is_removed)
		out_note(out, by ? "no backup is made by itself any more" : "none was scheduled");
	else
		out_note(out, "a backup is made every day at %s, by %s", at,
			strcmp(by, "systemd") == 0 ? "systemd" : "your crontab");
}

static bool act(struct schedule *s, struct error *err)
{
	const struct backup_args *args = s->job->args;
	const char *by = NULL;
	if (!parse_at(args->at ? args->at : DEFAULT_AT, s, err))
		return false;
	say_words(s);
	if (!(args->is_removed ? find(s, &by, err) && remove_both(s, err) : put(s, &by, err)))
		return false;
	print(s, by, args->is_removed);
	return true;
}

int backup_schedule(struct backup_job *job, struct error *err)
{
	struct schedule s = { .job = job, .mark = mem_printf("cctm-backup %s", job->stack.dir) };
	bool is_done = act(&s, err);
	for (size_t i = 0; i < s.text_count; i++)
		free(s.texts[i]);
	free(s.mark);
	return is_done ? 0 : -1;
}
