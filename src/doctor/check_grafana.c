/* Grafana: does it show what Prometheus has? Its password is tried once in all: the probe does it, and the checks that need a
 * login wait for that one. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/str.h"
#include "doctor/doctor_internal.h"
#include "grafana/bring.h"
#include "grafana/bundled.h"
#include "grafana/dashboards.h"
#include "loaded/own_dashboards.h"
#include "loaded/own_grafana.h"
#include "render/model.h"

#define DATASOURCE_UID "prometheus_claude_metrics"
#define DATASOURCE_URL "http://prometheus:9090"
#define LINES_MAX      5 /* queries that are named */

static void fix_by_restart(const struct doctor *d, struct check_outcome *out)
{
	if (d->is_own)
		outcome_cctm(out, d, FIX_SAFE, "restart", "grafana", NULL);
	else
		outcome_advise(out, "'docker compose restart grafana' in %s", d->dir);
}

/* ---- datasources ---- */

static json_t *read_datasources(struct doctor *d, struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(own_grafana) struct own_grafana own = { 0 };
	json_t *all = own_grafana_find(&d->stack, &own, &err)
			      ? grafana_datasources(&own.grafana, &err)
			      : NULL;
	if (!all)
		outcome_say(out, CHECK_FAILURE, "%s", err.message);
	return all;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static const json_t *find_ours(const json_t *all)
{
	const json_t *one;
	size_t i;
	json_array_foreach(all, i, one)
	{
		if (strcmp(text_of(one, "uid"), DATASOURCE_UID) == 0)
			return one;
	}
	return NULL;
}

void check_datasource(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	json_t *all = read_datasources(d, out);
	(void)check;
	if (all && !find_ours(all)) {
		outcome_say(out, CHECK_FAILURE,
			"Grafana has no datasource of uid %s, which every dashboard asks",
			DATASOURCE_UID);
		fix_by_restart(d, out);
		outcome_advise(out, "it is provisioned from config/grafana/provisioning when "
				    "Grafana starts");
	}
	json_decref(all);
}

void check_datasource_url(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	json_t *all = read_datasources(d, out);
	const char *url = text_of(find_ours(all), "url");
	(void)check;
	if (*url && strncmp(url, DATASOURCE_URL, strlen(DATASOURCE_URL)) != 0) {
		outcome_say(out, CHECK_FAILURE, "the datasource asks %s, and Prometheus is %s", url,
			DATASOURCE_URL);
		fix_by_restart(d, out);
		outcome_advise(out, "localhost in a container is that container: the address has "
				    "to name the service");
	}
	json_decref(all);
}

void check_datasource_name(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	json_t *all = read_datasources(d, out);
	const json_t *one;
	size_t i;
	(void)check;
	json_array_foreach(all, i, one)
	{
		if (strcmp(text_of(one, "name"), DATASOURCE_UID) != 0 ||
			strcmp(text_of(one, "uid"), DATASOURCE_UID) == 0)
			continue;
		outcome_say(out, CHECK_FAILURE,
			"another datasource (uid %s) has the name %s: pages ask that one",
			text_of(one, "uid"), DATASOURCE_UID);
		outcome_advise(out, "give it another name, in Grafana under Connections");
	}
	json_decref(all);
}

/* ---- dashboards ---- */

/* The titles of those that `is_meant`; yours. NULL: it could not be asked, and that is said. */
static char *titles_where(
	struct doctor *d, bool (*is_meant)(enum bring_state), struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(str) char *copies = own_dashboards_copies(&d->stack);
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	bool is_asked = own_grafana_find(&d->stack, &own, &err);
	const struct bring_place place = { .grafana = &own.grafana, .copies = copies };
	for (size_t i = 0; is_asked && i < grafana_bundled_count; i++) {
		AUTO(import) struct import ours = { 0 };
		AUTO(bring) struct bring bring = { 0 };
		is_asked = bundled_read(&grafana_bundled[i], &ours, &err) &&
			   bring_look(&place, &ours, &bring, &err);
		if (is_asked && is_meant(bring.state))
			buf_addf(&all, "%s%s", all.len ? ", " : "", ours.title);
	}
	if (!is_asked)
		outcome_say(out, CHECK_FAILURE, "%s", err.message);
	return is_asked ? mem_strdup(buf_str(&all)) : NULL;
}

static bool is_absent(enum bring_state state)
{
	return state == BRING_ABSENT;
}

static bool is_older(enum bring_state state)
{
	return state == BRING_OLDER || state == BRING_EDITED_OLDER;
}

void check_dashboards(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *titles = titles_where(d, is_absent, out);
	(void)check;
	if (!titles || !*titles)
		return;
	outcome_say(out, CHECK_WARNING, "not in Grafana: %s", titles);
	outcome_cctm(out, d, FIX_SAFE, "import-dashboard", "--all", NULL);
}

void check_dashboards_old(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *titles = titles_where(d, is_older, out);
	(void)check;
	if (!titles || !*titles)
		return;
	outcome_say(out, CHECK_WARNING, "of an older cctm: %s", titles);
	outcome_cctm(out, d, FIX_SAFE, "import-dashboard", "--all", NULL);
}

/* ---- their queries ---- */

static const struct {
	const char *name, *value;
} words[] = {
	{ "__range", "3600s" },
	{ "__interval_ms", "60000" },
	{ "__interval", "60s" },
	{ "__rate_interval", "60s" },
	{ "who", "user" },
};

/* What Grafana puts in for a variable: what was not chosen is all. */
static const char *value_of(const char *name)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].name, name) == 0)
			return words[i].value;
	}
	return ".*";
}

