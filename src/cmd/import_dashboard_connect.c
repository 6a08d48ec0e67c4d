/* The Grafana that cctm import-dashboard goes to: the stack's own, or another one that the command line names. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cmd/import_dashboard_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "http/url.h"
#include "loaded/own_dashboards.h"

#define SECRET_MAX 4096
#define SLUG_MAX   100

static bool read_secret(const char *path, char **out, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(SECRET_MAX);
	int found = file_read(path, &text, err);
	if (found == 0)
		return error_set(err, ERR_FAILED, "there is no file %s", path);
	if (found < 0)
		return false;
	*out = mem_strndup(buf_str(&text), strcspn(buf_str(&text), "\r\n"));
	return true;
}

/* The login goes to this address: it must not stand in it, and be seen in every error. */
static bool check_address(const struct import_job *job, struct error *err)
{
	AUTO(url) struct url url = { 0 };
	if (!url_parse(job->args->url, &url, err))
		return error_hint(err, "--grafana-url https://grafana.example.com");
	if (url.has_login) {
		error_set(err, ERR_USAGE, "--grafana-url holds a user or password");
		return error_hint(err, "they are given with --user and --password-file");
	}
	if (strcmp(url.scheme, "http") == 0 && !url_is_loopback(&url))
		out_note(job->ctx->out, "note: the login goes to %s without encryption", url.host);
	return !job->args->ca_file || access(job->args->ca_file, R_OK) == 0 ||
	       error_set(
		       err, ERR_USAGE, "there is no file %s that can be read", job->args->ca_file);
}

/* One folder for each Grafana and organization. */
static char *copies_of(const char *url, int64_t org)
{
	char slug[SLUG_MAX + 1];
	size_t len = 0;
	for (; *url && len < SLUG_MAX; url++)
		slug[len++] = (char)(isalnum((unsigned char)*url) ? *url : '-');
	slug[len] = '\0';
	AUTO(str) char *home = data_home();
	AUTO(str) char *all = path_join(home, "dashboards");
	AUTO(str) char *name = mem_printf("%s-org-%lld", slug, (long long)org);
	return path_join(all, name);
}

static bool find_other(struct import_job *job, struct error *err)
{
	const struct import_args *args = job->args;
	size_t len = strlen(args->url);
	while (len && args->url[len - 1] == '/')
		len--;
	if (!!args->token_file == (args->user && args->password_file)) {
		error_set(err, ERR_USAGE,
			"--grafana-url needs --token-file, or --user and --password-file");
		return error_hint(err, "a token is made in Grafana: Administration, Service "
				       "accounts, role Editor");
	}
	if (!check_address(job, err))
		return false;
	job->url = mem_strndup(args->url, len);
	job->copies = copies_of(job->url, args->org);
	if (!read_secret(
		    args->token_file ? args->token_file : args->password_file, &job->secret, err))
		return false;
	job->grafana = (struct grafana){ .url = job->url,
		.user = args->user,
		.password = args->token_file ? NULL : job->secret,
		.token = args->token_file ? job->secret : NULL,
		.ca_file = args->ca_file };
	return true;
}

static bool find_own(struct import_job *job, struct error *err)
{
	if (job->args->ca_file) {
		error_set(err, ERR_USAGE, "--ca is for another Grafana than the stack's");
		return error_hint(err, "--grafana-url names it");
	}
	if (!loaded_read(job->ctx->dir, &job->stack, err))
		return false;
	if (!own_grafana_find(&job->stack, &job->own, err))
		return error_hint(err, "--grafana-url names another one");
	job->grafana = job->own.grafana;
	job->copies = own_dashboards_copies(&job->stack);
	return true;
}

static bool log_in(struct import_job *job, struct error *err)
{
	bool is_secure = str_has_prefix(job->grafana.url, "https:");
	switch (grafana_login(&job->grafana, err)) {
	case GRAFANA_LOGIN_RIGHT:
		return true;
	case GRAFANA_LOGIN_WRONG:
		error_set(err, ERR_FAILED, "%s does not take the login%s", job->grafana.url,
			job->grafana.org ? ", or not for this organization" : "");
		return error_hint(err, "it was tried once: after five wrong tries Grafana refuses "
				       "every one for five minutes");
	case GRAFANA_LOGIN_UNKNOWN:
		break;
	}
	if (!job->args->url)
		return error_hint(err, "'cctm up' starts the stack's Grafana");
	return is_secure && err->code == ERR_NETWORK &&
	       error_hint(err, "a certificate of its own is trusted with --ca FILE");
}

bool import_connect(struct import_job *job, struct error *err)
{
	if (!(job->args->url ? find_other(job, err) : find_own(job, err)))
		return false;
	job->grafana.org = job->args->org;
	if (!log_in(job, err))
		return false;
	job->datasources = grafana_datasources(&job->grafana, err);
	return job->datasources != NULL;
}
