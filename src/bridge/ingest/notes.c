/* What the bridge itself has to note: scrapes, lost events, epochs, state. Each fills the record as a request
 * does. */
#include "bridge/ingest/ingest_internal.h"
#include "core/mem.h"

/* That scrapers still come is noted, also when nothing is new. */
#define SCRAPE_NOTE_MS INT64_C(3600000)
#define LOST_EXPOSED   "cctm_client_lost_events_total"
#define LOST_FAMILY    "cctm.client_lost_events"

bool ingest_prepare_scrape(struct ingest *ing, int64_t now_ms)
{
	int64_t last_ms = store_last_scrape_ms(ing->store);
	bool is_due = last_ms && now_ms - last_ms >= SCRAPE_NOTE_MS;
	if (!is_due && !store_has_unscraped(ing->store) && !store_has_unshown(ing->store))
		return false;
	stage_begin(ing, now_ms, 0);
	ing->op.kind = OP_SCRAPE;
	ing->op.u.scrape = (struct op_scrape){ now_ms, ing->options.zero_hold_ms };
	record_put(&ing->record, &ing->op);
	return true;
}

/* The series that counts lost events, with its definition staged; NULL: its name is taken. */
static struct series *lost_series(struct ingest *ing)
{
	struct op_series *d = &ing->op.series;
	*d = (struct op_series){
		.kind = SERIES_COUNTER,
		.metric = SLICE_LIT(LOST_FAMILY),
		.family = SLICE_LIT(LOST_EXPOSED),
		.unit = SLICE_LIT(""),
		.help = SLICE_LIT("Client events found missing, told from gaps in event.sequence"),
	};
	struct series *known =
		store_find(ing->store, (const char *)d->family.ptr, d->family.len, "", 0);
	return known ? known : store_define(ing->store, d);
}

uint64_t notes_lost_events(const struct ingest *ing)
{
	const struct series *series =
		store_find(ing->store, LOST_EXPOSED, sizeof LOST_EXPOSED - 1, "", 0);
	const struct part *value = series ? series_part(series, 0) : NULL;
	return value ? (uint64_t)part_value(value) : 0;
}

/* The tracker says it once; it stays owed until it is in the journal. */
static void owe_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	struct ingest *ing = ctx;
	ing->owed = mem_grow(ing->owed, &ing->owed_room, ing->owed_count + 1, sizeof *ing->owed);
	ing->owed[ing->owed_count++] = (struct op_lost){ session, count, is_unknown };
}

/* Returns how many events are missing. */
static double stage_owed(struct ingest *ing)
{
	double lost = 0;
	for (size_t i = 0; i < ing->owed_count; i++) {
		ing->op.kind = OP_LOST;
		ing->op.u.lost = ing->owed[i];
		record_put(&ing->record, &ing->op);
		if (ing->owed[i].count > 0)
			lost += (double)ing->owed[i].count;
	}
	ing->staged.pays_owed = true;
	return lost;
}

bool ingest_prepare_expiry(struct ingest *ing, int64_t now_ms, uint32_t segment)
{
	stage_begin(ing, now_ms, segment);
	sequence_expire(ing->sequence, now_ms, owe_lost, ing);
	if (ing->owed_count == 0)
		return false;
	double lost = stage_owed(ing);
	struct series *series = lost > 0 ? lost_series(ing) : NULL;
	if (series) {
		stage_context(ing, 0, stage_minute(ing, 0));
		stage_add(ing, series, 0, lost);
	}
	return true;
}

/* A summary's quantiles are what they are; everything else counts. */
static bool is_counted(const struct series *series, const struct part *p)
{
	return series->family->kind != SERIES_SUMMARY || p->id < 2;
}

static void carry_part(struct ingest *ing, const struct series *series, const struct part *p)
{
	struct op *op = &ing->op;
	if (is_counted(series, p)) {
		op->kind = OP_CARRY;
		op->u.add = (struct op_add){ series->id, p->id, part_value(p) - p->scraped };
	} else {
		op->kind = OP_SET;
		op->u.set = (struct op_set){ series->id, p->id, p->set_ms, part_value(p) };
	}
	record_put(&ing->record, op);
}

static void carry(struct ingest *ing, const struct series *series)
{
	bool is_needed = false;
	for (size_t k = 0; k < series->part_count && !is_needed; k++) {
		const struct part *p = &series->parts[k];
		is_needed = is_counted(series, p) && part_value(p) != p->scraped;
	}
	if (!is_needed)
		return;
	stage_put_definition(ing, series);
	for (size_t k = 0; k < series->part_count; k++)
		carry_part(ing, series, &series->parts[k]);
}

void ingest_prepare_epoch(
	struct ingest *ing, int64_t now_ms, uint64_t start_ns, bool carries_unscraped)
{
	stage_begin(ing, now_ms, 0);
	ing->op.kind = OP_EPOCH;
	ing->op.u.epoch.start_ns = start_ns;
	record_put(&ing->record, &ing->op);
	if (!carries_unscraped)
		return;
	for (size_t f = 0; f < store_family_count(ing->store); f++) {
		const struct family *family = store_family_at(ing->store, f);
		for (size_t i = 0; family->kind != SERIES_GAUGE && i < family->series_count; i++) {
			if (family->series[i]->is_live)
				carry(ing, family->series[i]);
		}
	}
}

void ingest_prepare_state(struct ingest *ing, int64_t now_ms, const char *name, struct slice bytes)
{
	stage_begin(ing, now_ms, 0);
	ing->op.kind = OP_STATE;
	ing->op.u.state = (struct op_state){ slice_str(name), bytes };
	record_put(&ing->record, &ing->op);
}

void ingest_prepare_sequence_state(struct ingest *ing, int64_t now_ms)
{
	AUTO(buf) struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(ing->sequence, &saved);
	ingest_prepare_state(ing, now_ms, STATE_SEQUENCE, buf_slice(&saved));
}
