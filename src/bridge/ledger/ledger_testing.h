/* For the tests of this room: a journal in a directory of its own, filled operation by operation. */
#ifndef CCTM_BRIDGE_LEDGER_LEDGER_TESTING_H
#define CCTM_BRIDGE_LEDGER_LEDGER_TESTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/journal/record.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

#define ARRIVED_MS INT64_C(1790000000000)
#define MINUTE	   ((uint32_t)(ARRIVED_MS / 60000))

struct testing {
	char *dir;
	struct journal *journal;
	struct buf record;
	struct op op;
	int64_t arrived_ms;
};

static inline void testing_reopen(struct testing *t, uint64_t at_least)
{
	struct error err = ERROR_INIT;
	struct journal_findings findings;
	journal_free(t->journal);
	t->journal = journal_open(t->dir, at_least, &findings, &err);
	if (!t->journal)
		abort();
}

static inline struct testing *testing_new(void)
{
	struct testing *t = mem_zalloc(sizeof *t);
	t->dir = tempdir_make();
	if (!t->dir)
		abort();
	t->record = (struct buf)BUF_INIT(BUF_UNLIMITED);
	t->arrived_ms = ARRIVED_MS;
	testing_reopen(t, 0);
	return t;
}

static inline void testing_free(struct testing *t)
{
	journal_free(t->journal);
	buf_clear(&t->record);
	tempdir_remove(t->dir);
	free(t);
}

static inline void testing_begin(struct testing *t)
{
	t->record.len = 0;
	record_begin(&t->record, t->arrived_ms);
}

/* Appends the record; the position behind it. */
static inline uint64_t testing_end(struct testing *t)
{
	struct error err = ERROR_INIT;
	if (!journal_append(t->journal, buf_slice(&t->record), &err))
		abort();
	return journal_end(t->journal);
}

static inline void put_series(struct testing *t, uint32_t id, enum series_kind kind,
	const char *metric, const char *name, const char *value)
{
	t->op = (struct op){ .kind = OP_SERIES };
	t->op.series.id = id;
	t->op.series.kind = kind;
	t->op.series.metric = slice_str(metric);
	t->op.series.family = slice_str(metric);
	if (name) {
		t->op.series.label_count = 1;
		t->op.series.labels[0] = (struct op_label){ slice_str(name), slice_str(value) };
	}
	record_put(&t->record, &t->op);
}

static inline uint64_t put_session(struct testing *t, const char *text, const char *user)
{
	uint64_t hash = record_session_hash(slice_str(text));
	t->op = (struct op){ .kind = OP_SESSION };
	t->op.u.session = (struct op_session){
		.session = hash, .text = slice_str(text), .user = slice_str(user)
	};
	record_put(&t->record, &t->op);
	return hash;
}

static inline void put_set(
	struct testing *t, uint32_t series, uint32_t part, int64_t time_ms, double value)
{
	t->op = (struct op){ .kind = OP_SET };
	t->op.u.set = (struct op_set){ series, part, time_ms, value };
	record_put(&t->record, &t->op);
}

static inline void put_carry(struct testing *t, uint32_t series, uint32_t part, double amount)
{
	t->op = (struct op){ .kind = OP_CARRY };
	t->op.u.add = (struct op_add){ series, part, amount };
	record_put(&t->record, &t->op);
}

static inline void put_held_scrape(struct testing *t, int64_t time_ms, int64_t hold_ms)
{
	t->op = (struct op){ .kind = OP_SCRAPE };
	t->op.u.scrape = (struct op_scrape){ time_ms, hold_ms };
	record_put(&t->record, &t->op);
}

static inline void put_scrape(struct testing *t, int64_t time_ms)
{
	put_held_scrape(t, time_ms, 0);
}

static inline void put_epoch(struct testing *t, uint64_t start_ns)
{
	t->op = (struct op){ .kind = OP_EPOCH };
	t->op.u.epoch.start_ns = start_ns;
	record_put(&t->record, &t->op);
}

static inline void put_lost(struct testing *t, uint64_t session, int64_t count, bool is_unknown)
{
	t->op = (struct op){ .kind = OP_LOST };
	t->op.u.lost = (struct op_lost){ session, count, is_unknown };
	record_put(&t->record, &t->op);
}

static inline void put_stream(struct testing *t, uint64_t key, uint32_t series, double value)
{
	t->op = (struct op){ .kind = OP_STREAM };
	t->op.u.stream = (struct op_stream){ .key = { key, ~key },
		.earliest_ns = key * 7,
		.anchor = key * 3,
		.series = series,
		.value = value,
		.time_ms = t->arrived_ms };
	record_put(&t->record, &t->op);
}

static inline void put_request(struct testing *t, uint64_t hash)
{
	t->op = (struct op){ .kind = OP_REQUEST };
	t->op.u.request[0] = hash;
	t->op.u.request[1] = hash + 1;
	record_put(&t->record, &t->op);
}

static inline void put_state(struct testing *t, const char *name, const char *bytes)
{
	t->op = (struct op){ .kind = OP_STATE };
	t->op.u.state = (struct op_state){ slice_str(name), slice_str(bytes) };
	record_put(&t->record, &t->op);
}

#endif
