/* What receives: does it run, does it answer on each of its ports, and what has it refused, noted or missed? */
#include <stdlib.h>
#include <string.h>

#include "config/bridge_dir.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "doctor/doctor_internal.h"
#include "http/http.h"
#include "loaded/received.h"
#include "render/model.h"
#include "render/own_files.h"
#include "stack/causes.h"
#include "stack/embedded.h"

#define ASK_MS	  3000
#define LOG_MS	  4000
#define LOG_LINES "20"

/* ---- does it run ---- */

static void fix_by_up(const struct doctor *d, struct check_outcome *out)
{
	if (d->is_own)
		outcome_cctm(out, d, FIX_SAFE, "up", NULL);
	else
		outcome_advise(out, "start it: 'docker compose up -d' in %s", d->dir);
}

static void check_bridge_process(struct doctor *d, struct check_outcome *out)
{
	AUTO(str) char *state = bridge_dir(d->dir, &d->stack.config);
	pid_t pid = embedded_find(state);
	if (pid) {
		outcome_say(out, CHECK_OK, "process %ld", (long)pid);
		return;
	}
	outcome_say(out, CHECK_FAILURE, "the bridge does not run");
	fix_by_up(d, out);
}

void check_running(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	(void)check;
	if (!doctor_has_docker(d)) {
		check_bridge_process(d, out);
		return;
	}
	const struct compose_services *services = doctor_services(d);
	if (!services) {
		outcome_say(out, CHECK_FAILURE, "%s", d->services_fault);
		outcome_advise(out, "'docker compose ps' in %s says the same", d->dir);
		return;
	}
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		const struct compose_service *found =
			compose_service_find(services, service_rows[s].name);
		if (!service_is_used(&d->stack.config, s) ||
			(found && (strcmp(found->state, "running") == 0 ||
					  strcmp(found->state, "restarting") == 0)))
			continue;
		if (d->is_hand_made && !found)
			continue;
		buf_addf(&all, "%s%s is %s", all.len ? ", " : "", service_rows[s].name,
			found ? found->state : "not there");
	}
	if (!all.len)
		return;
	outcome_say(out, CHECK_FAILURE, "%s", buf_str(&all));
	fix_by_up(d, out);
}

/* The end of its log. */
static char *log_of(const struct doctor *d, const char *name)
{
	const char *const words[] = { "logs", "--no-color", "--no-log-prefix", "--tail", LOG_LINES,
		name, NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!compose_run(&d->compose, words, false, LOG_MS, &result, &ignored))
		return mem_strdup("");
	return mem_printf("%s%s", buf_str(&result.out), buf_str(&result.err));
}

void check_restarting(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const struct compose_services *services = doctor_services(d);
	(void)check;
	for (size_t i = 0; services && i < services->count; i++) {
		const struct compose_service *service = &services->items[i];
		const struct container *container = container_find(&d->containers, service->id);
		if (container && container->is_killed_for_memory)
			continue;
		if (strcmp(service->state, "restarting") != 0)
			continue;
		AUTO(str) char *log = log_of(d, service->name);
		const struct cause *cause =
			cause_find(log, container ? container->exit_code : service->exit_code);
		outcome_say(out, CHECK_FAILURE,
			"%s ends and is started again and again (exit status %lld)%s%s",
			service->name,
			(long long)(container ? container->exit_code : service->exit_code),
			cause ? "; most likely " : "", cause ? cause->sentence : "");
		outcome_advise(out, "%s", cause ? cause->cure : "its log says why");
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "logs", service->name, NULL);
		return;
	}
}

void check_memory_kill(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const struct compose_services *services = doctor_services(d);
	(void)check;
	for (size_t i = 0; services && i < services->count; i++) {
		const struct container *container =
			container_find(&d->containers, services->items[i].id);
		if (!container || !container->is_killed_for_memory)
			continue;
		outcome_say(out, CHECK_FAILURE, "%s was killed for want of memory",
			services->items[i].name);
		outcome_advise(out, "give it more (limits.* in cctm.yaml, then 'cctm init' and "
				    "'cctm up') or the machine");
		return;
	}
}

void check_is_ours(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *state = bridge_dir(d->dir, &d->stack.config);
	AUTO(str) char *instance = embedded_instance(state);
	AUTO(str) char *why = NULL;
	(void)check;
	json_t *health = doctor_get_json(d, "ports.health", "/", &why);
	const char *said = json_string_value(json_object_get(health, "instance"));
	bool is_other = instance && health && (!said || strcmp(said, instance) != 0);
	json_decref(health);
	if (!is_other)
		return;
	outcome_say(out, CHECK_FAILURE,
		"another program answers on port %lld, not this stack's "
		"bridge",
		(long long)config_number(&d->stack.config, "ports.health"));
	outcome_cctm(out, d, FIX_SAFE, "restart", NULL);
	outcome_advise(out,
		"the bridge listens elsewhere until then; where the other program keeps "
		"the port, 'cctm config set ports.health' gives the stack another");
}

