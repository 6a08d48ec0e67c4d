#include "config/problems.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/mem.h"

void problems_add(
	struct problems *problems, const struct origin *where, const char *key, struct error *error)
{
	if (problems->count >= PROBLEMS_MAX) {
		error_clear(error);
		return;
	}
	problems->items =
		mem_realloc(problems->items, problems->count + 1, sizeof *problems->items);
	struct problem *problem = &problems->items[problems->count++];
	*problem = (struct problem){ .where = *where, .error = *error };
	problem->where.name = where->name ? mem_strdup(where->name) : NULL;
	problem->key = key ? mem_strdup(key) : NULL;
	*error = (struct error)ERROR_INIT;
}

void problems_clear(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free((void *)(uintptr_t)problems->items[i].where.name);
		free(problems->items[i].key);
		error_clear(&problems->items[i].error);
	}
	free(problems->items);
	*problems = (struct problems){ 0 };
}

char *problem_text(const struct problem *problem)
{
	if (!problem->where.name && problem->where.kind == ORIGIN_FILE)
		return mem_strdup(problem->error.message);
	AUTO(str) char *where = origin_text(&problem->where);
	AUTO(str)
	char *place = problem->where.column ? mem_printf("%s:%zu", where, problem->where.column)
					    : mem_strdup(where);
	return mem_printf("%s: %s%s%s", place, problem->key ? problem->key : "",
		problem->key ? ": " : "", problem->error.message);
}

bool problems_error(const struct problems *problems, struct error *err)
{
	const struct problem *first = &problems->items[0];
	AUTO(str) char *text = problem_text(first);
	error_set(err, first->error.code, "%s", text);
	if (first->error.hint)
		error_hint(err, "%s", first->error.hint);
	if (problems->count > 1)
		error_hint(err, "'cctm config check' shows all %zu problems", problems->count);
	return false;
}
