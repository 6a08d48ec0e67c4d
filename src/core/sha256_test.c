#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sha256.h"

static void expect(const char *text, size_t len, size_t times, size_t step, const char *sum)
{
	char digits[SHA256_DIGITS + 1];
	struct sha256 hash;
	sha256_init(&hash);
	for (size_t n = 0; n < times; n++) {
		for (size_t at = 0; at < len; at += step)
			sha256_add(&hash, text + at, len - at < step ? len - at : step);
	}
	sha256_hex(&hash, digits);
	assert_string_equal(digits, sum);
}

/* The examples of FIPS 180-4 and the long one of NIST's test vectors. */
static void test_knows_the_sums_of_the_standard(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	(void)state;
	expect("", 0, 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3, 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect(two_blocks, strlen(two_blocks), 1, 100,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect("aaaaaaaaaa", 10, 100000, 10,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_the_pieces_do_not_matter(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	(void)state;
	for (size_t step = 1; step <= strlen(text); step++)
		expect(text, strlen(text), 1, step,
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_the_sums_of_the_standard),
		cmocka_unit_test(test_the_pieces_do_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
