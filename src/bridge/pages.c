/* What the bridge shows: /metrics for scrapers, health for programs, the status page for people. One
 * struct holds what is known; the two views of it stand next to each other. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "bridge/bridge_internal.h"
#include "bridge/expose/text.h"
#include "bridge/keeper.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/procfs.h"
#include "core/str.h"

/* Half of the look-back that the recording rules take (14 d): an older scrape may be outside of it. */
#define SCRAPE_GAP_MS (INT64_C(7) * 86400000)

struct overview {
	int64_t now_ms, uptime_ms;
	struct ingest_stats ingest;
	struct keeper_status keeper;
	struct serve_stats serve;
	uint64_t journal_bytes, journal_end;
	size_t held;
	unsigned damaged; /* parts of the journal set aside at this start */
	const char *journal_problem;
	bool is_healthy;
};

static void look(const struct daemon *d, struct overview *o)
{
	o->now_ms = clock_wall_ms();
	o->uptime_ms = clock_mono_ms() - d->started_mono_ms;
	o->ingest = ingest_stats(d->ingest);
	keeper_status(d->keeper, &o->keeper);
	o->serve = serve_stats(d->serve);
	o->journal_bytes = journal_bytes(d->journal);
	o->journal_end = journal_end(d->journal);
	o->held = d->held.count;
	o->damaged = (unsigned)d->findings.bad_records + (unsigned)d->replay_set_aside;
	o->journal_problem = d->journal_problem;
	o->is_healthy = !d->journal_problem && !o->keeper.problem[0];
}

bool daemon_is_healthy(void *ctx)
{
	struct overview o;
	look(ctx, &o);
	return o.is_healthy;
}

/* A scraper has not come for so long that the rules may have forgotten these series: begin anew with what it
 * has not seen yet. */
static void mind_scrape_gap(struct daemon *d, int64_t now_ms)
{
	int64_t last_ms = store_last_scrape_ms(ingest_store(d->ingest));
	if (last_ms == 0 || now_ms - last_ms <= SCRAPE_GAP_MS)
		return;
	AUTO(error) struct error err = ERROR_INIT;
	ingest_prepare_epoch(d->ingest, now_ms, (uint64_t)now_ms * 1000000, true);
	if (!daemon_note(d, &err))
		log_warning("no new epoch after a week without a scrape: %s", err.message);
}

static const char *const protocols[] = {
	[SERVE_HTTP] = "http",
	[SERVE_GRPC] = "grpc",
	[SERVE_HTTP2] = "h2",
};

static void put_reasons(const struct daemon *d, struct buf *out, const char *name, bool is_note)
{
	const struct tally *t = ingest_tally(d->ingest);
	for (unsigned r = 1; r < REASON_COUNT; r++) {
		enum reason reason = (enum reason)r;
		if ((reason_scope(reason) == REASON_NOTE) == is_note)
			expose_value(
				out, name, "reason", reason_slug(reason), (double)t->counts[r]);
	}
}

static void put_plain(
	struct buf *out, const char *name, const char *type, const char *help, double value)
{
	expose_family(out, name, type, help);
	expose_value(out, name, NULL, NULL, value);
}

static void put_protocols(
	struct buf *out, const char *name, const char *help, const uint64_t *counts)
{
	expose_family(out, name, "counter", help);
	for (unsigned i = 0; i < SERVE_PROTOCOL_COUNT; i++)
		expose_value(out, name, "protocol", protocols[i], (double)counts[i]);
}

/* Not as process_*, which somebody else may send through here. */
static void put_process(const struct daemon *d, struct buf *out)
{
	struct procfs_stat stat;
	put_plain(out, "cctm_start_timestamp_seconds", "gauge", "When this bridge was started",
		(double)d->started_ms / 1000);
	if (!procfs_read_stat(getpid(), &stat))
		return;
	put_plain(out, "cctm_memory_bytes", "gauge", "Resident memory of the bridge",
		(double)stat.memory);
	put_plain(out, "cctm_cpu_seconds_total", "counter",
		"Time of processors that the bridge took since its start",
		(double)stat.cpu_ms / 1000);
}

