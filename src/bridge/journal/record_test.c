/* Journal records: what goes in comes out, and bytes that are no record are refused without a read outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/journal/record.h"
#include "core/mem.h"

#define ARRIVED_MS INT64_C(1764000000000)

static struct op *new_op(enum op_kind kind)
{
	struct op *op = mem_zalloc(sizeof *op);
	op->kind = kind;
	return op;
}

static void fill_series(struct op_series *s)
{
	*s = (struct op_series){
		.id = UINT32_MAX,
		.kind = SERIES_HISTOGRAM,
		.metric = SLICE_LIT("claude_code.cost.usage"),
		.family = SLICE_LIT("claude_code_cost_usage_USD_total"),
		.unit = SLICE_LIT("USD"),
		.help = SLICE_LIT(""),
		.label_count = RECORD_LABELS_MAX,
		.bound_count = RECORD_BOUNDS_MAX,
	};
	for (size_t i = 0; i < RECORD_LABELS_MAX; i++)
		s->labels[i] = (struct op_label){ SLICE_LIT("name"), SLICE_LIT("a\0b\n\"") };
	for (size_t i = 0; i < RECORD_BOUNDS_MAX; i++)
		s->bounds[i] = (double)i / 3;
}

/* One operation of every kind, with the largest and the oddest values each can have. */
static void put_every_kind(struct buf *record)
{
	struct op *op = new_op(OP_REQUEST);
	op->u.request[0] = UINT64_MAX;
	op->u.request[1] = 1;
	record_put(record, op);
	op->kind = OP_SERIES;
	fill_series(&op->series);
	record_put(record, op);
	op->kind = OP_SESSION;
	op->u.session = (struct op_session){ UINT64_MAX - 1, SLICE_LIT("session"),
		SLICE_LIT("a@b.example"), SLICE_LIT(""), SLICE_LIT("2.1") };
	record_put(record, op);
	op->kind = OP_CONTEXT;
	op->u.context = (struct op_context){ 5, UINT32_MAX };
	record_put(record, op);
	op->kind = OP_ADD;
	op->u.add = (struct op_add){ UINT32_MAX, 300, 0.1 };
	record_put(record, op);
	op->kind = OP_SET;
	op->u.set = (struct op_set){ 1, UINT32_MAX, INT64_MIN, -0.5 };
	record_put(record, op);
	op->kind = OP_STREAM;
	op->u.stream = (struct op_stream){ { 1, 2 }, UINT64_MAX, 4, 5, 6, 7.5, INT64_MAX };
	record_put(record, op);
	op->kind = OP_SCRAPE;
	op->u.scrape = (struct op_scrape){ -1, INT64_MAX };
	record_put(record, op);
	op->kind = OP_EPOCH;
	op->u.epoch.start_ns = UINT64_MAX;
	record_put(record, op);
	op->kind = OP_CARRY;
	op->u.add = (struct op_add){ 127, 128, 1e300 };
	record_put(record, op);
	op->kind = OP_SEEN;
	op->u.seen = (struct op_seen){ 1, 2, 3, UINT64_MAX };
	record_put(record, op);
	op->kind = OP_LOST;
	op->u.lost = (struct op_lost){ 1, -5, true };
	record_put(record, op);
	op->kind = OP_STATE;
	op->u.state = (struct op_state){ SLICE_LIT("seed"), SLICE_LIT("\0\1\2") };
	record_put(record, op);
	free(op);
}

static void assert_next(struct record_reader *r, struct op *op, enum op_kind kind)
{
	assert_int_equal(record_next(r, op), 1);
	assert_int_equal(op->kind, kind);
}

static void assert_series(const struct op_series *s)
{
	struct op_series *want = mem_zalloc(sizeof *want);
	fill_series(want);
	assert_int_equal(s->id, want->id);
	assert_int_equal(s->kind, want->kind);
	assert_true(slice_eq(s->metric, want->metric) && slice_eq(s->family, want->family) &&
		    slice_eq(s->unit, want->unit) && slice_eq(s->help, want->help));
	assert_int_equal(s->label_count, want->label_count);
	for (size_t i = 0; i < s->label_count; i++)
		assert_true(slice_eq(s->labels[i].name, want->labels[i].name) &&
			    slice_eq(s->labels[i].value, want->labels[i].value));
	assert_int_equal(s->bound_count, want->bound_count);
	assert_memory_equal(s->bounds, want->bounds, sizeof want->bounds);
	free(want);
}

