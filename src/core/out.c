#include "core/out.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

#define BUFFERED_MAX 65536

struct out {
	struct buf text; /* not written yet */
	int write_errno; /* of the first write that failed; later text is dropped */
	unsigned width;
	bool has_color, has_document, is_quiet;
	unsigned frame;
	bool has_status; /* a status stands on the terminal's last line */
};

static bool environment_has_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static unsigned terminal_width(void)
{
	struct winsize size;
	bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	return is_known ? size.ws_col : 80;
}

struct out *out_new(enum color_mode color)
{
	struct out *o = mem_zalloc(sizeof *o);
	o->text = (struct buf)BUF_INIT(BUF_UNLIMITED);
	o->width = terminal_width();
	o->has_color = color == COLOR_ALWAYS ||
		       (color == COLOR_AUTO && isatty(STDOUT_FILENO) && environment_has_color());
	return o;
}

void out_free(struct out *o)
{
	if (!o)
		return;
	buf_clear(&o->text);
	free(o);
}

static void push(struct out *o)
{
	size_t written;
	if (o->text.len && !o->write_errno &&
		!fd_write_all(STDOUT_FILENO, o->text.data, o->text.len, &written))
		o->write_errno = errno;
	buf_drop_front(&o->text, o->text.len);
}

void out_write(struct out *o, const char *text, size_t len)
{
	buf_add(&o->text, text, len);
	if (o->text.len >= BUFFERED_MAX)
		push(o);
}

void out_printf(struct out *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&o->text, fmt, ap);
	va_end(ap);
	if (o->text.len >= BUFFERED_MAX)
		push(o);
}

json_t *out_json_text(const char *s)
{
	AUTO(buf) struct buf clean = BUF_INIT(BUF_UNLIMITED);
	if (!s)
		return json_null();
	text_utf8(&clean, s);
	return json_string(buf_str(&clean));
}

static void print_document(struct out *o, int schema_version, json_t *document, size_t flags)
{
	assert(json_is_object(document));
	json_t *whole = json_pack("{s:i}", "schema_version", schema_version);
	json_object_update(whole, document);
	/* 15 significant digits: every decimal of that length comes back as it went in, and 0.1 + 0.2 is
	 * shown as 0.3. Whole numbers are json integers and exact. */
	char *text = json_dumps(whole, flags | JSON_REAL_PRECISION(15));
	assert(text);
	out_printf(o, "%s\n", text);
	free(text);
	json_decref(whole);
	json_decref(document);
	o->has_document = true;
}

void out_json(struct out *o, int schema_version, json_t *document)
{
	print_document(o, schema_version, document, JSON_INDENT(2));
}

void out_json_line(struct out *o, int schema_version, json_t *document)
{
	print_document(o, schema_version, document, JSON_COMPACT);
	push(o);
}

bool out_has_document(const struct out *o)
{
	return o->has_document;
}

void out_set_quiet(struct out *o, bool is_quiet)
{
	o->is_quiet = is_quiet;
}

/* On a terminal that obeys: back to the line's begin, and empty it. */
void out_end_status(struct out *o)
{
	if (o->has_status)
		fputs("\r\033[K", stderr);
	o->has_status = false;
}

void out_status(struct out *o, const char *fmt, ...)
{
	static const char *const frames[] = { "-", "\\", "|", "/" };
	const char *term = getenv("TERM");
	char text[200];
	if (o->is_quiet || !isatty(STDERR_FILENO) || (term && strcmp(term, "dumb") == 0))
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* A line that wraps could not be emptied again. */
	int width = o->width > 6 ? (int)o->width - 6 : 1;
	out_end_status(o);
	fprintf(stderr, "  %s  %.*s", frames[o->frame++ % 4], width, text);
	fflush(stderr);
	o->has_status = true;
}

void out_note(struct out *o, const char *fmt, ...)
{
	if (o->is_quiet)
		return;
	push(o); /* in the order in which they were said */
	out_end_status(o);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

unsigned out_width(const struct out *o)
{
	return o->width;
}

const char *out_style(const struct out *o, enum style style)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_RED] = "\033[31m",
		[STYLE_GREEN] = "\033[32m",
		[STYLE_YELLOW] = "\033[33m",
		[STYLE_CYAN] = "\033[36m",
	};
	return o->has_color ? sequences[style] : "";
}

bool out_flush(struct out *o, struct error *err)
{
	out_end_status(o);
	push(o);
	if (!o->write_errno)
		return true;
	return error_set_errno(err, ERR_IO, o->write_errno, "cannot write to standard output");
}