static void put_own_metrics(struct daemon *d, struct buf *out)
{
	struct overview o;
	look(d, &o);
	static const char *const signals[] = { "metrics", "logs", "traces" };
	expose_family(out, "cctm_build_info", "gauge", "The version of this bridge");
	expose_value(out, "cctm_build_info", "version", CCTM_VERSION, 1);
	put_process(d, out);
	expose_family(
		out, "cctm_requests_total", "counter", "Export requests taken since the start");
	for (unsigned i = 0; i < 3; i++)
		expose_value(out, "cctm_requests_total", "signal", signals[i],
			(double)o.ingest.requests[i]);
	put_protocols(out, "cctm_requests_by_protocol_total",
		"Export requests received, by protocol: OTLP/HTTP over HTTP/1.1, gRPC, OTLP/HTTP "
		"over "
		"HTTP/2",
		o.serve.by_protocol);
	put_protocols(out, "cctm_requests_other_port_total",
		"Those among them that came to the port of the other protocol, and were served",
		o.serve.misdirected);
	put_plain(out, "cctm_requests_repeated_total", "counter",
		"Requests acknowledged and not counted again: their bytes were taken before",
		(double)o.ingest.duplicates);
	put_plain(out, "cctm_requests_memory_shortened_total", "counter",
		"Times that the memory of request bodies was full before its 15 minutes were over",
		(double)o.ingest.dedupe_shortened);
	put_plain(out, "cctm_journal_unresolved_total", "counter",
		"Operations of the journal whose series was in a damaged part",
		(double)o.ingest.unresolved);
	put_plain(out, "cctm_points_total", "counter", "Metric data points received",
		(double)o.ingest.points);
	put_plain(out, "cctm_log_records_total", "counter", "Log records received",
		(double)o.ingest.log_records);
	put_plain(out, "cctm_spans_dropped_total", "counter",
		"Spans acknowledged and dropped: the bridge keeps no traces",
		(double)o.ingest.spans);
	expose_family(out, "cctm_rejected_total", "counter",
		"Requests and data points that were not taken, by reason");
	put_reasons(d, out, "cctm_rejected_total", false);
	expose_family(out, "cctm_noted_total", "counter", "Data taken with a remark, by reason");
	put_reasons(d, out, "cctm_noted_total", true);
	put_plain(out, "cctm_series", "gauge", "Series known", (double)o.ingest.series);
	put_plain(out, "cctm_streams", "gauge", "Cumulative streams remembered",
		(double)o.ingest.streams);
	put_plain(out, "cctm_connections", "gauge", "Open connections", o.serve.connections);
	put_plain(out, "cctm_requests_held", "gauge", "Requests waiting for the journal",
		(double)o.held);
	put_plain(out, "cctm_journal_bytes", "gauge", "Size of the journal on disk",
		(double)o.journal_bytes);
	put_plain(out, "cctm_ledger_lag_bytes", "gauge",
		"Bytes of the journal that are not in the ledger yet",
		(double)(o.journal_end - o.keeper.stats.position));
	put_plain(out, "cctm_journal_damage_total", "counter",
		"Damaged parts of the journal set aside at this start", o.damaged);
	put_plain(out, "cctm_last_sample_timestamp_seconds", "gauge",
		"When the last request with data arrived", (double)o.ingest.last_sample_ms / 1000);
	daemon_alerts_metrics(d, out);
}

/* Notes in the journal what this scrape shows for the first time: it must stay shown, so it is as durable as
 * the answers to requests before the scrape is answered. */
static bool note_scrape(struct daemon *d, int64_t now_ms)
{
	AUTO(error) struct error err = ERROR_INIT;
	if (!ingest_prepare_scrape(d->ingest, now_ms))
		return true;
	if (!daemon_note(d, &err))
		return false;
	if (d->options->durability == BRIDGE_DURABILITY_DISK && !journal_sync(d->journal, &err))
		log_warning("%s", err.message);
	return true;
}

static void page_metrics(struct daemon *d, struct serve_page *page)
{
	daemon_flush_unsynced(d);
	int64_t now_ms = clock_wall_ms();
	mind_scrape_gap(d, now_ms);
	struct expose_options options = {
		.now_ms = now_ms,
		.zero_hold_ms = d->options->zero_hold_ms,
	};
	options.hides_unshown = !note_scrape(d, now_ms);
	page->content_type = EXPOSE_CONTENT_TYPE;
	expose_text(ingest_store(d->ingest), &options, &page->body);
	put_own_metrics(d, &page->body);
}

