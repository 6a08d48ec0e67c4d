#include "bridge/ingest/sessions.h"

#include <stdlib.h>

#include "bridge/journal/record.h"
#include "core/mem.h"

struct sessions {
	struct session *slots;
	size_t slot_count, count;
};

#define SLOTS_INITIAL 64u

struct sessions *sessions_new(void)
{
	struct sessions *s = mem_zalloc(sizeof *s);
	s->slot_count = SLOTS_INITIAL;
	s->slots = mem_calloc(s->slot_count, sizeof *s->slots);
	return s;
}

static void session_clear(struct session *one)
{
	free(one->text);
	free(one->user);
	free(one->terminal);
	free(one->version);
	*one = (struct session){ 0 };
}

void sessions_free(struct sessions *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->slot_count; i++)
		session_clear(&s->slots[i]);
	free(s->slots);
	free(s);
}

static struct session *slot_of(struct session *slots, size_t slot_count, uint64_t hash)
{
	size_t at = hash & (slot_count - 1);
	while (slots[at].hash && slots[at].hash != hash)
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

/* A table of `slot_count` slots with the sessions seen at or after `from_ms`. */
static void rebuild(struct sessions *s, size_t slot_count, int64_t from_ms)
{
	struct session *slots = mem_calloc(slot_count, sizeof *slots);
	s->count = 0;
	for (size_t i = 0; i < s->slot_count; i++) {
		struct session *old = &s->slots[i];
		if (!old->hash)
			continue;
		if (old->last_ms < from_ms) {
			session_clear(old);
			continue;
		}
		*slot_of(slots, slot_count, old->hash) = *old;
		s->count++;
	}
	free(s->slots);
	s->slots = slots;
	s->slot_count = slot_count;
}

struct session *sessions_find(struct sessions *s, uint64_t hash)
{
	struct session *slot = slot_of(s->slots, s->slot_count, hash);
	return slot->hash ? slot : NULL;
}

static void learn(struct session *one, char **field, struct slice value)
{
	if (*field || value.len == 0)
		return;
	*field = mem_strndup((const char *)value.ptr, value.len);
	one->segment = 0;
}

struct session *sessions_learn(struct sessions *s, struct slice text, struct slice user,
	struct slice terminal, struct slice version)
{
	uint64_t hash = record_session_hash(text);
	struct session *one = slot_of(s->slots, s->slot_count, hash);
	if (!one->hash) {
		if (++s->count > s->slot_count / 4 * 3) {
			size_t count = s->count;
			rebuild(s, s->slot_count * 2, INT64_MIN);
			s->count = count;
			one = slot_of(s->slots, s->slot_count, hash);
		}
		one->hash = hash;
		one->text = mem_strndup((const char *)text.ptr, text.len);
	}
	learn(one, &one->user, user);
	learn(one, &one->terminal, terminal);
	learn(one, &one->version, version);
	return one;
}

void sessions_expire(struct sessions *s, int64_t before_ms)
{
	rebuild(s, s->slot_count, before_ms);
}

size_t sessions_count(const struct sessions *s)
{
	return s->count;
}
