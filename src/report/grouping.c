#include "report/grouping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "report/period.h"

#define FIRST_SLOTS 64

static size_t hash_key(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t slot_of(const struct grouping *g, const char *key)
{
	size_t mask = g->slot_count - 1, slot = hash_key(key) & mask;
	while (g->slots[slot] && strcmp(g->groups[g->slots[slot] - 1]->key, key) != 0)
		slot = (slot + 1) & mask;
	return slot;
}

static void rehash(struct grouping *g, size_t slot_count)
{
	free(g->slots);
	g->slots = mem_calloc(slot_count, sizeof *g->slots);
	g->slot_count = slot_count;
	for (size_t i = 0; i < g->count; i++)
		g->slots[slot_of(g, g->groups[i]->key)] = i + 1;
}

struct report_group *grouping_get(struct grouping *g, const char *key)
{
	if (g->count * 2 >= g->slot_count)
		rehash(g, g->slot_count ? g->slot_count * 2 : FIRST_SLOTS);
	size_t slot = slot_of(g, key);
	if (g->slots[slot])
		return g->groups[g->slots[slot] - 1];
	struct report_group *group = mem_zalloc(sizeof *group);
	group->key = mem_strdup(key);
	group->at_ms = INT64_MAX;
	g->groups = mem_grow(g->groups, &g->room, g->count + 1, sizeof(struct report_group *));
	g->groups[g->count++] = group;
	g->slots[slot] = g->count;
	return group;
}

void grouping_time_key(enum report_by by, int64_t ms, char out[ZONE_TEXT_MAX])
{
	assert(report_by_is_time(by));
	struct tm civil = zone_civil(by == BY_HOUR ? period_hour(ms) : ms);
	size_t len = 0;
	if (by == BY_DAY)
		len = strftime(out, ZONE_TEXT_MAX, "%Y-%m-%d", &civil);
	else if (by == BY_WEEK)
		len = strftime(out, ZONE_TEXT_MAX, "%G-W%V", &civil);
	else if (by == BY_MONTH)
		len = strftime(out, ZONE_TEXT_MAX, "%Y-%m", &civil);
	else if ((len = strftime(out, ZONE_TEXT_MAX, "%Y-%m-%dT%H:00", &civil)) > 0)
		zone_offset(&civil, out + len, ZONE_TEXT_MAX - len);
	assert(len > 0);
}

static int by_time(const void *a, const void *b)
{
	const struct report_group *x = *(struct report_group *const *)a;
	const struct report_group *y = *(struct report_group *const *)b;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static int by_cost(const void *a, const void *b)
{
	const struct report_group *x = *(struct report_group *const *)a;
	const struct report_group *y = *(struct report_group *const *)b;
	double cost_x = figures_value(&x->figures, FIGURE_COST);
	double cost_y = figures_value(&y->figures, FIGURE_COST);
	if (cost_x < cost_y || cost_x > cost_y)
		return cost_x < cost_y ? 1 : -1;
	double tokens_x = figures_tokens(&x->figures), tokens_y = figures_tokens(&y->figures);
	if (tokens_x < tokens_y || tokens_x > tokens_y)
		return tokens_x < tokens_y ? 1 : -1;
	return strcmp(x->key, y->key);
}

void grouping_finish(struct grouping *g, struct report *out)
{
	if (g->count)
		qsort(g->groups, g->count, sizeof(struct report_group *),
			report_by_is_time(out->by) ? by_time : by_cost);
	out->groups = g->groups;
	out->group_count = g->count;
	free(g->slots);
	*g = (struct grouping){ 0 };
}
