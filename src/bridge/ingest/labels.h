/* The label policy: from attributes as sent to the labels of a series, its session and its owner.
 *
 *   - point attributes become labels; the Collector's exporter does the same (tests/data/captures);
 *   - resource attributes that the user set (all but service.*, host.*, os.* and their like) become labels
 *     where the point lacks them: older clients do not copy OTEL_RESOURCE_ATTRIBUTES onto points;
 *   - a point attribute wins over a resource attribute of the same name;
 *   - service.name is `job` (with service.namespace/ in front), service.instance.id is `instance`;
 *   - session.id names the session and is no label unless asked for;
 *   - names that mean something here (job, instance, start, le, quantile) get `exported_` in front;
 *   - several keys that become one name are joined with `;` in the order of the keys;
 *   - an empty value is no label, as Prometheus has it;
 *   - values are valid UTF-8 of at most LABEL_VALUE_MAX bytes; at most LABELS_MAX labels.
 *
 * Everything a build hands out lives until the next build.
 */
#ifndef CCTM_BRIDGE_INGEST_LABELS_H
#define CCTM_BRIDGE_INGEST_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/journal/record.h"
#include "bridge/otlp/decode.h"

#define LABELS_MAX	48 /* below RECORD_LABELS_MAX: room for job and instance */
#define LABEL_VALUE_MAX 1024

#define LABELS_NOTE_REPLACED 1u
#define LABELS_NOTE_CUT	     2u
#define LABELS_NOTE_DROPPED  4u

struct labels;

/* What becomes of an attribute where not all of them are labels. */
enum label_form {
	LABEL_AS_IT_IS,
	LABEL_TEXT, /* at most LABEL_TEXT_MAX bytes */
	LABEL_WORD, /* [A-Za-z0-9_.:-], at most LABEL_WORD_MAX of them; anything else is "other" */
};

#define LABEL_TEXT_MAX 256
#define LABEL_WORD_MAX 64

struct label_rule {
	struct slice key;
	enum label_form form;
	const char *name; /* of the label; NULL: that of the key */
};

struct label_set {
	struct op_label labels[RECORD_LABELS_MAX]; /* sorted by name, unique */
	size_t count;
	uint64_t identity[2]; /* hash of all point attributes, sorted by key; not of the resource */
	struct slice session; /* session.id; empty: none */
	struct slice user;    /* user.email, account, enduser.id or user.id; empty: none */
	struct slice terminal, version;
	unsigned notes;
};

struct labels *labels_new(bool has_session_label);
void labels_free(struct labels *l);

/* Reads the resource of what is built next. */
void labels_resource(
	struct labels *l, struct otlp_decoder *decoder, const struct otlp_attrs *attrs);
void labels_resource_identity(const struct labels *l, uint64_t out[2]); /* sorted attributes */

/* With `only`, rules that end with one without key, other point attributes are no labels (but still count for
 * identity, session and user). `extra` are labels of our own, `extra_count` of them, names valid. */
void labels_build(struct labels *l, struct otlp_decoder *decoder, const struct otlp_attrs *attrs,
	const struct label_rule *only, const struct op_label *extra, size_t extra_count,
	struct label_set *out);

#endif
