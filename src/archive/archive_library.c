#include "archive/archive_internal.h"
#include "core/library.h"

struct archive_functions archive_lib;

static const struct library_symbol symbols[] = {
#define X(symbol, field) { #symbol, &archive_lib.field },
	ARCHIVE_SYMBOLS(X)
#undef X
};

static struct library library = { .name = "libarchive.so.13",
	.package = "Debian's package libarchive13",
	.symbols = symbols,
	.count = sizeof symbols / sizeof *symbols };

bool archive_load(struct error *err)
{
	return library_load(&library, err);
}
