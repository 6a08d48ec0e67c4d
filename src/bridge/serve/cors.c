#include "bridge/serve/cors.h"

#include <stdlib.h>

#include "core/mem.h"

#define HEADERS_MAX 1024

void cors_init(struct cors *cors, const char *const *origins)
{
	size_t count = 0;
	*cors = (struct cors){ 0 };
	if (!origins)
		return;
	while (origins[count])
		count++;
	cors->origins = mem_calloc(count + 1, sizeof(*cors->origins));
	for (size_t i = 0; i < count; i++)
		cors->origins[i] = mem_strdup(origins[i]);
}

void cors_clear(struct cors *cors)
{
	for (char **origin = cors->origins; origin && *origin; origin++)
		free(*origin);
	free(cors->origins);
	*cors = (struct cors){ 0 };
}

const char *cors_allow(const struct cors *cors, struct slice origin)
{
	if (!origin.len)
		return NULL;
	for (char **allowed = cors->origins; allowed && *allowed; allowed++)
		if (strcmp(*allowed, "*") == 0 || slice_eq_str(origin, *allowed))
			return *allowed;
	return NULL;
}

static bool is_name_list(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.ptr[i];
		bool is_alnum =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_alnum && !strchr("-_., ", c))
			return false;
	}
	return s.len > 0;
}

struct slice cors_headers(struct slice requested)
{
	if (requested.len <= HEADERS_MAX && is_name_list(requested))
		return requested;
	return SLICE_LIT("content-type, content-encoding, authorization");
}
