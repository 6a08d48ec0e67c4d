#include "http/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/library.h"
#include "core/mem.h"

/* The functions that are used, as libcurl's headers declare them. */
static struct {
	__typeof__(curl_url) *init;
	__typeof__(curl_url_cleanup) *cleanup;
	__typeof__(curl_url_set) *set;
	__typeof__(curl_url_get) *get;
	__typeof__(curl_free) *free;
} curl;

static const struct library_symbol symbols[] = {
	{ "curl_url", &curl.init },
	{ "curl_url_cleanup", &curl.cleanup },
	{ "curl_url_set", &curl.set },
	{ "curl_url_get", &curl.get },
	{ "curl_free", &curl.free },
};

static struct library library = { .name = "libcurl.so.4",
	.package = "Debian's package libcurl4",
	.symbols = symbols,
	.count = sizeof symbols / sizeof *symbols };

static char *part(CURLU *handle, CURLUPart which)
{
	char *text = NULL;
	if (curl.get(handle, which, &text, 0) != CURLUE_OK)
		return mem_strdup("");
	char *ours = mem_strdup(text);
	curl.free(text);
	return ours;
}

static void lower(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

static bool take(CURLU *handle, const char *text, struct url *out)
{
	if (curl.set(handle, CURLUPART_URL, text, 0) != CURLUE_OK)
		return false;
	AUTO(str) char *user = part(handle, CURLUPART_USER);
	AUTO(str) char *password = part(handle, CURLUPART_PASSWORD);
	out->scheme = part(handle, CURLUPART_SCHEME);
	out->host = part(handle, CURLUPART_HOST);
	out->path = part(handle, CURLUPART_PATH);
	out->has_login = *user || *password;
	lower(out->scheme);
	lower(out->host);
	return strcmp(out->scheme, "http") == 0 || strcmp(out->scheme, "https") == 0;
}

bool url_parse(const char *text, struct url *out, struct error *err)
{
	*out = (struct url){ 0 };
	if (!library_load(&library, err))
		return false;
	CURLU *handle = curl.init();
	bool is_taken = handle && take(handle, text, out);
	curl.cleanup(handle);
	if (is_taken)
		return true;
	url_clear(out);
	return error_set(err, ERR_USAGE, "%s is no address of the web", text);
}

void url_clear(struct url *url)
{
	free(url->scheme);
	free(url->host);
	free(url->path);
	*url = (struct url){ 0 };
}

bool url_is_loopback(const struct url *url)
{
	struct in_addr four;
	if (inet_pton(AF_INET, url->host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return strcmp(url->host, "localhost") == 0 || strcmp(url->host, "[::1]") == 0;
}
