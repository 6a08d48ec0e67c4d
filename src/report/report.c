#include "report/report.h"

#include <stdlib.h>
#include <string.h>

const char *const report_by_names[BY_COUNT + 1] = {

#define X(by, name) [by] = (name),
	REPORT_BY(X)
#undef X
};

bool report_by_is_time(enum report_by by)
{
	return by <= BY_MONTH;
}

enum report_by report_by_parse(const char *name)
{
	enum report_by by = 0;
	while (by < BY_COUNT && strcmp(report_by_names[by], name) != 0)
		by++;
	return by;
}

bool report_knows(const struct report *r, enum figure figure)
{
	bool is_of_events = figure == FIGURE_API_REQUESTS || figure == FIGURE_API_ERRORS;
	return !is_of_events || r->has_events || !r->has_data;
}

void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->group_count; i++) {
		free(r->groups[i]->key);
		free(r->groups[i]->user);
		free(r->groups[i]);
	}
	free(r->groups);
	*r = (struct report){ 0 };
}
