#include "bridge/expose/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/ingest/exponential.h"
#include "bridge/ingest/names.h"
#include "core/mem.h"
#include "core/str.h"

struct writer {
	struct buf *out;
	const struct expose_options *options;
	char start[40]; /* start="…" */
};

static void add_integer(struct buf *out, int64_t value)
{
	char text[24];
	size_t at = sizeof text;
	uint64_t left = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
	do {
		text[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		text[--at] = '-';
	buf_add(out, text + at, sizeof text - at);
}

void expose_number(struct buf *out, double value)
{
	if (isnan(value)) {
		buf_adds(out, "NaN");
		return;
	}
	if (isinf(value)) {
		buf_adds(out, value < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
		add_integer(out, (int64_t)value);
		return;
	}
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		int len = snprintf(text, sizeof text, "%.*g", digits, value);
		double back;
		if (digits == 17 ||
			(str_double(slice_of(text, (size_t)len), &back) && back == value))
			break;
	}
	buf_adds(out, text);
}

static const char *type_name(enum series_kind kind)
{
	switch (kind) {
	case SERIES_COUNTER:
		return "counter";
	case SERIES_GAUGE:
		return "gauge";
	case SERIES_HISTOGRAM:
	case SERIES_EXPONENTIAL:
		return "histogram";
	case SERIES_SUMMARY:
		return "summary";
	}
	return "untyped";
}

void expose_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_adds(out, "# HELP ");
	buf_adds(out, name);
	buf_addc(out, ' ');
	names_escape_help(slice_str(help), out);
	buf_adds(out, "\n# TYPE ");
	buf_adds(out, name);
	buf_addc(out, ' ');
	buf_adds(out, type);
	buf_addc(out, '\n');
}

void expose_value(
	struct buf *out, const char *name, const char *label, const char *label_value, double value)
{
	buf_adds(out, name);
	if (label) {
		buf_addc(out, '{');
		buf_adds(out, label);
		buf_adds(out, "=\"");
		names_escape_label(slice_str(label_value), out);
		buf_adds(out, "\"}");
	}
	buf_addc(out, ' ');
	expose_number(out, value);
	buf_addc(out, '\n');
}

void expose_labelled(struct buf *out, const char *name, const char *labels, double value)
{
	buf_addf(out, "%s{%s} ", name, labels);
	expose_number(out, value);
	buf_addc(out, '\n');
}

/* name_suffix{labels,start="…",extra} value */
static void put_line(struct writer *w, const struct series *s, const char *suffix,
	const char *extra, double value)
{
	struct buf *out = w->out;
	const char *start = s->family->kind == SERIES_GAUGE ? "" : w->start;
	bool has_labels = s->labels_len || *start || *extra;
	buf_add(out, s->family->name, s->family->name_len);
	buf_adds(out, suffix);
	if (has_labels)
		buf_addc(out, '{');
	buf_add(out, s->labels, s->labels_len);
	if (*start) {
		if (s->labels_len)
			buf_addc(out, ',');
		buf_adds(out, start);
	}
	if (*extra) {
		if (s->labels_len || *start)
			buf_addc(out, ',');
		buf_adds(out, extra);
	}
	if (has_labels)
		buf_addc(out, '}');
	buf_addc(out, ' ');
	expose_number(out, value);
	buf_addc(out, '\n');
}

static void put_bound(struct writer *w, const struct series *s, const char *suffix,
	const char *label, double bound, double value)
{
	AUTO(buf) struct buf extra = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&extra, label);
	buf_adds(&extra, "=\"");
	expose_number(&extra, bound);
	buf_addc(&extra, '"');
	put_line(w, s, suffix, buf_str(&extra), value);
}

static double value_of(const struct series *s, uint32_t part, bool is_held)
{
	const struct part *p = series_part(s, part);
	return p && !is_held ? part_value(p) : 0;
}

static void put_sum_and_count(struct writer *w, const struct series *s, bool is_held)
{
	put_line(w, s, "_sum", "", value_of(s, 0, is_held));
	put_line(w, s, "_count", "", value_of(s, 1, is_held));
}

static void put_histogram(struct writer *w, const struct series *s, bool is_held)
{
	double below = 0;
	for (size_t i = 0; i < s->bound_count; i++) {
		below += value_of(s, (uint32_t)i + 2, is_held);
		put_bound(w, s, "_bucket", "le", s->bounds[i], below);
	}
	put_bound(w, s, "_bucket", "le", (double)INFINITY, value_of(s, 1, is_held));
	put_sum_and_count(w, s, is_held);
}

static int by_order(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int32_t i = exponential_order(x->id), k = exponential_order(y->id);
	return (i > k) - (i < k);
}

static void put_exponential(struct writer *w, const struct series *s, bool is_held)
{
	struct part *parts = mem_memdup(s->parts, s->part_count * sizeof *parts);
	qsort(parts, s->part_count, sizeof *parts, by_order);
	double below = 0;
	for (size_t i = 0; i < s->part_count; i++) {
		if (parts[i].id < 2)
			continue;
		below += is_held ? 0 : part_value(&parts[i]);
		put_bound(w, s, "_bucket", "le", exponential_le(parts[i].id), below);
	}
	free(parts);
	put_bound(w, s, "_bucket", "le", (double)INFINITY, value_of(s, 1, is_held));
	put_sum_and_count(w, s, is_held);
}

static void put_summary(struct writer *w, const struct series *s, bool is_held)
{
	for (size_t i = 0; i < s->bound_count; i++) {
		const struct part *p = series_part(s, (uint32_t)i + 2);
		if (p)
			put_bound(w, s, "", "quantile", s->bounds[i], part_value(p));
	}
	put_sum_and_count(w, s, is_held);
}

static void put_series(struct writer *w, const struct series *s)
{
	bool is_held = series_is_held(s, w->options->now_ms, w->options->zero_hold_ms);
	switch (s->family->kind) {
	case SERIES_COUNTER:
	case SERIES_GAUGE:
		put_line(w, s, "", "", value_of(s, 0, is_held));
		return;
	case SERIES_HISTOGRAM:
		put_histogram(w, s, is_held);
		return;
	case SERIES_EXPONENTIAL:
		put_exponential(w, s, is_held);
		return;
	case SERIES_SUMMARY:
		put_summary(w, s, is_held);
		return;
	}
}

static bool is_shown(const struct writer *w, const struct series *s)
{
	return s->is_live && (s->shown_ms || !w->options->hides_unshown);
}

static void put_family(struct writer *w, const struct family *f)
{
	bool has_head = false;
	for (size_t i = 0; i < f->series_count; i++) {
		if (!is_shown(w, f->series[i]))
			continue;
		if (!has_head)
			expose_family(w->out, f->name, type_name(f->kind), f->help);
		has_head = true;
		put_series(w, f->series[i]);
	}
}

void expose_text(const struct store *store, const struct expose_options *options, struct buf *out)
{
	struct writer w = { .out = out, .options = options };
	snprintf(w.start, sizeof w.start, "start=\"%" PRIu64 "\"", store_epoch_ns(store));
	for (size_t i = 0; i < store_family_count(store); i++)
		put_family(&w, store_family_at(store, i));
}
