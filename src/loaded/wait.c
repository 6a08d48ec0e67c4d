#include "loaded/wait.h"

#include <poll.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"

#define PAUSE_MS 150
#define ASK_MS	 4000
#define SHORT_MS 250
#define HOPE_MS	 2000

struct waiting {
	struct probes *probes;
	const struct wait_request *request;
	int64_t began_ms, hoped_ms;
};

static int64_t left_ms(const struct waiting *w)
{
	return w->request->timeout_ms - (clock_mono_ms() - w->began_ms);
}

/* No answer is waited for beyond the whole time, but each gets a chance. */
static void ask(const struct waiting *w, struct probe *probe)
{
	int64_t left = left_ms(w);
	probe_ask(w->probes, probe, left < SHORT_MS ? SHORT_MS : left < ASK_MS ? left : ASK_MS);
	if (!probe->is_passed)
		return;
	probe->after_ms = clock_mono_ms() - w->began_ms;
	if (w->request->passed)
		w->request->passed(w->request->ctx, probe);
}

static bool needs_login(const struct probe *probe)
{
	return probe->service == SERVICE_GRAFANA && probe->kind != PROBE_GRAFANA &&
	       probe->kind != PROBE_LOGIN;
}

/* One round. True: all have passed, or one never will. */
static bool ask_all(const struct waiting *w)
{
	bool is_over = true, is_logged_in = true;
	for (size_t i = 0; i < w->probes->count; i++) {
		struct probe *probe = &w->probes->items[i];
		/* The login needs a Grafana that is up, and is tried once only. */
		bool is_early = probe->service == SERVICE_GRAFANA && !is_logged_in &&
				(needs_login(probe) || probe->kind == PROBE_LOGIN);
		if (!probe->is_passed && !is_early)
			ask(w, probe);
		if (probe->is_final && !probe->is_passed)
			return true;
		is_over = is_over && probe->is_passed;
		if (probe->kind == PROBE_GRAFANA || probe->kind == PROBE_LOGIN)
			is_logged_in = is_logged_in && probe->is_passed;
	}
	return is_over;
}

/* The lower, the nearer to the cause. */
static int rank(const struct probe *probe)
{
	if (probe->is_final)
		return 0;
	switch (probe->kind) {
	case PROBE_TARGETS:
		return 3;
	case PROBE_SHOWN:
	case PROBE_STORED:
	case PROBE_DATASOURCE:
		return 2;
	case PROBE_OK:
	case PROBE_EXPORT:
	case PROBE_GRPC:
	case PROBE_GRAFANA:
	case PROBE_LOGIN:
		break;
	}
	return 1;
}

const struct probe *wait_failed(const struct probes *probes)
{
	const struct probe *found = NULL;
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->items[i];
		if (!probe->is_passed && (!found || rank(probe) < rank(found)))
			found = probe;
	}
	return found;
}

/* Once a round. False: waiting is over. */
static bool goes_on(struct waiting *w)
{
	const struct wait_request *request = w->request;
	int64_t now = clock_mono_ms();
	const struct probe *probe = wait_failed(w->probes);
	if (request->waiting && probe)
		request->waiting(request->ctx, probe, now - w->began_ms);
	if (request->is_hopeless && now - w->hoped_ms >= HOPE_MS) {
		if (request->is_hopeless(request->ctx))
			return false;
		w->hoped_ms = clock_mono_ms();
	}
	return left_ms(w) > 0;
}

bool wait_for_probes(struct probes *probes, const struct wait_request *request, struct error *err)
{
	struct waiting w = { probes, request, clock_mono_ms(), clock_mono_ms() };
	while (!ask_all(&w) && goes_on(&w))
		poll(NULL, 0, PAUSE_MS);
	const struct probe *failed = wait_failed(probes);
	if (!failed)
		return true;
	return error_set(err, ERR_FAILED, "%s did not answer as it should (%s): %s", failed->what,
		failed->url, failed->why ? failed->why : "it was not asked");
}

char *wait_hint(const struct probe *failed)
{
	if (failed->kind == PROBE_LOGIN)
		return mem_strdup(
			"Grafana keeps the password of its first start; .env has another one");
	return mem_printf("'cctm logs %s' shows its log", service_rows[failed->service].name);
}