/* $name, ${name}; yours. A dollar before anything else (in a regular expression) stays. */
static char *put_in(const char *expression)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (const char *at = expression; *at;) {
		const char *begin = at + 1 + (at[0] == '$' && at[1] == '{');
		size_t len = 0;
		while (at[0] == '$' && (isalnum((unsigned char)begin[len]) || begin[len] == '_'))
			len++;
		if (!len || isdigit((unsigned char)*begin)) {
			buf_addc(&text, *at++);
			continue;
		}
		AUTO(str) char *name = mem_strndup(begin, len);
		buf_adds(&text, value_of(name));
		at = begin + len;
		at += strspn(at, "}") && begin[-1] == '{';
	}
	return mem_strdup(buf_str(&text));
}

struct queries {
	struct prometheus prometheus;
	size_t asked, without_data, failed;
	struct buf failures;
};

static void ask_one(struct queries *q, const char *board, const char *panel, const char *expression)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector found = { 0 };
	AUTO(str) char *whole = put_in(expression);
	q->asked++;
	if (prometheus_query(&q->prometheus, whole, &found, &err)) {
		q->without_data += !found.count;
		return;
	}
	if (q->failed++ < LINES_MAX)
		buf_addf(&q->failures, "%s%s, %s: %s", q->failures.len ? "; " : "", board, panel,
			err.message);
}

static void ask_panels(struct queries *q, const char *board, const json_t *panels)
{
	const json_t *panel, *target;
	size_t i, k;
	json_array_foreach(panels, i, panel)
	{
		json_array_foreach(json_object_get(panel, "targets"), k, target)
		{
			const char *type = text_of(json_object_get(target, "datasource"), "type");
			if (strcmp(type, "prometheus") == 0)
				ask_one(q, board, text_of(panel, "title"), text_of(target, "expr"));
		}
		ask_panels(q, board, json_object_get(panel, "panels"));
	}
}

void check_queries(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *url = model_url(&d->stack.config, "ports.prometheus", "");
	struct queries q = { .prometheus = { .url = url }, .failures = BUF_INIT(BUF_UNLIMITED) };
	(void)check;
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		AUTO(error) struct error ignored = ERROR_INIT;
		AUTO(import) struct import ours = { 0 };
		if (bundled_read(&grafana_bundled[i], &ours, &ignored))
			ask_panels(&q, ours.title, json_object_get(ours.model, "panels"));
	}
	if (q.failed) {
		outcome_say(out, CHECK_FAILURE, "%zu of %zu queries fail: %s", q.failed, q.asked,
			buf_str(&q.failures));
		outcome_advise(out, "Prometheus before 3.0 does not know all of what they ask; "
				    "'cctm upgrade' brings the version that cctm knows");
	} else {
		outcome_say(out, q.without_data ? CHECK_NOTE : CHECK_OK,
			"%zu queries run, %zu have no data: commits, edits, budgets and events "
			"show "
			"from the first one on, and people by e-mail with a login only",
			q.asked, q.without_data);
	}
	buf_clear(&q.failures);
}
