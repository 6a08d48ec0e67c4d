/* .env: whatever the bytes, it is read or refused; a variable that is set reads back, and the others stay. */
#include "render/env_file.h"

#include <assert.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"

#define NAME "SET_BY_FUZZ"

/* The bytes in front of and behind the value are those of before; nothing at all changes when it is added. */
static void assert_rest_stays(
	struct slice text, const struct env_variable *was, const struct buf *out)
{
	size_t start = was ? was->start : text.len, behind = was ? text.len - was->end : 0;
	assert(out->len >= start + behind);
	assert(slice_eq(slice_of(out->data, start), slice_of(text.ptr, start)));
	assert(slice_eq(slice_of(out->data + out->len - behind, behind),
		slice_of(text.ptr + text.len - behind, behind)));
}

static void set(struct slice text, const struct env_file *before, const char *value)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file after = { 0 };
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	const struct env_variable *was = env_file_find(before, NAME);
	assert(env_file_set(text, NAME, value, &out, &err));
	assert_rest_stays(text, was, &out);
	assert(env_file_parse(buf_slice(&out), &after, &err));
	assert(strcmp(env_file_find(&after, NAME)->value, value) == 0);
	assert(after.count == before->count + (was ? 0 : 1));
	for (size_t i = 0; i < before->count; i++) {
		if (&before->items[i] != was)
			assert(strcmp(before->items[i].value, after.items[i].value) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const values[] = { "plain", "", "it's", "a'b\"c $X ${Y} #\n\\\001" };
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file before = { 0 };
	struct slice text = slice_of(bytes, len);
	if (len > ENV_FILE_MAX / 2 || !env_file_parse(text, &before, &err))
		return 0;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		set(text, &before, values[i]);
	return 0;
}