static void test_every_operation_comes_out_as_it_went_in(void **state)
{
	(void)state;
	AUTO(buf) struct buf record = BUF_INIT(BUF_UNLIMITED);
	struct record_reader r;
	struct op *op = new_op(OP_ADD);
	record_begin(&record, ARRIVED_MS);
	put_every_kind(&record);
	assert_true(record_reader_init(&r, buf_slice(&record)));
	assert_int_equal(r.arrived_ms, ARRIVED_MS);
	assert_next(&r, op, OP_REQUEST);
	assert_true(op->u.request[0] == UINT64_MAX && op->u.request[1] == 1);
	assert_next(&r, op, OP_SERIES);
	assert_series(&op->series);
	assert_next(&r, op, OP_SESSION);
	assert_true(op->u.session.session == UINT64_MAX - 1);
	assert_true(slice_eq_str(op->u.session.text, "session") &&
		    slice_eq_str(op->u.session.user, "a@b.example") &&
		    slice_eq_str(op->u.session.terminal, "") &&
		    slice_eq_str(op->u.session.version, "2.1"));
	assert_next(&r, op, OP_CONTEXT);
	assert_true(op->u.context.session == 5 && op->u.context.minute == UINT32_MAX);
	assert_next(&r, op, OP_ADD);
	assert_true(
		op->u.add.series == UINT32_MAX && op->u.add.part == 300 && op->u.add.amount == 0.1);
	assert_next(&r, op, OP_SET);
	assert_true(op->u.set.series == 1 && op->u.set.part == UINT32_MAX &&
		    op->u.set.time_ms == INT64_MIN && op->u.set.value == -0.5);
	assert_next(&r, op, OP_STREAM);
	const struct op_stream *s = &op->u.stream;
	assert_true(s->key[0] == 1 && s->key[1] == 2 && s->earliest_ns == UINT64_MAX &&
		    s->anchor == 4 && s->series == 5 && s->part == 6 && s->value == 7.5 &&
		    s->time_ms == INT64_MAX);
	assert_next(&r, op, OP_SCRAPE);
	assert_true(op->u.scrape.time_ms == -1 && op->u.scrape.hold_ms == INT64_MAX);
	assert_next(&r, op, OP_EPOCH);
	assert_true(op->u.epoch.start_ns == UINT64_MAX);
	assert_next(&r, op, OP_CARRY);
	assert_true(op->u.add.series == 127 && op->u.add.part == 128 && op->u.add.amount == 1e300);
	assert_next(&r, op, OP_SEEN);
	assert_true(op->u.seen.session == 1 && op->u.seen.user == 2 && op->u.seen.first == 3 &&
		    op->u.seen.last == UINT64_MAX);
	assert_next(&r, op, OP_LOST);
	assert_true(op->u.lost.session == 1 && op->u.lost.count == -5 && op->u.lost.is_unknown);
	assert_next(&r, op, OP_STATE);
	assert_true(slice_eq_str(op->u.state.name, "seed") &&
		    slice_eq(op->u.state.bytes, SLICE_LIT("\0\1\2")));
	assert_int_equal(record_next(&r, op), 0);
	assert_int_equal(record_next(&r, op), 0);
	free(op);
}

static void test_the_short_forms_write_the_same_bytes(void **state)
{
	(void)state;
	AUTO(buf) struct buf one = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf other = BUF_INIT(BUF_UNLIMITED);
	struct op *op = new_op(OP_CONTEXT);
	op->u.context = (struct op_context){ 77, 29400000 };
	record_put(&one, op);
	record_put_context(&other, 77, 29400000);
	op->kind = OP_ADD;
	op->u.add = (struct op_add){ 5, 0, 0.0123 };
	record_put(&one, op);
	record_put_add(&other, 5, 0, 0.0123);
	assert_true(slice_eq(buf_slice(&one), buf_slice(&other)));
	assert_int_equal(other.len, 1 + 8 + 4 + 1 + 1 + 1 + 8);
	free(op);
}

/* Reads a copy of exactly these bytes, so that the sanitizer sees a read outside. */
static int read_all(struct slice bytes, size_t *ops)
{
	unsigned char *exact = mem_memdup(bytes.ptr, bytes.len);
	struct op *op = new_op(OP_ADD);
	struct record_reader r;
	int got = -1;
	*ops = 0;
	if (record_reader_init(&r, slice_of(exact, bytes.len))) {
		while ((got = record_next(&r, op)) > 0)
			(*ops)++;
	}
	free(op);
	free(exact);
	return got;
}

