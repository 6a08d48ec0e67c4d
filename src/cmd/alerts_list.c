/* What the list of alerts is made of. */
#include <stdlib.h>
#include <string.h>

#include "cmd/alerts_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"

struct alerts_row *alerts_listing_add(struct alerts_listing *listing)
{
	listing->rows =
		mem_grow(listing->rows, &listing->room, listing->count + 1, sizeof *listing->rows);
	struct alerts_row *row = &listing->rows[listing->count++];
	*row = (struct alerts_row){ .state = ALERTS_INACTIVE };
	return row;
}

void alerts_listing_clear(struct alerts_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct alerts_row *row = &listing->rows[i];
		free(row->name);
		free(row->summary);
		free(row->description);
		free(row->runbook);
		free(row->error);
		free(row->group);
		json_decref(row->labels);
	}
	free(listing->rows);
	alertmanager_silences_clear(&listing->silences);
	json_decref(listing->last_notification);
	*listing = (struct alerts_listing){ 0 };
}

/* ---- templates ---- */

/* Behind an action's "{{" and blanks: does it open a part that may be left out, or end one? */
static int depth_change(const char *action)
{
	static const char *const opening[] = { "with ", "if ", "range ", NULL };
	action += *action == '-';
	action += strspn(action, " ");
	for (size_t i = 0; opening[i]; i++) {
		if (str_has_prefix(action, opening[i]))
			return 1;
	}
	return str_has_prefix(action, "end") ? -1 : 0;
}

char *alerts_plain(const char *template)
{
	static const char gap[] = "…";
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	int depth = 0;
	for (const char *at = template; *at;) {
		const char *close = str_has_prefix(at, "{{") ? strstr(at, "}}") : NULL;
		if (!close) {
			if (depth == 0)
				buf_addc(&out, *at);
			at++;
			continue;
		}
		int change = depth_change(at + 2);
		if (change == 0 && depth == 0 && !str_has_suffix(buf_str(&out), gap))
			buf_adds(&out, gap);
		depth = depth + change < 0 ? 0 : depth + change;
		at = close + 2;
	}
	return buf_detach(&out);
}

/* ---- rules ---- */

static char *annotation(const json_t *annotations, const char *name, bool is_template)
{
	const char *text = json_string_value(json_object_get(annotations, name));
	if (!text)
		return mem_strdup("");
	return is_template ? alerts_plain(text) : mem_strdup(text);
}

static struct alerts_row *add_rule(struct alerts_listing *listing,
	const struct prometheus_rule *rule, const json_t *annotations, bool is_template)
{
	struct alerts_row *row = alerts_listing_add(listing);
	row->name = mem_strdup(rule->name);
	row->group = mem_strdup(rule->group);
	row->error = mem_strdup(rule->error);
	row->summary = annotation(annotations, "summary", is_template);
	row->description = annotation(annotations, "description", is_template);
	row->runbook = annotation(annotations, "runbook", is_template);
	return row;
}

static void add_alert(struct alerts_listing *listing, const struct prometheus_rule *rule,
	const struct prometheus_alert *alert, int64_t now_ms)
{
	struct alerts_row *row = add_rule(listing, rule, alert->annotations, false);
	row->labels = json_deep_copy(alert->labels);
	row->state = alert->is_firing ? ALERTS_FIRING : ALERTS_PENDING;
	row->since_ms = alert->since_ms;
	row->value = alert->value;
	row->has_value = true;
	row->is_silenced = alertmanager_is_silenced(&listing->silences, alert->labels, now_ms);
}

static void add_idle(struct alerts_listing *listing, const struct prometheus_rule *rule)
{
	struct alerts_row *row = add_rule(listing, rule, rule->annotations, true);
	row->labels = json_deep_copy(rule->labels);
	row->state = *rule->error ? ALERTS_FAILING : ALERTS_INACTIVE;
}

static void add_rules(struct alerts_listing *listing, const struct prometheus_rules *rules,
	enum alerts_state state, int64_t now_ms)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct prometheus_rule *rule = &rules->items[i];
		for (size_t j = 0; j < rule->alert_count; j++) {
			const struct prometheus_alert *alert = &rule->alerts[j];
			if (state == (alert->is_firing ? ALERTS_FIRING : ALERTS_PENDING))
				add_alert(listing, rule, alert, now_ms);
		}
		if (!rule->alert_count &&
			state == (*rule->error ? ALERTS_FAILING : ALERTS_INACTIVE))
			add_idle(listing, rule);
	}
}

/* Without silences the list is still worth something. */
static void read_silences(const struct alerts_job *job, struct alerts_listing *listing)
{
	AUTO(error) struct error why = ERROR_INIT;
	if (!job->has_manager)
		out_note(job->ctx->out,
			"nobody is told of them: Alertmanager is not part of the stack ('cctm "
			"config set alerts.alertmanager true', then 'cctm init' and 'cctm up')");
	else if (!alertmanager_silences_read(&job->manager, &listing->silences, &why))
		out_note(job->ctx->out, "silences are unknown: %s", why.message);
}

static bool gather(const struct alerts_job *job, struct alerts_listing *listing, struct error *err)
{
	AUTO(prometheus_rules) struct prometheus_rules rules = { 0 };
	listing->source = "prometheus";
	if (!prometheus_rules_read(&job->prometheus, &rules, err))
		return false;
	read_silences(job, listing);
	for (enum alerts_state state = ALERTS_FIRING; state <= ALERTS_INACTIVE; state++)
		add_rules(listing, &rules, state, job->now_ms);
	return true;
}

int alerts_list(struct alerts_job *job, struct error *err)
{
	AUTO(alerts_listing) struct alerts_listing listing = { 0 };
	if (!(job->is_embedded ? alerts_bridge_list(job, &listing, err)
			       : gather(job, &listing, err)))
		return -1;
	alerts_print_listing(job, &listing);
	return 0;
}
