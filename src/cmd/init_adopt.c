/* init --adopt: a stack that somebody made by hand becomes one of cctm's. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/init_internal.h"
#include "core/ask.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "render/own_files.h"

bool init_adopt_read(struct init_job *job, struct error *err)
{
	const struct adopt_request request = { .dir = job->dir, .variable = config_getenv };
	if (job->last.is_there) {
		error_set(err, ERR_REFUSED, "%s is a stack of cctm already", job->dir);
		return error_hint(err, "'cctm init' brings it up to date");
	}
	if (!adopt_read(&request, &job->adoption, err))
		return false;
	job->secrets = mem_calloc(job->adoption.secret_count + 1, sizeof *job->secrets);
	for (size_t i = 0; i < job->adoption.secret_count; i++)
		job->secrets[i] = (struct provision_secret){ job->adoption.secrets[i].name,
			job->adoption.secrets[i].value };
	return true;
}

bool init_adopt_move_away(struct init_job *job, struct error *err)
{
	for (size_t i = 0; i < job->adoption.file_count; i++) {
		if (!plan_move_away(&job->provision.plan, job->adoption.files[i], err))
			return false;
	}
	return true;
}

bool init_adopt_confirm(struct init_job *job, struct error *err)
{
	if (!job->args->adopt || job->args->is_yes)
		return true;
	AUTO(str)
	char *question = mem_printf("Take over the stack in %s? (--dry-run shows what is found; "
				    "replaced files go to " ADOPTED_DIR ")",
		job->dir);
	return ask_yes(question, "--yes", err);
}

/* ---- text ---- */

/* "  - docker-compose.yml:12  what\n    remedy" with what comes from the user's files made harmless. */
static void print_finding(struct out *out, const char *where, const char *what, const char *then)
{
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	AUTO(str) char *text = mem_printf("%s: %s; %s", where, what, then);
	text_visible(&shown, text);
	text_wrap(&line, buf_str(&shown), 4, out_width(out));
	out_printf(out, "  - %s\n", buf_str(&line));
}

/* Only root can give directories away, and then that is done. */
static bool is_done(const struct init_job *job, const struct adopt_fault *fault)
{
	return fault->fault == FAULT_WORLD_WRITABLE && geteuid() == 0 && !job->args->is_dry_run;
}

static void print_faults(const struct init_job *job, enum fault_mend mend, const char *title)
{
	struct out *out = job->ctx->out;
	bool has_title = false;
	for (size_t i = 0; i < job->adoption.fault_count; i++) {
		const struct adopt_fault *fault = &job->adoption.faults[i];
		if (fault_rows[fault->fault].mend != mend || is_done(job, fault))
			continue;
		if (!has_title)
			out_printf(out, "%s\n", title);
		has_title = true;
		print_finding(out, fault->where, fault->what, fault->remedy);
	}
}

void init_adopt_print(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	const struct adoption *stack = &job->adoption;
	if (!job->args->adopt)
		return;
	print_faults(job, MENDED_BY_RENDER, "Faults of the old stack that the new files mend:");
	print_faults(job, MENDED_BY_USER, "What is left for you:");
	if (stack->kept_count)
		out_printf(out, "Yours, and not taken over:\n");
	for (size_t i = 0; i < stack->kept_count; i++)
		print_finding(
			out, stack->kept[i].where, stack->kept[i].what, stack->kept[i].advice);
	if (!job->args->is_dry_run)
		out_printf(out,
			"The old files are in %s/" ADOPTED_DIR "; the data stay where they are.\n",
			job->dir);
}

/* ---- JSON ---- */

static const char *mend_name(enum fault_mend mend)
{
	return mend == MENDED_BY_RENDER ? "render" : "user";
}

static const char *place_name(enum adopt_place place)
{
	return place == ADOPT_DIRECTORY ? "directory"
	       : place == ADOPT_VOLUME	? "volume"
					: "nowhere";
}

static json_t *faults_json(const struct adoption *stack)
{
	json_t *list = json_array();
	for (size_t i = 0; i < stack->fault_count; i++) {
		const struct adopt_fault *fault = &stack->faults[i];
		json_array_append_new(list,
			json_pack("{s:s, s:o, s:o, s:o, s:s}", "id", fault_rows[fault->fault].id,
				"where", out_json_text(fault->where), "what",
				out_json_text(fault->what), "remedy", out_json_text(fault->remedy),
				"mended_by", mend_name(fault_rows[fault->fault].mend)));
	}
	return list;
}

static json_t *kept_json(const struct adoption *stack)
{
	json_t *list = json_array();
	for (size_t i = 0; i < stack->kept_count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o}", "where", out_json_text(stack->kept[i].where),
				"what", out_json_text(stack->kept[i].what), "advice",
				out_json_text(stack->kept[i].advice)));
	return list;
}

static json_t *settings_json(const struct adoption *stack)
{
	json_t *list = json_array();
	for (size_t i = 0; i < stack->setting_count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o}", "key", out_json_text(stack->settings[i].key),
				"value", out_json_text(stack->settings[i].text), "where",
				out_json_text(stack->settings[i].where)));
	return list;
}

static json_t *data_json(const struct adoption *stack)
{
	json_t *list = json_array();
	for (size_t i = 0; i < stack->data_count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o}", "service",
				      service_rows[stack->data[i].service].name, "kind",
				      place_name(stack->data[i].place), "source",
				      out_json_text(stack->data[i].source)));
	return list;
}

json_t *init_adopt_json(const struct init_job *job)
{
	const struct adoption *stack = &job->adoption;
	if (!job->args->adopt)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "backup", ADOPTED_DIR, "settings",
		settings_json(stack), "data", data_json(stack), "faults", faults_json(stack),
		"kept", kept_json(stack));
}
