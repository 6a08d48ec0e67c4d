#include "claude/faults.h"

#include <stddef.h>
#include <stdio.h>

struct version {
	unsigned major, minor, patch;
};

/* Both ends belong to it. */
static const struct {
	struct version first, last;
	const char *sentence;
} rows[] = {
	{ { 2, 1, 252 }, { 2, 1, 252 },
		"this version was reported to send nothing and to say nothing of it (issue 91165): "
		"update Claude Code" },
	{ { 2, 1, 113 }, { 2, 1, 178 },
		"from 2.1.113 on exporters were reported to stay silently off (issue 71312): if "
		"nothing arrives, update Claude Code" },
	{ { 2, 1, 179 }, { 2, 1, 327 },
		"from 2.1.113 on exporters were reported to stay silently off (issue 71312): "
		"CLAUDE_CODE_OTEL_DIAG_STDERR=1 prints why; recordings of 2.1.328 are complete" },
};

static int compare(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	return a->patch < b->patch ? -1 : a->patch > b->patch;
}

const char *version_fault(const char *version)
{
	struct version v;
	if (!version || sscanf(version, "%5u.%5u.%5u", &v.major, &v.minor, &v.patch) != 3)
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (compare(&v, &rows[i].first) >= 0 && compare(&v, &rows[i].last) <= 0)
			return rows[i].sentence;
	}
	return NULL;
}
