/* A stand-in for Grafana, for tests on a real engine: it answers what `cctm` asks, as a real 12.3.0 was seen to (health
 * without a login; /api/user, a datasource's health and the reload of provisioned files with the administrator's password;
 * 401 with a wrong one; a datasource's own API handed on to Prometheus), and 501 to everything else. One connection at a
 * time, static, so that it runs in an image made FROM scratch.
 *
 * What is asked of it that a test wants to see later is counted in /metrics.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX  (1 << 20)
#define BOARDS_MAX   20
#define VERSIONS_MAX 20
#define PORT	     3000

#define PROXY "/api/datasources/proxy/uid/prometheus_claude_metrics"

static unsigned reloads;

/* What was saved, by the uid that stands in it; each version with its message. */
static struct board {
	char uid[64];

	struct {
		char *model, *message;
	} versions[VERSIONS_MAX];

	unsigned version; /* the newest, from 1 */
} boards[BOARDS_MAX];

static const struct {
	const char *path;
	int needs_login;
	const char *type, *body;
} answers[] = {
	{ "/api/health", 0, "application/json",
		"{\"database\":\"ok\",\"version\":\"12.3.0\",\"commit\":\"none\"}" },
	/* Folders: none is found, and making the same one again is not asked for in these tests. */
	{ "/api/search", 1, "application/json", "[]" },
	{ "/api/datasources", 1, "application/json",
		"[{\"uid\":\"prometheus_claude_metrics\",\"name\":\"Prometheus\",\"type\":"
		"\"prometheus\"}]" },
	{ "/api/user", 1, "application/json",
		"{\"id\":1,\"uid\":\"1\",\"login\":\"admin\",\"isGrafanaAdmin\":true}" },
	{ "/api/datasources/uid/prometheus_claude_metrics/health", 1, "application/json",
		"{\"status\":\"OK\",\"message\":\"Successfully queried the Prometheus API.\"}" },
};

static const char unauthorized[] =
	"{\"message\":\"Invalid username or "
	"password\",\"messageId\":\"password-auth.failed\",\"statusCode\":401}";

static void base64(const char *in, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(in);
	for (size_t i = 0; i < len; i += 3) {
		unsigned a = (unsigned char)in[i], b = i + 1 < len ? (unsigned char)in[i + 1] : 0,
			 c = i + 2 < len ? (unsigned char)in[i + 2] : 0;
		*out++ = digits[a >> 2];
		*out++ = digits[(a & 3) << 4 | b >> 4];
		*out++ = i + 1 < len ? digits[(b & 15) << 2 | c >> 6] : '=';
		*out++ = i + 2 < len ? digits[c & 63] : '=';
	}
	*out = '\0';
}

/* "Authorization: Basic …" as the right password makes it. */
static int is_logged_in(const char *request)
{
	char pair[512], line[1024] = "Authorization: Basic ";
	const char *user = getenv("GF_SECURITY_ADMIN_USER"),
		   *password = getenv("GF_SECURITY_ADMIN_PASSWORD");
	snprintf(pair, sizeof pair, "%s:%s", user ? user : "admin", password ? password : "admin");
	base64(pair, line + strlen(line));
	return strstr(request, line) != NULL;
}

static void answer(int fd, int status, const char *type, const char *body)
{
	char head[256];
	int len = snprintf(head, sizeof head,
		"HTTP/1.1 %d -\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n",
		status, type, strlen(body));
	if (write(fd, head, (size_t)len) < 0 || write(fd, body, strlen(body)) < 0)
		perror("grafana-stand-in");
}

static void metrics(int fd)
{
	char text[256];
	snprintf(text, sizeof text,
		"# TYPE grafana_stand_in_reloads_total counter\ngrafana_stand_in_reloads_total "
		"%u\n",
		reloads);
	answer(fd, 200, "text/plain; version=0.0.4", text);
}

/* The datasource's own answer, as it is. */
static void hand_on(int fd, const char *target)
{
	struct addrinfo *found = NULL, wants = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	char bytes[8192];
	int other = socket(AF_INET, SOCK_STREAM, 0);
	int len = snprintf(
		bytes, sizeof bytes, "GET %s HTTP/1.0\r\nHost: prometheus\r\n\r\n", target);
	if (getaddrinfo("prometheus", "9090", &wants, &found) != 0 ||
		connect(other, found->ai_addr, found->ai_addrlen) < 0 ||
		write(other, bytes, (size_t)len) != len)
		answer(fd, 502, "application/json", "{\"message\":\"Bad Gateway\"}");
	else
		for (ssize_t got; (got = read(other, bytes, sizeof bytes)) > 0;)
			if (write(fd, bytes, (size_t)got) != got)
				break;
	if (found)
		freeaddrinfo(found);
	close(other);
}

