#include "grafana/address.h"

#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "grafana/call.h"
#include "http/http.h"
#include "http/url.h"

#define DIGITS	    "0123456789"
#define GRAFANA_COM "grafana.com:"
#define DIGITS_MAX  12
#define DOWNLOAD_MS 60000

/* ---- pages ---- */

/* The JSON of a dashboard of grafana.com; `id` begins with its number. NULL: with none. */
static char *of_number(const char *id)
{
	size_t len = strspn(id, DIGITS);
	return len && len <= DIGITS_MAX
		       ? mem_printf("https://grafana.com/api/dashboards/%.*s/revisions/latest/"
				    "download",
				 (int)len, id)
		       : NULL;
}

/* /grafana/dashboards/1860-node-exporter-full/ */
static char *of_grafana_com(const char *path)
{
	static const char begin[] = "/grafana/dashboards/";
	return str_has_prefix(path, begin) ? of_number(path + strlen(begin)) : NULL;
}

/* /USER/ID, /ID; its /raw is the first file. */
static char *of_gist(const char *path)
{
	size_t len = strlen(path), segments = 0;
	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++)
		segments += path[i] == '/';
	bool is_page = len > 1 && segments <= 2;
	return is_page ? mem_printf("https://gist.github.com%.*s/raw", (int)len, path) : NULL;
}

/* /OWNER/REPOSITORY/blob/REVISION/PATH */
static char *of_github(const char *path)
{
	const char *repository = strchr(path + 1, '/');
	const char *kind = repository ? strchr(repository + 1, '/') : NULL;
	return kind && str_has_prefix(kind, "/blob/")
		       ? mem_printf("https://raw.githubusercontent.com%.*s%s", (int)(kind - path),
				 path, kind + strlen("/blob"))
		       : NULL;
}

static const struct {
	const char *host;
	char *(*json_of)(const char *path);
} sites[] = {
	{ "grafana.com", of_grafana_com },
	{ "www.grafana.com", of_grafana_com },
	{ "gist.github.com", of_gist },
	{ "github.com", of_github },
	{ "www.github.com", of_github },
};

bool address_is_meant(const char *text)
{
	size_t digits = strspn(text, DIGITS);
	return strstr(text, "://") || str_has_prefix(text, GRAFANA_COM) ||
	       (digits > 0 && !text[digits]);
}

char *address_of_json(const char *text, struct error *err)
{
	AUTO(url) struct url url = { 0 };
	bool has_site = str_has_prefix(text, GRAFANA_COM);
	const char *number = has_site ? text + strlen(GRAFANA_COM) : text;
	if (!strstr(text, "://")) {
		size_t digits = strspn(number, DIGITS);
		char *json = number[digits] ? NULL : of_number(number);
		if (!json) {
			error_set(err, ERR_USAGE, "%s is no number of a dashboard of grafana.com",
				text);
			error_hint(err, "the number stands in the address of its page: "
					"grafana.com:1860");
		}
		return json;
	}
	if (!url_parse(text, &url, err)) {
		error_hint(err, "an address begins with https://");
		return NULL;
	}
	for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
		char *json =
			strcmp(url.host, sites[i].host) == 0 ? sites[i].json_of(url.path) : NULL;
		if (json)
			return json;
	}
	return mem_strndup(text, strcspn(text, "#"));
}

/* ---- fetching ---- */

static bool take(
	const char *address, const struct http_answer *answer, struct buf *out, struct error *err)
{
	const char *text = buf_str(&answer->body);
	if (answer->status != 200) {
		AUTO(str) char *said = grafana_said(answer);
		error_set(
			err, ERR_NETWORK, "GET %s answered %ld: %s", address, answer->status, said);
		return error_hint(err, "is it public, and does a browser show it? Else download it "
				       "and give the file");
	}
	if (text[strspn(text, " \t\r\n")] == '<') {
		error_set(err, ERR_CORRUPT, "%s is a page and no dashboard", address);
		return error_hint(err, "the address of the JSON itself is needed (\"Raw\" or "
				       "\"Download JSON\" on the page)");
	}
	return buf_append(out, answer->body.data, answer->body.len) ||
	       error_set(err, ERR_FAILED, "%s is too large", address);
}

bool address_fetch(const char *text, struct buf *out, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *address = address_of_json(text, err);
	return address && http_download(address, DOWNLOAD_MS, out->max, &answer, err) &&
	       take(address, &answer, out, err);
}
