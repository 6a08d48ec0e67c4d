/* Opening the state directory: lock, ledger, journal, counters, epoch.
 *
 * Start-up is the ledger's checkpoint and then the journal behind it. A new epoch begins (counters from 0
 * under a new label `start`) whenever it is not proven that no counter can be lower than a value a scraper
 * was shown: the ledger was lost or restored from a copy, the journal has damage, the label policy changed, or the
 * machine went down under durability os without a clean end of the bridge. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bridge/bridge_internal.h"
#include "bridge/keeper.h"
#include "bridge/ledger/copy.h"
#include "bridge/ledger/ledger.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"

#define LOCK_FILE    "bridge.lock"
#define CRASHES_FILE "replay-crashes"

#define STATE_SEED   "seed"
#define STATE_POLICY "policy"
#define STATE_RUN    "run"   /* boot id and durability of the last run */
#define STATE_CLEAN  "clean" /* "1": the last run ended by itself */

static void load_epoch(void *ctx, uint64_t start_ns, int64_t last_scrape_ms)
{
	ingest_load_epoch(ctx, start_ns, last_scrape_ms);
}

static void load_series(void *ctx, const struct op_series *series, int64_t shown_ms)
{
	ingest_load_series(ctx, series, shown_ms);
}

static void load_counter(void *ctx, const struct ledger_counter *c)
{
	struct part part = {
		.id = c->part,
		.hi = c->hi,
		.lo = c->lo,
		.set_ms = c->set_ms,
		.scraped = c->hi + c->lo - c->pending,
	};
	ingest_load_part(ctx, c->series, &part);
}

static void load_stream(void *ctx, const struct op_stream *stream)
{
	ingest_load_stream(ctx, stream);
}

static void load_state(void *ctx, struct slice name, struct slice bytes)
{
	ingest_load_state(ctx, name, bytes);
}

static bool load_checkpoint(struct daemon *d, struct ledger *ledger, struct error *err)
{
	struct ledger_visitor visitor = {
		.ctx = d->ingest,
		.epoch = load_epoch,
		.series = load_series,
		.counter = load_counter,
		.stream = load_stream,
		.state = load_state,
	};
	return ledger_load(ledger, &visitor, err);
}

/* A record whose replay crashed the bridge twice is passed over, or a failed assertion would become a loop of
 * crashes. The crash itself notes the record's position, in its signal's handler: a bridge that is killed from
 * outside while it replays (out of memory, an impatient supervisor) has met no bad record. */
static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
static char crash_path[4096];
static _Atomic uint64_t crash_position;

static void on_crash(int number)
{
	uint64_t position = crash_position;
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		ssize_t n = write(fd, &position, sizeof position);
		(void)n; /* then the next crash notes it */
		close(fd);
	}
	raise(number); /* to its default action: SA_RESETHAND */
}

static void watch_crashes(void (*handler)(int))
{
	struct sigaction action = { .sa_flags = (int)SA_RESETHAND };
	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof crash_signals / sizeof *crash_signals; i++)
		sigaction(crash_signals[i], &action, NULL);
}

/* The positions that earlier replays crashed at. */
static void read_crashes(struct buf *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	if (file_read(crash_path, out, &err) < 0)
		log_warning("%s", err.message);
}

static bool has_crashed_twice(const struct buf *crashes, uint64_t position)
{
	unsigned count = 0;
	for (size_t at = 0; at + sizeof position <= crashes->len; at += sizeof position)
		count += memcmp(crashes->data + at, &position, sizeof position) == 0;
	return count >= 2;
}

static bool set_aside(struct daemon *d, uint64_t position, struct slice record, struct error *err)
{
	AUTO(str)
	char *path =
		mem_printf("%s/journal-bad-%016" PRIx64 ".bin", d->options->state_dir, position);
	d->replay_set_aside++;
	log_warning("replaying the journal record at %" PRIu64
		    " ended the bridge twice; it is set aside in %s",
		position, path);
	return file_write_atomic(path, record.ptr, record.len, 0600, err);
}

static bool replay_one(struct daemon *d, const struct buf *crashes, uint64_t position,
	struct slice record, struct error *err)
{
	if (has_crashed_twice(crashes, position))
		return set_aside(d, position, record, err);
	crash_position = position;
	if (ingest_replay(d->ingest, record))
		return true;
	error_set(err, ERR_NEWER, "the journal record at %" PRIu64 " cannot be read", position);
	return error_hint(err, "a newer cctm may have written it: run that one");
}

static bool replay_all(struct daemon *d, uint64_t from, struct error *err)
{
	AUTO(buf) struct buf crashes = BUF_INIT(4096);
	read_crashes(&crashes);
	AUTO(journal_reader)
	struct journal_reader *reader = journal_reader_open(d->options->state_dir, from, err);
	if (!reader)
		return false;
	struct slice record;
	uint64_t position, next;
	int got;
	while ((got = journal_read(reader, &record, &position, &next, err)) > 0) {
		if (!replay_one(d, &crashes, position, record, err))
			return false;
	}
	return got == 0;
}

