#include "core/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const struct {
	const char *slug;
	int exit_status;
} codes[] = {

#define X(code, slug, exit_status, sentence) [code] = { slug, exit_status },
	ERROR_CODES(X)
#undef X
};

bool error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	assert(!error_is_set(err));
	va_list ap;
	va_start(ap, fmt);
	err->message = mem_vprintf(fmt, ap);
	va_end(ap);
	err->code = code;
	return false;
}

bool error_set_errno(struct error *err, enum error_code code, int errnum, const char *fmt, ...)
{
	assert(!error_is_set(err));
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *what = mem_vprintf(fmt, ap);
	va_end(ap);
	err->message = mem_printf("%s: %s", what, strerror(errnum));
	err->code = code;
	return false;
}

bool error_wrap(struct error *err, const char *fmt, ...)
{
	assert(error_is_set(err));
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *attempt = mem_vprintf(fmt, ap);
	va_end(ap);
	char *wrapped = mem_printf("%s: %s", attempt, err->message);
	free(err->message);
	err->message = wrapped;
	return false;
}

bool error_hint(struct error *err, const char *fmt, ...)
{
	assert(error_is_set(err));
	if (err->hint)
		return false;
	va_list ap;
	va_start(ap, fmt);
	err->hint = mem_vprintf(fmt, ap);
	va_end(ap);
	return false;
}

bool error_is_set(const struct error *err)
{
	return err->code != ERR_NONE;
}

void error_clear(struct error *err)
{
	free(err->message);
	free(err->hint);
	*err = (struct error)ERROR_INIT;
}

const char *error_slug(enum error_code code)
{
	return codes[code].slug;
}

int error_exit_status(enum error_code code)
{
	return codes[code].exit_status;
}
