#include "claude/json_edit.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

/* Whatever is well formed stays so, has the value that was set, and not the one that was taken out. */
static void edit(const uint8_t *bytes, size_t len, const char *object)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct slice value;
	buf_add(&text, bytes, len);
	if (!json_edit_set(&text, object, "cctm-key", "\"cctm-value\"", &err))
		return;
	must(json_edit_check(buf_slice(&text), &err));
	must(json_edit_find(buf_slice(&text), object, "cctm-key", &value));
	must(value.len == 12 && memcmp(value.ptr, "\"cctm-value\"", 12) == 0);
	must(json_edit_remove(&text, object, "cctm-key", &err));
	must(json_edit_check(buf_slice(&text), &err));
	must(!json_edit_find(buf_slice(&text), object, "cctm-key", &value));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf plain = BUF_INIT(BUF_UNLIMITED);
	bool is_right = json_edit_check(slice_of(bytes, len), &err);
	if (memmem(bytes, len, "cctm-key", 8))
		return 0; /* a key that is there twice comes back from behind the one that goes */
	edit(bytes, len, NULL);
	edit(bytes, len, "env");
	if (!is_right)
		return 0;
	buf_add(&plain, bytes, len);
	json_edit_plain(&plain);
	must(plain.len == len);
	/* What a strict reader refuses then is only what it takes for no Unicode, or too large. */
	json_t *root = json_loadb((const char *)plain.data, plain.len, 0, NULL);
	json_decref(root);
	return 0;
}