static struct board *find_board(const char *uid)
{
	for (size_t i = 0; i < BOARDS_MAX; i++) {
		if (boards[i].version && strcmp(boards[i].uid, uid) == 0)
			return &boards[i];
	}
	return NULL;
}

/* Dashboards: "GET /api/dashboards/uid/:uid | 200 / 404", "POST /api/dashboards/db | new 200 … version 1". */
static void get_board(int fd, const char *uid)
{
	static char text[REQUEST_MAX + 512];
	const struct board *board = find_board(uid);
	if (!board) {
		answer(fd, 404, "application/json", "{\"message\":\"Dashboard not found\"}");
		return;
	}
	snprintf(text, sizeof text,
		"{\"meta\":{\"provisioned\":false,\"folderUid\":\"claude-code\","
		"\"version\":%u},\"dashboard\":%s}",
		board->version, board->versions[board->version - 1].model);
	answer(fd, 200, "application/json", text);
}

/* "GET …/uid/:uid/versions | 200 | {versions:[{version,message,created,createdBy,data}],continueToken}" */
static void get_versions(int fd, const char *uid)
{
	const struct board *board = find_board(uid);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	fputs("{\"versions\":[", out);
	for (unsigned i = board ? board->version : 0; i > 0; i--)
		fprintf(out, "%s{\"version\":%u,\"message\":\"%s\",\"data\":%s}",
			i == board->version ? "" : ",", i, board->versions[i - 1].message,
			board->versions[i - 1].model);
	fputs("]}", out);
	fclose(out);
	answer(fd, board ? 200 : 404, "application/json",
		board ? text : "{\"message\":\"Dashboard not found\"}");
	free(text);
}

/* The value of "dashboard", which the body begins with: up to the brace that closes it. */
static char *model_of(const char *body)
{
	const char *begin = strstr(body, "\"dashboard\":{");
	int depth = 0, is_string = 0;
	if (!begin)
		return NULL;
	begin += strlen("\"dashboard\":");
	for (const char *at = begin; *at; at++) {
		if (*at == '\\' && is_string)
			at++;
		else if (*at == '"')
			is_string = !is_string;
		else if (!is_string && *at == '{')
			depth++;
		else if (!is_string && *at == '}' && --depth == 0)
			return strndup(begin, (size_t)(at + 1 - begin));
	}
	return NULL;
}

/* Behind the model; yours. */
static char *message_of(const char *body, const char *model)
{
	const char *after = strstr(body, model) + strlen(model);
	const char *begin = strstr(after, "\"message\":\"");
	begin = begin ? begin + strlen("\"message\":\"") : "";
	return strndup(begin, strcspn(begin, "\""));
}

/* "existing uid, no overwrite, version absent / wrong / ahead | 412" */
static int is_stale(const struct board *board, const char *model)
{
	const char *version = strstr(model, "\"version\":");
	return board->version &&
	       (!version || strtoul(version + strlen("\"version\":"), NULL, 10) != board->version);
}

static void save_board(int fd, const char *body)
{
	char *model = model_of(body), uid[64] = "";
	const char *found = model ? strstr(model, "\"uid\":\"cctm-") : NULL;
	if (found)
		sscanf(found, "\"uid\":\"%63[^\"]", uid);
	struct board *board = find_board(uid);
	for (size_t i = 0; !board && i < BOARDS_MAX; i++)
		board = boards[i].version ? NULL : &boards[i];
	if (!*uid || !board || board->version == VERSIONS_MAX) {
		answer(fd, 400, "application/json", "{\"message\":\"bad request data\"}");
	} else if (is_stale(board, model)) {
		answer(fd, 412, "application/json", "{\"status\":\"version-mismatch\"}");
	} else {
		strcpy(board->uid, uid);
		board->versions[board->version].message = message_of(body, model);
		board->versions[board->version++].model = model;
		answer(fd, 200, "application/json", "{\"status\":\"success\",\"version\":1}");
		return;
	}
	free(model);
}

