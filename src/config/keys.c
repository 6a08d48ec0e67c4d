/* The table, group by group in the order in which the sample file and `cctm config` show them. */
#include "config/keys.h"

#include <ctype.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"

#define SECOND	   INT64_C(1000)
#define MINUTE	   (60 * SECOND)
#define HOUR	   (60 * MINUTE)
#define DAY	   (24 * HOUR)
#define KIB	   INT64_C(1024)
#define MIB	   (1024 * KIB)
#define GIB	   (1024 * MIB)
#define TIB	   (1024 * GIB)
#define THOUSANDTH INT64_C(1)
#define WHOLE	   (1000 * THOUSANDTH)

const char *const profile_names[] = { "local", "team", "cluster", NULL };

static const char *const runtimes[] = { "auto", "docker", "embedded", NULL };
static const char *const ingests[] = { "collector", "bridge", NULL };
static const char *const storages[] = { "volumes", "bind", NULL };
static const char *const auths[] = { "none", "bearer", NULL };
static const char *const debugs[] = { "off", "basic", "detailed", NULL };
static const char *const exports[] = { "scrape", "remote_write", NULL };
static const char *const stores[] = { "none", "loki", "ledger", NULL };
static const char *const durabilities[] = { "os", "disk", NULL };

#define ROW(path_, type_, fallback_, sentence_, example_)                                   \
	.path = (path_), .type = (type_), .fallback = (fallback_), .sentence = (sentence_), \
	.example = (example_)
#define BOUNDS(min_, max_) .min = (min_), .max = (max_)
#define TEAM(text_)	   .profile_fallback = { [PROFILE_TEAM] = (text_) }
#define SHARED(team_, cluster_) \
	.profile_fallback = { [PROFILE_TEAM] = (team_), [PROFILE_CLUSTER] = (cluster_) }
#define PORT_ROW(name_, port_, sentence_)                                                \
	{                                                                                \
		ROW("ports." name_, KEY_PORT, port_, sentence_, port_), BOUNDS(1, 65535) \
	}
#define IMAGE_ROW(name_, image_, sentence_)                                \
	{                                                                  \
		ROW("images." name_, KEY_IMAGE, image_, sentence_, image_) \
	}
#define PLACE_ROW(service_, title_)                                                     \
	{                                                                               \
		ROW("data." service_, KEY_PLACE, NULL,                                  \
			"Where " title_                                                 \
			" keeps its data: a directory, beginning with / or ./, or the " \
			"name of a volume; null: as storage says.",                     \
			"./data/" service_),                                            \
			.is_nullable = true                                             \
	}
/* What a day, a week and a month may cost. */
#define BUDGET_ROW(name_, period_, whose_, example_)                                            \
	{                                                                                       \
		ROW("budgets." name_, KEY_DECIMAL, NULL,                                        \
			"What a " period_ " may cost, " whose_ "; null: no budget.", example_), \
			BOUNDS(10 * THOUSANDTH, 1000000000 * WHOLE), .is_nullable = true,       \
								     .unit = "USD"              \
	}
#define BUDGET_ROWS(whose_, words_)                                     \
	BUDGET_ROW(whose_ "daily_usd", "day", words_, "50"),            \
		BUDGET_ROW(whose_ "weekly_usd", "week", words_, "250"), \
		BUDGET_ROW(whose_ "monthly_usd", "month", words_, "1000")

#define LIMIT_ROWS(service_, title_, cpus_, memory_)                                              \
	{ ROW("limits." service_ ".cpus", KEY_DECIMAL, NULL,                                      \
		  "Processors that " title_ " may use; null: no limit.", "1.5"),                  \
		BOUNDS(10 * THOUSANDTH, 1024 * WHOLE), .is_nullable = true, .unit = "processors", \
		TEAM(cpus_) },                                                                    \
	{                                                                                         \
		ROW("limits." service_ ".memory", KEY_SIZE, NULL,                                 \
			"Memory that " title_ " may use; null: no limit.", "1GiB"),               \
			BOUNDS(16 * MIB, 16 * TIB), .is_nullable = true, TEAM(memory_)            \
	}

