/* A stand-in for Grafana, for tests on a real engine: it answers what `cctm up` asks, as a real 12.3.0 was seen to
 * (health without a login; /api/user and a datasource's health with the administrator's password; 401 with a wrong one),
 * and 501 to everything else. One connection at a time, static, so that it runs in an image made FROM scratch.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 8192
#define PORT	    3000

static const struct {
	const char *path;
	int needs_login;
	const char *type, *body;
} answers[] = {
	{ "/api/health", 0, "application/json",
		"{\"database\":\"ok\",\"version\":\"12.3.0\",\"commit\":\"none\"}" },
	{ "/metrics", 0, "text/plain; version=0.0.4",
		"# TYPE grafana_stand_in gauge\ngrafana_stand_in 1\n" },
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

static void serve(int fd)
{
	char request[REQUEST_MAX + 1], path[1024] = "";
	ssize_t len = read(fd, request, REQUEST_MAX);
	request[len > 0 ? len : 0] = '\0';
	if (sscanf(request, "GET %1023[^ ?]", path) != 1) {
		answer(fd, 501, "text/plain", "not a request this stand-in knows\n");
		return;
	}
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (strcmp(answers[i].path, path) != 0)
			continue;
		if (answers[i].needs_login && !is_logged_in(request))
			answer(fd, 401, "application/json", unauthorized);
		else
			answer(fd, 200, answers[i].type, answers[i].body);
		return;
	}
	answer(fd, 501, "text/plain", "not an answer this stand-in knows\n");
}

int main(void)
{
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
