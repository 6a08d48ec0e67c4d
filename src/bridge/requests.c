/* Export requests: take, journal, apply, answer; in that order.
 *
 * When the journal cannot be written (disk full), a request is neither applied nor remembered but held, with
 * what comes behind it, for at most HOLD_MS: Claude Code gives up after ten seconds and does not repeat a
 * request that timed out, but it does repeat after a 503. Over gRPC it repeats nothing: there no refusal is
 * better than another, and the request is held past its client's patience, as long as the budget of serve has
 * room for it. What was applied is never answered retryably. */
#include <stdlib.h>

#include "bridge/bridge_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"

#define HOLD_MS	      INT64_C(8000)
#define RETRY_AFTER_S 2

#define HOLDING "requests are held and then refused until it can be written"
#define UNSAFE	"requests are taken, but may not outlive a loss of power until it can be synced"

static void list_add(struct waiting_list *list, const struct waiting *one)
{
	list->items = mem_grow(list->items, &list->room, list->count + 1, sizeof *list->items);
	list->items[list->count++] = *one;
}

static void note_journal_problem(
	struct daemon *d, const struct error *err, const char *what_happens)
{
	if (!d->journal_problem)
		log_warning("%s; %s", err->message, what_happens);
	free(d->journal_problem);
	d->journal_problem = mem_strdup(err->message);
}

static void note_journal_works(struct daemon *d)
{
	if (!d->journal_problem)
		return;
	log_info("the journal can be written again");
	free(d->journal_problem);
	d->journal_problem = NULL;
}

/* Then a record that was written proves nothing yet. */
static bool waits_for_sync(const struct daemon *d)
{
	return d->options->durability == BRIDGE_DURABILITY_DISK;
}

/* True: taken or refused for good, *a says what to answer. False: the journal cannot be written now. */
static bool try_take(struct daemon *d, const struct serve_request *request, struct serve_answer *a)
{
	struct ingest_outcome outcome;
	AUTO(error) struct error err = ERROR_INIT;
	*a = (struct serve_answer){ 0 };
	if (!journal_rotate(d->journal, JOURNAL_SEGMENT_SIZE, &err)) {
		note_journal_problem(d, &err, HOLDING);
		return false;
	}
	struct ingest_request in = {
		.signal = request->signal,
		.encoding = request->encoding,
		.body = request->body,
		.now_ms = clock_wall_ms(),
		.segment = journal_segment(d->journal),
	};
	a->reason = ingest_prepare(d->ingest, &in, &outcome);
	if (a->reason != REASON_OK || outcome.is_duplicate)
		return true;
	if (!daemon_note(d, &err)) {
		note_journal_problem(d, &err, HOLDING);
		return false;
	}
	if (!waits_for_sync(d))
		note_journal_works(d);
	a->rejected = outcome.rejected;
	a->message = outcome.message;
	return true;
}

/* Under durability disk the answer waits for the sync that a later event of this turn of the loop makes for
 * all requests of the turn together. */
static void finish(struct daemon *d, struct serve_exchange *x, const struct serve_answer *a)
{
	if (!waits_for_sync(d) || a->reason != REASON_OK) {
		serve_reply(x, a);
		return;
	}
	serve_body_done(x);
	struct waiting w = { .exchange = x, .answer = *a };
	if (a->message) {
		w.message = mem_strdup(a->message);
		w.answer.message = w.message;
	}
	list_add(&d->unsynced, &w);
	event_active(d->sync, EV_TIMEOUT, 0);
}

void daemon_export(void *ctx, struct serve_exchange *x, const struct serve_request *request)
{
	struct daemon *d = ctx;
	struct serve_answer a;
	if (d->held.count == 0 && try_take(d, request, &a)) {
		finish(d, x, &a);
		return;
	}
	struct waiting w = { .exchange = x, .request = *request };
	list_add(&d->held, &w);
}

static void refuse(const struct waiting *w)
{
	struct serve_answer a = {
		.reason = REASON_JOURNAL_FULL,
		.retry_after_s = RETRY_AFTER_S,
	};
	serve_reply(w->exchange, &a);
}

static bool is_over(const struct waiting *w)
{
	return w->request.protocol != SERVE_GRPC &&
	       clock_mono_ms() - serve_arrived_mono_ms(w->exchange) >= HOLD_MS;
}

void daemon_retry_held(struct daemon *d)
{
	struct serve_answer a;
	size_t done = 0, kept = 0;
	while (done < d->held.count && try_take(d, &d->held.items[done].request, &a))
		finish(d, d->held.items[done++].exchange, &a);
	for (size_t i = done; i < d->held.count; i++) {
		const struct waiting *w = &d->held.items[i];
		if (is_over(w)) {
			ingest_refused(d->ingest, REASON_JOURNAL_FULL);
			refuse(w);
		} else {
			d->held.items[kept++] = *w;
		}
	}
	d->held.count = kept;
}

/* When everybody who waited has gone, no request would find out that the disk has space again. */
void daemon_probe_journal(struct daemon *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	/* The tracker's state must not get ahead of the losses it has told of. */
	/* The sync comes first, or a disk that fails to would be filled with probes. */
	if (d->held.count || (waits_for_sync(d) && !journal_sync(d->journal, &err)) ||
		!daemon_note_lost(d, clock_wall_ms()))
		return;
	ingest_prepare_sequence_state(d->ingest, clock_wall_ms());
	if (daemon_note(d, &err))
		note_journal_works(d);
}

void daemon_refuse_held(struct daemon *d)
{
	for (size_t i = 0; i < d->held.count; i++) {
		ingest_refused(d->ingest, REASON_JOURNAL_FULL);
		refuse(&d->held.items[i]);
	}
	d->held.count = 0;
}

void daemon_flush_unsynced(struct daemon *d)
{
	if (d->unsynced.count == 0)
		return;
	AUTO(error) struct error err = ERROR_INIT;
	/* Also when it fails, what was applied is answered: a refusal would make the client send it again. */
	if (journal_sync(d->journal, &err))
		note_journal_works(d);
	else
		note_journal_problem(d, &err, UNSAFE);
	struct waiting_list list = d->unsynced;
	d->unsynced = (struct waiting_list){ 0 };
	for (size_t i = 0; i < list.count; i++) {
		serve_reply(list.items[i].exchange, &list.items[i].answer);
		free(list.items[i].message);
	}
	free(list.items);
}

void daemon_waiting_clear(struct daemon *d)
{
	for (size_t i = 0; i < d->unsynced.count; i++)
		free(d->unsynced.items[i].message);
	free(d->unsynced.items);
	free(d->held.items);
	d->unsynced = d->held = (struct waiting_list){ 0 };
}