/* clang-format off */
const struct key config_keys[] = {
	{ ROW("version", KEY_INT, "1", "Version of this file's format.", "1"), BOUNDS(1, 1) },
	{ ROW("project", KEY_PROJECT, "claude-code-metrics",
		"Name of the Compose project, in front of the names of containers and volumes.", "claude-code-metrics") },
	{ ROW("runtime", KEY_CHOICE, "auto",
		"Where the stack runs: containers, or the bridge alone as a process; auto takes Docker where it answers.",
		"docker"), .choices = runtimes },
	{ ROW("ingest", KEY_CHOICE, "collector",
		"Which program receives telemetry: the OpenTelemetry Collector or cctm's own bridge.", "bridge"),
		/* The bridge is to be the team's default once it knows tokens and has an image. */
		.choices = ingests },
	{ ROW("profile", KEY_CHOICE, "local",
		"Who uses it: one person, a team, or more than one machine can serve; other defaults follow from it.",
		"team"), .choices = profile_names },
	{ ROW("bind", KEY_ADDRESS, "127.0.0.1", "Address on which ports are opened.", "0.0.0.0") },
	{ ROW("time_zone", KEY_ZONE, NULL, "Time zone in which days begin; null: the system's.", "Europe/Berlin"),
		.is_nullable = true },

	PORT_ROW("grafana", "3000", "Port of Grafana's web page."),
	PORT_ROW("otlp_grpc", "4317", "Port for OTLP over gRPC."),
	PORT_ROW("otlp_http", "4318", "Port for OTLP over HTTP."),
	PORT_ROW("exporter", "8889", "Port of the receiver's Prometheus metrics."),
	PORT_ROW("prometheus", "9090", "Port of Prometheus."),
	PORT_ROW("health", "13133", "Port of the receiver's health check."),
	PORT_ROW("zpages", "55679", "Port of the receiver's status page."),
	PORT_ROW("loki", "3100", "Port of Loki, where events are kept in it."),
	PORT_ROW("alertmanager", "9093", "Port of Alertmanager, where it is used."),
	PORT_ROW("proxy", "443", "Port of the TLS proxy, where it is used."),

	IMAGE_ROW("collector", "otel/opentelemetry-collector-contrib:0.155.0",
		"Image of the Collector; the contrib distribution, whose processors are needed."),
	IMAGE_ROW("prometheus", "prom/prometheus:v3.16.0", "Image of Prometheus."),
	IMAGE_ROW("grafana", "grafana/grafana:12.3.0", "Image of Grafana."),
	IMAGE_ROW("loki", "grafana/loki:3.5.0", "Image of Loki."),
	IMAGE_ROW("alertmanager", "prom/alertmanager:v0.28.1", "Image of Alertmanager."),
	IMAGE_ROW("proxy", "caddy:2.10.0", "Image of the TLS proxy."),
	IMAGE_ROW("bridge", "cctm-bridge:" CCTM_VERSION, "Image of the bridge, which cctm makes on this machine."),

	{ ROW("storage", KEY_CHOICE, "volumes",
		"Where containers keep their data: named volumes, or directories of the stack.", "bind"), .choices = storages },
	PLACE_ROW("prometheus", "Prometheus"),
	PLACE_ROW("grafana", "Grafana"),
	PLACE_ROW("loki", "Loki"),
	PLACE_ROW("alertmanager", "Alertmanager"),
	PLACE_ROW("proxy", "the TLS proxy"),
	PLACE_ROW("bridge", "the bridge"),

	{ ROW("otlp.auth", KEY_CHOICE, "none", "What a sender must show: nothing, or the bearer token of .env.", "bearer"),
		.choices = auths, SHARED("bearer", "bearer") },
	{ ROW("otlp.cors_origins", KEY_ORIGIN, "", "Web origins that may send; * for any.", "https://app.example.com"),
		.is_list = true },
	{ ROW("otlp.max_body", KEY_SIZE, "64MiB", "Largest request body, as received and inflated.", "16MiB"),
		BOUNDS(KIB, GIB) },
	{ ROW("otlp.token_file", KEY_FILE, NULL, "File with the bearer tokens that are accepted, one a line.",
		"/etc/cctm/tokens"), .is_nullable = true },
	{ ROW("otlp.tls_cert_file", KEY_FILE, NULL, "Certificate chain for TLS at the OTLP ports, in PEM.",
		"/etc/cctm/tls.crt"), .is_nullable = true },
	{ ROW("otlp.tls_key_file", KEY_FILE, NULL, "Private key for TLS at the OTLP ports, in PEM.",
		"/etc/cctm/tls.key"), .is_nullable = true },
	{ ROW("otlp.tls_client_ca_file", KEY_FILE, NULL,
		"Authority whose client certificates are asked for and accepted, in PEM.", "/etc/cctm/ca.crt"),
		.is_nullable = true },

	{ ROW("collector.batch_timeout", KEY_DURATION, "1s",
		"How long the Collector gathers points; what waits is lost when it dies.", "1s"), BOUNDS(100, MINUTE) },
	{ ROW("collector.batch_size", KEY_INT, "1024", "Points after which the Collector sends a batch at once.", "1024"),
		BOUNDS(1, 1000000) },
	{ ROW("collector.debug", KEY_CHOICE, "basic", "How much the Collector's debug exporter writes to its log.", "detailed"),
		.choices = debugs },
	{ ROW("collector.max_stale", KEY_DURATION, "1h", "How long the Collector remembers a delta stream.", "1h"),
		BOUNDS(MINUTE, 30 * DAY) },
	{ ROW("collector.expiration", KEY_DURATION, "65m",
		"How long the Collector shows a series that is not updated; longer than max_stale, shorter than lookback.",
		"65m"), BOUNDS(2 * MINUTE, 30 * DAY) },
	{ ROW("collector.export", KEY_CHOICE, "scrape", "How metrics get from the Collector to Prometheus.", "remote_write"),
		.choices = exports },

	{ ROW("prometheus.retention_time", KEY_DURATION, "90d", "How long Prometheus keeps samples.", "180d"),
		BOUNDS(HOUR, 36500 * DAY), SHARED("365d", "365d") },
	{ ROW("prometheus.retention_size", KEY_SIZE, NULL, "Disk space at which Prometheus drops its oldest samples; null: no limit.",
		"50GiB"), BOUNDS(256 * MIB, 1024 * TIB), .is_nullable = true },
	{ ROW("prometheus.scrape_interval", KEY_DURATION, "10s", "How often Prometheus reads the receiver's metrics.", "10s"),
		BOUNDS(SECOND, 10 * MINUTE) },
	{ ROW("prometheus.lookback", KEY_DURATION, "14d",
		"How far the recording rules look back for a series; longer than a client sleeps with a session open.", "14d"),
		BOUNDS(HOUR, 365 * DAY) },
	{ ROW("prometheus.admin_api", KEY_BOOL, "true", "Whether Prometheus offers its admin API, which backups need.", "false") },
	{ ROW("prometheus.query_timeout", KEY_DURATION, "2m", "How long a query may take.", "1m"), BOUNDS(SECOND, HOUR),
		TEAM("1m") },
	{ ROW("prometheus.query_concurrency", KEY_INT, "20", "Queries that may run at once.", "20"), BOUNDS(1, 1000) },
	{ ROW("prometheus.remote_write", KEY_URL, "", "Stores to which Prometheus sends a copy of all samples.",
		"https://mimir.example.com/api/v1/push"), .is_list = true },

	{ ROW("grafana.admin_user", KEY_TEXT, "admin", "Name of Grafana's administrator; the password is in .env.", "ada"),
		BOUNDS(1, 16384) },
	{ ROW("grafana.plugins", KEY_NAME, "", "Plug-ins that Grafana installs when it starts.", "grafana-clock-panel"),
		.is_list = true },
	{ ROW("grafana.root_url", KEY_URL, NULL, "Address under which people reach Grafana; null: its port on this machine.",
		"https://metrics.example.com/"), .is_nullable = true },
	{ ROW("grafana.anonymous", KEY_BOOL, "false", "Whether dashboards can be seen without a login.", "true") },

	{ ROW("events.store", KEY_CHOICE, "none", "Where Claude Code's events are kept.", "loki"), .choices = stores },

	BUDGET_ROWS("", "all together"),
	BUDGET_ROWS("per_user.", "of each user"),
	BUDGET_ROWS("per_team.", "of each team"),
	BUDGET_ROWS("per_model.", "of each model"),

	{ ROW("alerts.alertmanager", KEY_BOOL, "false", "Whether Alertmanager is part of the stack.", "true") },
	{ ROW("alerts.no_data_after", KEY_DURATION, NULL,
		"After how long without a sample an alert is raised; null: never.", "8h"), BOUNDS(5 * MINUTE, 90 * DAY),
		.is_nullable = true },
	{ ROW("alerts.webhook_url_file", KEY_FILE, NULL,
		"File with the address that is called on an alert; such an address is a secret.", "/etc/cctm/webhook"),
		.is_nullable = true },
	{ ROW("alerts.slack_url_file", KEY_FILE, NULL,
		"File with the address of an incoming webhook of Slack, or of what takes the same messages; for Alertmanager.",
		"/etc/cctm/slack"), .is_nullable = true },
	{ ROW("alerts.command", KEY_TEXT, "", "Program and arguments that are run on an alert.", "notify-send, cctm"),
		.is_list = true, BOUNDS(0, 16384) },
	{ ROW("alerts.email_to", KEY_TEXT, "", "Mail addresses that are told of an alert.", "ada@example.com"),
		.is_list = true, BOUNDS(3, 320) },
	{ ROW("alerts.email_from", KEY_TEXT, NULL, "Mail address that alerts come from.", "cctm@example.com"),
		.is_nullable = true, BOUNDS(3, 320) },
	{ ROW("alerts.smtp_host", KEY_TEXT, NULL, "Mail server and port through which alerts are sent.",
		"mail.example.com:587"), .is_nullable = true, BOUNDS(3, 320) },

	LIMIT_ROWS("collector", "the Collector", "1", "1GiB"),
	LIMIT_ROWS("bridge", "the bridge", "1", "512MiB"),
	LIMIT_ROWS("prometheus", "Prometheus", "2", "4GiB"),
	LIMIT_ROWS("grafana", "Grafana", "1", "1GiB"),
	LIMIT_ROWS("loki", "Loki", "1", "2GiB"),
	LIMIT_ROWS("alertmanager", "Alertmanager", "0.5", "256MiB"),
	LIMIT_ROWS("proxy", "the TLS proxy", "0.5", "256MiB"),

	{ ROW("proxy.host", KEY_HOST, NULL, "Name for which the TLS proxy gets its certificate; null: no proxy.",
		"metrics.example.com"), .is_nullable = true },
	{ ROW("proxy.bind", KEY_ADDRESS, NULL, "Address on which the proxy's port is opened; null: as bind says.",
		"0.0.0.0"), .is_nullable = true },
	{ ROW("proxy.tls_cert_file", KEY_FILE, NULL, "Certificate chain of the proxy, in PEM; null: it gets one itself.",
		"/etc/cctm/proxy.crt"), .is_nullable = true },
	{ ROW("proxy.tls_key_file", KEY_FILE, NULL, "Private key of the proxy, in PEM.", "/etc/cctm/proxy.key"),
		.is_nullable = true },

	{ ROW("labels.keep", KEY_NAME, "", "Attributes that become labels beside the usual ones.", "team.id"), .is_list = true },
	{ ROW("labels.drop", KEY_NAME, "", "Attributes that are no labels of what the rules record; raw counters keep them.", "user.email"), .is_list = true },
	{ ROW("labels.hash", KEY_NAME, "", "Attributes that become labels only as a keyed hash.", "user.email"), .is_list = true },
	{ ROW("labels.promote", KEY_NAME, "", "Resource attributes that become labels.", "service.version"), .is_list = true },
	{ ROW("labels.rename", KEY_PAIR, "", "Labels under another name, as old=new.", "team_id=team"), .is_list = true },
	{ ROW("labels.map", KEY_PAIR, "", "Values shown as another, as label:value=new.", "team:42=compilers"), .is_list = true },

	{ ROW("bridge.session_label", KEY_BOOL, "false", "Whether every series carries the label session_id.", "true") },
	{ ROW("bridge.series_max", KEY_INT, "200000", "Series kept apart; past it new ones fold into one per metric.", "200000"),
		BOUNDS(100, 10000000) },
	{ ROW("bridge.streams_max", KEY_INT, "1000000", "Cumulative streams remembered.", "1000000"), BOUNDS(100, 100000000) },
	{ ROW("bridge.stream_ttl", KEY_DURATION, "400d", "How long an idle stream is remembered.", "400d"),
		BOUNDS(DAY, 36500 * DAY) },
	{ ROW("bridge.durability", KEY_CHOICE, "os",
		"What an acknowledged request outlives: the death of the process, or the loss of power.", "disk"),
		.choices = durabilities },
	{ ROW("bridge.journal_max", KEY_SIZE, "256MiB", "Disk space of the journal.", "1GiB"), BOUNDS(16 * MIB, TIB) },
	{ ROW("bridge.retention", KEY_DURATION, "400d", "How long the ledger's history is kept.", "400d"),
		BOUNDS(DAY, 36500 * DAY) },
	{ ROW("bridge.zero_hold", KEY_DURATION, "15s",
		"How long a new series is shown as 0, so that increase() counts it whole; at least the scrape interval.", "15s"),
		BOUNDS(SECOND, HOUR) },
	{ ROW("bridge.dedupe_window", KEY_DURATION, "15m", "How long a repeated request is recognised.", "15m"),
		BOUNDS(10 * SECOND, DAY) },

	{ ROW("forward.remote_write", KEY_URL, "", "Stores to which the bridge sends its series.",
		"https://mimir.example.com/api/v1/push"), .is_list = true },
	{ ROW("forward.otlp", KEY_URL, NULL, "Receiver to which the bridge passes OTLP on.", "https://otlp.example.com:4318"),
		.is_nullable = true },
	{ ROW("forward.loki", KEY_URL, NULL, "Loki to which the bridge sends events.", "http://loki.example.com:3100"),
		.is_nullable = true },
	{ ROW("forward.queue_max", KEY_SIZE, "256MiB", "Disk space of what waits to be forwarded.", "1GiB"), BOUNDS(MIB, TIB) },
};
/* clang-format on */