/* By protocol, and how many of them came to the other protocol's port. */
static json_t *protocols_json(const struct overview *o)
{
	json_t *json = json_object();
	uint64_t misdirected = 0;
	for (unsigned i = 0; i < SERVE_PROTOCOL_COUNT; i++) {
		json_object_set_new(
			json, protocols[i], json_integer((json_int_t)o->serve.by_protocol[i]));
		misdirected += o->serve.misdirected[i];
	}
	json_object_set_new(json, "other_port", json_integer((json_int_t)misdirected));
	return json;
}

static json_t *health_json(const struct daemon *d, const struct overview *o)
{
	json_t *problems = json_array();
	if (o->journal_problem)
		json_array_append_new(problems, json_string(o->journal_problem));
	if (o->keeper.problem[0])
		json_array_append_new(problems, json_string(o->keeper.problem));
	json_t *last =
		o->ingest.last_sample_ms ? json_integer(o->ingest.last_sample_ms) : json_null();
	return json_pack(
		"{s:i, s:s, s:s, s:s, s:f, s:o, s:o, s:{s:I, s:I, s:i, s:I}, s:{s:I, s:I, s:b}, "
		"s:o}",
		"schema_version", 1, "status", o->is_healthy ? "ok" : "degraded", "version",
		CCTM_VERSION, "instance", d->instance, "uptime_seconds",
		(double)o->uptime_ms / 1000, "last_sample_ms", last, "requests", protocols_json(o),
		"journal", "bytes", (json_int_t)o->journal_bytes, "end", (json_int_t)o->journal_end,
		"held_requests", (int)o->held, "damaged_parts", (json_int_t)o->damaged, "ledger",
		"position", (json_int_t)o->keeper.stats.position, "bytes",
		(json_int_t)o->keeper.stats.bytes, "is_busy", o->keeper.is_busy, "problems",
		problems);
}

static void page_health(const struct daemon *d, struct serve_page *page)
{
	struct overview o;
	look(d, &o);
	json_t *json = health_json(d, &o);
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(json);
	page->status = o.is_healthy ? 200 : 503;
	page->content_type = "application/json";
	buf_adds(&page->body, text ? text : "{}");
	buf_addc(&page->body, '\n');
	free(text);
}