static bool replay(struct daemon *d, uint64_t from, struct error *err)
{
	snprintf(crash_path, sizeof crash_path, "%s/" CRASHES_FILE, d->options->state_dir);
	watch_crashes(on_crash);
	bool ok = replay_all(d, from, err);
	watch_crashes(SIG_DFL);
	return ok;
}

/* The journal is kept for a while behind the checkpoint, for the hashes of the requests in it. */
static bool replay_requests(struct daemon *d, uint64_t until, struct error *err)
{
	size_t len;
	uint64_t from = 0;
	const char *text = ingest_state(d->ingest, STATE_RECENT, &len);
	if (text && sscanf(text, "%" SCNu64, &from) != 1)
		from = 0;
	for (size_t i = 0; i < RECENT_MINUTES; i++)
		d->recent[i] = from;
	AUTO(journal_reader)
	struct journal_reader *reader = journal_reader_open(d->options->state_dir, from, err);
	struct slice record;
	uint64_t position, next;
	int got = reader ? 1 : -1;
	while (got > 0 && (got = journal_read(reader, &record, &position, &next, err)) > 0 &&
		position < until)
		(void)ingest_replay_request(d->ingest, record);
	return got >= 0;
}

bool daemon_note(struct daemon *d, struct error *err)
{
	struct slice record = ingest_record(d->ingest);
	if (record.len && !journal_append(d->journal, record, err)) {
		ingest_abandon(d->ingest);
		return false;
	}
	ingest_commit(d->ingest);
	return true;
}

static bool note_state(struct daemon *d, const char *name, const char *text, struct error *err)
{
	ingest_prepare_state(d->ingest, clock_wall_ms(), name, slice_str(text));
	return daemon_note(d, err);
}

static bool state_is(const struct daemon *d, const char *name, const char *text)
{
	size_t len;
	const char *value = ingest_state(d->ingest, name, &len);
	return value && len == strlen(text) && memcmp(value, text, len) == 0;
}

static bool random_seed(uint64_t *seed, struct error *err)
{
	if (getrandom(seed, sizeof *seed, 0) != (ssize_t)sizeof *seed)
		return error_set_errno(err, ERR_FAILED, errno, "no random numbers from the system");
	return true;
}

static bool settle_seed(struct daemon *d, struct error *err)
{
	size_t len;
	const char *kept = ingest_state(d->ingest, STATE_SEED, &len);
	uint64_t seed;
	if (kept && len == 16 && sscanf(kept, "%16" SCNx64, &seed) == 1) {
		ingest_set_seed(d->ingest, seed);
		return true;
	}
	if (!random_seed(&seed, err))
		return false;
	char text[24];
	snprintf(text, sizeof text, "%016" PRIx64, seed);
	ingest_set_seed(d->ingest, seed);
	return note_state(d, STATE_SEED, text, err);
}

static void read_boot_id(char *out, size_t size)
{
	AUTO(buf) struct buf text = BUF_INIT(64);
	AUTO(error) struct error err = ERROR_INIT;
	if (file_read("/proc/sys/kernel/random/boot_id", &text, &err) <= 0)
		text.len = 0;
	size_t len = text.len && text.data[text.len - 1] == '\n' ? text.len - 1 : text.len;
	snprintf(out, size, "%.*s", (int)len, text.len ? (const char *)text.data : "");
}

static char *restored_path(const struct daemon *d)
{
	return path_join(d->options->state_dir, LEDGER_RESTORED_FILE);
}

static bool is_restored(const struct daemon *d)
{
	AUTO(str) char *path = restored_path(d);
	return access(path, F_OK) == 0;
}

/* Behind the new epoch, which is durable then: a death in between begins one more. */
static bool forget_restored(struct daemon *d, struct error *err)
{
	AUTO(str) char *path = restored_path(d);
	if (!is_restored(d))
		return true;
	if (!journal_sync_once(d->journal, err))
		return false;
	return unlink(path) == 0 || error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
}

/* Why continuity is not proven, or NULL. *knows_scrapes: what scrapers have been shown is known all the same, so
 * that the new epoch may begin with the rest. */
static const char *epoch_reason(
	const struct daemon *d, const char *policy, const char *boot, bool *knows_scrapes)
{
	size_t len;
	*knows_scrapes = false;
	const char *run = ingest_state(d->ingest, STATE_RUN, &len);
	if (store_epoch_ns(ingest_store(d->ingest)) == 0)
		return "this is the first run";
	if (d->ledger_was_lost)
		return "the ledger was lost";
	if (d->findings.is_broken || d->replay_set_aside)
		return "the journal is damaged";
	if (is_restored(d))
		return "the ledger was restored from a copy";
	bool was_os = run && len >= 3 && memcmp(run, "os ", 3) == 0;
	bool is_same_boot = run && len > strlen(boot) &&
			    memcmp(run + len - strlen(boot), boot, strlen(boot)) == 0;
	if (was_os && !is_same_boot && !state_is(d, STATE_CLEAN, "1"))
		return "the machine went down while the bridge ran with durability os";
	*knows_scrapes = true;
	return state_is(d, STATE_POLICY, policy) ? NULL : "the label policy changed";
}