const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

size_t key_index(const struct key *key)
{
	return (size_t)(key - config_keys);
}

const struct key *key_find(const char *path)
{
	for (size_t i = 0; i < config_key_count; i++) {
		if (strcmp(config_keys[i].path, path) == 0)
			return &config_keys[i];
	}
	return NULL;
}

bool key_is_group(const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; len && i < config_key_count; i++) {
		if (strncmp(config_keys[i].path, path, len) == 0 && config_keys[i].path[len] == '.')
			return true;
	}
	return false;
}

bool key_is_secret(const char *path)
{
	static const char *const words[] = { "password", "passwd", "secret", "token", "api_key",
		"apikey", "credential", "webhook_url" };
	const char *dot = strrchr(path, '.');
	const char *name = dot ? dot + 1 : path;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strstr(name, words[i]) && !str_has_suffix(name, "_file"))
			return true;
	}
	return false;
}

static const char *last_word(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot ? dot + 1 : path;
}

const struct key *key_nearest(const char *path)
{
	const char *nearest = str_nearest(path, key_paths(), config_key_count);
	if (nearest)
		return key_find(nearest);
	const struct key *best = NULL;
	const char *word = last_word(path);
	unsigned best_distance = (unsigned)strlen(word) / 4 + 1;
	for (size_t i = 0; i < config_key_count; i++) {
		unsigned distance = str_distance(word, last_word(config_keys[i].path));
		if (distance < best_distance) {
			best = &config_keys[i];
			best_distance = distance;
		}
	}
	return best;
}

