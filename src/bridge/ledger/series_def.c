#include "bridge/ledger/series_def.h"

#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"

static struct slice keep(unsigned char **at, struct slice text)
{
	struct slice kept = slice_of(*at, text.len);
	if (text.len)
		memcpy(*at, text.ptr, text.len);
	(*at)[text.len] = '\0';
	*at += text.len + 1;
	return kept;
}

static size_t text_bytes(const struct op_series *s)
{
	size_t bytes = s->metric.len + s->family.len + s->unit.len + s->help.len + 4;
	for (size_t i = 0; i < s->label_count; i++)
		bytes += s->labels[i].name.len + s->labels[i].value.len + 2;
	return bytes;
}

struct series_def *series_def_new(const struct op_series *s)
{
	size_t labels = s->label_count * sizeof(struct op_label);
	size_t bounds = s->bound_count * sizeof(double);
	struct series_def *def = mem_alloc(sizeof *def + labels + bounds + text_bytes(s));
	void *tail = def + 1;
	def->labels = tail;
	tail = def->labels + s->label_count;
	def->bounds = tail;
	unsigned char *at = (unsigned char *)(def->bounds + s->bound_count);
	def->kind = s->kind;
	def->label_count = s->label_count;
	def->bound_count = s->bound_count;
	def->metric = keep(&at, s->metric);
	def->family = keep(&at, s->family);
	def->unit = keep(&at, s->unit);
	def->help = keep(&at, s->help);
	for (size_t i = 0; i < s->label_count; i++) {
		def->labels[i].name = keep(&at, s->labels[i].name);
		def->labels[i].value = keep(&at, s->labels[i].value);
	}
	if (bounds)
		memcpy(def->bounds, s->bounds, bounds);
	return def;
}

size_t series_def_bytes(const struct series_def *def)
{
	size_t bytes = sizeof *def + def->label_count * (sizeof(struct op_label) + 32);
	return bytes + def->bound_count * sizeof(double) + def->help.len + 64;
}

const char *series_def_label(const struct series_def *def, const char *name)
{
	for (size_t i = 0; i < def->label_count; i++) {
		if (slice_eq_str(def->labels[i].name, name))
			return (const char *)def->labels[i].value.ptr;
	}
	return NULL;
}

static void add_escaped(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = (char)value.ptr[i];
		if (c == '\\' || c == '"' || c == '\n')
			buf_addc(out, '\\');
		buf_addc(out, (char)(c == '\n' ? 'n' : c));
	}
}

void series_labels_text(struct buf *out, const struct op_label *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_addc(out, ',');
		buf_add(out, labels[i].name.ptr, labels[i].name.len);
		buf_adds(out, "=\"");
		add_escaped(out, labels[i].value);
		buf_addc(out, '"');
	}
}

void series_bounds_text(struct buf *out, const double *bounds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(out, i ? ",%.17g" : "%.17g", bounds[i]);
}

/* From behind the opening quote to behind the closing one; the value, unescaped in place. */
static unsigned char *take_value(unsigned char *at, const unsigned char *end, struct slice *value)
{
	unsigned char *from = at, *to = at;
	for (; at < end && *at != '"'; at++) {
		bool is_escaped = *at == '\\';
		if (is_escaped && ++at == end)
			return NULL;
		*to++ = (unsigned char)(is_escaped && *at == 'n' ? '\n' : *at);
	}
	*value = slice_of(from, (size_t)(to - from));
	return at < end ? at + 1 : NULL;
}

bool series_labels_parse(struct buf *text, struct op_series *out)
{
	unsigned char *at = text->data, *end = at + text->len;
	out->label_count = 0;
	while (at < end) {
		if (out->label_count == RECORD_LABELS_MAX)
			return false;
		struct op_label *label = &out->labels[out->label_count++];
		unsigned char *equals = memchr(at, '=', (size_t)(end - at));
		if (!equals || end - equals < 3 || equals[1] != '"')
			return false;
		label->name = slice_of(at, (size_t)(equals - at));
		at = take_value(equals + 2, end, &label->value);
		if (!at || (at < end && *at++ != ','))
			return false;
	}
	return true;
}

bool series_bounds_parse(struct slice text, struct op_series *out)
{
	out->bound_count = 0;
	while (text.len) {
		const unsigned char *comma = memchr(text.ptr, ',', text.len);
		size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
		if (out->bound_count == RECORD_BOUNDS_MAX ||
			!str_double(slice_of(text.ptr, len), &out->bounds[out->bound_count++]))
			return false;
		size_t used = comma ? len + 1 : len;
		text = slice_of(text.ptr + used, text.len - used);
	}
	return true;
}
