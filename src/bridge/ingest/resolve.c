/* The slow way from a point to its series: read the attributes, apply the label policy, find or make the
 * series. Taken once per stream and cache life. */
#include <string.h>

#include "bridge/ingest/ingest_internal.h"
#include "bridge/ingest/names.h"

#define OWN_PREFIX   "cctm_"
#define HELP_MAX     1024
#define OVERFLOW_MAX 4096u /* overflow series, one a family: families are bounded by it too */

/* The label that OpenTelemetry's specification gives the series that takes what is past the limit. */
#define OVERFLOW_LABEL ((struct op_label){ SLICE_LIT("otel_metric_overflow"), SLICE_LIT("true") })

enum series_kind resolve_kind(enum otlp_metric_kind kind, bool is_monotonic)
{
	switch (kind) {
	case OTLP_SUM:
		return is_monotonic ? SERIES_COUNTER : SERIES_GAUGE;
	case OTLP_GAUGE:
		return SERIES_GAUGE;
	case OTLP_HISTOGRAM:
		return SERIES_HISTOGRAM;
	case OTLP_EXPONENTIAL_HISTOGRAM:
		return SERIES_EXPONENTIAL;
	case OTLP_SUMMARY:
		return SERIES_SUMMARY;
	}
	return SERIES_GAUGE;
}

static void read_resource(struct ingest *ing)
{
	if (ing->staged.is_resource_read)
		return;
	labels_resource(ing->labels, ing->decoder, &ing->staged.resource);
	ing->staged.is_resource_read = true;
}

static void name_family(struct ingest *ing, const struct series_request *request)
{
	ing->family.len = 0;
	names_family(
		request->metric, request->unit, request->kind, request->is_monotonic, &ing->family);
	bool is_ours = ing->family.len >= strlen(OWN_PREFIX) &&
		       memcmp(ing->family.data, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
	/* What 'cctm probe' sends is looked for under the name that it has in a Collector too. */
	bool is_probe = slice_eq_str(buf_slice(&ing->family), "cctm_probe");
	if (!is_ours || is_probe || request->is_own)
		return;
	ing->family.len = 0;
	buf_adds(&ing->family, "exported_");
	names_family(
		request->metric, request->unit, request->kind, request->is_monotonic, &ing->family);
}

static void render_labels(struct ingest *ing, const struct op_label *labels, size_t count)
{
	struct buf *out = &ing->rendered;
	out->len = 0;
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_addc(out, ',');
		buf_add(out, labels[i].name.ptr, labels[i].name.len);
		buf_adds(out, "=\"");
		names_escape_label(labels[i].value, out);
		buf_addc(out, '"');
	}
}

/* What is kept of the words of a metric: the journal bounds every text, and HELP must be UTF-8 or Prometheus
 * refuses the whole page. `text` holds the bytes. */
static void take_words(
	const struct series_request *request, struct op_series *made, struct buf *text)
{
	names_clean_utf8(request->metric, NAMES_METRIC_MAX, text);
	size_t metric = text->len;
	names_clean_utf8(request->unit, NAMES_UNIT_MAX, text);
	size_t unit = text->len;
	names_clean_utf8(request->help, HELP_MAX, text);
	const unsigned char *at = (const unsigned char *)buf_str(text);
	made->metric = slice_of(at, metric);
	made->unit = slice_of(at + metric, unit - metric);
	made->help = slice_of(at + unit, text->len - unit);
}

static struct series *find_or_make(struct ingest *ing, const struct series_request *request,
	const struct op_label *labels, size_t label_count)
{
	render_labels(ing, labels, label_count);
	struct series *known = store_find(ing->store, (const char *)ing->family.data,
		ing->family.len, buf_str(&ing->rendered), ing->rendered.len);
	enum series_kind kind = resolve_kind(request->kind, request->is_monotonic);
	if (known)
		return known->family->kind == kind ? known : NULL;
	struct op_series *made = &ing->op.series;
	made->id = 0;
	made->kind = kind;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	take_words(request, made, &text);
	made->family = buf_slice(&ing->family);
	made->label_count = label_count;
	memcpy(made->labels, labels, label_count * sizeof *labels);
	made->bound_count = request->bound_count;
	if (request->bound_count)
		memcpy(made->bounds, request->bounds, request->bound_count * sizeof(double));
	return store_define(ing->store, made);
}

static void note_labels(struct ingest *ing, unsigned notes)
{
	if (notes & LABELS_NOTE_REPLACED)
		stage_note(ing, REASON_INVALID_UTF8);
	if (notes & LABELS_NOTE_CUT)
		stage_note(ing, REASON_LABEL_TRUNCATED);
	if (notes & LABELS_NOTE_DROPPED)
		stage_note(ing, REASON_LABELS_DROPPED);
}

enum reason resolve_series(struct ingest *ing, const struct otlp_attrs *attrs,
	const struct series_request *request, struct series **series, uint64_t *session)
{
	read_resource(ing);
	struct label_set *set = &ing->set;
	labels_build(ing->labels, ing->decoder, attrs, request->only, request->extra,
		request->extra_count, set);
	note_labels(ing, set->notes);
	name_family(ing, request);
	const struct op_label overflow = OVERFLOW_LABEL, *labels = set->labels;
	size_t count = set->count;
	if (store_series_count(ing->store) >= ing->options.series_max) {
		render_labels(ing, labels, count);
		if (!store_find(ing->store, (const char *)ing->family.data, ing->family.len,
			    buf_str(&ing->rendered), ing->rendered.len)) {
			labels = &overflow;
			count = 1;
			stage_note(ing, REASON_SERIES_OVERFLOW);
		}
	}
	if (store_series_count(ing->store) >= ing->options.series_max + OVERFLOW_MAX &&
		!store_family(ing->store, (const char *)ing->family.data, ing->family.len))
		return REASON_STREAM_LIMIT;
	*series = find_or_make(ing, request, labels, count);
	if (!*series)
		return REASON_TYPE_CONFLICT;
	*session = 0;
	if (set->session.len) {
		const struct session *known = sessions_learn(
			ing->sessions, set->session, set->user, set->terminal, set->version);
		*session = known->hash;
	}
	return REASON_OK;
}
