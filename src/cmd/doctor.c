/* cctm doctor: what is wrong between a Claude Code and a total, with what was seen and the command that mends it.
 *
 * Without --fix it reads only. With it, what loses nothing is done after it was shown and asked for; the rest is printed. A
 * stack that does not run is a failure, whatever else is right.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "cmd/cmd.h"
#include "cmd/doctor_internal.h"
#include "core/ask.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"

static const struct opt doctor_options[] = {
	OPT(struct doctor_args, check, 0, "check", "ID", "this check alone"),
	OPT_CHOICE(struct doctor_args, group, 0, "group", "GROUP", check_group_names, NULL,
		"the checks of one part of a sample's way"),
	OPT(struct doctor_args, is_listed, 0, "list", NULL, "list the checks and do none"),
	OPT(struct doctor_args, explained, 0, "explain", "ID",
		"say what a check looks at, why, and how to mend it by hand"),
	OPT(struct doctor_args, is_watched, 0, "watch", NULL,
		"look again every five seconds, until interrupted"),
	OPT(struct doctor_args, is_prompt, 0, "prompt", NULL,
		"print what was found as a text for a coding agent"),
	OPT(struct doctor_args, is_mended, 0, "fix", NULL,
		"do what loses nothing, after it was shown and asked for, and look again"),
	OPT(struct doctor_args, is_yes, 'y', "yes", NULL, "answer yes to what --fix asks"),
	OPT(struct doctor_args, report, 0, "report", "FILE",
		"write an archive (.tar.gz) for a report of a fault; secrets are replaced"),
	OPT_END,
};

static const struct example doctor_examples[] = {
	{ "cctm doctor", "what is wrong, and what to do first" },
	{ "cctm doctor --fix", "do what is safe, and look again" },
	{ "cctm doctor --group grafana", "one part of the way" },
	{ "cctm doctor --explain claude-endpoint", "what a check is about" },
	{ "cctm doctor --prompt | claude", "hand it to a coding agent" },
	{ "cctm doctor --report fault.tar.gz", "what a report of a fault should come with" },
	{ NULL, NULL },
};

static int doctor_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_doctor = {
	.name = "doctor",
	.group = GROUP_STACK,
	.summary = "find what is wrong and say how to mend it",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct doctor_args),
	.options = doctor_options,
	.examples = doctor_examples,
	.text = "Looks along the way of a sample: the machine, the configuration, Claude Code, "
		"what "
		"receives, Prometheus, Grafana, the totals. Each check is a line; under what is "
		"not "
		"well stands what was seen and the command that mends it. The last line says "
		"whether everything works, or what to do first. What would fail only because "
		"something before it does is skipped, and so is what has no meaning in this stack "
		"(with -v those are shown, too). The exit status is 3 when a check failed; "
		"warnings and notes are no failures.\n\n"
		"Nothing is changed unless --fix is given. It works without a stack, with half of "
		"one, and in the directory of a stack that was made by hand, whose faults it "
		"names.\n\n"
		"An archive of --report holds results, the stack's files, versions and the ends of "
		"logs. Secrets of .env, e-mail addresses, your home directory, your name and the "
		"machine's are replaced, and listed. It is sent nowhere.\n\n"
		"What people meet, and which checks look for it:\n\n"
		"  \"No data\"            claude-telemetry, claude-metrics, claude-running,\n"
		"                       claude-endpoint, claude-protocol, claude-settings,\n"
		"                       last-sample, prometheus-metrics, datasource,\n"
		"                       datasource-url, queries, prometheus-clock\n"
		"  connection refused   running, restarting, ports, receiver-address,\n"
		"                       claude-endpoint, claude-protocol, claude-proxy\n"
		"  not scraping         prometheus-targets, prometheus-job, exposition,\n"
		"                       prometheus-reload, metric-namespace\n"
		"  high memory          series, memory, memory-kill, batch-waits,\n"
		"                       debug-exporter, retention\n"
		"  totals too low       delta-handling, metric-expiry, lost-events, recorded,\n"
		"                       claude-temporality\n"
		"  404 for events       otlp-logs, logs-pipeline, claude-per-signal\n"
		"  data lost            restarting, journal-damage, ledger, rejected",
	.run = doctor_run,
};

#define WATCH_MS 5000
/* A password that was wrong once is not tried again: the fifth time locks the account. */
#define LOGIN_CHECK "grafana-login"
#define REPORT_MODE 0600
#define REPORT_MAX  (512 << 20)

