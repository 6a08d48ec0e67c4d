/* What alarm.c knows and alarm_pages.c shows. */
#ifndef CCTM_BRIDGE_ALARM_INTERNAL_H
#define CCTM_BRIDGE_ALARM_INTERNAL_H

#include "bridge/alerts/activity.h"
#include "bridge/alerts/alerts.h"
#include "bridge/alerts/courier.h"
#include "bridge/alerts/spending.h"
#include "bridge/bridge_internal.h"

/* What a channel answered to a test. */
struct test_result {
	bool is_done, is_ok;
	char *error;
};

/* A test that somebody waits for; `exchange` NULL: none. */
struct alarm_test {
	struct serve_exchange *exchange;
	int64_t begun_mono_ms;
	struct test_result results[CHANNEL_COUNT];
};

/* For whom a program runs. */
enum alarm_purpose {
	FOR_ALERTS, /* of the batch */
	FOR_TEST,
	FOR_NOBODY, /* a test that was answered without it */
};

/* The last that was tried, for whoever looks; at_ms 0: none was. */
struct alarm_last {
	int64_t at_ms;
	enum alert_channel channel;
	bool is_ok;
	char *error;
};

struct alarm {
	struct alerts_options options;
	const char *const *argv[CHANNEL_COUNT]; /* NULL: not configured */
	struct alerts *alerts;
	struct spending *spending; /* NULL: no budgets */
	struct activity activity;
	int64_t last_data_ms; /* when something of Claude Code's arrived that counted; 0: not since the start */
	bool minds_silence;
	struct courier *courier;
	char *url;

	bool has_spent; /* since the last look */
	int64_t looked_mono_ms, kept_mono_ms;
	int64_t seen_ms,
		watching_since_ms; /* wall times: of the last look, and since when there was no gap */

	enum alarm_purpose purpose; /* of what is under way */
	enum alert_channel under_way;
	struct alert_batch batch;
	struct alarm_test test;
	struct alarm_last last;
	uint64_t outcomes[CHANNEL_COUNT][OUTCOME_COUNT];
};

/* Sums and alerts as of now. */
void alarm_look(struct daemon *d, int64_t mono_ms);

#endif
