/* The bytes of a journal segment from a damaged disk: a header, then frames. What frames there are is found
 * the way start-up finds them, and their records are read; no byte may be read outside, the search must get
 * on, and a frame that holds must hold again. A first byte of 0xff means that the rest is one record without
 * its frame, which lets the reader of records be reached without guessing checksums. */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/journal/journal_internal.h"
#include "bridge/journal/record.h"
#include "fuzz.h"

#define FIRST UINT64_C(4096)

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void must_be_inside(struct slice part, struct slice whole)
{
	must(!part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_op(const struct op *op, struct slice record)
{
	if (op->kind == OP_SERIES) {
		must(op->series.label_count <= RECORD_LABELS_MAX);
		must(op->series.bound_count <= RECORD_BOUNDS_MAX);
		must_be_inside(op->series.metric, record);
		must_be_inside(op->series.help, record);
		for (size_t i = 0; i < op->series.label_count; i++)
			must_be_inside(op->series.labels[i].value, record);
	} else if (op->kind == OP_SESSION) {
		must_be_inside(op->u.session.text, record);
		must_be_inside(op->u.session.version, record);
	} else if (op->kind == OP_STATE) {
		must_be_inside(op->u.state.name, record);
		must_be_inside(op->u.state.bytes, record);
	}
}

static void fuzz_record(struct slice record)
{
	static struct op op;
	struct record_reader reader;
	int got = 0;
	if (!record_reader_init(&reader, record))
		return;
	size_t left = reader.left.len;
	while ((got = record_next(&reader, &op)) > 0) {
		check_op(&op, record);
		must(reader.left.len < left);
		left = reader.left.len;
	}
	must(got == -1 || reader.left.len == 0);
}

static void fuzz_segment(struct slice segment)
{
	if (segment.len < SEGMENT_HEADER_SIZE || !segment_header_is_valid(segment, FIRST))
		return;
	size_t at = SEGMENT_HEADER_SIZE;
	while (at < segment.len) {
		struct slice rest = slice_of(segment.ptr + at, segment.len - at), record;
		if (frame_check(rest, FIRST + at, &record) == FRAME_OK) {
			must_be_inside(record, rest);
			must(frame_search(rest, 0, FIRST + at) == 0);
			fuzz_record(record);
			at += FRAME_HEADER_SIZE + record.len;
			continue;
		}
		size_t next = frame_search(segment, at + 1, FIRST);
		must(next > at && next <= segment.len);
		at = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len && bytes[0] == 0xff)
		fuzz_record(slice_of(bytes + 1, len - 1));
	else
		fuzz_segment(slice_of(bytes, len));
	return 0;
}
