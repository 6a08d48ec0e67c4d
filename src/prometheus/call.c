#include "prometheus/call.h"

#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

#define ASK_MS	   10000
#define ANSWER_MAX (64 << 20)
#define SAID_MAX   200

const char *prometheus_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* Prometheus has "error", Alertmanager "message" or a bare text. */
static bool refused(
	const struct prometheus_call *call, const struct http_answer *answer, struct error *err)
{
	json_t *root = json_loadb(buf_str(&answer->body), answer->body.len, JSON_DECODE_ANY, NULL);
	const char *said = prometheus_text(root, "error");
	if (!*said)
		said = prometheus_text(root, "message");
	if (!*said)
		said = json_is_string(root) ? json_string_value(root) : buf_str(&answer->body);
	AUTO(str) char *line = text_first_line(said, SAID_MAX);
	json_decref(root);
	return error_set(err, ERR_FAILED, "%s answered %ld to %s %.*s: %s", call->whom,
		answer->status, call->method, (int)strcspn(call->path, "?"), call->path, line);
}

bool prometheus_send(
	const struct prometheus_call *call, struct http_answer *answer, struct error *err)
{
	AUTO(str) char *url = mem_printf("%s%s", call->url, call->path);
	const struct http_request request = { .method = call->method,
		.url = url,
		.content_type = call->json ? "application/json" : NULL,
		.body = call->json,
		.body_len = call->json ? strlen(call->json) : 0,
		.deadline_ms = ASK_MS,
		.answer_max = ANSWER_MAX };
	if (!http_send(&request, answer, err)) {
		error_wrap(err, "%s does not answer", call->whom);
		return error_hint(err, "'cctm status' says which parts run");
	}
	return answer->status == 200 || refused(call, answer, err);
}

json_t *prometheus_json(const struct prometheus_call *call, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	if (!prometheus_send(call, &answer, err))
		return NULL;
	json_t *root = json_loadb(buf_str(&answer.body), answer.body.len, JSON_DECODE_ANY, NULL);
	if (!root)
		error_set(err, ERR_FAILED, "what %s answered to %s %.*s is no JSON", call->whom,
			call->method, (int)strcspn(call->path, "?"), call->path);
	return root;
}
