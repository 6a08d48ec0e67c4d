/* What several checks look at, each found out once in the process of a lane. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/bridge_dir.h"
#include "config/stack_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/text.h"
#include "doctor/doctor_internal.h"
#include "http/http.h"
#include "render/model.h"
#include "stack/embedded.h"

#define ASK_MS	   3000
#define ANSWER_MAX (64 << 20)
#define SAID_MAX   200

/* ---- the stack ---- */

/* The settings of a stack made by hand, as far as cctm.yaml has words for them. */
static void settings_of_adoption(struct doctor *d)
{
	AUTO(problems) struct problems problems = { 0 };
	struct config_flag *flags = mem_calloc(d->adoption.setting_count + 1, sizeof *flags);
	for (size_t i = 0; i < d->adoption.setting_count; i++)
		flags[i] = (struct config_flag){ d->adoption.settings[i].key,
			d->adoption.settings[i].text, d->adoption.settings[i].where };
	const struct config_request request = { .flags = flags,
		.flag_count = d->is_adopted ? d->adoption.setting_count : 0 };
	d->is_loaded = config_check(&request, &d->stack.config, &problems);
	d->stack.dir = mem_strdup(d->dir);
	d->stack.runtime = RUNTIME_DOCKER;
	free(flags);
}

static void read_compose(struct doctor *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	const struct adopt_request request = {
		.dir = d->dir, .variable = config_getenv, .is_own = d->is_own
	};
	d->is_adopted = adopt_read(&request, &d->adoption, &err);
	if (!d->is_adopted && err.code != ERR_REFUSED)
		d->adopt_fault = mem_strdup(err.message);
}

static void look_for_hand_made(struct doctor *d)
{
	AUTO(str) char *here = d->given ? realpath(d->given, NULL) : getcwd(NULL, 0);
	if (!here)
		return;
	free(d->dir);
	d->dir = TAKE(here);
	read_compose(d);
	d->is_hand_made = d->is_adopted || d->adopt_fault;
	if (d->is_hand_made)
		settings_of_adoption(d);
}

void doctor_open(struct doctor *d, const char *given)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(stack_dir) struct stack_dir where = { 0 };
	*d = (struct doctor){ .given = given };
	if (!stack_dir_find(given, &where, &err)) {
		d->config_fault = mem_strdup(err.message);
		d->config_hint = err.hint ? mem_strdup(err.hint) : NULL;
		return;
	}
	d->is_own = where.has_file;
	d->dir = realpath(where.dir, NULL);
	if (!d->dir)
		d->dir = mem_strdup(where.dir);
	if (!d->is_own) {
		look_for_hand_made(d);
		return;
	}
	d->is_loaded = loaded_read(d->dir, &d->stack, &err);
	if (!d->is_loaded) {
		d->config_fault = mem_strdup(err.message);
		d->config_hint = err.hint ? mem_strdup(err.hint) : NULL;
	} else if (d->stack.runtime == RUNTIME_DOCKER) {
		read_compose(d);
	}
}

void doctor_close(struct doctor *d)
{
	loaded_clear(&d->stack);
	adoption_clear(&d->adoption);
	free(d->dir);
	free(d->adopt_fault);
	free(d->config_fault);
	free(d->config_hint);
}

bool doctor_has_docker(const struct doctor *d)
{
	return d->is_loaded && d->stack.runtime == RUNTIME_DOCKER;
}

bool doctor_is_bridge(const struct doctor *d)
{
	return d->is_loaded && (d->stack.runtime == RUNTIME_EMBEDDED ||
				       service_receiver(&d->stack.config) == SERVICE_BRIDGE);
}

const char *doctor_receiver(const struct doctor *d)
{
	return service_rows[doctor_is_bridge(d) ? SERVICE_BRIDGE : SERVICE_COLLECTOR].name;
}

/* ---- the machine and the engine ---- */

const struct compose_services *doctor_services(struct doctor *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	if (d->has_services)
		return d->services_fault ? NULL : &d->services;
	d->has_services = true;
	if (!compose_open(d->dir, &d->compose, &err) ||
		!compose_list(&d->compose, &d->services, &err))
		d->services_fault = mem_strdup(err.message);
	else if (!containers_read(&d->compose, &d->services, &d->containers, &err))
		d->containers = (struct containers){ 0 };
	return d->services_fault ? NULL : &d->services;
}

const struct findings *doctor_findings(struct doctor *d)
{
	if (d->has_findings)
		return &d->findings;
	d->has_findings = true;
	if (doctor_has_docker(d)) {
		static const struct compose_services none = { 0 };
		const struct compose_services *running = doctor_services(d);
		preflight_containers(
			&d->stack.config, d->dir, running ? running : &none, &d->findings);
	} else {
		AUTO(str) char *state = bridge_dir(d->dir, &d->stack.config);
		preflight_embedded(
			&d->stack.config, state, embedded_find(state) != 0, &d->findings);
	}
	return &d->findings;
}

