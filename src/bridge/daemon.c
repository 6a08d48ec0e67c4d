/* The bridge as a process: wires the parts together and owns the loop. */
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "bridge/bridge_internal.h"
#include "bridge/keeper.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/secret.h"

#define TICK_MS		 200
#define CHECKPOINT_MS	 INT64_C(15000)
#define CHECKPOINT_BYTES ((uint64_t)64 << 20) /* what a start after a crash replays in 0.2 s */
#define LEDGER_RETRY_MS	 INT64_C(5000)
#define LOST_CHECK_MS	 INT64_C(5000)
#define EXPIRE_MS	 INT64_C(3600000)
#define MINUTE_MS	 INT64_C(60000)
#define JOURNAL_MAX	 ((uint64_t)256 << 20) /* past it the ledger's word is enough */
#define MMAP_THRESHOLD	 (128 << 10)
#define STOP_MS		 INT64_C(4000)
#define RUNNING_FILE	 "bridge.json"

bool daemon_note_lost(struct daemon *d, int64_t now_ms)
{
	AUTO(error) struct error err = ERROR_INIT;
	if (!journal_rotate(d->journal, JOURNAL_SEGMENT_SIZE, &err))
		return false;
	return !ingest_prepare_expiry(d->ingest, now_ms, journal_segment(d->journal)) ||
	       daemon_note(d, &err);
}

/* Moves the window of recent requests on, a minute at a time. */
static void mind_recent(struct daemon *d, int64_t mono_ms)
{
	if (mono_ms - d->recent_mono_ms < MINUTE_MS)
		return;
	d->recent_mono_ms = mono_ms;
	memmove(d->recent, d->recent + 1, (RECENT_MINUTES - 1) * sizeof *d->recent);
	d->recent[RECENT_MINUTES - 1] = journal_end(d->journal);
}

static bool note_recent(struct daemon *d, struct error *err)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, d->recent[0]);
	ingest_prepare_state(d->ingest, clock_wall_ms(), STATE_RECENT, slice_str(text));
	return daemon_note(d, err);
}

/* What is in the ledger for good is not needed, but for the hashes of recent requests. */
static void release_journal(struct daemon *d)
{
	AUTO(error) struct error err = ERROR_INIT;
	struct keeper_status status;
	keeper_status(d->keeper, &status);
	uint64_t until = status.durable_position;
	if (until > d->recent[0] && journal_bytes(d->journal) < JOURNAL_MAX)
		until = d->recent[0];
	if (!journal_release(d->journal, until, &err))
		log_warning("%s", err.message);
}

static void checkpoint(struct daemon *d, bool also_expire)
{
	AUTO(error) struct error err = ERROR_INIT;
	/* The tracker's state must not get ahead of the losses it has told of. */
	if (!daemon_note_lost(d, clock_wall_ms()))
		return;
	if (journal_end(d->journal) != d->checkpoint_position) {
		ingest_prepare_sequence_state(d->ingest, clock_wall_ms());
		if (!daemon_note(d, &err) || !note_recent(d, &err))
			return;
		d->checkpoint_position = journal_end(d->journal);
	}
	keeper_advance(d->keeper, d->checkpoint_position, also_expire);
	release_journal(d);
}

static bool ledger_failed(const struct daemon *d)
{
	struct keeper_status status;
	keeper_status(d->keeper, &status);
	return status.problem[0] != '\0';
}

static void mind_ledger(struct daemon *d, int64_t mono_ms)
{
	/* After a failure the same position is asked for again, or an idle bridge would stay degraded. */
	bool is_retry_due = mono_ms - d->checkpoint_mono_ms >= LEDGER_RETRY_MS && ledger_failed(d);
	bool is_due = is_retry_due || mono_ms - d->checkpoint_mono_ms >= CHECKPOINT_MS ||
		      journal_end(d->journal) - d->checkpoint_position >= CHECKPOINT_BYTES;
	bool is_expiry_due = mono_ms - d->expire_mono_ms >= EXPIRE_MS;
	if (!is_due && !is_expiry_due)
		return;
	if (is_expiry_due) {
		d->expire_mono_ms = mono_ms;
		ingest_expire(d->ingest, clock_wall_ms());
	}
	d->checkpoint_mono_ms = mono_ms;
	if (is_expiry_due || is_retry_due || journal_end(d->journal) != d->checkpoint_position)
		checkpoint(d, is_expiry_due);
}