char *key_variable(const struct key *key)
{
	if (strcmp(key->path, "version") == 0)
		return NULL;
	char *name = mem_printf("CCTM_%s", key->path);
	for (char *at = name; *at; at++)
		*at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
	return name;
}

static const struct {
	const char *name, *allowed;
} types[] = {
	[KEY_TEXT] = { "text", "a text" },
	[KEY_BOOL] = { "bool", "true or false" },
	[KEY_INT] = { "integer", "a whole number" },
	[KEY_DECIMAL] = { "decimal", "a number" },
	[KEY_DURATION] = { "duration", "a duration" },
	[KEY_SIZE] = { "size", "a size" },
	[KEY_PORT] = { "port", "a whole number" },
	[KEY_ADDRESS] = { "address", "an IPv4 or IPv6 address" },
	[KEY_CHOICE] = { "choice", "one of " },
	[KEY_URL] = { "url", "an address that begins with http:// or https://" },
	[KEY_ORIGIN] = { "origin", "an origin (http or https, a host and perhaps a port) or *" },
	[KEY_IMAGE] = { "image", "the reference of an image (name, tag, digest)" },
	[KEY_PROJECT] = { "project",
		"lower-case letters, digits, - and _, a letter or digit first" },
	[KEY_HOST] = { "host", "a DNS name" },
	[KEY_ZONE] = { "zone", "a time zone" },
	[KEY_FILE] = { "file", "a path" },
	[KEY_PLACE] = { "place", "a path that begins with / or ./, or the name of a volume" },
	[KEY_NAME] = { "name", "a name of letters, digits, _, . and -" },
	[KEY_PAIR] = { "pair", "a pair old=new" },
};

