/* The record of an interrupted transaction as a user, an editor or a hostile archive left it. What is read must be
 * what the program could have written, since files are removed by it: every path relative and inside, every target
 * where its path leads, every directory above a target; and written again it must read the same. */
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/transaction_internal.h"
#include "fuzz.h"

/* No such directory, so that no link is met: what is read here depends on the bytes alone. */
#define ROOT  "/nowhere/cctm-fuzz"
#define INODE 7

static void must(bool claim)
{
	if (!claim)
		abort();
}

static struct transaction *begin(void)
{
	struct transaction *t = transaction_new(ROOT, ROOT "/state");
	t->root = mem_strdup(ROOT);
	t->root_inode = INODE;
	return t;
}

static void check_steps(const struct transaction *t)
{
	must(t->count <= TRANSACTION_STEPS_MAX);
	for (size_t i = 0; i < t->count; i++) {
		AUTO(str) char *plain = mem_printf("%s/%s", ROOT, t->steps[i].path);
		must(transaction_path_is_proper(t->steps[i].path));
		must(strcmp(plain, t->steps[i].target) == 0);
		must(!t->steps[i].bytes);
	}
}

static void check_dirs(const struct transaction *t)
{
	for (size_t i = 0; i < t->made.count; i++) {
		const char *dir = t->made.items[i].path;
		bool is_above = false;
		for (size_t k = 0; k < t->count; k++)
			is_above = is_above || strncmp(t->steps[k].target, dir, strlen(dir)) == 0;
		must(is_above);
	}
}

static void check_again(const struct transaction *t)
{
	AUTO(buf) struct buf once = BUF_INIT(BUF_UNLIMITED), twice = BUF_INIT(BUF_UNLIMITED);
	AUTO(transaction) struct transaction *again = begin();
	AUTO(error) struct error err = ERROR_INIT;
	transaction_record_print(t, &once);
	must(transaction_record_parse(again, buf_slice(&once), "again", &err));
	transaction_record_print(again, &twice);
	must(slice_eq(buf_slice(&once), buf_slice(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(transaction) struct transaction *t = begin();
	AUTO(error) struct error err = ERROR_INIT;
	if (!transaction_record_parse(t, slice_of(bytes, len), "record", &err)) {
		must(error_is_set(&err));
		return 0;
	}
	check_steps(t);
	check_dirs(t);
	check_again(t);
	return 0;
}
