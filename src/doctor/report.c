/* What is put together for a report of a fault. It goes nowhere but into the file; what is secret or personal is replaced in
 * every text before it is added. */
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/tar.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/secret.h"
#include "doctor/doctor_internal.h"
#include "render/env_file.h"
#include "render/own_files.h"
#include "stack/embedded.h"

#define TEXT_MAX   (4 << 20)
#define LOG_TAIL   65536
#define LOG_LINES  "200"
#define LOG_MS	   8000
#define ASK_MS	   5000
#define SECRET_MIN 4
#define MASKS_MAX  80
#define NAME_SIZE  256

struct mask {
	char *text; /* a secret, or what says who somebody is */
	char *word; /* in its place: "<GRAFANA_ADMIN_PASSWORD>" */
	size_t count;
};

struct report_job {
	struct doctor *d;
	struct tar *tar;
	struct mask masks[MASKS_MAX];
	size_t mask_count, mails;
};

/* ---- what is replaced ---- */

static void add_mask(struct report_job *job, const char *text, char *word)
{
	if (!text || strlen(text) < SECRET_MIN || job->mask_count == MASKS_MAX) {
		free(word);
		return;
	}
	job->masks[job->mask_count++] = (struct mask){ .text = mem_strdup(text), .word = word };
}

static void add_secrets(struct report_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	AUTO(str) char *path = job->d->dir ? path_join(job->d->dir, ENV_PATH) : NULL;
	if (path && file_read(path, &text, &ignored) > 0 &&
		env_file_parse(buf_slice(&text), &file, &ignored)) {
		for (size_t i = 0; i < file.count; i++)
			add_mask(job, file.items[i].value, mem_printf("<%s>", file.items[i].name));
	}
	secret_free(buf_detach(&text));
	for (size_t i = 0; i < job->d->adoption.secret_count; i++)
		add_mask(job, job->d->adoption.secrets[i].value,
			mem_printf("<%s>", job->d->adoption.secrets[i].name));
}

/* The longest first, so that the home directory goes before the name in it. */
static int by_length(const void *a, const void *b)
{
	const struct mask *x = a, *y = b;
	size_t m = strlen(x->text), n = strlen(y->text);
	return m < n ? 1 : m > n ? -1 : strcmp(x->text, y->text);
}

static void make_masks(struct report_job *job)
{
	char host[NAME_SIZE] = "";
	const struct passwd *me = getpwuid(geteuid());
	add_secrets(job);
	add_mask(job, getenv("HOME"), mem_strdup("<HOME>"));
	if (me && strcmp(me->pw_name, "root") != 0)
		add_mask(job, me->pw_name, mem_strdup("<USER>"));
	if (gethostname(host, sizeof host - 1) == 0 && strcmp(host, "localhost") != 0)
		add_mask(job, host, mem_strdup("<HOST>"));
	qsort(job->masks, job->mask_count, sizeof *job->masks, by_length);
}

static void mask_one(struct mask *mask, const char *text, struct buf *out)
{
	const char *found;
	while ((found = strstr(text, mask->text)) != NULL) {
		buf_add(out, text, (size_t)(found - text));
		buf_adds(out, mask->word);
		mask->count++;
		text = found + strlen(mask->text);
	}
	buf_adds(out, text);
}

static bool is_of_mail(char c)
{
	return isalnum((unsigned char)c) || strchr("._%+-", c);
}

/* name@host.tld */
static void mask_mails(struct report_job *job, const char *text, struct buf *out)
{
	const char *at;
	while ((at = strchr(text, '@')) != NULL) {
		const char *begin = at, *end = at + 1;
		while (begin > text && begin[-1] && is_of_mail(begin[-1]))
			begin--;
		while (*end && (isalnum((unsigned char)*end) || *end == '.' || *end == '-'))
			end++;
		if (begin < at && memchr(at, '.', (size_t)(end - at))) {
			buf_add(out, text, (size_t)(begin - text));
			buf_adds(out, "<EMAIL>");
			job->mails++;
		} else {
			buf_add(out, text, (size_t)(end - text));
		}
		text = end;
	}
	buf_adds(out, text);
}

static char *masked(struct report_job *job, const char *text)
{
	char *now = mem_strdup(text);
	for (size_t i = 0; i < job->mask_count; i++) {
		AUTO(buf) struct buf next = BUF_INIT(BUF_UNLIMITED);
		mask_one(&job->masks[i], now, &next);
		secret_free(now);
		now = mem_strdup(buf_str(&next));
	}
	AUTO(buf) struct buf next = BUF_INIT(BUF_UNLIMITED);
	mask_mails(job, now, &next);
	free(now);
	return mem_strdup(buf_str(&next));
}

