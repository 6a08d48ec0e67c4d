/* The machine: is there an engine, are the ports ours, is there room? */
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"
#include "doctor/doctor_internal.h"
#include "stack/engine.h"

#define ASK_MS 4000

void check_engine(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(engine) struct engine engine = { 0 };
	(void)d;
	(void)check;
	engine_find(&engine);
	if (engine.is_usable) {
		outcome_say(out, CHECK_OK, "%s", engine.why);
		return;
	}
	outcome_say(out, CHECK_FAILURE, "%s", engine.why);
	outcome_advise(out, "%s",
		engine.hint ? engine.hint
			    : "install Docker 20.10 or later with Compose 2, or use 'cctm init "
			      "--runtime embedded'");
}

/* Each of them to the next one that is free. */
static void move_ports(
	const struct doctor *d, const struct findings *findings, struct check_outcome *out)
{
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", d->dir, NULL);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		if (finding->kind != FINDING_PORT || !finding->free_port)
			continue;
		AUTO(str)
		char *text =
			mem_printf("%s=%lld", finding->port_key, (long long)finding->free_port);
		outcome_word(out, "--set");
		outcome_word(out, text);
	}
}

/* What `cctm up` would find in the way, of one kind. */
void check_finding(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const struct findings *findings = doctor_findings(d);
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	const struct finding *first = NULL;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		if ((int)finding->kind != check->number)
			continue;
		first = first ? first : finding;
		buf_addf(&all, "%s%s", all.len ? "; " : "", finding->what);
	}
	if (!first)
		return;
	outcome_say(out, first->is_fatal ? CHECK_FAILURE : CHECK_WARNING, "%s", buf_str(&all));
	if (first->kind == FINDING_PORT && d->is_own)
		move_ports(d, findings, out);
	if (first->kind == FINDING_PORT)
		outcome_advise(out, "or end that program");
	else if (first->hint)
		outcome_advise(out, "%s", first->hint);
}

/* Containers that go by the names of stacks made by hand. */
void check_other_stack(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	static const char *const names[] = { "otel-collector", "prometheus", "grafana" };
	AUTO(str) char *docker = proc_find("docker");
	const char *const argv[] = { docker ? "docker" : "podman", "ps", "--format", "{{.Names}}",
		NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 65536
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	AUTO(buf) struct buf found = BUF_INIT(BUF_UNLIMITED);
	(void)check;
	if (d->is_hand_made || !proc_run(&request, &result, &ignored) ||
		result.end != PROC_EXITED || result.status)
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str) char *line = mem_printf("\n%s\n", names[i]);
		AUTO(str) char *all = mem_printf("\n%s\n", buf_str(&result.out));
		if (strstr(all, line))
			buf_addf(&found, "%s%s", found.len ? ", " : "", names[i]);
	}
	if (!found.len)
		return;
	outcome_say(out, CHECK_WARNING, "containers of another stack run: %s", buf_str(&found));
	outcome_advise(out, "end them in their own directory with 'docker compose down', or take "
			    "that stack over with 'cctm init --adopt DIR'");
}