static char *bound_text(const struct key *key, int64_t bound)
{
	if (key->type == KEY_DURATION)
		return str_duration(bound);
	if (key->type == KEY_SIZE)
		return str_size(bound);
	if (key->type == KEY_DECIMAL && bound % 1000)
		return mem_printf("0.%02lld", (long long)(bound / 10));
	return mem_printf("%lld", (long long)(key->type == KEY_DECIMAL ? bound / 1000 : bound));
}

static bool has_bounds(const struct key *key)
{
	return key->type != KEY_TEXT && (key->min || key->max);
}

char *key_allowed(const struct key *key)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (key->is_list)
		buf_adds(&text, "a list, each item ");
	buf_adds(&text, types[key->type].allowed);
	for (size_t i = 0; key->choices && key->choices[i]; i++)
		buf_addf(&text, "%s%s",
			!i		      ? ""
			: key->choices[i + 1] ? ", "
					      : " or ",
			key->choices[i]);
	if (has_bounds(key) && key->min == key->max) {
		AUTO(str) char *only = bound_text(key, key->min);
		buf_addf(&text, ", and only %s", only);
	} else if (has_bounds(key)) {
		AUTO(str) char *low = bound_text(key, key->min);
		AUTO(str) char *high = bound_text(key, key->max);
		buf_addf(&text, " from %s to %s", low, high);
	}
	if (key->unit)
		buf_addf(&text, " (%s)", key->unit);
	if (key->is_nullable)
		buf_adds(&text, ", or null");
	return buf_detach(&text);
}

char *key_type_name(const struct key *key)
{
	return mem_printf("%s%s", key->is_list ? "list of " : "", types[key->type].name);
}

const char *key_fallback(const struct key *key, enum profile profile)
{
	const char *own = key->profile_fallback[profile];
	return own ? own : key->fallback;
}

const char *const *key_paths(void)
{
	static const char *paths[sizeof config_keys / sizeof *config_keys + 1];
	for (size_t i = 0; !paths[0] || i < config_key_count; i++) {
		if (paths[config_key_count - 1])
			break;
		paths[i] = config_keys[i].path;
	}
	return paths;
}
