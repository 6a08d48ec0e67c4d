/* The daemon's parts and what they share. Only these files know all rooms of the bridge. */
#ifndef CCTM_BRIDGE_BRIDGE_INTERNAL_H
#define CCTM_BRIDGE_BRIDGE_INTERNAL_H

#include <event2/event.h>

#include "bridge/bridge.h"
#include "bridge/ingest/ingest.h"
#include "bridge/journal/journal.h"
#include "bridge/serve/serve.h"

struct alarm;
struct keeper;
struct ledger;

#define RECENT_MINUTES 16 /* a little more than DEDUPE_WINDOW_MS */
#define STATE_RECENT   "recent"

/* A request whose answer has to wait: for the disk to take it again, or for the sync of its record. */
struct waiting {
	struct serve_exchange *exchange;
	struct serve_request request;
	struct serve_answer answer; /* message is a copy */
	char *message;
};

struct waiting_list {
	struct waiting *items;
	size_t count, room;
};

struct daemon {
	const struct bridge_options *options;
	int64_t started_mono_ms, started_ms;
	char *instance; /* made at random: by it the process that answers is known for this one */
	int lock_fd;
	struct journal *journal;
	struct journal_findings findings;
	struct ingest *ingest;
	struct keeper *keeper;
	struct alarm *alarm; /* NULL: nothing is watched and nobody told */
	bool ledger_was_lost;
	uint32_t replay_set_aside; /* records passed over because replaying them crashed */

	struct event_base *base;
	struct serve *serve;
	struct event *on_term, *on_int, *on_hangup, *tick, *sync;
	struct waiting_list held;     /* not taken yet: the journal could not be written */
	struct waiting_list unsynced; /* taken and applied, answered behind the next sync */
	char *journal_problem;	      /* NULL: it can be written */
	int64_t checkpoint_mono_ms, expire_mono_ms;
	uint64_t checkpoint_position; /* asked of the keeper last */
	/* Where the journal ended, minute by minute; the oldest is where request hashes are read from at the
	 * next start, and the journal is kept from there. */
	uint64_t recent[RECENT_MINUTES];
	int64_t recent_mono_ms;
	bool is_stopping;
	int64_t stopping_mono_ms;
};

/* startup.c: the state directory, from lock to epoch. */
bool daemon_open_state(struct daemon *d, struct error *err);
/* Appends and applies the record ingest has prepared; on failure it is abandoned. */
bool daemon_note(struct daemon *d, struct error *err);

/* daemon.c: notes the events that were found lost. False: they stay to be noted. */
bool daemon_note_lost(struct daemon *d, int64_t now_ms);

/* requests.c: export requests, held and deferred answers. */
void daemon_export(void *ctx, struct serve_exchange *x, const struct serve_request *request);
void daemon_retry_held(struct daemon *d);
void daemon_probe_journal(struct daemon *d); /* whether it can be written again, by writing */
void daemon_flush_unsynced(struct daemon *d);
void daemon_refuse_held(struct daemon *d);
void daemon_waiting_clear(struct daemon *d);

/* pages.c: /metrics, health and the status page. */
bool daemon_is_healthy(void *ctx);
void daemon_page(void *ctx, enum serve_door door, struct slice path, struct slice accept,
	struct serve_page *page);

/* alarm.c: budgets, silence, and telling of them. Opened between the checkpoint and the journal behind it; begun when
 * both are read. */
bool daemon_open_alarm(struct daemon *d, struct ledger *ledger, uint64_t seed, struct error *err);
void daemon_begin_alarm(struct daemon *d);
void daemon_mind_alarm(struct daemon *d, int64_t mono_ms);
void daemon_stop_alarm(struct daemon *d); /* nobody waits for it any more */
void daemon_close_alarm(struct daemon *d);
void daemon_action(void *ctx, struct serve_exchange *x, const struct serve_action *action);

/* alarm_pages.c: what is shown of them. */
void daemon_alerts_page(struct daemon *d, struct serve_page *page);
void daemon_alerts_metrics(struct daemon *d, struct buf *out);
void daemon_alerts_status(struct daemon *d, struct buf *out);

/* pages.c: one row of the status page. */
void status_row(struct buf *out, const char *name, const char *fmt, ...) PRINTF(3, 4);

/* notify.c: sd_notify(3) without a library; does nothing unless NOTIFY_SOCKET is set. */
void notify_systemd(const char *state);

#endif
