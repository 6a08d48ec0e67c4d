/* .env: whatever the bytes, it is read or refused; a variable that is set reads back, and the others stay. */
#include "render/env_file.h"

#include <assert.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"

#define VALUE "a'b\"c $X ${Y} #\n\\"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file before = { 0 };
	AUTO(env_file) struct env_file after = { 0 };
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	if (!env_file_parse(slice_of(bytes, len), &before, &err))
		return 0;
	assert(env_file_set(slice_of(bytes, len), "SET_BY_FUZZ", VALUE, &out, &err));
	assert(env_file_parse(buf_slice(&out), &after, &err));
	assert(strcmp(env_file_find(&after, "SET_BY_FUZZ")->value, VALUE) == 0);
	size_t added = env_file_find(&before, "SET_BY_FUZZ") ? 0 : 1;
	assert(after.count == before.count + added);
	for (size_t i = 0; i < before.count; i++) {
		if (strcmp(before.items[i].name, "SET_BY_FUZZ") != 0)
			assert(strcmp(before.items[i].value, after.items[i].value) == 0);
	}
	return 0;
}
