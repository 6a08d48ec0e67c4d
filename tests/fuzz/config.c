/* The bytes of a cctm.yaml, after one byte that names a key. They load or give problems with places inside
 * the file. Whatever the file, setting the key either is refused or gives a file that says the new value and
 * loads the same everywhere else, with every comment kept; unsetting it gives back a file without it. */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit.h"
#include "config/edit_internal.h"
#include "config/problems.h"
#include "config/tree.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "fuzz.h"

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void must_be_inside(const struct node *node, struct slice bytes)
{
	must(node->start <= node->end && node->end <= bytes.len);
	for (size_t i = 0; i < node->count; i++)
		must_be_inside(node->children[i], bytes);
}

/* Loads, or says why. */
static bool check_load(struct slice bytes, struct config *config)
{
	AUTO(problems) struct problems problems = { 0 };
	const struct config_request request = { .path = "cctm.yaml" };
	bool is_loaded = config_check_bytes(&request, bytes, config, &problems);
	must(is_loaded == (problems.count == 0));
	struct place last = tree_place(bytes, bytes.len);
	for (size_t i = 0; i < problems.count; i++) {
		const struct origin *where = &problems.items[i].where;
		must(where->kind != ORIGIN_FILE || where->line <= last.line);
		must(error_is_set(&problems.items[i].error));
	}
	return is_loaded;
}

/* A file that loaded still does, and only the key differs. (Cross checks may fail: they are about values.) */
static void must_load_alike(const struct config *before, struct slice after, const struct key *key)
{
	AUTO(config) struct config config = { 0 };
	check_load(after, &config);
	for (size_t i = 0; i < config_key_count; i++) {
		bool is_other = &config_keys[i] != key && strcmp(key->path, "profile") != 0;
		must(!is_other ||
			value_equal(&before->settings[i].value, &config.settings[i].value));
	}
}

static void check_unset(struct slice bytes, const struct config *before, const struct key *key)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(tree) struct tree tree = { 0 };
	int was_there = edit_unset(bytes, key->path, &out, &err);
	must((was_there < 0) == error_is_set(&err));
	if (was_there != 1)
		return;
	must(tree_parse(buf_slice(&out), &tree, &err) && !edit_find(&tree, key->path));
	if (before)
		must_load_alike(before, buf_slice(&out), key);
}

static void check_set(struct slice bytes, const struct tree *tree, const struct config *before,
	const struct key *key)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(value) struct value value = { 0 };
	AUTO(tree) struct tree after = { 0 };
	must(value_parse_words(key, key->example, &value, &err));
	if (!edit_set(bytes, key, &value, &out, &err)) {
		must(err.code == ERR_REFUSED && out.len == 0);
		return;
	}
	must(tree_parse(buf_slice(&out), &after, &err));
	must(edit_says(key, edit_find(&after, key->path), &value));
	must(edit_same_elsewhere(tree, &after, key->path));
	must(edit_comments(bytes, tree) == edit_comments(buf_slice(&out), &after));
	if (before)
		must_load_alike(before, buf_slice(&out), key);
	check_unset(buf_slice(&out), before, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(config) struct config config = { 0 };
	AUTO(tree) struct tree tree = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	if (len == 0)
		return 0;
	const struct key *key = &config_keys[bytes[0] % config_key_count];
	struct slice file = slice_of(bytes + 1, len - 1);
	bool is_loaded = check_load(file, &config);
	if (!tree_parse(file, &tree, &err)) {
		must(!is_loaded);
		return 0;
	}
	if (tree.root)
		must_be_inside(tree.root, file);
	check_set(file, &tree, is_loaded ? &config : NULL, key);
	check_unset(file, is_loaded ? &config : NULL, key);
	return 0;
}
