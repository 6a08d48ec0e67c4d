/* Are the totals right? What was recorded against what is counted, in numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/bridge_dir.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "doctor/doctor_internal.h"
#include "render/model.h"
#include "report/report.h"

#define COST	  "claude_code_cost_usage_USD_total"
#define TOLERANCE 1e-6

/* The bridge's counters never fall, and its ledger began with them: both are all that ever came. */
void check_ledger(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(report) struct report report = { 0 };
	AUTO(str) char *state = bridge_dir(d->dir, &d->stack.config);
	const struct report_query query = {
		.since_ms = 0, .until_ms = clock_wall_ms() + 86400000, .by = BY_MONTH
	};
	(void)check;
	const char *text = doctor_exposition(d);
	if (!text) {
		outcome_say(out, CHECK_SKIPPED, "the receiver shows no metrics");
		return;
	}
	if (!report_from_ledger(state, &query, &report, &err)) {
		outcome_say(out, CHECK_FAILURE, "%s", err.message);
		outcome_cctm(out, d, FIX_SAFE, "restart", NULL);
		return;
	}
	double counted = exposition_sum(text, COST);
	double kept = figures_value(&report.totals, FIGURE_COST);
	if (exposition_sum(text, "cctm_ledger_lag_bytes") > 0) {
		outcome_say(out, CHECK_OK, "what came last is on its way into the ledger");
		return;
	}
	if (fabs(counted - kept) <= TOLERANCE * fmax(1, counted)) {
		outcome_say(out, CHECK_OK, "%.4f USD counted and kept", counted);
		return;
	}
	outcome_say(out, CHECK_WARNING, "the counters show %.6f USD and the ledger holds %.6f USD",
		counted, kept);
	outcome_advise(out, "reports and dashboards differ by that much: a ledger that was taken "
			    "away or put back, or is older than its retention, explains it");
}

static bool ask_number(const struct prometheus *prometheus, const char *expression, double *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector found = { 0 };
	if (!prometheus_query(prometheus, expression, &found, &ignored) || !found.count)
		return false;
	*out = found.items[0].value;
	return isfinite(*out);
}

/* Over an hour that is over for ten minutes: what the rules recorded, and how far the counters rose, a new one from 0. */
void check_counted(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	static const char recorded[] =
		"sum(sum_over_time(claude_code_cost_usage_USD:counted[1h] offset 10m))";
	static const char risen[] = "sum(last_over_time(" COST "[1h] offset 10m)) - "
				    "(sum(last_over_time(" COST "[1h] offset 70m)) or vector(0))";
	AUTO(str) char *url = model_url(&d->stack.config, "ports.prometheus", "");
	const struct prometheus prometheus = { .url = url };
	double counted = 0, rise = 0;
	(void)check;
	if (!ask_number(&prometheus, risen, &rise) || rise <= 0) {
		outcome_say(out, CHECK_SKIPPED, "nothing was spent within the hour before");
		return;
	}
	bool has_recorded = ask_number(&prometheus, recorded, &counted);
	/* At the edges of the hour the rules and the scrapes are up to a minute apart. */
	if (has_recorded && fabs(counted - rise) <= 0.1 * rise) {
		outcome_say(out, CHECK_OK, "%.4f USD recorded, %.4f USD risen", counted, rise);
		return;
	}
	outcome_say(out, CHECK_WARNING,
		"within an hour the counters rose by %.4f USD, and the rules recorded %.4f USD",
		rise, counted);
	outcome_advise(out, "rules that were late or off in that hour explain it: 'cctm doctor "
			    "--group prometheus' looks at them");
}
