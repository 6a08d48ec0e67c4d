#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backup/inventory.h"
#include "core/error.h"
#include "core/mem.h"

static void test_a_path_is_a_file_below_a_directory_and_nothing_else(void **state)
{
	static const struct {
		const char *path;
		bool is_proper;
		const char *reason;
	} cases[] = {
		{ "ledger/ledger.db", true, "a file in a part" },
		{ "configuration/.cctm/manifest.json", true, "hidden names are names" },
		{ "configuration/caf\xc3\xa9.yml", true, "UTF-8" },
		{ "configuration/...", true, "three dots are a name" },
		{ "", false, "empty" },
		{ "/etc/passwd", false, "absolute" },
		{ "a/", false, "a folder" },
		{ "a//b", false, "an empty component" },
		{ "..", false, "above" },
		{ "a/../b", false, "above" },
		{ "a/.", false, "itself" },
		{ "a\nb", false, "a newline" },
		{ "a\x7f", false, "a control character" },
		{ "a\\b", false, "a separator elsewhere" },
		{ "a\xff", false, "not UTF-8" },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", true, "as deep as it may be" },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", false, "deeper" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (inventory_path_is_proper(cases[i].path) != cases[i].is_proper)
			fail_msg("%s: %s", cases[i].path, cases[i].reason);
	}
}

static struct inventory make(void)
{
	struct inventory inventory = { .cctm = mem_strdup("1.0.0"),
		.made_at = mem_strdup("2026-11-30T23:27:46Z"),
		.project = mem_strdup("p"),
		.runtime = mem_strdup("embedded"),
		.ingest = mem_strdup("bridge") };
	struct inventory_file *file =
		inventory_add(&inventory, BACKUP_LEDGER, "ledger.db", 4096, 0600);
	memset(file->sha256, 'a', SHA256_DIGITS);
	inventory.parts[BACKUP_LEDGER].state = BACKUP_SAVED;
	return inventory;
}

static void test_what_is_printed_reads_the_same(void **state)
{
	(void)state;
	AUTO(inventory) struct inventory inventory = make(), again = { 0 };
	AUTO(buf) struct buf once = BUF_INIT(BUF_UNLIMITED), twice = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error err = ERROR_INIT;
	inventory.is_partial = true;
	inventory.parts[BACKUP_SECRETS].state = BACKUP_FAILED;
	inventory_note(&inventory, BACKUP_SECRETS, "login %s", "refused");
	inventory_print(&inventory, &once);
	assert_true(inventory_parse(buf_slice(&once), &again, &err));
	inventory_print(&again, &twice);
	assert_string_equal(buf_str(&once), buf_str(&twice));
	assert_int_equal(again.parts[BACKUP_LEDGER].bytes, 4096);
	assert_string_equal(again.files[0].name, "ledger.db");
	assert_string_equal(again.parts[BACKUP_SECRETS].notes[0], "login refused");
}

static void test_a_note_holds_nothing_that_a_terminal_obeys_and_is_bounded(void **state)
{
	(void)state;
	AUTO(inventory) struct inventory inventory = make(), again = { 0 };
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *longer = mem_alloc(2000);
	memset(longer, 'x', 1999);
	longer[1999] = '\0';
	inventory_note(&inventory, BACKUP_LEDGER, "a\x1b[2Jb\n\xff");
	inventory_note(&inventory, BACKUP_LEDGER, "%s", longer);
	assert_null(strchr(inventory.parts[BACKUP_LEDGER].notes[0], '\x1b'));
	inventory_print(&inventory, &text);
	assert_true(inventory_parse(buf_slice(&text), &again, &err));
	assert_int_equal(strlen(again.parts[BACKUP_LEDGER].notes[1]), INVENTORY_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_path_is_a_file_below_a_directory_and_nothing_else),
		cmocka_unit_test(test_what_is_printed_reads_the_same),
		cmocka_unit_test(test_a_note_holds_nothing_that_a_terminal_obeys_and_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
