#include "config/words.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "core/str.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT
#define HEX   DIGIT "abcdef"

#define URL_MAX	    2048
#define HOST_MAX    253
#define LABEL_MAX   63
#define IMAGE_MAX   512
#define TAG_MAX	    128
#define VOLUME_MAX  255
#define PROJECT_MAX 63
#define NAME_MAX_   128
#define FILE_MAX    4096

static bool is_made_of(const char *text, size_t len, const char *set)
{
	for (size_t i = 0; i < len; i++) {
		if (!text[i] || !strchr(set, text[i]))
			return false;
	}
	return true;
}

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

const char *words_address(const char *text)
{
	return is_address(text) ? NULL : "is not an address";
}

static bool is_label(const char *label, size_t len, const char *set)
{
	return len > 0 && len <= LABEL_MAX && is_made_of(label, len, set) && label[0] != '-' &&
	       label[len - 1] != '-';
}

static bool is_host(const char *host, size_t len, const char *set)
{
	if (len == 0 || len > HOST_MAX)
		return false;
	for (size_t at = 0; at <= len;) {
		const char *dot = memchr(host + at, '.', len - at);
		size_t end = dot ? (size_t)(dot - host) : len;
		if (!is_label(host + at, end - at, set))
			return false;
		at = end + 1;
	}
	return true;
}

/* The names of containers hold "_", those of DNS do not. */
static bool is_network_host(const char *host, size_t len)
{
	if (len < 2 || host[0] != '[')
		return is_host(host, len, ALNUM "-_");
	AUTO(str) char *inner = mem_strndup(host + 1, len - 2);
	return host[len - 1] == ']' && strchr(inner, ':') && is_address(inner);
}

static bool is_port(const char *text, size_t len)
{
	int value = 0;
	if (len == 0 || len > 5 || !is_made_of(text, len, DIGIT))
		return false;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (text[i] - '0');
	return value >= 1 && value <= 65535;
}

static size_t scheme_len(const char *text)
{
	return str_has_prefix(text, "http://") ? 7 : str_has_prefix(text, "https://") ? 8 : 0;
}

/* host[:port] of `len` bytes */
static const char *authority_fault(const char *at, size_t len)
{
	if (memchr(at, '@', len))
		return "holds a name or password, which does not belong into this file";
	size_t host = len;
	const char *bracket = len && at[0] == '[' ? memchr(at, ']', len) : NULL;
	size_t from = bracket ? (size_t)(bracket - at) : 0;
	const char *colon = memchr(at + from, ':', len - from);
	if (colon) {
		host = (size_t)(colon - at);
		if (!is_port(colon + 1, len - host - 1))
			return "has no port from 1 to 65535 behind the colon";
	}
	return is_network_host(at, host) ? NULL : "has no host";
}

const char *words_url(const char *text)
{
	size_t scheme = scheme_len(text), len = strlen(text);
	if (!scheme)
		return "does not begin with http:// or https://";
	if (len > URL_MAX)
		return "is too long";
	/* RFC 3986, 2: what may stand in a URL as it is. */
	if (!is_made_of(text, len, ALNUM "-._~:/?#[]@!$&'()*+,;=%"))
		return "holds a character that a URL writes as %XX";
	return authority_fault(text + scheme, strcspn(text + scheme, "/?#"));
}

const char *words_origin(const char *text)
{
	if (strcmp(text, "*") == 0)
		return NULL;
	const char *fault = words_url(text);
	size_t scheme = scheme_len(text);
	if (!fault && text[scheme + strcspn(text + scheme, "/?#")])
		return "is more than an origin: nothing stands behind host and port";
	return fault;
}

/* One part between slashes: [a-z0-9]+ with single ".", one or two "_" or any number of "-" between. */
static bool is_image_part(const char *part, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t word = 0, gap = 0;
		while (at + word < len && strchr(LOWER DIGIT, part[at + word]))
			word++;
		at += word;
		if (!word)
			return false;
		while (at + gap < len && strchr("._-", part[at + gap]))
			gap++;
		bool is_gap = gap == 0 || is_made_of(part + at, gap, "-") ||
			      (gap == 1 && strchr("._", part[at])) ||
			      (gap == 2 && is_made_of(part + at, gap, "_"));
		if (!is_gap || (gap && at + gap == len))
			return false;
		at += gap;
	}
	return len > 0;
}