static void list_replaced(const struct report_job *job, struct buf *out)
{
	for (size_t i = 0; i < job->mask_count; i++) {
		if (job->masks[i].count)
			buf_addf(out, "%s: %zu times\n", job->masks[i].word, job->masks[i].count);
	}
	if (job->mails)
		buf_addf(out, "<EMAIL>: %zu times\n", job->mails);
}

/* ---- what is added ---- */

static bool add(struct report_job *job, const char *path, const char *text, struct error *err)
{
	static const struct tar_attributes attributes = { .mode = 0600 };
	AUTO(str) char *shown = masked(job, text);
	AUTO(str) char *whole = mem_printf("cctm-report/%s", path);
	return tar_add_text(job->tar, whole, slice_str(shown), &attributes, err);
}

static void add_said(struct buf *out, const char *const *argv)
{
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 65536
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	buf_addf(out, "$ %s %s\n", argv[0], argv[1]);
	if (proc_ask(&request, &result, &err))
		buf_adds(out, buf_str(&result.out));
	else
		buf_addf(out, "%s\n", err.message);
}

static bool add_versions(struct report_job *job, struct error *err)
{
	static const char *const docker[] = { "docker", "version", NULL };
	static const char *const claude[] = { "claude", "--version", NULL };
	static const char *const kernel[] = { "uname", "-srm", NULL };
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *self = proc_self(&ignored);
	const char *const own[] = { self, "version", NULL };
	if (self)
		add_said(&text, own);
	add_said(&text, docker);
	add_said(&text, claude);
	add_said(&text, kernel);
	return add(job, "versions.txt", buf_str(&text), err);
}

/* As they lie there, for what was edited is what matters. */
static bool add_files(struct report_job *job, struct error *err)
{
	const struct provision *provision =
		job->d->is_own && job->d->is_loaded ? doctor_provision(job->d) : NULL;
	AUTO(str) char *config = job->d->dir ? path_join(job->d->dir, CONFIG_FILE) : NULL;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf yaml = BUF_INIT(TEXT_MAX);
	if (config && file_read(config, &yaml, &ignored) > 0 &&
		!add(job, "stack/" CONFIG_FILE, buf_str(&yaml), err))
		return false;
	for (size_t i = 0; provision && i < provision->files.count; i++) {
		AUTO(error) struct error none = ERROR_INIT;
		AUTO(buf) struct buf text = BUF_INIT(TEXT_MAX);
		AUTO(str) char *path = path_join(job->d->dir, provision->files.items[i].path);
		AUTO(str) char *name = mem_printf("stack/%s", provision->files.items[i].path);
		if (file_read(path, &text, &none) > 0 && !add(job, name, buf_str(&text), err))
			return false;
	}
	return true;
}

static bool add_logs(struct report_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	AUTO(buf) struct buf text = BUF_INIT(64 << 20);
	struct compose compose;
	static const char *const words[] = { "logs", "--no-color", "--tail", LOG_LINES, NULL };
	if (!job->d->is_loaded)
		return true;
	if (doctor_has_docker(job->d)) {
		if (!compose_open(job->d->dir, &compose, &ignored) ||
			!compose_run(&compose, words, false, LOG_MS, &result, &ignored))
			return add(job, "logs.txt", ignored.message, err);
		return add(job, "logs.txt", buf_str(&result.out), err);
	}
	AUTO(str) char *state = bridge_dir(job->d->dir, &job->d->stack.config);
	AUTO(str) char *path = path_join(state, EMBEDDED_LOG);
	if (file_read(path, &text, &ignored) <= 0)
		return true;
	size_t from = text.len > LOG_TAIL ? text.len - LOG_TAIL : 0;
	return add(job, "logs.txt", buf_str(&text) + from, err);
}

static void end(struct report_job *job)
{
	for (size_t i = 0; i < job->mask_count; i++) {
		secret_free(job->masks[i].text);
		free(job->masks[i].word);
	}
	tar_free(job->tar);
	doctor_close(job->d);
}

bool doctor_report(const char *given, const char *results, struct buf *out, struct buf *replaced,
	struct error *err)
{
	struct doctor doctor;
	struct report_job job = { .d = &doctor };
	doctor_open(&doctor, given);
	make_masks(&job);
	job.tar = tar_new(err);
	bool is_made = job.tar && add(&job, "results.json", results, err) &&
		       add_versions(&job, err) && add_files(&job, err) && add_logs(&job, err);
	list_replaced(&job, replaced);
	is_made = is_made && add(&job, "replaced.txt", buf_str(replaced), err) &&
		  tar_finish(job.tar, out, err);
	if (doctor.has_provision)
		provision_clear(&doctor.provision);
	free(doctor.provision_fault);
	end(&job);
	return is_made;
}
