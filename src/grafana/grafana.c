#include "grafana/grafana.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/text.h"
#include "grafana/call.h"

#define RELOAD_MS  30000
#define ANSWER_MAX (32 << 20)
#define SAID_MAX   400

long grafana_send(const struct grafana *grafana, const struct grafana_call *call,
	struct http_answer *answer, struct error *err)
{
	AUTO(str) char *url = mem_printf("%s%s", grafana->url, call->path);
	AUTO(str)
	char *org =
		grafana->org ? mem_printf("X-Grafana-Org-Id: %lld", (long long)grafana->org) : NULL;
	const struct http_request request = { .method = call->method,
		.url = url,
		.content_type = call->json ? "application/json" : NULL,
		.body = call->json,
		.body_len = call->json ? strlen(call->json) : 0,
		.user = grafana->token ? NULL : grafana->user,
		.password = grafana->password,
		.bearer = grafana->token,
		.header = org,
		.ca_file = grafana->ca_file,
		.deadline_ms = call->deadline_ms,
		.answer_max = ANSWER_MAX };
	return http_send(&request, answer, err) ? answer->status : 0;
}

char *grafana_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return mem_strdup(text ? text : "");
}

json_t *grafana_json(const struct http_answer *answer)
{
	return json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
}

char *grafana_said(const struct http_answer *answer)
{
	json_t *root = grafana_json(answer);
	const char *message = json_string_value(json_object_get(root, "message"));
	const char *text = buf_str(&answer->body);
	bool is_page = text[strspn(text, " \t\r\n")] == '<';
	char *said = is_page ? mem_strdup("a page and no message")
			     : text_first_line(message ? message : text, SAID_MAX);
	json_decref(root);
	return said;
}

bool grafana_refused(
	const struct grafana_call *call, const struct http_answer *answer, struct error *err)
{
	AUTO(str) char *said = grafana_said(answer);
	return error_set(err, ERR_FAILED, "Grafana answered %ld to %s %s: %s", answer->status,
		call->method, call->path, said);
}

bool grafana_is_gone(const struct http_answer *answer)
{
	AUTO(str) char *said = grafana_said(answer);
	return answer->status == 404 && strcmp(said, "Not found") == 0;
}

json_t *grafana_get(const struct grafana *grafana, const char *path, struct error *err)
{
	const struct grafana_call call = { "GET", path, NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	long status = grafana_send(grafana, &call, &answer, err);
	if (status && status != 200)
		grafana_refused(&call, &answer, err);
	if (status != 200)
		return NULL;
	json_t *root = grafana_json(&answer);
	if (!root)
		error_set(err, ERR_FAILED, "Grafana's answer to GET %s is no JSON", path);
	return root;
}

enum grafana_login grafana_login(const struct grafana *grafana, struct error *err)
{
	static const struct grafana_call call = { "GET", "/api/user", NULL, GRAFANA_ASK_MS };
	AUTO(http_answer) struct http_answer answer = { 0 };
	switch (grafana_send(grafana, &call, &answer, err)) {
	case 200:
		return GRAFANA_LOGIN_RIGHT;
	case 401:
		return GRAFANA_LOGIN_WRONG;
	case 0:
		return GRAFANA_LOGIN_UNKNOWN;
	default:
		grafana_refused(&call, &answer, err);
		return GRAFANA_LOGIN_UNKNOWN;
	}
}

bool grafana_change_password(const struct grafana *grafana, const char *password, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	json_t *body = json_pack("{s:s, s:s, s:s}", "oldPassword", grafana->password, "newPassword",
		password, "confirmNew", password);
	AUTO(secret) char *text = body ? json_dumps(body, 0) : NULL;
	json_decref(body);
	if (!text)
		return error_set(err, ERR_FAILED, "the password is not Unicode");
	const struct grafana_call call = { "PUT", "/api/user/password", text, GRAFANA_ASK_MS };
	long status = grafana_send(grafana, &call, &answer, err);
	return status == 200 || (status && grafana_refused(&call, &answer, err));
}

bool grafana_reload(const struct grafana *grafana, struct error *err)
{
	static const char *const paths[] = { "/api/admin/provisioning/datasources/reload",
		"/api/admin/provisioning/dashboards/reload",
		"/api/admin/provisioning/alerting/reload" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct grafana_call call = { "POST", paths[i], NULL, RELOAD_MS };
		AUTO(http_answer) struct http_answer answer = { 0 };
		long status = grafana_send(grafana, &call, &answer, err);
		if (status && status != 200 && status != 202)
			grafana_refused(&call, &answer, err);
		if (status != 200 && status != 202)
			return false;
	}
	return true;
}
