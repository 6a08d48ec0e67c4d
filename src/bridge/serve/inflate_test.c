#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "bridge/serve/inflate.h"

#define GZIP (15 + 16)
#define ZLIB 15
#define RAW  (-15)

struct fixture {
	struct inflater *inflater;
	struct buf packed, out;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ .inflater = inflater_new(),
		.packed = BUF_INIT(BUF_UNLIMITED),
		.out = BUF_INIT(100000) };
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	inflater_free(f->inflater);
	buf_clear(&f->packed);
	buf_clear(&f->out);
	return 0;
}

/* Appends `len` bytes that repeat every 251, packed. */
static void pack(struct buf *packed, int bits, size_t len)
{
	static unsigned char plain[200000];
	static unsigned char room[200000];
	z_stream z = { 0 };
	assert_true(len <= sizeof(plain));
	for (size_t i = 0; i < len; i++)
		plain[i] = (unsigned char)(i % 251);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.avail_in = (uInt)len;
	z.next_out = room;
	z.avail_out = sizeof(room);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_add(packed, room, sizeof(room) - z.avail_out);
	deflateEnd(&z);
}

static enum reason unpack(struct fixture *f, enum http1_coding coding)
{
	return inflate_body(f->inflater, coding, buf_slice(&f->packed), &f->out);
}

static void assert_unpacked(const struct fixture *f, size_t len)
{
	assert_int_equal(f->out.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(f->out.data[i], i % 251);
}

static void test_inflates_gzip_zlib_and_raw_deflate_one_after_another(void **state)
{
	static const struct {
		int bits;
		enum http1_coding coding;
	} cases[] = {
		{ GZIP, HTTP1_GZIP },
		{ ZLIB, HTTP1_DEFLATE },
		{ RAW, HTTP1_DEFLATE },
		{ GZIP, HTTP1_GZIP },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < 4; i++) {
		f->packed.len = 0;
		pack(&f->packed, cases[i].bits, 70000);
		assert_int_equal(unpack(f, cases[i].coding), REASON_OK);
		assert_unpacked(f, 70000);
	}
}

static void test_inflates_an_empty_body(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 0);
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_OK);
	assert_int_equal(f->out.len, 0);
}

static void test_inflates_all_members_of_gzip(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		pack(&f->packed, GZIP, 251);
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_OK);
	assert_unpacked(f, 3 * 251);
}

static void test_inflates_exactly_the_maximum_and_not_one_byte_more(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 100000);
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_OK);
	assert_unpacked(f, 100000);
	f->packed.len = 0;
	pack(&f->packed, GZIP, 100001);
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_BODY_TOO_LARGE);
}

static void test_counts_all_members_against_the_maximum(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 60000);
	pack(&f->packed, GZIP, 60000);
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_BODY_TOO_LARGE);
}

static void test_refuses_a_body_cut_anywhere(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 1000);
	for (size_t len = f->packed.len; len-- > 0;) {
		f->packed.len = len;
		assert_int_equal(unpack(f, HTTP1_GZIP), REASON_MALFORMED_COMPRESSION);
	}
	assert_int_equal(unpack(f, HTTP1_DEFLATE), REASON_MALFORMED_COMPRESSION);
}

static void test_refuses_bytes_behind_the_end(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 1000);
	buf_adds(&f->packed, "x");
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_MALFORMED_COMPRESSION);
	f->packed.len = 0;
	pack(&f->packed, ZLIB, 1000);
	pack(&f->packed, ZLIB, 1000);
	assert_int_equal(unpack(f, HTTP1_DEFLATE), REASON_MALFORMED_COMPRESSION);
}

static void test_refuses_a_wrong_checksum(void **state)
{
	struct fixture *f = *state;
	pack(&f->packed, GZIP, 1000);
	f->packed.data[f->packed.len - 8] ^= 1;
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_MALFORMED_COMPRESSION);
	f->packed.data[f->packed.len - 8] ^= 1;
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_OK);
}

static void test_refuses_what_is_not_compressed(void **state)
{
	struct fixture *f = *state;
	buf_adds(&f->packed, "{\"resourceMetrics\":[]}");
	assert_int_equal(unpack(f, HTTP1_GZIP), REASON_MALFORMED_COMPRESSION);
	assert_int_equal(unpack(f, HTTP1_DEFLATE), REASON_MALFORMED_COMPRESSION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inflates_gzip_zlib_and_raw_deflate_one_after_another),
		TEST(test_inflates_an_empty_body),
		TEST(test_inflates_all_members_of_gzip),
		TEST(test_inflates_exactly_the_maximum_and_not_one_byte_more),
		TEST(test_counts_all_members_against_the_maximum),
		TEST(test_refuses_a_body_cut_anywhere),
		TEST(test_refuses_bytes_behind_the_end),
		TEST(test_refuses_a_wrong_checksum),
		TEST(test_refuses_what_is_not_compressed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