/* ---- about checks ---- */

static const struct check_about *find_check(const char *id, struct error *err)
{
	const struct check_about *about = doctor_find(id);
	if (about)
		return about;
	const char *nearest = doctor_nearest(id);
	error_set(err, ERR_USAGE, "there is no check \"%.60s\"", id);
	if (nearest)
		error_hint(err, "did you mean %s?", nearest);
	else
		error_hint(err, "'cctm doctor --list' shows them");
	return NULL;
}

/* ---- mending ---- */

static bool is_to_mend(const struct diagnosis_row *row)
{
	return row->result >= CHECK_WARNING && row->is_safe && row->words[0];
}

/* Several checks may have the same remedy. */
static bool is_done_before(const struct diagnosis *diagnosis, size_t row)
{
	AUTO(str) char *fix = diagnosis_fix(&diagnosis->rows[row]);
	for (size_t i = 0; i < row; i++) {
		AUTO(str)
		char *other =
			is_to_mend(&diagnosis->rows[i]) ? diagnosis_fix(&diagnosis->rows[i]) : NULL;
		if (fix && other && strcmp(fix, other) == 0)
			return true;
	}
	return false;
}

static void mend(struct doctor_job *job, const struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct diagnosis_row *row = &diagnosis->rows[i];
		AUTO(error) struct error why = ERROR_INIT;
		if (!is_to_mend(row) || is_done_before(diagnosis, i))
			continue;
		AUTO(str) char *fix = diagnosis_fix(row);
		bool is_done = diagnosis_mend(row, &why);
		if (is_done)
			out_note(job->ctx->out, "done: %s", fix);
		else
			out_note(job->ctx->out, "not done: %s: %s", fix, why.message);
		json_array_append_new(
			job->mended, json_pack("{s:s, s:o, s:b, s:o}", "id", row->about->id, "fix",
					     out_json_text(fix), "done", is_done, "error",
					     out_json_text(is_done ? NULL : why.message)));
	}
}

/* False: it was not wanted. */
static bool mend_if_wanted(struct doctor_job *job, const struct diagnosis *diagnosis,
	bool *is_mended, struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < diagnosis->count; i++) {
		AUTO(str)
		char *fix = is_to_mend(&diagnosis->rows[i]) && !is_done_before(diagnosis, i)
				    ? diagnosis_fix(&diagnosis->rows[i])
				    : NULL;
		if (!fix)
			continue;
		out_note(job->ctx->out, "%-22s %s", diagnosis->rows[i].about->id, fix);
		count++;
	}
	*is_mended = count > 0;
	if (!count) {
		out_note(job->ctx->out, "there is nothing that --fix can do safely");
		return true;
	}
	if (!job->args->is_yes && !ask_yes("do this?", "--yes", err))
		return false;
	mend(job, diagnosis);
	return true;
}

/* ---- a report ---- */

static bool gzip(const struct buf *plain, struct buf *out, struct error *err)
{
	z_stream stream = { 0 };
	if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		return error_set(err, ERR_FAILED, "zlib cannot begin");
	uLong room = deflateBound(&stream, plain->len);
	unsigned char *at = plain->len <= REPORT_MAX ? buf_reserve(out, room) : NULL;
	if (!at) {
		deflateEnd(&stream);
		return error_set(err, ERR_FAILED, "the report is too large");
	}
	stream.next_in = plain->data;
	stream.avail_in = (uInt)plain->len;
	stream.next_out = at;
	stream.avail_out = (uInt)room;
	bool is_done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
	buf_wrote(out, stream.total_out);
	deflateEnd(&stream);
	return is_done || error_set(err, ERR_FAILED, "zlib could not end");
}

