/* cctm bridge --post-alert FILE: what the bridge starts to call a webhook. It posts what it reads to the address in the
 * file and ends. The address is a secret: it comes from no argument, and is in no error. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/bridge_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"
#include "http/http.h"

#define ADDRESS_MAX  ((size_t)4096)
#define DOCUMENT_MAX ((size_t)4 << 20)
#define ANSWER_MAX   ((size_t)1 << 20)
#define REQUEST_MS   INT64_C(10000)

static bool is_address(const char *text)
{
	static const char *const schemes[] = { "http://", "https://" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (str_has_prefix(text, schemes[i]))
			return text[strlen(schemes[i])] != '\0' && !strpbrk(text, " \t\r\n");
	}
	return false;
}

/* The first line of the file. */
static bool read_address(const char *path, struct buf *out, struct error *err)
{
	int got = file_read(path, out, err);
	if (got < 0)
		return error_wrap(err, "alerts.webhook_url_file");
	if (got == 0)
		return error_set(err, ERR_CONFIG, "alerts.webhook_url_file: there is no %s", path);
	out->len = strcspn(buf_str(out), "\r\n");
	if (out->len)
		out->data[out->len] = '\0';
	if (!is_address(buf_str(out)))
		return error_set(err, ERR_CONFIG,
			"alerts.webhook_url_file: the first line of %s is no address that begins "
			"with http:// or https://",
			path);
	return true;
}

void bridge_check_webhook(const char *path)
{
	struct stat st;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf address = BUF_INIT(ADDRESS_MAX);
	if (!read_address(path, &address, &err))
		log_warning("%s; alerts are tried all the same", err.message);
	else if (stat(path, &st) == 0 && (st.st_mode & 077))
		log_warning(
			"%s holds a secret and can be read by others: chmod 600 %s", path, path);
}

static bool read_document(struct buf *out, struct error *err)
{
	for (;;) {
		unsigned char *to = buf_reserve(out, 65536);
		ssize_t n = to ? read(STDIN_FILENO, to, 65536) : -1;
		if (n < 0)
			return error_set(err, ERR_IO, "the alert cannot be read");
		if (n == 0)
			return true;
		buf_wrote(out, (size_t)n);
	}
}

bool bridge_post_alert(const char *path, struct error *err)
{
	AUTO(buf) struct buf address = BUF_INIT(ADDRESS_MAX);
	AUTO(buf) struct buf document = BUF_INIT(DOCUMENT_MAX);
	if (!read_address(path, &address, err) || !read_document(&document, err))
		return false;
	const struct http_request request = {
		.url = buf_str(&address),
		.shown = "the webhook",
		.content_type = "application/json",
		.body = document.data,
		.body_len = document.len,
		.deadline_ms = REQUEST_MS,
		.answer_max = ANSWER_MAX,
	};
	AUTO(http_answer) struct http_answer answer = { 0 };
	if (!http_send(&request, &answer, err))
		return false;
	if (answer.status >= 200 && answer.status < 300)
		return true;
	return error_set(err, ERR_NETWORK, "the webhook answered HTTP %ld", answer.status);
}
