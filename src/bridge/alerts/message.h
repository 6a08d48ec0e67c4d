/* What is told of alerts, in the form that each channel takes. An alert of NULL is a test.
 *
 * The webhook's document is that of Alertmanager's webhook receiver, version "4", so that whatever takes those takes
 * ours. The command reads one of its alerts, with the amounts beside it, and finds the same in CCTM_ALERT_* of its
 * environment.
 */
#ifndef CCTM_BRIDGE_ALERTS_MESSAGE_H
#define CCTM_BRIDGE_ALERTS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "bridge/alerts/alerts.h"
#include "core/buf.h"

struct message_facts {
	int64_t now_ms;
	int64_t no_data_after_ms;
	const char *url; /* where the alerts can be looked at */
};

/* Appends the document; the alerts are of one kind, and all fire or are all over. */
void message_webhook(struct buf *out, const struct alert *const *alerts, size_t count,
	bool is_firing, const struct message_facts *facts);

/* Appends what the command reads. */
void message_command(struct buf *out, const struct alert *alert, bool is_firing,
	const struct message_facts *facts);
/* "CCTM_ALERT_NAME=…", ends with NULL; yours, with its texts: message_free_environment. */
char **message_environment(
	const struct alert *alert, bool is_firing, const struct message_facts *facts);
void message_free_environment(char **environment);

/* The rows of GET /alerts: each budget with those who spent something of it, and silence, whose percent and amounts are
 * null. `spending` may be NULL. */
json_t *message_list(const struct alerts *alerts, const struct alerts_options *options,
	const struct spending *spending);

#endif