/* "DELETE the same | 200 / 404 | … The uid is free at once, history gone" */
static void delete_board(int fd, const char *request, const char *path)
{
	struct board *board =
		strncmp(path, "/api/dashboards/uid/", 20) == 0 ? find_board(path + 20) : NULL;
	if (!is_logged_in(request)) {
		answer(fd, 401, "application/json", unauthorized);
		return;
	}
	answer(fd, board ? 200 : 404, "application/json",
		board ? "{\"message\":\"deleted\"}" : "{\"message\":\"Dashboard not found\"}");
	if (board)
		*board = (struct board){ 0 };
}

static int is_reload(const char *path)
{
	return strcmp(path, "/api/admin/provisioning/datasources/reload") == 0 ||
	       strcmp(path, "/api/admin/provisioning/dashboards/reload") == 0 ||
	       strcmp(path, "/api/admin/provisioning/alerting/reload") == 0;
}

static void post(int fd, const char *request, const char *path)
{
	const char *body = strstr(request, "\r\n\r\n");
	if (!is_logged_in(request)) {
		answer(fd, 401, "application/json", unauthorized);
	} else if (strcmp(path, "/api/dashboards/db") == 0 && body) {
		save_board(fd, body);
	} else if (strcmp(path, "/api/folders") == 0) {
		answer(fd, 200, "application/json", "{\"uid\":\"claude-code\"}");
	} else if (is_reload(path)) {
		reloads++;
		answer(fd, 200, "application/json", "{\"message\":\"config reloaded\"}");
	} else {
		answer(fd, 501, "text/plain", "not an answer this stand-in knows\n");
	}
}

static void get(int fd, const char *request, const char *target)
{
	char path[1024] = "";
	sscanf(target, "%1023[^?]", path);
	if (strcmp(path, "/metrics") == 0) {
		metrics(fd);
		return;
	}
	if (strncmp(path, "/api/dashboards/uid/", 20) == 0 && is_logged_in(request)) {
		char *end = strstr(path + 20, "/versions");
		if (end)
			*end = '\0';
		(end ? get_versions : get_board)(fd, path + 20);
		return;
	}
	int is_proxied = strncmp(path, PROXY, strlen(PROXY)) == 0;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (!is_proxied && strcmp(answers[i].path, path) != 0)
			continue;
		if ((is_proxied || answers[i].needs_login) && !is_logged_in(request))
			answer(fd, 401, "application/json", unauthorized);
		else if (is_proxied)
			hand_on(fd, target + strlen(PROXY));
		else
			answer(fd, 200, answers[i].type, answers[i].body);
		return;
	}
	answer(fd, 501, "text/plain", "not an answer this stand-in knows\n");
}

/* Head and body, as long as the head says. */
static size_t receive(int fd, char *request)
{
	size_t len = 0;
	for (;;) {
		ssize_t got = read(fd, request + len, REQUEST_MAX - len);
		len += got > 0 ? (size_t)got : 0;
		request[len] = '\0';
		const char *end = strstr(request, "\r\n\r\n");
		const char *length = strcasestr(request, "\r\ncontent-length: ");
		size_t wanted = length && end && length < end ? strtoul(length + 18, NULL, 10) : 0;
		if (got <= 0 || (end && len >= (size_t)(end + 4 - request) + wanted))
			return len;
		/* curl waits a second for this before it sends a large body. */
		if (end && strcasestr(request, "\r\nexpect: 100-continue") &&
			write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0)
			return len;
	}
}

static void serve(int fd)
{
	static char request[REQUEST_MAX + 1];
	char method[8] = "", target[1024] = "";
	receive(fd, request);
	int words = sscanf(request, "%7s %1023s", method, target);
	if (words == 2 && strcmp(method, "GET") == 0)
		get(fd, request, target);
	else if (words == 2 && strcmp(method, "POST") == 0)
		post(fd, request, target);
	else if (words == 2 && strcmp(method, "DELETE") == 0)
		delete_board(fd, request, target);
	else
		answer(fd, 501, "text/plain", "not a request this stand-in knows\n");
}

/* A container's first process has no default for it. */
static void end(int signal_number)
{
	_exit(signal_number == SIGTERM ? 0 : 1);
}

int main(void)
{
	signal(SIGTERM, end);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
		listen(listener, 16) < 0) {
		perror("grafana-stand-in");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
}