static void test_a_truncated_record_is_an_error_unless_it_ends_between_operations(void **state)
{
	(void)state;
	AUTO(buf) struct buf record = BUF_INIT(BUF_UNLIMITED);
	record_begin(&record, ARRIVED_MS);
	put_every_kind(&record);
	size_t ops, whole = 0;
	for (size_t len = 0; len < record.len; len++) {
		if (read_all(slice_of(record.data, len), &ops) == 0)
			whole++;
	}
	assert_int_equal(whole, OP_STATE); /* behind the time, and behind each but the last */
	assert_int_equal(read_all(buf_slice(&record), &ops), 0);
	assert_int_equal(ops, OP_STATE);
}

static void test_damaged_bytes_are_never_read_outside(void **state)
{
	(void)state;
	AUTO(buf) struct buf record = BUF_INIT(BUF_UNLIMITED);
	struct op *op = new_op(OP_SERIES);
	record_begin(&record, ARRIVED_MS);
	fill_series(&op->series);
	op->series.label_count = 3;
	op->series.bound_count = 2;
	record_put(&record, op);
	op->kind = OP_SESSION;
	op->u.session = (struct op_session){ 1, SLICE_LIT("s"), SLICE_LIT("u"), SLICE_LIT(""),
		SLICE_LIT("v") };
	record_put(&record, op);
	record_put_add(&record, 5, 0, 0.0123);
	free(op);
	size_t ops;
	for (size_t i = 0; i < record.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			record.data[i] ^= (unsigned char)(1u << bit);
			int got = read_all(buf_slice(&record), &ops);
			assert_true(got == 0 || got == -1);
			record.data[i] ^= (unsigned char)(1u << bit);
		}
	}
}

static void test_what_no_cctm_writes_is_an_error(void **state)
{
	(void)state;
	const struct slice rows[] = {
		SLICE_LIT(""),	     /* no time */
		SLICE_LIT("\x80"),   /* half a time */
		SLICE_LIT("\0\0"),   /* operation 0 */
		SLICE_LIT("\0\x0e"), /* one behind the last */
		SLICE_LIT("\0\xff"),
		SLICE_LIT("\0\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* past 64 bits */
		SLICE_LIT("\0\x09\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
		SLICE_LIT("\0\x05\xff\xff\xff\xff\x10\0\0\0\0\0\0\0\0\0"), /* series past 32 bits */
		SLICE_LIT("\0\x02\1\0\0\0\0\0\0\0"),			   /* kind 0 */
		SLICE_LIT("\0\x02\1\6\0\0\0\0\0\0"),			   /* kind 6 */
		SLICE_LIT("\0\x02\1\1\0\0\0\0\x41\0"),			   /* 65 labels */
		SLICE_LIT("\0\x02\1\1\0\0\0\0\0\x81\4"),		   /* 513 bounds */
		SLICE_LIT("\0\x0d\1x\x81\x80\x40"),	 /* a text past a mebibyte */
		SLICE_LIT("\0\x0c\0\0\0\0\0\0\0\0\0\2"), /* neither true nor false */
	};
	size_t ops;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(read_all(rows[i], &ops), -1);
	assert_int_equal(read_all(SLICE_LIT("\0"), &ops), 0); /* says nothing */
}

static void test_the_hash_of_a_session_is_zero_for_none_only(void **state)
{
	(void)state;
	assert_true(record_session_hash(SLICE_LIT("")) == 0);
	assert_true(record_session_hash(SLICE_LIT("a")) != 0);
	assert_true(record_session_hash(SLICE_LIT("a")) == record_session_hash(SLICE_LIT("a")));
	assert_true(record_session_hash(SLICE_LIT("a")) != record_session_hash(SLICE_LIT("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_operation_comes_out_as_it_went_in),
		cmocka_unit_test(test_the_short_forms_write_the_same_bytes),
		cmocka_unit_test(
			test_a_truncated_record_is_an_error_unless_it_ends_between_operations),
		cmocka_unit_test(test_damaged_bytes_are_never_read_outside),
		cmocka_unit_test(test_what_no_cctm_writes_is_an_error),
		cmocka_unit_test(test_the_hash_of_a_session_is_zero_for_none_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
