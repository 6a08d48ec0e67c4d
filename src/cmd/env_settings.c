/* From a stack and a command line to the variables that Claude Code is to have. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "claude/attributes.h"
#include "cmd/env_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/str.h"
#include "render/model.h"
#include "render/own_files.h"

#define HELPER_PATH "claude-code-headers.sh"

static bool is_grpc(const struct env_job *job)
{
	return strcmp(job->args->protocol, "grpc") == 0;
}

/* The endpoint with another host in it: "http://127.0.0.1:4318" and "metrics" → "http://metrics:4318". */
static char *with_host(const char *endpoint, const char *host)
{
	const char *begin = strstr(endpoint, "://");
	const char *port = strrchr(endpoint, ':');
	if (!begin || port <= begin)
		return mem_strdup(endpoint);
	bool is_bare_ipv6 = strchr(host, ':') && *host != '[';
	return mem_printf(is_bare_ipv6 ? "%.*s[%s]%s" : "%.*s%s%s", (int)(begin + 3 - endpoint),
		endpoint, host, port);
}

static bool check_host(const char *host, struct error *err)
{
	size_t len = strlen(host);
	if (len && len <= 255 &&
		strspn(host,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") ==
			len)
		return true;
	error_set(err, ERR_USAGE, "\"%.60s\" is no host", host);
	return error_hint(err, "a name or an address, without scheme and port: --host metrics.lan");
}

static char *endpoint_of(const struct env_job *job, bool is_for_grpc)
{
	AUTO(str) char *endpoint = model_otlp_endpoint(&job->stack.config, is_for_grpc);
	return job->args->host ? with_host(endpoint, job->args->host) : TAKE(endpoint);
}

static bool find_endpoints(struct env_job *job, struct error *err)
{
	if (job->args->host && !check_host(job->args->host, err))
		return false;
	job->http_endpoint = endpoint_of(job, false);
	job->grpc_endpoint = endpoint_of(job, true);
	return true;
}

static bool gather_attributes(struct env_job *job, struct error *err)
{
	const struct {
		const char *key, *value;
	} named[] = {
		{ "team.id", job->args->team },
		{ "department", job->args->department },
		{ "cost_center", job->args->cost_center },
	};

	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		if (named[i].value &&
			!attributes_add(&job->attributes, named[i].key, named[i].value, err))
			return false;
	}
	for (size_t i = 0; i < job->args->attributes.count; i++) {
		if (!attributes_add_pair(&job->attributes, job->args->attributes.items[i], err))
			return false;
	}
	return true;
}

/* With a token file of the user's own, which of its tokens this client takes is theirs to say. */
static bool find_token(struct env_job *job, struct error *err)
{
	const struct config *config = &job->stack.config;
	if (strcmp(config_text(config, "otlp.auth"), "bearer") != 0 ||
		!config_is_null(config, "otlp.token_file"))
		return true;
	if (!loaded_secret(&job->stack, OTLP_TOKEN, &job->token, err))
		return false;
	if (!job->token || !*job->token) {
		error_set(err, ERR_FAILED, "the stack asks for a token, and .env has none");
		return error_hint(err, "'cctm init' makes one");
	}
	AUTO(str) char *helper = path_join(job->stack.dir, HELPER_PATH);
	if (!is_grpc(job) && access(helper, X_OK) == 0)
		job->helper = TAKE(helper);
	return true;
}

static const char *variable_of_either(const char *upper, const char *lower)
{
	const char *value = getenv(upper);
	return value && *value ? value : getenv(lower);
}

/* A proxy in the environment would be asked for this machine's own address too. */
static char *exception_from_proxy(const char *endpoint)
{
	static const char *const here[] = { "http://127.0.0.1:", "https://127.0.0.1:",
		"http://localhost:", "https://localhost:", "http://[::1]:", "https://[::1]:" };
	const char *list = variable_of_either("NO_PROXY", "no_proxy");
	bool has_proxy = variable_of_either("HTTP_PROXY", "http_proxy") ||
			 variable_of_either("HTTPS_PROXY", "https_proxy");
	bool is_here = false;
	for (size_t i = 0; i < sizeof here / sizeof *here; i++)
		is_here = is_here || str_has_prefix(endpoint, here[i]);
	if (!has_proxy || !is_here ||
		(list && (strcmp(list, "*") == 0 || strstr(list, "127.0.0.1"))))
		return NULL;
	return mem_printf(
		"%s%s127.0.0.1,localhost,::1", list ? list : "", list && *list ? "," : "");
}

void env_settings_want(const struct env_job *job, const char *protocol, struct wanted *out)
{
	const struct env_args *args = job->args;
	bool uses_grpc = strcmp(protocol, "grpc") == 0;
	const struct wanted_request request = {
		.endpoint = uses_grpc ? job->grpc_endpoint : job->http_endpoint,
		.protocol = protocol,
		.interval_ms = args->interval_ms,
		.is_delta = args->is_delta,
		.attributes = buf_str(&job->attributes),
		.has_prompts = args->has_prompts,
		.has_tool_details = args->has_tool_details,
		.has_traces = args->has_traces,
		.token = job->token,
		.no_proxy = job->no_proxy,
	};
	wanted_init(out, &request);
}

bool env_settings_make(struct env_job *job, struct error *err)
{
	job->attributes = (struct buf)BUF_INIT(BUF_UNLIMITED);
	if (!loaded_read(job->ctx->dir, &job->stack, err) || !find_endpoints(job, err) ||
		!gather_attributes(job, err) || !find_token(job, err))
		return false;
	job->no_proxy = exception_from_proxy(job->http_endpoint);
	env_settings_want(job, job->args->protocol, &job->wanted);
	return true;
}

void env_settings_clear(struct env_job *job)
{
	wanted_clear(&job->wanted);
	loaded_clear(&job->stack);
	buf_clear(&job->attributes);
	secret_free(job->token);
	free(job->http_endpoint);
	free(job->grpc_endpoint);
	free(job->helper);
	free(job->no_proxy);
}
