/* What the files of this room share: the state, and the request being prepared. */
#ifndef CCTM_BRIDGE_INGEST_INGEST_INTERNAL_H
#define CCTM_BRIDGE_INGEST_INGEST_INTERNAL_H

#include "bridge/ingest/dedupe.h"
#include "bridge/ingest/event_targets.h"
#include "bridge/ingest/ingest.h"
#include "bridge/ingest/labels.h"
#include "bridge/ingest/sequence.h"
#include "bridge/ingest/sessions.h"
#include "bridge/ingest/store.h"
#include "bridge/ingest/streams.h"
#include "bridge/ingest/targets.h"
#include "bridge/otlp/decode.h"
#include "core/buf.h"
#include "core/hash128.h"

#define STATE_SEQUENCE "sequence" /* the name that the state of sequence is noted under */

#define POINTS_MAX 1000000u /* of one request */
#define PARTS_MAX  2000000u /* of the cumulative points of one resource: two bytes may be a bucket */

/* One part of a cumulative point, waiting for the end of its resource. A number has one part; a histogram
 * several, the count first: `parts` is their number in the first and 0 in the others. */
struct cumulative {
	uint64_t identity[2];
	uint64_t session;
	uint64_t start_ns, time_ns;
	double value;
	uint32_t series, part, parts;
	bool is_monotonic;
	bool is_claude; /* its scope is Claude Code's */
	bool is_absent; /* a bucket that the point does not have (any more): 0, if the stream had it */
};

/* Two ResourceMetrics of one process are told from two processes once per pair of earliest starts. */
struct verdict {
	uint64_t known_earliest, anchor;
	bool is_same, is_valid;
};

struct staged {
	int64_t now_ms;
	uint32_t segment;
	uint32_t number; /* of the request, for stream overlays */
	enum otlp_encoding encoding;
	enum otlp_signal signal;
	uint64_t hash[2];
	struct tally tally;
	uint64_t points, log_records, spans;
	int64_t rejected;
	struct buf message;

	bool pays_owed; /* the record tells all of ing->owed */

	bool has_context;
	uint64_t session;
	uint32_t minute;

	uint32_t first_new_id; /* series and event names this request found there */
	size_t first_new_event;

	struct otlp_attrs resource;
	bool is_resource_read;
	struct otlp_metric metric;
	uint64_t context_key[2]; /* metric and resource: part of a target's key */

	struct cumulative *cumulative;
	size_t cumulative_count, cumulative_room;
	uint64_t earliest_ns; /* start of this resource's points, UINT64_MAX: none */
	struct verdict verdict;

	struct series **defined; /* given a definition in this record */
	size_t defined_count, defined_room;
	uint64_t *sessions; /* likewise, hashes */
	size_t session_count, session_room;

	struct op_seen seen; /* run of event.sequence numbers being gathered; first > last: none */
};

struct named_state {
	char *name;
	char *bytes;
	size_t len;
};

struct ingest {
	struct ingest_options options;
	struct hash128 hashes[3]; /* of request bodies, by signal */
	struct otlp_decoder *decoder;
	struct store *store;
	struct streams *streams;
	struct dedupe *dedupe;
	struct sessions *sessions;
	struct targets *targets;
	struct event_targets *event_targets;
	struct labels *labels;
	struct sequence *sequence;
	struct buf record;
	size_t record_base; /* length of a record that says nothing */
	struct buf family;  /* scratch */
	struct buf event_key;
	struct buf rendered;
	struct op op; /* scratch: too large for the stack of a callback */
	struct label_set set;
	struct staged staged;
	struct tally tally;
	struct ingest_stats stats;
	struct named_state states[8];
	size_t state_count;
	char **event_names;
	size_t event_count, event_room;
	ingest_added_fn added; /* NULL: nobody watches */
	void *added_ctx;
	uint32_t applied_minute; /* of the context that is being applied */
	bool has_applied_minute;
	struct op_lost *owed; /* found missing, and not in the journal yet */
	size_t owed_count, owed_room;
};

/* stage.c: the record that is being prepared, of a request or of what the bridge itself has to note. */
void stage_begin(struct ingest *ing, int64_t now_ms, uint32_t segment);
void stage_reject(struct ingest *ing, enum reason reason, int64_t count);
void stage_note(struct ingest *ing, enum reason reason);
void stage_series_definition(struct ingest *ing, struct series *series);
void stage_put_definition(struct ingest *ing, const struct series *series); /* in any case */
/* False: the session is not known of late, read the attributes. */
bool stage_context(struct ingest *ing, uint64_t session, uint32_t minute);
void stage_add(struct ingest *ing, struct series *series, uint32_t part, double amount);
uint32_t stage_minute(struct ingest *ing, uint64_t time_ns);
/* The record is larger than the journal takes: the request holds too much. */
bool stage_is_full(const struct ingest *ing);
/* A point's time, not behind now and at most a day before it, for telling the newer of two. */
int64_t stage_time_ms(struct ingest *ing, uint64_t time_ns);

/* resolve.c: from attributes to series. REASON_OK, or why the point cannot be taken. */
struct series_request {
	struct slice metric, unit, help;
	enum otlp_metric_kind kind;
	bool is_monotonic;
	bool is_own; /* one of the bridge's families */
	const double *bounds;
	size_t bound_count;
	const struct label_rule *only; /* see labels_build */
	const struct op_label *extra;
	size_t extra_count;
};
enum reason resolve_series(struct ingest *ing, const struct otlp_attrs *attrs,
	const struct series_request *request, struct series **series, uint64_t *session);
enum series_kind resolve_kind(enum otlp_metric_kind kind, bool is_monotonic);

/* points.c, cumulative.c, events.c */
extern const struct otlp_sink metrics_sink;	   /* ctx is filled in by the user */
enum reason cumulative_finish(struct ingest *ing); /* at the end of a resource */
extern const struct otlp_sink events_sink;
void events_finish(struct ingest *ing);
/* At start-up: the names that were told apart before. */
void events_learn_series(struct ingest *ing, const struct op_series *series);

/* notes.c: client events found missing in this epoch. */
uint64_t notes_lost_events(const struct ingest *ing);

#endif
