#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"
#include "render/manifest.h"

static int enter(void **state)
{
	*state = tempdir_make();
	return *state == NULL;
}

static int leave(void **state)
{
	return tempdir_remove(*state);
}

static void put(const char *dir, const char *below, const char *text)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *path = path_join(dir, below);
	AUTO(str) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	assert_true(dir_make(folder, 0700, &err));
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

/* A manifest of one file that was generated as "a: 1\n", in `dir`. */
static void write_one(const char *dir)
{
	AUTO(manifest) struct manifest manifest = { .runtime = RUNTIME_DOCKER };
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct manifest_file *file = manifest_add(&manifest, "config/a.yml");
	buf_adds(&file->generated, "a: 1\n");
	file->has_generated = true;
	manifest_add_port(&manifest, "ports.grafana", 3001);
	manifest_write(&manifest, &text);
	put(dir, MANIFEST_PATH, buf_str(&text));
	put(dir, ".cctm/generated/config/a.yml", "a: 1\n");
}

static void test_what_is_written_is_read(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(manifest) struct manifest read = { 0 };
	write_one(*state);
	assert_true(manifest_read(*state, &read, &err));
	assert_true(read.is_there);
	assert_int_equal(read.runtime, RUNTIME_DOCKER);
	assert_int_equal(manifest_port(&read, "ports.grafana"), 3001);
	const struct manifest_file *file = manifest_find(&read, "config/a.yml");
	assert_true(file && file->has_generated);
	assert_string_equal(buf_str(&file->generated), "a: 1\n");
}

static void test_no_manifest_is_an_empty_one(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(manifest) struct manifest read = { 0 };
	assert_true(manifest_read(*state, &read, &err));
	assert_false(read.is_there);
	assert_null(manifest_find(&read, "config/a.yml"));
}

/* Else a user's file could be taken for unedited, and written over. */
static void test_a_generated_text_that_somebody_changed_is_none(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(manifest) struct manifest read = { 0 };
	write_one(*state);
	put(*state, ".cctm/generated/config/a.yml", "a: 2\n");
	assert_true(manifest_read(*state, &read, &err));
	assert_false(manifest_find(&read, "config/a.yml")->has_generated);
}

static const char *const broken[] = {
	"",
	"nonsense",
	"[]",
	"{}",
	"{\"version\": 0, \"runtime\": \"docker\", \"files\": [], \"ports\": {}}",
	"{\"version\": 1, \"runtime\": \"docker\", \"files\": {}, \"ports\": {}}",
	"{\"version\": 1, \"runtime\": \"docker\", \"files\": [{}], \"ports\": {}}",
	"{\"version\": 1, \"runtime\": \"docker\", \"files\": [{\"path\": \"../a\", \"generated\": "
	"\"\", \"offered\": "
	"\"\"}], \"ports\": {}}",
	"{\"version\": 1, \"runtime\": \"docker\", \"files\": [{\"path\": \"/a\", \"generated\": "
	"\"\", \"offered\": "
	"\"\"}], \"ports\": {}}",
	"{\"version\": 1, \"runtime\": \"docker\", \"files\": [], \"ports\": []}",
};

static void test_a_broken_manifest_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(manifest) struct manifest read = { 0 };
		put(*state, MANIFEST_PATH, broken[i]);
		assert_false(manifest_read(*state, &read, &err));
		assert_int_equal(err.code, ERR_CORRUPT);
		assert_non_null(err.hint);
	}
}

static void test_a_newer_manifest_is_refused_as_newer(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(manifest) struct manifest read = { 0 };
	put(*state, MANIFEST_PATH, "{\"version\": 2}");
	assert_false(manifest_read(*state, &read, &err));
	assert_int_equal(err.code, ERR_NEWER);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_is_written_is_read),
		CASE(test_no_manifest_is_an_empty_one),
		CASE(test_a_generated_text_that_somebody_changed_is_none),
		CASE(test_a_broken_manifest_is_refused),
		CASE(test_a_newer_manifest_is_refused_as_newer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
