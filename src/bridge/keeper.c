#include "bridge/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"

#define SYNC_EVERY 8 /* advances between two durable points */

struct keeper {
	struct ledger *ledger;
	int64_t retention_ms;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	/* under the mutex */
	uint64_t wanted;
	bool wants_advance, wants_expiry, wants_end;
	struct keeper_status status;
	/* the thread's own */
	unsigned advances;
};

static void set_problem(struct keeper *k, const struct error *err)
{
	pthread_mutex_lock(&k->mutex);
	snprintf(k->status.problem, sizeof k->status.problem, "%s", err->message);
	pthread_mutex_unlock(&k->mutex);
	log_warning("the ledger could not be brought up to date: %s", err->message);
}

static bool sync_now(struct keeper *k, struct error *err)
{
	if (!ledger_sync(k->ledger, err))
		return false;
	pthread_mutex_lock(&k->mutex);
	k->status.durable_position = ledger_position(k->ledger);
	pthread_mutex_unlock(&k->mutex);
	return true;
}

static bool expire(struct keeper *k, struct error *err)
{
	uint64_t deleted;
	return ledger_expire(k->ledger, clock_wall_ms() - k->retention_ms, &deleted, err);
}

static bool work(struct keeper *k, uint64_t position, bool also_expire, struct error *err)
{
	if (!ledger_advance(k->ledger, position, err))
		return false;
	if (also_expire && !expire(k, err))
		return false;
	if (++k->advances % SYNC_EVERY == 0 && !sync_now(k, err))
		return false;
	struct ledger_stats stats;
	if (!ledger_stats(k->ledger, &stats, err))
		return false;
	pthread_mutex_lock(&k->mutex);
	k->status.stats = stats;
	k->status.problem[0] = '\0';
	pthread_mutex_unlock(&k->mutex);
	return true;
}

static void *run(void *ctx)
{
	struct keeper *k = ctx;
	pthread_mutex_lock(&k->mutex);
	for (;;) {
		while (!k->wants_advance && !k->wants_end)
			pthread_cond_wait(&k->wake, &k->mutex);
		if (k->wants_end)
			break;
		uint64_t position = k->wanted;
		bool also_expire = k->wants_expiry;
		k->wants_advance = k->wants_expiry = false;
		k->status.is_busy = true;
		pthread_mutex_unlock(&k->mutex);
		AUTO(error) struct error err = ERROR_INIT;
		if (!work(k, position, also_expire, &err))
			set_problem(k, &err);
		pthread_mutex_lock(&k->mutex);
		k->status.is_busy = false;
	}
	pthread_mutex_unlock(&k->mutex);
	return NULL;
}

struct keeper *keeper_start(struct ledger *ledger, int64_t retention_ms, struct error *err)
{
	struct keeper *k = mem_zalloc(sizeof *k);
	k->ledger = ledger;
	k->retention_ms = retention_ms;
	pthread_mutex_init(&k->mutex, NULL);
	pthread_cond_init(&k->wake, NULL);
	if (!ledger_stats(ledger, &k->status.stats, err)) {
		free(k);
		return NULL;
	}
	/* Signals are the loop's. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&k->thread, NULL, run, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		pthread_setname_np(k->thread, "cctm-ledger");
	if (failed) {
		error_set_errno(err, ERR_FAILED, failed, "cannot start the ledger's thread");
		free(k);
		return NULL;
	}
	return k;
}

void keeper_advance(struct keeper *k, uint64_t position, bool also_expire)
{
	pthread_mutex_lock(&k->mutex);
	k->wanted = position;
	k->wants_advance = true;
	k->wants_expiry = k->wants_expiry || also_expire;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->mutex);
}

void keeper_status(struct keeper *k, struct keeper_status *out)
{
	pthread_mutex_lock(&k->mutex);
	*out = k->status;
	pthread_mutex_unlock(&k->mutex);
}

bool keeper_finish(struct keeper *k, uint64_t position, struct error *err)
{
	pthread_mutex_lock(&k->mutex);
	k->wants_end = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->mutex);
	pthread_join(k->thread, NULL);
	bool ok = ledger_advance(k->ledger, position, err) && ledger_sync(k->ledger, err);
	ledger_close(k->ledger);
	pthread_mutex_destroy(&k->mutex);
	pthread_cond_destroy(&k->wake);
	free(k);
	return ok;
}
