#include "bridge/alerts/spending.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/ledger/cells.h"
#include "bridge/ledger/sum.h"
#include "core/hash128.h"
#include "core/mem.h"
#include "core/zone.h"

#define MINUTE_MS INT64_C(60000)
#define SLACK_MS  (INT64_C(7) * 86400000) /* how far a clock may be set back */
/* Of an identifier that is no name: so many of its characters tell installations apart. */
#define SHORT_ID 8

struct subject {
	uint64_t key[2]; /* of scope and text */
	enum budget_scope scope;
	char *text;
	double hi[PERIOD_COUNT], lo[PERIOD_COUNT];
};

struct day {
	uint32_t day; /* minute of its beginning */
	uint32_t subject;
	double hi, lo;
};

/* For whom a series counts, found once. */
struct known {
	uint32_t series;
	uint32_t subjects[SCOPE_COUNT]; /* number plus one; 0: nobody */
};

struct spending {
	bool scopes[SCOPE_COUNT];
	size_t subjects_max;
	struct hash128 hash;
	struct cells subjects, days, known;
	uint32_t day, day_end; /* the day that was met last */
	uint32_t forgotten;    /* what lies before is not kept */
	uint64_t unheld;
};

static uint32_t add_subject(struct spending *s, enum budget_scope scope, struct slice text);

struct spending *spending_new(const bool scopes[SCOPE_COUNT], size_t subjects_max, uint64_t seed)
{
	struct spending *s = mem_zalloc(sizeof *s);
	memcpy(s->scopes, scopes, sizeof s->scopes);
	s->scopes[SCOPE_ALL] = true;
	s->subjects_max = subjects_max;
	hash128_init(&s->hash, seed);
	s->subjects = (struct cells)CELLS_INIT(struct subject, 16);
	s->days = (struct cells)CELLS_INIT(struct day, 8);
	s->known = (struct cells)CELLS_INIT(struct known, 4);
	add_subject(s, SCOPE_ALL, SLICE_LIT(""));
	return s;
}

static struct subject *subject_at(const struct spending *s, size_t i)
{
	return cells_at(&s->subjects, i);
}

static void drop_subjects(struct cells *subjects)
{
	for (size_t i = 0; i < subjects->count; i++)
		free(((struct subject *)cells_at(subjects, i))->text);
	cells_clear(subjects);
}

void spending_free(struct spending *s)
{
	if (!s)
		return;
	drop_subjects(&s->subjects);
	cells_clear(&s->days);
	cells_clear(&s->known);
	free(s);
}

static uint32_t minute_of(int64_t ms)
{
	return (uint32_t)(ms > 0 ? ms / MINUTE_MS : 0);
}

uint32_t spending_since(int64_t now_ms)
{
	int64_t week = budget_period_start(PERIOD_WEEK, now_ms);
	int64_t month = budget_period_start(PERIOD_MONTH, now_ms);
	return minute_of((week < month ? week : month) - SLACK_MS);
}

/* ---- subjects ---- */

static void key_of(
	const struct spending *s, enum budget_scope scope, struct slice text, uint64_t key[2])
{
	hash128(&s->hash, text.ptr, text.len, key);
	key[0] += scope;
}

/* Its number plus one; 0: there are too many. */
static uint32_t add_subject(struct spending *s, enum budget_scope scope, struct slice text)
{
	uint64_t key[2];
	key_of(s, scope, text, key);
	struct subject *known = cells_find(&s->subjects, key);
	if (!known && s->subjects.count > s->subjects_max)
		return 0;
	bool is_new;
	struct subject *subject = cells_add(&s->subjects, key, &is_new);
	if (is_new) {
		subject->scope = scope;
		subject->text = mem_strndup((const char *)text.ptr, text.len);
	}
	return (uint32_t)cells_index(&s->subjects, subject) + 1;
}

static struct slice label(const struct op_label *labels, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_str(labels[i].name, name))
			return labels[i].value;
	}
	return slice_of(NULL, 0);
}

/* Whole characters of UTF-8. */
static struct slice shortened(struct slice text)
{
	size_t characters = 0;
	for (size_t i = 0; i < text.len; i++) {
		characters += (text.ptr[i] & 0xc0) != 0x80;
		if (characters > SHORT_ID)
			return slice_of(text.ptr, i);
	}
	return text;
}

/* The best identity there is: the same as in the recording rules, so that both name one person alike. */
static struct slice user_of(const struct op_label *labels, size_t count)
{
	static const char *const names[] = { "user_email", "user_account_uuid", "enduser_id" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct slice found = label(labels, count, names[i]);
		if (found.len)
			return found;
	}
	return shortened(label(labels, count, "user_id"));
}

static struct slice text_of(
	enum budget_scope scope, const struct op_label *labels, size_t label_count)
{
	switch (scope) {
	case SCOPE_USER:
		return user_of(labels, label_count);
	case SCOPE_TEAM:
		return label(labels, label_count, "team_id");
	case SCOPE_MODEL:
		return label(labels, label_count, "model");
	case SCOPE_ALL:
	case SCOPE_COUNT:
		break;
	}
	return SLICE_LIT("");
}

