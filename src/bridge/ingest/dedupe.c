/* Sets of 64 bits out of the 128: with a million hashes the chance that a new body is taken for an old one
 * is 5e-14, and the table is half as large. */
#include "bridge/ingest/dedupe.h"

#include <stdlib.h>

#include "core/mem.h"

struct set {
	uint64_t *slots; /* 0: empty */
	size_t slot_count, count;
	int64_t begun_ms;
};

struct dedupe {
	struct set present, past;
	size_t max;
	uint64_t shortened;
};

#define SLOTS_INITIAL 1024u

struct dedupe *dedupe_new(size_t max_per_generation)
{
	struct dedupe *d = mem_zalloc(sizeof *d);
	d->max = max_per_generation;
	return d;
}

void dedupe_free(struct dedupe *d)
{
	if (!d)
		return;
	free(d->present.slots);
	free(d->past.slots);
	free(d);
}

static uint64_t fingerprint(const uint64_t hash[2])
{
	return hash[0] ? hash[0] : 1;
}

static bool set_has(const struct set *s, uint64_t print)
{
	if (s->slot_count == 0)
		return false;
	for (size_t at = print & (s->slot_count - 1);; at = (at + 1) & (s->slot_count - 1)) {
		if (s->slots[at] == print)
			return true;
		if (s->slots[at] == 0)
			return false;
	}
}

static void set_put(struct set *s, uint64_t print)
{
	size_t at = print & (s->slot_count - 1);
	while (s->slots[at])
		at = (at + 1) & (s->slot_count - 1);
	s->slots[at] = print;
}

static void set_grow(struct set *s)
{
	struct set grown = { .begun_ms = s->begun_ms, .count = s->count };
	grown.slot_count = s->slot_count ? s->slot_count * 2 : SLOTS_INITIAL;
	grown.slots = mem_calloc(grown.slot_count, sizeof *grown.slots);
	for (size_t i = 0; i < s->slot_count; i++) {
		if (s->slots[i])
			set_put(&grown, s->slots[i]);
	}
	free(s->slots);
	*s = grown;
}

static void begin_generation(struct dedupe *d, int64_t now_ms)
{
	free(d->past.slots);
	d->past = d->present;
	d->present = (struct set){ .begun_ms = now_ms };
}

static void turn(struct dedupe *d, int64_t now_ms)
{
	if (d->present.count == 0) {
		d->present.begun_ms = now_ms;
	} else if (now_ms - d->present.begun_ms >= DEDUPE_WINDOW_MS) {
		begin_generation(d, now_ms);
	} else if (d->present.count >= d->max) {
		begin_generation(d, now_ms);
		d->shortened++;
	}
	if (d->past.slots && now_ms - d->present.begun_ms >= DEDUPE_WINDOW_MS) {
		free(d->past.slots);
		d->past = (struct set){ 0 };
	}
}

/* A generation is left to lie when nothing comes; it must not count for longer because of that. */
static bool is_over(const struct set *s, int64_t now_ms)
{
	return now_ms - s->begun_ms >= 2 * DEDUPE_WINDOW_MS;
}

static void set_prefetch(const struct set *s, uint64_t print)
{
	if (s->slot_count)
		__builtin_prefetch(&s->slots[print & (s->slot_count - 1)]);
}

void dedupe_prefetch(const struct dedupe *d, const uint64_t hash[2])
{
	set_prefetch(&d->present, fingerprint(hash));
	set_prefetch(&d->past, fingerprint(hash));
}

bool dedupe_has(const struct dedupe *d, const uint64_t hash[2], int64_t now_ms)
{
	uint64_t print = fingerprint(hash);
	return (set_has(&d->present, print) && !is_over(&d->present, now_ms)) ||
	       (set_has(&d->past, print) && !is_over(&d->past, now_ms));
}

void dedupe_add(struct dedupe *d, const uint64_t hash[2], int64_t seen_ms)
{
	turn(d, seen_ms);
	uint64_t print = fingerprint(hash);
	if (set_has(&d->present, print))
		return;
	if (d->present.count + 1 > d->present.slot_count / 8 * 7)
		set_grow(&d->present);
	set_put(&d->present, print);
	d->present.count++;
}

uint64_t dedupe_shortened(const struct dedupe *d)
{
	return d->shortened;
}