/* ---- does it answer ---- */

/* `word` is what the probe is called. */
void check_probe(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(probes) struct probes probes = { 0 };
	char *password = doctor_secret(d, GRAFANA_PASSWORD);
	char *token = doctor_secret(d, OTLP_TOKEN);
	bool is_asked = false;
	probes_init(&probes, &d->stack.config, d->stack.runtime, password, token, false);
	secret_free(password);
	secret_free(token);
	for (size_t i = 0; i < probes.count; i++) {
		struct probe *probe = &probes.items[i];
		if (strcmp(probe->what, check->word) != 0)
			continue;
		is_asked = true;
		probe_ask(&probes, probe, ASK_MS);
		if (probe->is_passed)
			continue;
		outcome_say(out, CHECK_FAILURE, "%s", probe->why ? probe->why : "no answer");
		if (probe->kind == PROBE_LOGIN) {
			outcome_advise(out,
				"write the password that Grafana has into .env as " GRAFANA_PASSWORD
				"; five wrong tries lock the account for five minutes, so it was "
				"tried once");
			continue;
		}
		if (d->is_own && doctor_has_docker(d))
			outcome_cctm(out, d, FIX_SAFE, "restart", service_rows[probe->service].name,
				NULL);
		else if (d->is_own)
			outcome_cctm(out, d, FIX_SAFE, "restart", NULL);
		else
			fix_by_up(d, out);
	}
	if (!is_asked)
		outcome_say(out, CHECK_SKIPPED, "this stack has no such part");
}

/* An empty export of events: where there is no pipeline for them, each one is answered 404. */
void check_logs_path(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&d->stack.config, "ports.otlp_http", "/v1/logs");
	char *token = doctor_secret(d, OTLP_TOKEN);
	const struct http_request request = { .method = "POST",
		.url = url,
		.content_type = "application/json",
		.body = "{}",
		.body_len = 2,
		.bearer = token,
		.deadline_ms = ASK_MS,
		.answer_max = 1 << 20 };
	(void)check;
	bool is_sent = http_send(&request, &answer, &err);
	secret_free(token);
	if (is_sent && answer.status == 200)
		return;
	if (is_sent)
		outcome_say(out, CHECK_FAILURE, "POST /v1/logs is answered %ld%s", answer.status,
			answer.status == 404 ? ": there is no pipeline for events" : "");
	else
		outcome_say(out, CHECK_FAILURE, "%s", err.message);
	if (d->is_own)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
	outcome_advise(out, "the configuration of what receives needs a pipeline for logs; "
			    "cctm's own has one");
}

/* ---- what it says of itself ---- */

struct worst {
	struct buf text;
	const char *only; /* this reason alone; NULL: all */
};

static void add_reason(void *ctx, const char *labels, size_t len, double value)
{
	struct worst *worst = ctx;
	AUTO(str) char *text = mem_strndup(labels, len);
	const char *at = strstr(text, "reason=\"");
	if (value <= 0 || !at)
		return;
	at += strlen("reason=\"");
	AUTO(str) char *reason = mem_strndup(at, strcspn(at, "\""));
	if (worst->only && strcmp(reason, worst->only) != 0)
		return;
	buf_addf(&worst->text, "%s%.0f %s", worst->text.len ? ", " : "", value, reason);
}

static bool needs_exposition(struct doctor *d, struct check_outcome *out)
{
	if (doctor_exposition(d))
		return false;
	outcome_say(out, CHECK_SKIPPED, "the receiver shows no metrics");
	return true;
}

/* The Collector counts them in metrics of its own, which Prometheus reads. */
void check_refused(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	static const char query[] =
		"sum(increase({__name__=~\"otelcol_(receiver_refused|exporter_send_failed)_"
		"(metric_points|log_records)(_total)?\"}[1h]))";
	AUTO(str) char *url = model_url(&d->stack.config, "ports.prometheus", "");
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector found = { 0 };
	const struct prometheus prometheus = { .url = url };
	(void)check;
	if (!prometheus_query(&prometheus, query, &found, &ignored) || !found.count ||
		!(found.items[0].value >= 1))
		return;
	outcome_say(out, CHECK_WARNING,
		"the Collector refused or lost about %.0f points and "
		"events within an hour",
		found.items[0].value);
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "logs", "otel-collector", NULL);
}

