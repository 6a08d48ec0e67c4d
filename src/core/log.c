#include "core/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

static enum log_level highest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	highest = level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	if (level > highest)
		return;
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&line, level == LOG_LEVEL_WARNING ? "cctm: warning: " : "cctm: ");
	text_visible(&line, message);
	buf_addc(&line, '\n');
	size_t written;
	/* A log that cannot be written has nowhere to say so. */
	if (!fd_write_all(STDERR_FILENO, line.data, line.len, &written))
		return;
}
