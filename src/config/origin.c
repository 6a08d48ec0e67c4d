#include "config/origin.h"

#include "core/mem.h"

static const char *const names[] = {
	[ORIGIN_DEFAULT] = "default",
	[ORIGIN_PROFILE] = "profile",
	[ORIGIN_FILE] = "file",
	[ORIGIN_ENVIRONMENT] = "environment",
	[ORIGIN_FLAG] = "flag",
};

const char *origin_kind_name(enum origin_kind kind)
{
	return names[kind];
}

char *origin_text(const struct origin *origin)
{
	switch (origin->kind) {
	case ORIGIN_DEFAULT:
		return mem_strdup("default");
	case ORIGIN_PROFILE:
		return mem_printf("profile %s", origin->name);
	case ORIGIN_FILE:
		return origin->line ? mem_printf("%s:%zu", origin->name, origin->line)
				    : mem_strdup(origin->name);
	case ORIGIN_ENVIRONMENT:
	case ORIGIN_FLAG:
		break;
	}
	return mem_strdup(origin->name);
}