void check_rejected(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	struct worst worst = { .text = BUF_INIT(BUF_UNLIMITED) };
	(void)check;
	if (needs_exposition(d, out))
		return;
	exposition_each(doctor_exposition(d), "cctm_rejected_total", add_reason, &worst);
	if (worst.text.len) {
		outcome_say(out, CHECK_WARNING, "not taken since the bridge started: %s",
			buf_str(&worst.text));
		outcome_advise(out, "the status page says what each means: 'cctm open bridge'; "
				    "the count begins anew with 'cctm restart'");
	}
	buf_clear(&worst.text);
}

/* What came to the port of the other protocol, by what it was. */
struct strays {
	double grpc, http;
};

static void add_stray(void *ctx, const char *labels, size_t len, double value)
{
	struct strays *strays = ctx;
	bool is_grpc =
		memmem(labels, len, "protocol=\"grpc\"", strlen("protocol=\"grpc\"")) != NULL;
	*(is_grpc ? &strays->grpc : &strays->http) += value;
}

void check_protocol(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	struct strays strays = { 0 };
	(void)check;
	if (needs_exposition(d, out))
		return;
	exposition_each(doctor_exposition(d), "cctm_requests_other_port_total", add_stray, &strays);
	if (strays.grpc + strays.http < 1)
		return;
	bool is_grpc = strays.grpc > 0;
	outcome_say(out, CHECK_NOTE,
		"somebody sends %s to the port for %s (%.0f requests since the bridge started); it "
		"is "
		"taken all the same",
		is_grpc ? "gRPC" : "HTTP", is_grpc ? "HTTP" : "gRPC",
		is_grpc ? strays.grpc : strays.http);
	outcome_advise(out,
		"OTEL_EXPORTER_OTLP_PROTOCOL has to be %s for port %lld: 'cctm env --check' shows "
		"who "
		"says otherwise",
		is_grpc ? "http/protobuf" : "grpc",
		(long long)config_number(
			&d->stack.config, is_grpc ? "ports.otlp_http" : "ports.otlp_grpc"));
}

void check_lost(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (needs_exposition(d, out))
		return;
	double lost = exposition_sum(doctor_exposition(d), "cctm_client_lost_events_total");
	if (lost < 1)
		return;
	outcome_say(out, CHECK_WARNING,
		"%.0f events that clients numbered never came: an export was lost on its way",
		lost);
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "report", "--by", "session", NULL);
	outcome_advise(out, "the report marks the sessions; with cumulative temporality ('cctm env "
			    "--apply') later exports heal the totals");
}

/* `word` is the reason that is noted, `number` the result. */
void check_noted(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	struct worst worst = { .text = BUF_INIT(BUF_UNLIMITED), .only = check->word };
	if (needs_exposition(d, out))
		return;
	exposition_each(doctor_exposition(d), "cctm_noted_total", add_reason, &worst);
	if (worst.text.len) {
		outcome_say(out, (enum check_result)check->number, "%s since the bridge started",
			buf_str(&worst.text));
		outcome_advise(out, "%s", check->about.mended);
	}
	buf_clear(&worst.text);
}

void check_damage(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (needs_exposition(d, out))
		return;
	double damaged = exposition_sum(doctor_exposition(d), "cctm_journal_damage_total");
	if (damaged < 1)
		return;
	outcome_say(out, CHECK_WARNING,
		"%.0f damaged parts of the journal were set aside when the bridge started",
		damaged);
	outcome_advise(out, "look at the disk; what was counted before is kept, and the parts lie "
			    "beside the journal");
}

static int64_t bridge_sample_ms(struct doctor *d)
{
	const char *text = doctor_exposition(d);
	return text ? (int64_t)(exposition_sum(text, "cctm_last_sample_timestamp_seconds") * 1000)
		    : 0;
}

void check_last_sample(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	int64_t last_ms = 0;
	(void)check;
	if (doctor_is_bridge(d))
		last_ms = bridge_sample_ms(d);
	else if (!received_last_ms(&d->stack, &last_ms, &ignored))
		last_ms = 0;
	if (!last_ms) {
		outcome_say(out, CHECK_NOTE, "nothing has come yet");
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "env", "--apply", "--wait", NULL);
		outcome_advise(out, "start Claude Code and say something to it; 'cctm probe' sends "
				    "a sample of its own");
		return;
	}
	out->last_sample_ms = last_ms;
	outcome_say(out, CHECK_OK, "%lld s ago", (long long)((clock_wall_ms() - last_ms) / 1000));
}
