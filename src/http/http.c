#include "http/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/library.h"
#include "core/mem.h"
#include "core/str.h"

#define AGENT "cctm/" CCTM_VERSION
/* Never through a proxy, whatever the environment says. */
#define OURSELVES "localhost,127.0.0.1,127.0.0.0/8,::1"

/* The functions that are used, as libcurl's headers declare them. */
static struct {
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_strerror) *text;
	__typeof__(curl_slist_append) *append;
	__typeof__(curl_slist_free_all) *free_list;
	/* Their last argument is of any type: taken as they are, without the headers' macros around them. */
	CURLcode (*set)(CURL *curl, CURLoption option, ...);
	CURLcode (*get)(CURL *curl, CURLINFO info, ...);
} curl;

static const struct library_symbol symbols[] = {
	{ "curl_easy_init", &curl.init },
	{ "curl_easy_cleanup", &curl.cleanup },
	{ "curl_easy_perform", &curl.perform },
	{ "curl_easy_strerror", &curl.text },
	{ "curl_slist_append", &curl.append },
	{ "curl_slist_free_all", &curl.free_list },
	{ "curl_easy_setopt", &curl.set },
	{ "curl_easy_getinfo", &curl.get },
};

static struct library library = { .name = "libcurl.so.4",
	.package = "Debian's package libcurl4",
	.symbols = symbols,
	.count = sizeof symbols / sizeof *symbols };

static size_t take(char *bytes, size_t size, size_t count, void *body)
{
	/* Less than all ends the transfer with CURLE_WRITE_ERROR. */
	return buf_append(body, bytes, size * count) ? size * count : 0;
}

/* What stands behind "name:" in a header line, without spaces around it; NULL: another header. */
static char *header_value(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	const char *value = line + name_len + 1;
	len -= name_len + 1;
	for (; len && strchr(" \t", *value); len--)
		value++;
	while (len && strchr(" \t\r\n", value[len - 1]))
		len--;
	return mem_strndup(value, len);
}

/* Headers and trailers alike, a line each. */
static size_t take_header(char *bytes, size_t size, size_t count, void *raw)
{
	struct http_answer *answer = raw;
	size_t len = size * count;
	AUTO(str) char *status = header_value(bytes, len, "grpc-status");
	char *message = header_value(bytes, len, "grpc-message");
	double number;
	if (status && str_double(slice_of(status, strlen(status)), &number) && number >= 0 &&
		number <= INT_MAX)
		answer->grpc_status = (int)number;
	if (message) {
		free(answer->grpc_message);
		answer->grpc_message = message;
	}
	return len;
}

static struct curl_slist *add_line(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl.append(list, line);
	return longer ? longer : list;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	AUTO(str) char *line = mem_printf("%s: %s", name, value);
	return add_line(list, line);
}

static struct curl_slist *headers_of(const struct http_request *request)
{
	struct curl_slist *list = NULL;
	if (request->content_type)
		list = add_header(list, "Content-Type", request->content_type);
	if (request->is_grpc)
		list = add_header(list, "TE", "trailers");
	if (request->bearer) {
		AUTO(str) char *value = mem_printf("Bearer %s", request->bearer);
		list = add_header(list, "Authorization", value);
	}
	if (request->header)
		list = add_line(list, request->header);
	return list;
}

/* What is set here takes the place of the environment's list, which says more. */
static char *without_proxy(void)
{
	const char *others = getenv("no_proxy");
	if (!others)
		others = getenv("NO_PROXY");
	if (others && strcmp(others, "*") == 0)
		return mem_strdup("*");
	return others && *others ? mem_printf(OURSELVES ",%s", others) : mem_strdup(OURSELVES);
}

static void set_body(CURL *handle, const struct http_request *request)
{
	if (request->body) {
		curl.set(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl.set(handle, CURLOPT_POSTFIELDS, request->body);
	}
	if (request->method)
		curl.set(handle, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_options(CURL *handle, const struct http_request *request,
	struct http_answer *answer, struct curl_slist *headers)
{
	curl.set(handle, CURLOPT_URL, request->url);
	curl.set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.set(handle, CURLOPT_NOSIGNAL, 1L);
	AUTO(str) char *direct = without_proxy();
	curl.set(handle, CURLOPT_NOPROXY, direct);
	curl.set(handle, CURLOPT_USERAGENT, AGENT);
	curl.set(handle, CURLOPT_TIMEOUT_MS, (long)request->deadline_ms);
	curl.set(handle, CURLOPT_HTTPHEADER, headers);
	curl.set(handle, CURLOPT_WRITEFUNCTION, take);
	curl.set(handle, CURLOPT_WRITEDATA, &answer->body);
	if (request->ca_file)
		curl.set(handle, CURLOPT_CAINFO, request->ca_file);
	if (request->is_grpc) {
		curl.set(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
		curl.set(handle, CURLOPT_HEADERFUNCTION, take_header);
		curl.set(handle, CURLOPT_HEADERDATA, answer);
	}
	if (request->user) {
		curl.set(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl.set(handle, CURLOPT_USERNAME, request->user);
		curl.set(handle, CURLOPT_PASSWORD, request->password);
	}
	set_body(handle, request);
}

static bool failed(
	const struct http_request *request, CURLcode code, bool is_too_large, struct error *err)
{
	const char *method = request->method ? request->method : request->body ? "POST" : "GET";
	const char *shown = request->shown ? request->shown : request->url;
	if (is_too_large)
		return error_set(err, ERR_NETWORK, "%s %s: the answer is larger than %zu bytes",
			method, shown, request->answer_max);
	return error_set(err, ERR_NETWORK, "%s %s: %s", method, shown, curl.text(code));
}

bool http_send(const struct http_request *request, struct http_answer *answer, struct error *err)
{
	*answer = (struct http_answer){ .grpc_status = -1, .body = BUF_INIT(request->answer_max) };
	if (!library_load(&library, err))
		return false;
	CURL *handle = curl.init();
	if (!handle)
		return error_set(err, ERR_FAILED, "libcurl cannot be started");
	struct curl_slist *headers = headers_of(request);
	set_options(handle, request, answer, headers);
	CURLcode code = curl.perform(handle);
	curl.get(handle, CURLINFO_RESPONSE_CODE, &answer->status);
	char *redirect = NULL;
	curl.get(handle, CURLINFO_REDIRECT_URL, &redirect);
	answer->redirect = redirect ? mem_strdup(redirect) : NULL;
	curl.free_list(headers);
	curl.cleanup(handle);
	if (code == CURLE_OK)
		return true;
	http_answer_clear(answer);
	return failed(request, code, code == CURLE_WRITE_ERROR, err);
}

void http_answer_clear(struct http_answer *answer)
{
	free(answer->grpc_message);
	answer->grpc_message = NULL;
	buf_clear(&answer->body);
	free(answer->redirect);
	answer->redirect = NULL;
}