static void mind_stopping(struct daemon *d, int64_t mono_ms)
{
	bool is_late = mono_ms - d->stopping_mono_ms >= STOP_MS;
	if (is_late)
		daemon_refuse_held(d);
	if (is_late || serve_idle(d->serve))
		event_base_loopbreak(d->base);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	struct daemon *d = ctx;
	int64_t mono_ms = clock_mono_ms();
	daemon_retry_held(d);
	if (d->journal_problem)
		daemon_probe_journal(d);
	if (mono_ms / LOST_CHECK_MS != (mono_ms - TICK_MS) / LOST_CHECK_MS)
		(void)daemon_note_lost(d, clock_wall_ms()); /* or the next time */
	mind_recent(d, mono_ms);
	mind_ledger(d, mono_ms);
	daemon_mind_alarm(d, mono_ms);
	if (d->is_stopping)
		mind_stopping(d, mono_ms);
}

static void on_sync(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	daemon_flush_unsynced(ctx);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
	(void)number;
	(void)what;
	struct daemon *d = ctx;
	if (d->is_stopping) {
		event_base_loopbreak(d->base);
		return;
	}
	notify_systemd("STOPPING=1");
	d->is_stopping = true;
	d->stopping_mono_ms = clock_mono_ms();
	daemon_stop_alarm(d);
	serve_stop_accepting(d->serve);
	mind_stopping(d, d->stopping_mono_ms);
}

static void on_refused(void *ctx, enum serve_door door, enum reason reason)
{
	(void)door;
	const struct daemon *d = ctx;
	ingest_refused(d->ingest, reason);
}

static char **split_origins(const char *list)
{
	size_t count = 1;
	for (const char *at = list; *at; at++)
		count += *at == ',';
	char **origins = mem_calloc(count + 1, sizeof *origins);
	size_t used = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		if (len)
			origins[used++] = mem_strndup(list, len);
		list += len + (list[len] == ',');
	}
	return origins;
}

static void free_origins(char **origins)
{
	for (size_t i = 0; origins && origins[i]; i++)
		free(origins[i]);
	free(origins);
}

static bool open_doors(struct daemon *d, struct error *err)
{
	const struct bridge_options *o = d->options;

	const struct {
		enum serve_door door;
		uint16_t port;
		const char *option;
	} doors[] = {
		{ DOOR_OTLP_HTTP, o->otlp_http_port, "--otlp-http-port" },
		{ DOOR_OTLP_GRPC, o->otlp_grpc_port, "--otlp-grpc-port" },
		{ DOOR_EXPORTER, o->exporter_port, "--exporter-port" },
		{ DOOR_HEALTH, o->health_port, "--health-port" },
		{ DOOR_ZPAGES, o->zpages_port, "--zpages-port" },
	};

	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		if (serve_listen(d->serve, doors[i].door, o->bind, doors[i].port, err))
			continue;
		error_hint(err, "give another with %s, or 0 for a free one", doors[i].option);
		return false;
	}
	return true;
}

/* A terminal that closes ends the bridge as Ctrl-C does, unless it was started with nohup. */
static bool minds_hangup(void)
{
	struct sigaction now;
	return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN;
}

static bool make_loop(struct daemon *d, char **origins, struct error *err)
{
	struct serve_options serve_options = {
		.limits = SERVE_LIMITS_DEFAULT,
		.cors_origins = (const char *const *)origins,
	};
	serve_options.limits.body_max = (size_t)d->options->max_body;
	const struct serve_handler handler = {
		.ctx = d,
		.export = daemon_export,
		.page = daemon_page,
		.action = daemon_action,
		.refused = on_refused,
		.is_healthy = daemon_is_healthy,
	};
	d->base = event_base_new();
	if (!d->base)
		return error_set(err, ERR_FAILED, "no event loop from the system");
	/* The sync of a turn comes after all requests of the turn. */
	event_base_priority_init(d->base, 3);
	d->serve = serve_new(d->base, &serve_options, &handler);
	d->on_term = evsignal_new(d->base, SIGTERM, on_signal, d);
	d->on_int = evsignal_new(d->base, SIGINT, on_signal, d);
	if (minds_hangup())
		d->on_hangup = evsignal_new(d->base, SIGHUP, on_signal, d);
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	d->sync = event_new(d->base, -1, 0, on_sync, d);
	event_priority_set(d->sync, 2);
	struct timeval every = { .tv_usec = (suseconds_t)TICK_MS * 1000 };
	event_add(d->on_term, NULL);
	event_add(d->on_int, NULL);
	if (d->on_hangup)
		event_add(d->on_hangup, NULL);
	event_add(d->tick, &every);
	return open_doors(d, err);
}