/* For people, so rounded; str_size is exact and says 15865 for 15.5 KiB. */
static char *size_text(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes / 1024;
	size_t unit = 0;
	if (bytes < 1024)
		return mem_printf("%" PRIu64 " bytes", bytes);
	for (; size >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		size /= 1024;
	return mem_printf("%.1f %s", size, units[unit]);
}

/* Whole seconds; str_duration writes less than one as 0, without a unit. */
static char *span_text(int64_t ms)
{
	return ms < 1000 ? mem_printf("less than a second") : str_duration(ms / 1000 * 1000);
}

void status_row(struct buf *out, const char *name, const char *fmt, ...)
{
	va_list ap;
	buf_addf(out, "  %-22s ", name);
	va_start(ap, fmt);
	buf_vaddf(out, fmt, ap);
	va_end(ap);
	buf_addc(out, '\n');
}

static void put_tally(const struct daemon *d, struct buf *out)
{
	const struct tally *t = ingest_tally(d->ingest);
	bool has_any = false;
	for (unsigned r = 1; r < REASON_COUNT; r++) {
		if (!t->counts[r])
			continue;
		if (!has_any)
			buf_adds(out, "\nRefused or noted since the start\n");
		has_any = true;
		status_row(out, reason_slug((enum reason)r), "%" PRIu64 "  %s", t->counts[r],
			reason_sentence((enum reason)r));
	}
	if (!has_any)
		buf_adds(out, "\nNothing was refused since the start.\n");
}

static void put_protocol_rows(struct buf *out, const struct overview *o)
{
	const uint64_t *all = o->serve.by_protocol, *strays = o->serve.misdirected;
	status_row(out, "protocols",
		"%" PRIu64 " HTTP, %" PRIu64 " gRPC, %" PRIu64 " OTLP/HTTP over HTTP/2",
		all[SERVE_HTTP], all[SERVE_GRPC], all[SERVE_HTTP2]);
	if (strays[SERVE_GRPC])
		status_row(out, "gRPC at the HTTP port",
			"%" PRIu64 ", served; OTEL_EXPORTER_OTLP_ENDPOINT should name the gRPC "
			"port, or OTEL_EXPORTER_OTLP_PROTOCOL be http/protobuf",
			strays[SERVE_GRPC]);
	if (strays[SERVE_HTTP] + strays[SERVE_HTTP2])
		status_row(out, "HTTP at the gRPC port",
			"%" PRIu64 ", served; OTEL_EXPORTER_OTLP_ENDPOINT should name the HTTP "
			"port, or OTEL_EXPORTER_OTLP_PROTOCOL be grpc",
			strays[SERVE_HTTP] + strays[SERVE_HTTP2]);
}

static void page_status(struct daemon *d, struct serve_page *page)
{
	struct overview o;
	look(d, &o);
	struct buf *out = &page->body;
	page->content_type = "text/plain; charset=utf-8";
	AUTO(str) char *uptime = span_text(o.uptime_ms);
	AUTO(str) char *journal = size_text(o.journal_bytes);
	AUTO(str) char *ledger = size_text(o.keeper.stats.bytes);
	buf_addf(out, "cctm bridge %s: %s\n\n", CCTM_VERSION,
		o.is_healthy ? "everything works" : "degraded");
	status_row(out, "up", "%s", uptime);
	if (o.ingest.last_sample_ms) {
		AUTO(str) char *age = span_text(o.now_ms - o.ingest.last_sample_ms);
		status_row(out, "last sample", "%s ago", age);
	} else {
		status_row(out, "last sample", "none yet");
	}
	status_row(out, "requests", "%" PRIu64 " metrics, %" PRIu64 " logs, %" PRIu64 " traces",
		o.ingest.requests[OTLP_METRICS], o.ingest.requests[OTLP_LOGS],
		o.ingest.requests[OTLP_TRACES]);
	put_protocol_rows(out, &o);
	status_row(out, "repeated requests", "%" PRIu64 ", counted once", o.ingest.duplicates);
	status_row(out, "points, log records", "%" PRIu64 ", %" PRIu64, o.ingest.points,
		o.ingest.log_records);
	status_row(out, "lost client events", "%" PRIu64 "%s", o.ingest.lost_events,
		o.ingest.lost_events ? ", see cctm report --by session" : "");
	status_row(out, "spans",
		"%" PRIu64 ", acknowledged and dropped: the bridge keeps no traces",
		o.ingest.spans);
	status_row(
		out, "series", "%" PRIu64 " of %" PRId64, o.ingest.series, d->options->series_max);
	status_row(out, "cumulative streams", "%" PRIu64 " of %" PRId64, o.ingest.streams,
		d->options->streams_max);
	status_row(out, "connections", "%u", o.serve.connections);
	status_row(out, "journal", "%s in %s%s%s", journal, d->options->state_dir,
		o.journal_problem ? ": " : "", o.journal_problem ? o.journal_problem : "");
	status_row(out, "ledger", "%s, %" PRIu64 " bytes of the journal behind%s%s", ledger,
		o.journal_end - o.keeper.stats.position, o.keeper.problem[0] ? ": " : "",
		o.keeper.problem);
	if (o.damaged)
		status_row(out, "damage", "%u part%s of the journal set aside at this start",
			o.damaged, o.damaged == 1 ? "" : "s");
	if (o.held)
		status_row(out, "held requests", "%zu, waiting for the journal", o.held);
	daemon_alerts_status(d, out);
	put_tally(d, out);
}

void daemon_page(void *ctx, enum serve_door door, struct slice path, struct slice accept,
	struct serve_page *page)
{
	(void)accept;
	switch (door) {
	case DOOR_EXPORTER:
		page_metrics(ctx, page);
		return;
	case DOOR_HEALTH:
		if (slice_eq_str(path, "/alerts"))
			daemon_alerts_page(ctx, page);
		else
			page_health(ctx, page);
		return;
	case DOOR_ZPAGES:
		page_status(ctx, page);
		return;
	case DOOR_OTLP_HTTP:
	case DOOR_OTLP_GRPC:
	case DOOR_COUNT:
		return;
	}
}
