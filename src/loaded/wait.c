#include "loaded/wait.h"

#include <poll.h>

#include "core/clock.h"
#include "core/error.h"

#define PAUSE_MS 250
#define ASK_MS	 4000

struct waiting {
	struct probes *probes;
	int64_t began_ms;
	void (*passed)(void *ctx, const struct probe *probe, int64_t after_ms);
	void *ctx;
};

static void ask(const struct waiting *w, struct probe *probe)
{
	probe_ask(w->probes, probe, ASK_MS);
	if (probe->is_passed && w->passed)
		w->passed(w->ctx, probe, clock_mono_ms() - w->began_ms);
}

/* One round. True: each has passed, or never will. */
static bool ask_all(const struct waiting *w)
{
	bool is_over = true;
	for (size_t i = 0; i < w->probes->count; i++) {
		struct probe *probe = &w->probes->items[i];
		if (probe->is_passed || probe->is_final)
			continue;
		ask(w, probe);
		is_over = is_over && (probe->is_passed || probe->is_final);
		/* The login needs a Grafana that is up, and is tried once only. */
		if (!probe->is_passed && probe->kind == PROBE_GRAFANA)
			return false;
	}
	return is_over;
}

const struct probe *wait_failed(const struct probes *probes)
{
	const struct probe *targets = NULL;
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->items[i];
		if (!probe->is_passed && probe->kind != PROBE_TARGETS)
			return probe;
		if (!probe->is_passed)
			targets = probe;
	}
	return targets;
}

bool wait_for_probes(struct probes *probes, int64_t timeout_ms,
	void (*passed)(void *ctx, const struct probe *probe, int64_t after_ms), void *ctx,
	struct error *err)
{
	const struct waiting w = { probes, clock_mono_ms(), passed, ctx };
	while (!ask_all(&w) && clock_mono_ms() - w.began_ms < timeout_ms)
		poll(NULL, 0, PAUSE_MS);
	const struct probe *failed = wait_failed(probes);
	if (!failed)
		return true;
	error_set(err, ERR_FAILED, "%s did not answer as it should (%s): %s", failed->what,
		failed->url, failed->why ? failed->why : "it was not asked");
	if (failed->kind == PROBE_LOGIN)
		return error_hint(
			err, "Grafana keeps the password of its first start; .env has another one");
	return error_hint(err, "'cctm logs %s' shows its log", service_rows[failed->service].name);
}
