/* Images: what the templates can be used with is taken over, everything else replaced by what cctm knows.
 *
 * The Collector has no state, so one of another version may always take its place. Prometheus and Grafana write data
 * that an older version may not read: where their version is not known, the image stays. */
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

#define VERSION_PARTS 3

static const struct {
	enum service service;
	const char *key, *names[4];    /* last part of the reference */
	int64_t oldest[VERSION_PARTS]; /* that reads the files which the templates make */
	const char *why;
} known[] = {
	/* Statements of the transform processor without a context came with 0.120. */
	{ SERVICE_COLLECTOR, "images.collector", { "opentelemetry-collector-contrib" },
		{ 0, 120, 0 }, "which does not understand the transform processor's statements" },
	{ SERVICE_PROMETHEUS, "images.prometheus", { "prometheus" }, { 3, 0, 0 },
		"which is older than version 3" },
	/* GF_PLUGINS_PREINSTALL and its switch. */
	{ SERVICE_GRAFANA, "images.grafana", { "grafana", "grafana-oss", "grafana-enterprise" },
		{ 12, 0, 0 }, "which is older than version 12" },
};

struct reference {
	struct slice name; /* its last part */
	struct slice tag;  /* empty: none */
	bool has_digest;
};

static struct reference split_reference(const char *text)
{
	const char *slash = strrchr(text, '/'), *last = slash ? slash + 1 : text;
	const char *digest = strchr(last, '@');
	size_t len = digest ? (size_t)(digest - last) : strlen(last);
	const char *colon = memchr(last, ':', len);
	struct reference reference = { .has_digest = digest != NULL };
	reference.name = slice_of(last, colon ? (size_t)(colon - last) : len);
	if (colon)
		reference.tag = slice_of(colon + 1, len - reference.name.len - 1);
	return reference;
}

/* "v3.8.0", "12.3", "0.99.0-amd64". False: the tag begins with no number. */
static bool read_version(struct slice tag, int64_t version[VERSION_PARTS])
{
	AUTO(str) char *copy = mem_strndup((const char *)tag.ptr, tag.len);
	const char *at = copy + (*copy == 'v');
	size_t count = 0;
	for (; count < VERSION_PARTS; count++) {
		AUTO(error) struct error ignored = ERROR_INIT;
		size_t len = strspn(at, "0123456789");
		AUTO(str) char *digits = mem_strndup(at, len);
		if (!len || !str_parse_int(digits, 0, 1000000, &version[count], &ignored))
			break;
		at += len;
		if (*at != '.')
			return true;
		at++;
	}
	return count > 0;
}

static bool is_older(const int64_t a[VERSION_PARTS], const int64_t b[VERSION_PARTS])
{
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		if (a[i] != b[i])
			return a[i] < b[i];
	}
	return false;
}

static bool is_known_name(size_t row, struct slice name)
{
	for (size_t i = 0; known[row].names[i]; i++) {
		if (slice_eq_str(name, known[row].names[i]))
			return true;
	}
	return false;
}

static void report_unknown(
	const struct source *source, const struct node *image, enum service service)
{
	bool is_core = service == SERVICE_COLLECTOR &&
		       slice_eq_str(split_reference(image->text).name, "opentelemetry-collector");
	if (is_core)
		add_fault(source, image, FAULT_IMAGE_CORE,
			"%s is the core distribution, which has neither deltatocumulative nor "
			"transform: sums of what Claude Code sends cannot be right with it",
			image->text);
	else
		add_fault(source, image, FAULT_IMAGE_UNKNOWN,
			"%s is not an image that cctm's files were made for", image->text);
}

static void report_floating(const struct source *source, const struct node *image, size_t row)
{
	add_fault(source, image, FAULT_IMAGE_FLOATS,
		"%s names no version: every pull can bring another one", image->text);
	if (known[row].service == SERVICE_COLLECTOR)
		set_remedy(source->reader, "the version that cctm knows takes its place");
	else
		add_setting(source, image, known[row].key, image->text);
}

static void read_image(const struct source *source, size_t row, const struct node *image)
{
	struct reference reference = split_reference(image->text);
	int64_t version[VERSION_PARTS] = { 0 };
	if (!is_known_name(row, reference.name)) {
		report_unknown(source, image, known[row].service);
	} else if (!read_version(reference.tag, version)) {
		if (reference.has_digest)
			add_setting(source, image, known[row].key, image->text);
		else
			report_floating(source, image, row);
	} else if (is_older(version, known[row].oldest)) {
		add_fault(source, image, FAULT_IMAGE_OLD, "the image is %s, %s", image->text,
			known[row].why);
	} else {
		add_setting(source, image, known[row].key, image->text);
	}
}

void images_read(struct reader *reader)
{
	for (size_t row = 0; row < sizeof known / sizeof *known; row++) {
		const struct part *part = &reader->parts[known[row].service];
		const struct node *image = node_text(&reader->compose, part->node, "image");
		if (image)
			read_image(&reader->compose, row, image);
		else if (part->name)
			add_fault(&reader->compose, part->node, FAULT_IMAGE_UNKNOWN,
				"%s is built here and has no image that cctm's files were made for",
				part->name);
	}
}
