/* What stands in an address, as libcurl will read it when it connects there.
 */
#ifndef CCTM_HTTP_URL_H
#define CCTM_HTTP_URL_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

struct url {
	char *scheme, *host, *path; /* in small letters, but for the path, which begins with '/' */
	bool has_login;		    /* a user or password stands in it */
};

/* False: it is none, or of another scheme than http and https (ERR_USAGE). */
bool url_parse(const char *text, struct url *out, struct error *err) MUST_CHECK;
void url_clear(struct url *url);

/* Is it of this machine itself: localhost, 127.0.0.0/8, ::1? */
bool url_is_loopback(const struct url *url);

static inline void auto_url(struct url *url)
{
	url_clear(url);
}

#endif