static bool note_epoch(struct daemon *d, bool carries_unscraped, struct error *err)
{
	int64_t now_ms = clock_wall_ms();
	uint64_t start_ns = (uint64_t)now_ms * 1000000;
	ingest_prepare_epoch(d->ingest, now_ms, start_ns, carries_unscraped);
	if (daemon_note(d, err))
		return true;
	if (!carries_unscraped)
		return false;
	/* Of hundreds of thousands of series it may be more than a record holds. */
	log_warning("what no scrape has shown stays in the ledger alone: %s", err->message);
	error_clear(err);
	return note_epoch(d, false, err);
}

static bool settle_epoch(struct daemon *d, struct error *err)
{
	char boot[64], policy[64];
	read_boot_id(boot, sizeof boot);
	snprintf(policy, sizeof policy, "1 session_label=%d", d->options->has_session_label);
	bool knows_scrapes;
	const char *reason = epoch_reason(d, policy, boot, &knows_scrapes);
	if (reason) {
		log_debug("counters begin a new epoch: %s", reason);
		if (!note_epoch(d, knows_scrapes, err))
			return false;
	}
	if (d->findings.is_broken &&
		!(journal_sync_once(d->journal, err) && journal_break_noted(d->journal, err)))
		return false;
	if (!forget_restored(d, err))
		return false;
	if (unlink(crash_path) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", crash_path);
	bool is_os = d->options->durability == BRIDGE_DURABILITY_OS;
	AUTO(str) char *run = mem_printf("%s %s", is_os ? "os" : "disk", boot);
	return (state_is(d, STATE_POLICY, policy) || note_state(d, STATE_POLICY, policy, err)) &&
	       (state_is(d, STATE_RUN, run) || note_state(d, STATE_RUN, run, err)) &&
	       (!state_is(d, STATE_CLEAN, "1") || note_state(d, STATE_CLEAN, "0", err));
}

static void tell_findings(const struct daemon *d)
{
	const struct journal_findings *f = &d->findings;
	if (f->cut_bytes)
		log_info("cut %" PRIu64 " bytes of an unfinished record off the journal; "
			 "its request was never acknowledged",
			f->cut_bytes);
	if (f->bad_records)
		log_warning("%u damaged part%s of the journal (%" PRIu64
			    " bytes) set aside in %s/%s; the rest was kept",
			f->bad_records, f->bad_records == 1 ? "" : "s", f->bad_bytes,
			d->options->state_dir, f->first_bad_file);
	if (d->ledger_was_lost)
		log_warning("the ledger was damaged; it is kept as ledger-bad-*.db in %s and a new "
			    "one begun",
			d->options->state_dir);
}

static bool take_lock(struct daemon *d, struct error *err)
{
	AUTO(str) char *path = path_join(d->options->state_dir, LOCK_FILE);
	d->lock_fd = lock_take(path, err);
	if (d->lock_fd >= 0)
		return true;
	if (err->code == ERR_LOCKED)
		error_hint(err, "one bridge a state directory: stop that process, or give this one "
				"another --state");
	return false;
}

static bool take_directory(struct daemon *d, struct error *err)
{
	if (dir_make(d->options->state_dir, 0700, err) && take_lock(d, err))
		return true;
	error_hint(err, "give a directory that this user may write to with --state");
	return error_wrap(err, "use the state directory");
}

bool daemon_open_state(struct daemon *d, struct error *err)
{
	const struct bridge_options *o = d->options;
	if (!take_directory(d, err))
		return false;
	struct ledger *ledger = ledger_open(o->state_dir, &d->ledger_was_lost, err);
	if (!ledger)
		return false;
	uint64_t seed;
	if (!random_seed(&seed, err)) {
		ledger_close(ledger);
		return false;
	}
	struct ingest_options ingest_options = {
		.seed = seed,
		.series_max = (size_t)o->series_max,
		.streams_max = (size_t)o->streams_max,
		.retention_ms = o->retention_ms,
		.zero_hold_ms = o->zero_hold_ms,
		.has_session_label = o->has_session_label,
	};
	uint64_t position = ledger_position(ledger);
	d->ingest = ingest_new(&ingest_options);
	d->checkpoint_position = position;
	if (!load_checkpoint(d, ledger, err) || !daemon_open_alarm(d, ledger, seed, err) ||
		!(d->journal = journal_open(o->state_dir, position, &d->findings, err)) ||
		!replay_requests(d, position, err) || !replay(d, position, err)) {
		ledger_close(ledger);
		return false;
	}
	tell_findings(d);
	daemon_begin_alarm(d);
	d->keeper = keeper_start(ledger, o->retention_ms, err);
	if (!d->keeper) {
		ledger_close(ledger);
		return false;
	}
	uint64_t begun = journal_end(d->journal);
	/* Also under durability os: after a power cut, the mark of the clean end before must not be the last word. */
	return settle_seed(d, err) && settle_epoch(d, err) &&
	       (journal_end(d->journal) == begun || journal_sync_once(d->journal, err));
}