/* ---- files and settings ---- */

const struct provision *doctor_provision(struct doctor *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	if (!d->has_provision) {
		d->has_provision = true;
		const struct provision_request request = {
			.dir = d->dir,
			.config = &d->stack.config,
			.last = &d->stack.last,
			.runtime = d->stack.runtime,
		};
		if (!provision_make(&request, &d->provision, &err))
			d->provision_fault = mem_strdup(err.message);
	}
	return d->provision_fault ? NULL : &d->provision;
}

const json_t *doctor_environment(struct doctor *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (d->has_environment)
		return d->environment;
	d->has_environment = true;
	AUTO(str) char *self = proc_self(&err);
	const char *const argv[] = { self, "-C", d->dir, "env", "--check", "--json", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 16 << 20
	};
	if (!self || !proc_run(&request, &result, &err)) {
		d->environment_fault = mem_strdup(err.message);
		return NULL;
	}
	json_t *root = json_loadb(buf_str(&result.out), result.out.len, 0, NULL);
	const json_t *error = json_object_get(root, "error");
	if (root && !error)
		return d->environment = root;
	const char *said = json_string_value(json_object_get(error, "message"));
	d->environment_fault = mem_strdup(said ? said : "'cctm env --check' did not answer");
	json_decref(root);
	return NULL;
}

char *doctor_secret(const struct doctor *d, const char *name)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	char *secret = NULL;
	for (size_t i = 0; !d->is_own && i < d->adoption.secret_count; i++) {
		if (strcmp(d->adoption.secrets[i].name, name) == 0)
			return mem_strdup(d->adoption.secrets[i].value);
	}
	return d->is_own && loaded_secret(&d->stack, name, &secret, &ignored) ? secret : NULL;
}

/* ---- what parts answer ---- */

char *doctor_get(const struct doctor *d, const char *port_key, const char *path, char **why)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&d->stack.config, port_key, path);
	const struct http_request request = {
		.url = url, .deadline_ms = ASK_MS, .answer_max = ANSWER_MAX
	};
	if (!http_send(&request, &answer, &err)) {
		*why = mem_strdup(err.message);
		return NULL;
	}
	if (answer.status == 200)
		return mem_strdup(buf_str(&answer.body));
	AUTO(str) char *line = text_first_line(buf_str(&answer.body), SAID_MAX);
	*why = mem_printf("GET %s: it answered %ld %s", url, answer.status, line);
	return NULL;
}

json_t *doctor_get_json(const struct doctor *d, const char *port_key, const char *path, char **why)
{
	AUTO(str) char *text = doctor_get(d, port_key, path, why);
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;
	if (text && !root)
		*why = mem_printf("what %s answers is no JSON", path);
	return root;
}

const char *doctor_exposition(struct doctor *d)
{
	AUTO(str) char *why = NULL;
	if (!d->has_exposition)
		d->exposition = doctor_get(d, "ports.exporter", "/metrics", &why);
	d->has_exposition = true;
	return d->exposition;
}

const char *doctor_prometheus_metrics(struct doctor *d)
{
	AUTO(str) char *why = NULL;
	if (!d->has_prometheus_metrics)
		d->prometheus_metrics = doctor_get(d, "ports.prometheus", "/metrics", &why);
	d->has_prometheus_metrics = true;
	return d->prometheus_metrics;
}

const json_t *doctor_targets(struct doctor *d)
{
	AUTO(str) char *why = NULL;
	if (!d->targets)
		d->targets = doctor_get_json(
			d, "ports.prometheus", "/api/v1/targets?state=active", &why);
	return json_object_get(json_object_get(d->targets, "data"), "activeTargets");
}

/* A line is NAME{LABELS} VALUE; labels may hold anything but a newline. */
void exposition_each(const char *text, const char *name,
	void (*take)(void *ctx, const char *labels, size_t labels_len, double value), void *ctx)
{
	size_t name_len = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t len = strcspn(line, "\n");
		if (strncmp(line, name, name_len) != 0 ||
			(line[name_len] != ' ' && line[name_len] != '{'))
			continue;
		const char *labels = line + name_len;
		const char *brace = memrchr(labels, '}', len - name_len);
		const char *at = brace ? brace + 1 : labels;
		double value;
		at += strspn(at, " ");
		if (str_double(slice_of(at, strcspn(at, " \n")), &value))
			take(ctx, labels, (size_t)(at - labels), value);
	}
}

static void add_value(void *ctx, const char *labels, size_t labels_len, double value)
{
	double *sum = ctx;
	(void)labels;
	(void)labels_len;
	*sum += value;
}

double exposition_sum(const char *text, const char *name)
{
	double sum = 0;
	exposition_each(text, name, add_value, &sum);
	return sum;
}