static bool is_registry(const char *part, size_t len)
{
	const char *colon = memchr(part, ':', len);
	size_t host = colon ? (size_t)(colon - part) : len;
	return is_host(part, host, ALNUM "-") && (!colon || is_port(colon + 1, len - host - 1));
}

/* A first part with "." or ":" in it, or "localhost", is a registry and no part of the name. */
static const char *image_name_fault(const char *name, size_t len)
{
	const char *slash = memchr(name, '/', len);
	size_t first = slash ? (size_t)(slash - name) : 0;
	size_t at = 0;
	bool has_registry = slash && (memchr(name, '.', first) || memchr(name, ':', first) ||
					     (first == 9 && memcmp(name, "localhost", 9) == 0));
	if (has_registry) {
		if (!is_registry(name, first))
			return "names no registry in front of the first /";
		at = first + 1;
	}
	while (at <= len) {
		const char *next = memchr(name + at, '/', len - at);
		size_t end = next ? (size_t)(next - name) : len;
		if (!is_image_part(name + at, end - at))
			return "is not the name of an image";
		at = end + 1;
	}
	return NULL;
}

const char *words_image(const char *text)
{
	size_t len = strcspn(text, "@");
	if (strlen(text) > IMAGE_MAX)
		return "is too long";
	if (text[len]) {
		const char *digest = text + len + 1;
		if (!str_has_prefix(digest, "sha256:") || strlen(digest) != 71 ||
			!is_made_of(digest + 7, 64, HEX))
			return "has no digest sha256:… of 64 hexadecimal digits behind the @";
	}
	size_t tag = len;
	while (tag && text[tag - 1] != ':' && text[tag - 1] != '/')
		tag--;
	if (tag && text[tag - 1] == ':') {
		size_t tag_len = len - tag;
		if (!tag_len || tag_len > TAG_MAX || strchr(".-", text[tag]) ||
			!is_made_of(text + tag, tag_len, ALNUM "_.-"))
			return "has no tag behind the colon";
		len = tag - 1;
	}
	return image_name_fault(text, len);
}

const char *words_project(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > PROJECT_MAX)
		return len ? "is longer than 63 characters" : "is empty";
	if (strchr("-_", text[0]) || !is_made_of(text, len, LOWER DIGIT "-_"))
		return "is not a project name";
	return NULL;
}

const char *words_host(const char *text)
{
	return is_host(text, strlen(text), ALNUM "-") ? NULL : "is not a DNS name";
}

static bool is_offset(const char *text)
{
	return strlen(text) == 6 && strchr("+-", text[0]) && is_made_of(text + 1, 2, DIGIT) &&
	       text[3] == ':' && is_made_of(text + 4, 2, DIGIT) && text[4] < '6' &&
	       (text[1] == '0' || (text[1] == '1' && text[2] <= '4'));
}

const char *words_zone(const char *text)
{
	if (is_offset(text))
		return NULL;
	size_t len = strlen(text);
	bool is_name = len && len <= 64 && strchr(LOWER UPPER, text[0]) &&
		       is_made_of(text, len, ALNUM "_+-/") && text[len - 1] != '/' &&
		       !strstr(text, "//");
	return is_name ? NULL : "is not a time zone";
}

const char *words_file(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > FILE_MAX)
		return "is not a path";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return "holds a control character";
	}
	return NULL;
}

const char *words_place(const char *text)
{
	size_t len = strlen(text);
	if (*text == '/' || strncmp(text, "./", 2) == 0)
		return words_file(text);
	bool is_volume = len > 1 && len <= VOLUME_MAX && !strchr("_.-", *text) &&
			 is_made_of(text, len, ALNUM "_.-");
	return is_volume ? NULL : "is neither a path nor the name of a volume";
}

static bool is_name(const char *text, size_t len, const char *set)
{
	return len && len <= NAME_MAX_ && strchr(LOWER UPPER "_", text[0]) &&
	       is_made_of(text, len, set);
}

const char *words_name(const char *text)
{
	return is_name(text, strlen(text), ALNUM "_.-") ? NULL : "is not a name";
}

const char *words_pair(const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text || !equals[1])
		return "is not a pair old=new";
	size_t old = strcspn(text, ":=");
	if (!is_name(text, old, ALNUM "_.-"))
		return "does not begin with a name";
	if (text[old] == '=')
		return words_name(equals + 1) ? "has no name behind the =" : NULL;
	return words_file(equals + 1) || strlen(text) > 512 ? "is not a pair label:value=new"
							    : NULL;
}