static void describe(const struct daemon *d, struct bridge_running *out)
{
	*out = (struct bridge_running){
		.pid = getpid(),
		.state_dir = d->options->state_dir,
		.instance = d->instance,
		.otlp_http_port = serve_port(d->serve, DOOR_OTLP_HTTP),
		.otlp_grpc_port = serve_port(d->serve, DOOR_OTLP_GRPC),
		.exporter_port = serve_port(d->serve, DOOR_EXPORTER),
		.health_port = serve_port(d->serve, DOOR_HEALTH),
		.zpages_port = serve_port(d->serve, DOOR_ZPAGES),
	};
}

/* So that other commands find this bridge by its pid and ports rather than by knocking on a port. */
static bool write_running(const struct bridge_running *r, struct error *err)
{
	AUTO(str) char *path = path_join(r->state_dir, RUNNING_FILE);
	AUTO(str)
	char *text =
		mem_printf("{\"schema_version\": 1, \"pid\": %ld, \"instance\": \"%s\", "
			   "\"otlp_http_port\": %u, \"otlp_grpc_port\": %u, "
			   "\"exporter_port\": %u, \"health_port\": %u, \"zpages_port\": %u}\n",
			(long)r->pid, r->instance, r->otlp_http_port, r->otlp_grpc_port,
			r->exporter_port, r->health_port, r->zpages_port);
	return file_write_atomic(path, text, strlen(text), 0600, err);
}

/* The tracker's state and that this end is a clean one. False: what was seen of events since the last state must
 * be read from the journal again. */
static bool note_end(struct daemon *d, struct error *err)
{
	if (!daemon_note_lost(d, clock_wall_ms()))
		return error_set(err, ERR_IO, "a count of lost events could not be noted");
	ingest_prepare_sequence_state(d->ingest, clock_wall_ms());
	if (!daemon_note(d, err))
		return false;
	d->checkpoint_position = journal_end(d->journal);
	ingest_prepare_state(d->ingest, clock_wall_ms(), "clean", SLICE_LIT("1"));
	if (!daemon_note(d, err))
		return false;
	d->checkpoint_position = journal_end(d->journal);
	return true;
}

static bool close_state(struct daemon *d, struct error *err)
{
	bool ok = true;
	daemon_close_alarm(d);
	if (d->keeper) {
		AUTO(error) struct error ignored = ERROR_INIT;
		if (!note_end(d, &ignored))
			log_warning("%s", ignored.message);
		ok = keeper_finish(d->keeper, d->checkpoint_position, err);
	}
	journal_free(d->journal);
	ingest_free(d->ingest);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	return ok;
}

static void close_loop(struct daemon *d)
{
	if (d->serve)
		serve_free(d->serve);
	struct event *events[] = { d->on_term, d->on_int, d->on_hangup, d->tick, d->sync };
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (events[i])
			event_free(events[i]);
	}
	if (d->base)
		event_base_free(d->base);
	daemon_waiting_clear(d);
	free(d->journal_problem);
}

static bool serve_until_stopped(struct daemon *d,
	void (*on_ready)(void *ctx, const struct bridge_running *running), void *ctx,
	struct error *err)
{
	struct bridge_running running;
	describe(d, &running);
	if (!write_running(&running, err))
		return false;
	on_ready(ctx, &running);
	notify_systemd("READY=1");
	event_base_dispatch(d->base);
	daemon_flush_unsynced(d);
	AUTO(str) char *path = path_join(d->options->state_dir, RUNNING_FILE);
	unlink(path);
	return true;
}

bool bridge_run(const struct bridge_options *options,
	void (*on_ready)(void *ctx, const struct bridge_running *running), void *ctx,
	struct error *err)
{
	struct daemon d = {
		.options = options,
		.lock_fd = -1,
		.started_mono_ms = clock_mono_ms(),
		.started_ms = clock_wall_ms(),
	};
	d.checkpoint_mono_ms = d.expire_mono_ms = d.recent_mono_ms = d.started_mono_ms;
	signal(SIGPIPE, SIG_IGN);
	/* A fixed threshold: tables that grow give their old memory back at once, instead of leaving it in
	 * the heap for good (glibc otherwise raises the threshold with each large block that is freed). */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	char **origins = options->cors_origins ? split_origins(options->cors_origins) : NULL;
	d.instance = secret_new(err);
	bool ok = d.instance && daemon_open_state(&d, err) && make_loop(&d, origins, err) &&
		  serve_until_stopped(&d, on_ready, ctx, err);
	close_loop(&d);
	AUTO(error) struct error closing = ERROR_INIT;
	if (!close_state(&d, ok ? err : &closing))
		ok = false;
	free_origins(origins);
	free(d.instance);
	return ok;
}
