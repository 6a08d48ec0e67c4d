#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "http/http.h"
#include "http/url.h"

/* `is_secure`: an address by https sent us here. */
static bool is_allowed(const char *address, bool *is_secure, struct error *err)
{
	AUTO(url) struct url url = { 0 };
	if (!url_parse(address, &url, err))
		return false;
	if (url.has_login) {
		error_set(err, ERR_USAGE, "the address on %s holds a user or password", url.host);
		return error_hint(
			err, "what is not public is downloaded first, and given as a file");
	}
	if (strcmp(url.scheme, "https") == 0)
		return *is_secure = true;
	if (*is_secure)
		return error_set(err, ERR_REFUSED,
			"it leads from https to %s, which is not encrypted", address);
	if (url_is_loopback(&url))
		return true;
	error_set(err, ERR_USAGE, "%s is not encrypted", address);
	return error_hint(
		err, "https:// is taken from everywhere, http:// from this machine alone");
}

bool http_download(const char *url, int64_t deadline_ms, size_t answer_max,
	struct http_answer *answer, struct error *err)
{
	AUTO(str) char *address = mem_strdup(url);
	int64_t end = clock_mono_ms() + deadline_ms;
	bool is_secure = false;
	*answer = (struct http_answer){ 0 };
	for (int i = 0; i <= HTTP_REDIRECTS_MAX; i++) {
		int64_t left = end - clock_mono_ms();
		const struct http_request request = {
			.url = address, .deadline_ms = left > 1 ? left : 1, .answer_max = answer_max
		};
		if (!is_allowed(address, &is_secure, err) || !http_send(&request, answer, err))
			return i == 0 ? false : error_wrap(err, "GET %s", url);
		if (!answer->redirect)
			return true;
		free(address);
		address = TAKE(answer->redirect);
		http_answer_clear(answer);
	}
	return error_set(err, ERR_NETWORK, "GET %s: it was sent on more than %d times", url,
		HTTP_REDIRECTS_MAX);
}
