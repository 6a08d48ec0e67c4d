/* For tests: OTLP JSON requests in few words, and an ingest that keeps what it would have journaled. */
#ifndef CCTM_BRIDGE_INGEST_INGEST_TESTING_H
#define CCTM_BRIDGE_INGEST_INGEST_TESTING_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ingest/ingest.h"
#include "core/buf.h"
#include "core/mem.h"

#define NOW_MS	     INT64_C(1764000000000)
#define DAY_MS	     INT64_C(86400000)
#define CLAUDE_SCOPE "com.anthropic.claude_code"
#define EVENTS_SCOPE "com.anthropic.claude_code.events"
#define OTHER_SCOPE  "example"

/* Equal to the last bit; says both when they are not. */
#define assert_value(got, want) assert_same_value(got, want, __FILE__, __LINE__)

static inline void assert_same_value(double got, double want, const char *file, int line)
{
	if (got == want)
		return;
	print_error("%.17g is not %.17g\n", got, want);
	_fail(file, line);
}

static inline void assert_near(double got, double want, double within)
{
	double off = got > want ? got - want : want - got;
	if (!(off <= within)) {
		print_error("%.17g is not %.17g within %g\n", got, want, within);
		fail();
	}
}

/* Attributes: S("model", "opus") "," S("type", "input") */
#define S(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define N(key, value) "{\"key\":\"" key "\",\"value\":{\"doubleValue\":" value "}}"
#define I(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" #value "\"}}"

/* Builds one request; a comma goes in where the last byte opens no list. */
static inline void json_separate(struct buf *b)
{
	if (b->len && b->data[b->len - 1] != '[')
		buf_addc(b, ',');
}

static inline void metrics_begin(struct buf *b)
{
	b->len = 0;
	buf_adds(b, "{\"resourceMetrics\":[");
}

static inline void resource_begin(struct buf *b, const char *attributes, const char *scope)
{
	json_separate(b);
	buf_addf(b,
		"{\"resource\":{\"attributes\":[%s]},\"scopeMetrics\":[{\"scope\":{\"name\":\"%s\"}"
		","
		"\"metrics\":[",
		attributes, scope);
}

static inline void resource_end(struct buf *b)
{
	buf_adds(b, "]}]}");
}

static inline void metrics_end(struct buf *b)
{
	buf_adds(b, "]}");
}

struct sum {
	const char *name, *unit, *attributes; /* NULL: x, none, none */
	int temporality;		      /* enum otlp_temporality; 0: delta */
	bool is_level;			      /* not monotonic */
	int64_t start_ms, time_ms;	      /* 0: none; a time of 0 is the time of arrival */
	double value;
};

static inline void put_sum(struct buf *b, const struct sum *s)
{
	json_separate(b);
	buf_addf(b,
		"{\"name\":\"%s\",\"unit\":\"%s\",\"sum\":{\"aggregationTemporality\":%d,"
		"\"isMonotonic\":%s,\"dataPoints\":[{\"attributes\":[%s],\"asDouble\":%.17g",
		s->name ? s->name : "x", s->unit ? s->unit : "",
		s->temporality ? s->temporality : OTLP_DELTA, s->is_level ? "false" : "true",
		s->attributes ? s->attributes : "", s->value);
	if (s->start_ms)
		buf_addf(b, ",\"startTimeUnixNano\":\"%" PRId64 "000000\"", s->start_ms);
	if (s->time_ms)
		buf_addf(b, ",\"timeUnixNano\":\"%" PRId64 "000000\"", s->time_ms);
	buf_adds(b, "}]}}");
}

/* A metric as JSON members: put_metric(b, "h", "\"histogram\":{…}"). */
static inline void put_metric(struct buf *b, const char *name, const char *data)
{
	json_separate(b);
	buf_addf(b, "{\"name\":\"%s\",%s}", name, data);
}

/* One resource of another scope with one sum. */
static inline void one_sum(struct buf *b, const struct sum *s)
{
	metrics_begin(b);
	resource_begin(b, "", OTHER_SCOPE);
	put_sum(b, s);
	resource_end(b);
	metrics_end(b);
}

static inline void one_metric(struct buf *b, const char *name, const char *data)
{
	metrics_begin(b);
	resource_begin(b, "", OTHER_SCOPE);
	put_metric(b, name, data);
	resource_end(b);
	metrics_end(b);
}

/* Log records: their members after the time, as JSON. */
static inline void logs_begin_of(struct buf *b, const char *resource_attributes, const char *scope)
{
	b->len = 0;
	buf_addf(b,
		"{\"resourceLogs\":[{\"resource\":{\"attributes\":[%s]},\"scopeLogs\":["
		"{\"scope\":{\"name\":\"%s\"},\"logRecords\":[",
		resource_attributes, scope);
}

static inline void logs_begin(struct buf *b, const char *resource_attributes)
{
	logs_begin_of(b, resource_attributes, EVENTS_SCOPE);
}

