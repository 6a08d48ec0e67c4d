/* What alerts.c and alerts_saved.c share. */
#ifndef CCTM_BRIDGE_ALERTS_ALERTS_INTERNAL_H
#define CCTM_BRIDGE_ALERTS_ALERTS_INTERNAL_H

#include "bridge/alerts/alerts.h"

struct channel {
	unsigned failures; /* in a row */
	int64_t first_failure_mono_ms, next_mono_ms;
};

struct alerts {
	struct alerts_options options;
	struct alert *items;
	size_t count, room;
	uint32_t last_id;
	struct channel channels[CHANNEL_COUNT];
	bool has_changed;
};

/* Its subject is a copy of `subject`, its id a new one. */
struct alert *alerts_add(struct alerts *a, const struct alert *alert, const char *subject);

#endif