static bool write_report(
	const struct doctor_job *job, const struct diagnosis *diagnosis, struct error *err)
{
	AUTO(buf) struct buf tar = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf packed = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf replaced = BUF_INIT(BUF_UNLIMITED);
	json_t *document = doctor_document(job, diagnosis);
	AUTO(str) char *results = json_dumps(document, JSON_INDENT(2));
	json_decref(document);
	if (!doctor_report(job->ctx->dir, results, &tar, &replaced, err) ||
		!gzip(&tar, &packed, err) ||
		!file_write_atomic(job->args->report, packed.data, packed.len, REPORT_MODE, err))
		return error_wrap(err, "the report");
	out_note(job->ctx->out, "%s is written; read it before you give it away. Replaced in it:",
		job->args->report);
	out_note(job->ctx->out, "%s", replaced.len ? buf_str(&replaced) : "nothing");
	return true;
}

/* ---- the whole ---- */

static bool look(const struct doctor_job *job, struct diagnosis *out, struct error *err)
{
	const struct doctor_request request = {
		.given = job->ctx->dir,
		.id = job->args->check,
		.group = job->args->group,
		.without = job->is_locked_out ? LOGIN_CHECK : NULL,
	};
	out_status(job->ctx->out, "looking");
	bool is_done = doctor_look(&request, out, err);
	out_end_status(job->ctx->out);
	return is_done;
}

static bool has_failed(const struct diagnosis *diagnosis, const char *id)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		if (strcmp(diagnosis->rows[i].about->id, id) == 0)
			return diagnosis->rows[i].result == CHECK_FAILURE;
	}
	return false;
}

static int look_and_print(struct doctor_job *job, struct error *err)
{
	AUTO(diagnosis) struct diagnosis diagnosis = { 0 };
	bool is_mended = false;
	if (!look(job, &diagnosis, err))
		return -1;
	if (job->args->is_mended && !mend_if_wanted(job, &diagnosis, &is_mended, err))
		return -1;
	if (is_mended) {
		diagnosis_clear(&diagnosis);
		if (!look(job, &diagnosis, err))
			return -1;
	}
	doctor_print(job, &diagnosis);
	job->is_locked_out = has_failed(&diagnosis, LOGIN_CHECK);
	if (job->args->report && !write_report(job, &diagnosis, err))
		return -1;
	return diagnosis_is_well(&diagnosis) ? 0 : error_exit_status(ERR_UNHEALTHY);
}

static bool check_words(const struct doctor_args *args, struct error *err)
{
	if (args->check && !find_check(args->check, err))
		return false;
	if (args->check && args->group)
		return error_set(err, ERR_USAGE, "--check and --group do not go together");
	if (args->is_watched && (args->is_mended || args->report || args->is_prompt))
		return error_set(err, ERR_USAGE,
			"--watch does not go together with --fix, --report or --prompt");
	if (args->is_prompt && args->is_mended)
		return error_set(err, ERR_USAGE, "--prompt and --fix do not go together");
	return true;
}

static int doctor_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct doctor_args *args = raw;
	struct doctor_job job = { .ctx = ctx, .args = args };
	if (args->is_listed) {
		doctor_print_list(&job);
		return 0;
	}
	if (args->explained) {
		const struct check_about *about = find_check(args->explained, err);
		if (about)
			doctor_print_about(&job, about);
		return about ? 0 : -1;
	}
	if (!check_words(args, err))
		return -1;
	job.mended = json_array();
	int status = look_and_print(&job, err);
	while (args->is_watched && status >= 0) {
		if (!out_flush(ctx->out, err)) {
			status = -1;
			break;
		}
		poll(NULL, 0, WATCH_MS);
		status = look_and_print(&job, err);
	}
	json_decref(job.mended);
	return status;
}