static inline void put_log(struct buf *b, const char *attributes, const char *more)
{
	json_separate(b);
	buf_addf(b, "{\"timeUnixNano\":\"%" PRId64 "000000\",\"attributes\":[%s]%s}", NOW_MS,
		attributes, more);
}

static inline void logs_end(struct buf *b)
{
	buf_adds(b, "]}]}]}");
}

/* An ingest and the records it would have put into the journal. */
struct bench {
	struct ingest *ing;
	int64_t now_ms;
	uint32_t segment;
	struct buf body; /* for the request being built */
	struct buf journal;
	size_t *ends; /* of each record in `journal` */
	size_t record_count, record_room;
	struct ingest_outcome outcome;
};

static inline struct ingest_options bench_options(void)
{
	return (struct ingest_options){
		.series_max = 10000,
		.streams_max = 10000,
		.retention_ms = 400 * DAY_MS,
		.seed = 7,
	};
}

static inline void bench_open_with(struct bench *t, const struct ingest_options *options)
{
	*t = (struct bench){
		.ing = ingest_new(options),
		.now_ms = NOW_MS,
		.segment = 1,
		.body = BUF_INIT(BUF_UNLIMITED),
		.journal = BUF_INIT(BUF_UNLIMITED),
	};
}

static inline void bench_open(struct bench *t)
{
	struct ingest_options options = bench_options();
	bench_open_with(t, &options);
}

static inline void bench_close(struct bench *t)
{
	ingest_free(t->ing);
	buf_clear(&t->body);
	buf_clear(&t->journal);
	free(t->ends);
}

static inline struct slice bench_record(const struct bench *t, size_t index)
{
	size_t from = index ? t->ends[index - 1] : 0;
	return slice_of(t->journal.data + from, t->ends[index] - from);
}

/* Commits what is prepared and keeps its record. */
static inline void bench_commit(struct bench *t)
{
	struct slice record = ingest_record(t->ing);
	if (record.len) {
		buf_add(&t->journal, record.ptr, record.len);
		t->ends = mem_grow(t->ends, &t->record_room, t->record_count + 1, sizeof *t->ends);
		t->ends[t->record_count++] = t->journal.len;
	}
	ingest_commit(t->ing);
}

static inline enum reason bench_prepare_bytes(
	struct bench *t, enum otlp_signal signal, enum otlp_encoding encoding, struct slice body)
{
	struct ingest_request request = {
		.signal = signal,
		.encoding = encoding,
		.body = body,
		.now_ms = t->now_ms,
		.segment = t->segment,
	};
	return ingest_prepare(t->ing, &request, &t->outcome);
}

static inline enum reason bench_prepare(struct bench *t, enum otlp_signal signal)
{
	return bench_prepare_bytes(t, signal, OTLP_JSON, buf_slice(&t->body));
}

/* Takes the body that was built. False: it was refused or a duplicate. */
static inline bool bench_take(struct bench *t, enum otlp_signal signal)
{
	if (bench_prepare(t, signal) != REASON_OK || t->outcome.is_duplicate)
		return false;
	bench_commit(t);
	return true;
}

static inline bool take_sum_request(struct bench *t, const struct sum *s)
{
	one_sum(&t->body, s);
	return bench_take(t, OTLP_METRICS);
}

static inline const struct series *find_series(
	const struct ingest *ing, const char *family, const char *labels)
{
	return store_find(ingest_store(ing), family, strlen(family), labels, strlen(labels));
}

/* The value of a series' part, 0 when there is none. */
static inline double part_of(
	const struct ingest *ing, const char *family, const char *labels, uint32_t part)
{
	const struct series *series = find_series(ing, family, labels);
	const struct part *p = series && series->is_live ? series_part(series, part) : NULL;
	return p ? part_value(p) : 0;
}

static inline double value_of(const struct ingest *ing, const char *family, const char *labels)
{
	return part_of(ing, family, labels, 0);
}

/* Over all series of the family. */
static inline double family_total(const struct ingest *ing, const char *family)
{
	const struct family *f = store_family(ingest_store(ing), family, strlen(family));
	double total = 0;
	for (size_t i = 0; f && i < f->series_count; i++) {
		const struct part *p = series_part(f->series[i], 0);
		total += p && f->series[i]->is_live ? part_value(p) : 0;
	}
	return total;
}

static inline uint64_t count_of(const struct ingest *ing, enum reason reason)
{
	return ingest_tally(ing)->counts[reason];
}

static inline bool holds_text(struct slice bytes, const char *text)
{
	return memmem(bytes.ptr, bytes.len, text, strlen(text)) != NULL;
}

/* How many operations of this kind the record holds; -1: it is damaged. */
static inline int ops_of(struct slice record, enum op_kind kind)
{
	struct record_reader reader;
	struct op *op = mem_zalloc(sizeof *op);
	int count = 0, got = -1;
	if (record_reader_init(&reader, record)) {
		while ((got = record_next(&reader, op)) > 0)
			count += op->kind == kind;
	}
	free(op);
	return got < 0 ? -1 : count;
}

#endif
