/* Numbers of JSON, bare or in quotes.
 *
 * Most are whole and short: they are exact as an integer, or as an integer times or by a power of ten that a
 * double holds exactly (both at most 2^53 and 10^22, so one correctly rounded operation is right). Others go
 * through str_double, with at most as many digits as fit its buffer.
 */
#include <stdio.h>

#include "bridge/otlp/json.h"
#include "bridge/otlp/wire.h"
#include "core/str.h"

#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER    22
#define EXPONENT_MAX   100000

struct number {
	struct slice text;
	bool is_negative, is_cut; /* is_cut: digits did not fit the mantissa */
	uint64_t mantissa;
	int exponent; /* of ten */
};

static bool is_digit(const struct json *j)
{
	return j->p < j->end && *j->p >= '0' && *j->p <= '9';
}

/* The value of eight digits, or -1 if one of the bytes is none: all eight at once, then pairs, quads and
 * the whole by multiplication. Timestamps, 19 digits each, are two of a point's four numbers. */
static int64_t eight_digits(const unsigned char *p)
{
	uint64_t v = wire_load64(p);
	if (((v & 0xF0F0F0F0F0F0F0F0) | ((v + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4) !=
		0x3333333333333333)
		return -1;
	v &= 0x0F0F0F0F0F0F0F0F;
	v = (v * 10) + (v >> 8);
	return (int64_t)((((v & 0x000000FF000000FF) * 0x000F424000000064) +
				 ((v >> 16 & 0x000000FF000000FF) * 0x0000271000000001)) >>
			 32);
}

/* A digit joins the mantissa, or is passed over when it does not fit. */
static void add_digit(struct number *n, unsigned digit, bool is_fraction)
{
	if (n->is_cut || n->mantissa > (UINT64_MAX - digit) / 10) {
		n->is_cut = true;
		if (!is_fraction && n->exponent < EXPONENT_MAX)
			n->exponent++;
		return;
	}
	n->mantissa = n->mantissa * 10 + digit;
	n->exponent -= is_fraction;
}

/* One or more digits. */
static bool take_digits(struct json *j, struct number *n, bool is_fraction)
{
	int64_t eight;
	if (!is_digit(j))
		return json_fail(j);
	while (j->end - j->p >= 8 && n->mantissa < UINT64_C(100000000000) && !n->is_cut &&
		(eight = eight_digits(j->p)) >= 0) {
		n->mantissa = n->mantissa * 100000000 + (uint64_t)eight;
		n->exponent -= is_fraction ? 8 : 0;
		j->p += 8;
	}
	for (; is_digit(j); j->p++)
		add_digit(n, (unsigned)(*j->p - '0'), is_fraction);
	return true;
}

static bool take_exponent(struct json *j, struct number *n)
{
	bool is_negative = false;
	int exponent = 0;
	if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
		is_negative = *j->p++ == '-';
	if (!is_digit(j))
		return json_fail(j);
	for (; is_digit(j); j->p++) {
		if (exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (*j->p - '0');
	}
	n->exponent += is_negative ? -exponent : exponent;
	return true;
}

/* number = [ "-" ] int [ frac ] [ exp ] (RFC 8259, section 6) */
static bool take_number(struct json *j, struct number *n)
{
	*n = (struct number){ .text = { j->p, 0 } };
	if (j->p < j->end && *j->p == '-') {
		n->is_negative = true;
		j->p++;
	}
	if (j->p < j->end && *j->p == '0')
		j->p++;
	else if (!take_digits(j, n, false))
		return false;
	if (j->p < j->end && *j->p == '.') {
		j->p++;
		if (!take_digits(j, n, true))
			return false;
	}
	if (j->p < j->end && (*j->p | 0x20) == 'e') {
		j->p++;
		if (!take_exponent(j, n))
			return false;
	}
	/* "01" and "1x" fail here; what ends a value is the caller's to judge otherwise. */
	if (is_digit(j))
		return json_fail(j);
	n->text.len = (size_t)(j->p - n->text.ptr);
	return true;
}

static double slow_double(const struct number *n)
{
	char text[64];
	double value;
	if (str_double(n->text, &value))
		return value;
	int len = snprintf(text, sizeof text, "%s%llue%d", n->is_negative ? "-" : "",
		(unsigned long long)n->mantissa, n->exponent);
	return str_double(slice_of(text, (size_t)len), &value) ? value : 0;
}

static double number_double(const struct number *n)
{
	static const double powers[EXACT_POWER + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
		1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	if (n->is_cut || n->mantissa > EXACT_MANTISSA || n->exponent > EXACT_POWER ||
		n->exponent < -EXACT_POWER)
		return slow_double(n);
	double value = (double)n->mantissa;
	value = n->exponent < 0 ? value / powers[-n->exponent] : value * powers[n->exponent];
	return n->is_negative ? -value : value;
}

static bool take_quote(struct json *j)
{
	if (j->p == j->end || *j->p != '"')
		return json_fail(j);
	j->p++;
	return true;
}

/* A number, bare or in quotes. */
static bool read_number(struct json *j, struct number *n)
{
	if (!json_space(j))
		return json_fail(j);
	if (*j->p != '"')
		return take_number(j, n);
	j->p++;
	return take_number(j, n) && take_quote(j);
}

static bool named_double(struct json *j, double *out)
{
	struct slice text;
	if (!json_text(j, &text))
		return false;
	if (slice_eq_str(text, "NaN"))
		*out = __builtin_nan("");
	else if (slice_eq_str(text, "Infinity"))
		*out = __builtin_inf();
	else if (slice_eq_str(text, "-Infinity"))
		*out = -__builtin_inf();
	else
		return json_fail_with(j, REASON_MALFORMED_JSON);
	return true;
}

bool json_double(struct json *j, double *out)
{
	struct number n;
	if (!json_space(j))
		return json_fail(j);
	if (*j->p == '"' && j->end - j->p > 2 &&
		(j->p[1] == 'N' || j->p[1] == 'I' || (j->p[1] == '-' && j->p[2] == 'I')))
		return named_double(j, out);
	if (!read_number(j, &n))
		return false;
	*out = number_double(&n);
	return true;
}

/* A whole number's magnitude; 1.0, 10e2 and 1500e-2 are whole too (proto3 JSON). */
static bool read_whole(struct json *j, struct number *n)
{
	if (!read_number(j, n))
		return false;
	for (; n->exponent < 0 && n->mantissa % 10 == 0 && n->mantissa; n->exponent++)
		n->mantissa /= 10;
	for (; n->exponent > 0 && n->mantissa; n->exponent--) {
		if (__builtin_mul_overflow(n->mantissa, 10, &n->mantissa))
			return json_fail_with(j, REASON_MALFORMED_JSON);
	}
	if (n->is_cut || (n->mantissa && n->exponent))
		return json_fail_with(j, REASON_MALFORMED_JSON);
	return true;
}

bool json_uint64(struct json *j, uint64_t *out)
{
	struct number n;
	if (!read_whole(j, &n))
		return false;
	if (n.is_negative && n.mantissa)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	*out = n.mantissa;
	return true;
}

bool json_int64(struct json *j, int64_t *out)
{
	struct number n;
	if (!read_whole(j, &n))
		return false;
	if (n.mantissa > (uint64_t)INT64_MAX + n.is_negative)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	*out = (int64_t)(n.is_negative ? 0 - n.mantissa : n.mantissa);
	return true;
}

bool json_uint32(struct json *j, uint32_t *out)
{
	uint64_t value;
	if (!json_uint64(j, &value))
		return false;
	if (value > UINT32_MAX)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	*out = (uint32_t)value;
	return true;
}

bool json_int32(struct json *j, int32_t *out)
{
	int64_t value;
	if (!json_int64(j, &value))
		return false;
	if (value < INT32_MIN || value > INT32_MAX)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	*out = (int32_t)value;
	return true;
}

bool json_enum(struct json *j, int64_t *out)
{
	if (j->p < j->end && *j->p == '"')
		return json_fail_with(j, REASON_MALFORMED_JSON);
	return json_int64(j, out);
}
