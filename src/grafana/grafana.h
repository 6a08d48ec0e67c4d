/* Grafana's HTTP API, as far as its administrator and the files that it is provisioned from are concerned.
 * Answers are as a real 12.3.0 was seen to give them.
 *
 *     const struct grafana grafana = { .url = url, .user = "admin", .password = password };
 *     if (!grafana_reload(&grafana, err)) …
 */
#ifndef CCTM_GRAFANA_GRAFANA_H
#define CCTM_GRAFANA_GRAFANA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"

struct error;

/* All borrowed. */
struct grafana {
	const char *url; /* without a slash at the end */
	const char *user, *password;
	const char *token;   /* of a service account, in their place; NULL: none */
	const char *ca_file; /* that its certificate is to be checked with; NULL: the system's */
	int64_t org;	     /* its organization; 0: the login's own */
};

enum grafana_login {
	GRAFANA_LOGIN_RIGHT,
	GRAFANA_LOGIN_WRONG, /* or locked out: after five wrong ones it says the same of the right one, for five minutes */
	GRAFANA_LOGIN_UNKNOWN, /* it did not answer as Grafana does; err says what */
};

/* Asks once (GET /api/user, which an anonymous mode cannot answer). WRONG sets no error. */
enum grafana_login grafana_login(const struct grafana *grafana, struct error *err);

/* PUT /api/user/password. False also when it is not known whether it was changed: grafana_login tells. */
bool grafana_change_password(const struct grafana *grafana, const char *password, struct error *err)
	MUST_CHECK;

/* Datasources, dashboards and alerting are read from their files again. */
bool grafana_reload(const struct grafana *grafana, struct error *err) MUST_CHECK;

#endif