static const struct known *know(
	struct spending *s, uint32_t series, const struct op_label *labels, size_t label_count)
{
	bool is_new;
	struct known *known = cells_add(&s->known, &series, &is_new);
	for (unsigned i = 0; is_new && i < SCOPE_COUNT; i++) {
		enum budget_scope scope = (enum budget_scope)i;
		struct slice text = text_of(scope, labels, label_count);
		if (s->scopes[scope] && (text.len || scope == SCOPE_ALL))
			known->subjects[scope] = add_subject(s, scope, text);
	}
	return known;
}

/* ---- amounts ---- */

static uint32_t day_of(struct spending *s, uint32_t minute)
{
	if (minute < s->day || minute >= s->day_end) {
		s->day = minute_of(zone_day(minute * MINUTE_MS, 0));
		s->day_end = minute_of(zone_day(minute * MINUTE_MS, 1));
	}
	return s->day;
}

static void add_day(struct spending *s, uint32_t day, uint32_t subject, double hi, double lo)
{
	uint32_t key[2] = { day, subject };
	bool is_new;
	struct day *cell = cells_add(&s->days, key, &is_new);
	sum_add(&cell->hi, &cell->lo, hi);
	sum_add(&cell->hi, &cell->lo, lo);
}

void spending_add(struct spending *s, uint32_t minute, uint32_t series,
	const struct op_label *labels, size_t label_count, double usd)
{
	if (minute < s->forgotten)
		return;
	const struct known *known = know(s, series, labels, label_count);
	uint32_t day = day_of(s, minute);
	for (unsigned i = 0; i < SCOPE_COUNT; i++) {
		enum budget_scope scope = (enum budget_scope)i;
		if (known->subjects[scope])
			add_day(s, day, known->subjects[scope] - 1, usd, 0);
		else
			s->unheld +=
				s->scopes[scope] && text_of(scope, labels, label_count).len > 0;
	}
}

/* ---- sums ---- */

/* Keeps the days from `since` on and whoever spent something in them. */
static void forget(struct spending *s, uint32_t since)
{
	struct cells subjects = s->subjects, days = s->days;
	s->subjects = (struct cells)CELLS_INIT(struct subject, 16);
	s->days = (struct cells)CELLS_INIT(struct day, 8);
	s->forgotten = since;
	cells_clear(&s->known); /* it numbers subjects */
	add_subject(s, SCOPE_ALL, SLICE_LIT(""));
	for (size_t i = 0; i < days.count; i++) {
		const struct day *day = cells_at(&days, i);
		const struct subject *subject = cells_at(&subjects, day->subject);
		if (day->day < since)
			continue;
		uint32_t number = add_subject(s, subject->scope, slice_str(subject->text));
		if (number)
			add_day(s, day->day, number - 1, day->hi, day->lo);
	}
	drop_subjects(&subjects);
	cells_clear(&days);
}

static bool has_days_before(const struct spending *s, uint32_t since)
{
	for (size_t i = 0; i < s->days.count; i++) {
		const struct day *day = cells_at(&s->days, i);
		if (day->day < since)
			return true;
	}
	return false;
}

void spending_sum(struct spending *s, int64_t now_ms)
{
	uint32_t starts[PERIOD_COUNT], since = spending_since(now_ms);
	if (has_days_before(s, since))
		forget(s, since);
	for (unsigned p = 0; p < PERIOD_COUNT; p++)
		starts[p] = minute_of(budget_period_start((enum budget_period)p, now_ms));
	for (size_t i = 0; i < s->subjects.count; i++) {
		memset(subject_at(s, i)->hi, 0, sizeof subject_at(s, i)->hi);
		memset(subject_at(s, i)->lo, 0, sizeof subject_at(s, i)->lo);
	}
	for (size_t i = 0; i < s->days.count; i++) {
		const struct day *day = cells_at(&s->days, i);
		struct subject *subject = subject_at(s, day->subject);
		for (unsigned p = 0; p < PERIOD_COUNT; p++) {
			if (day->day < starts[p])
				continue;
			sum_add(&subject->hi[p], &subject->lo[p], day->hi);
			sum_add(&subject->hi[p], &subject->lo[p], day->lo);
		}
	}
}

size_t spending_count(const struct spending *s)
{
	return s->subjects.count;
}

enum budget_scope spending_scope(const struct spending *s, size_t subject)
{
	return subject_at(s, subject)->scope;
}

const char *spending_subject(const struct spending *s, size_t subject)
{
	return subject_at(s, subject)->text;
}

bool spending_find(
	const struct spending *s, enum budget_scope scope, const char *text, size_t *subject)
{
	uint64_t key[2];
	key_of(s, scope, slice_str(text), key);
	const struct subject *found = cells_find(&s->subjects, key);
	if (found)
		*subject = cells_index(&s->subjects, found);
	return found != NULL;
}

double spending_of(const struct spending *s, enum budget_period period, size_t subject)
{
	const struct subject *of = subject_at(s, subject);
	return of->hi[period] + of->lo[period];
}

uint64_t spending_unheld(const struct spending *s)
{
	return s->unheld;
}
