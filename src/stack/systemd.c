#include "stack/systemd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash128.h"
#include "core/mem.h"
#include "core/proc.h"
#include "stack/embedded.h"

#define ASK_MS	    3000
#define ACT_MS	    60000
#define NAME_DIGITS 12

/* "cctm-1234567890ab.service"; yours. */
static char *unit_name(const char *state_dir)
{
	char hash[HASH128_DIGITS + 1];
	hash128_hex(state_dir, strlen(state_dir), hash);
	return mem_printf("cctm-%.*s.service", NAME_DIGITS, hash);
}

/* NULL: there is no home. Yours. */
static char *path_of(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && *config)
		return mem_printf("%s/systemd/user/%s", config, name);
	return home && *home ? mem_printf("%s/.config/systemd/user/%s", home, name) : NULL;
}

static char *unit_path(const char *state_dir)
{
	AUTO(str) char *name = unit_name(state_dir);
	return path_of(name);
}

static bool systemctl(const char *const *words, int64_t deadline_ms, struct error *err)
{
	const char *argv[8] = { "systemctl", "--user" };
	for (size_t i = 0; words[i] && i < 5; i++)
		argv[i + 2] = words[i];
	const struct proc_request request = {
		.argv = argv, .deadline_ms = deadline_ms, .output_max = 65536
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	return proc_ask(&request, &result, err);
}

bool systemd_answers(void)
{
	static const char *const words[] = { "show-environment", NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *program = proc_find("systemctl");
	return program && systemctl(words, ASK_MS, &ignored);
}

bool systemd_has_unit(const char *state_dir)
{
	AUTO(str) char *path = unit_path(state_dir);
	return path && access(path, F_OK) == 0;
}

/* One word of ExecStart=: quoted, and nothing in it is replaced (systemd.service(5), "Command lines"). */
static void add_word(struct buf *out, const char *word)
{
	buf_adds(out, " \"");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			buf_addc(out, '\\');
		if (*word == '%' || *word == '$')
			buf_addc(out, *word);
		buf_addc(out, *word);
	}
	buf_addc(out, '"');
}

/* A path behind "append:" is taken as it is, but for the specifiers. */
static void add_path(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (*path == '%')
			buf_addc(out, '%');
		buf_addc(out, *path);
	}
}

static void describe(const char *self, const char *dir, const char *log, struct buf *out)
{
	buf_adds(out, "# Written by 'cctm up --systemd'.\n[Unit]\n"
		      "Description=cctm bridge, receives Claude Code's telemetry\n\n"
		      "[Service]\nType=notify\nExecStart=");
	add_word(out, self);
	add_word(out, "bridge");
	add_word(out, "-C");
	add_word(out, dir);
	buf_adds(out, "\nRestart=on-failure\nRestartSec=2\nStandardOutput=append:");
	add_path(out, log);
	buf_adds(out, "\nStandardError=append:");
	add_path(out, log);
	buf_adds(out, "\n\n[Install]\nWantedBy=default.target\n");
}

static bool reload_units(struct error *err)
{
	static const char *const reload[] = { "daemon-reload", NULL };
	return systemctl(reload, ACT_MS, err);
}

bool systemd_write_unit(const char *dir, const char *state_dir, struct error *err)
{
	AUTO(str) char *path = unit_path(state_dir);
	AUTO(str) char *self = proc_self(err);
	AUTO(str) char *log = path_join(state_dir, EMBEDDED_LOG);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (!self)
		return false;
	if (!path || strchr(dir, '\n'))
		return error_set(err, ERR_FAILED, "there is no place for a unit of systemd: %s",
			path ? "the directory's name has a newline" : "HOME is not set");
	AUTO(str) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	describe(self, dir, log, &text);
	return dir_make(folder, 0755, err) && dir_make(state_dir, 0700, err) &&
	       file_write_atomic(path, text.data, text.len, 0644, err) && reload_units(err);
}

bool systemd_start(const char *state_dir, struct error *err)
{
	AUTO(str) char *name = unit_name(state_dir);
	const char *const words[] = { "enable", "--now", name, NULL };
	return systemctl(words, ACT_MS, err);
}

bool systemd_stop(const char *state_dir, struct error *err)
{
	AUTO(str) char *name = unit_name(state_dir);
	const char *const words[] = { "disable", "--now", name, NULL };
	return systemctl(words, ACT_MS, err);
}

/* ---- once a day ---- */

/* "cctm-backup-1234567890ab.timer"; yours. */
static char *timer_name(const char *dir, const char *kind)
{
	char hash[HASH128_DIGITS + 1];
	hash128_hex(dir, strlen(dir), hash);
	return mem_printf("cctm-backup-%.*s.%s", NAME_DIGITS, hash, kind);
}

static char *timer_path(const char *dir, const char *kind)
{
	AUTO(str) char *name = timer_name(dir, kind);
	return path_of(name);
}

static void describe_service(const char *self, const char *const *words, struct buf *out)
{
	buf_adds(out, "# Written by 'cctm backup schedule'.\n[Unit]\nDescription=cctm backup\n\n"
		      "[Service]\nType=oneshot\nNice=10\nExecStart=");
	add_word(out, self);
	for (size_t i = 0; words[i]; i++)
		add_word(out, words[i]);
	buf_addc(out, '\n');
}

static bool write_unit(const char *path, const struct buf *text, struct error *err)
{
	AUTO(str) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	return dir_make(folder, 0755, err) &&
	       file_write_atomic(path, text->data, text->len, 0644, err);
}

bool systemd_write_timer(
	const char *dir, const char *const *words, const char *at, struct error *err)
{
	AUTO(str) char *self = proc_self(err);
	AUTO(str) char *service = timer_path(dir, "service");
	AUTO(str) char *timer = timer_path(dir, "timer");
	AUTO(str) char *name = timer_name(dir, "timer");
	AUTO(buf) struct buf service_text = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf timer_text = BUF_INIT(BUF_UNLIMITED);
	const char *const enable[] = { "enable", "--now", name, NULL };
	if (!self)
		return false;
	if (!service || !timer || strchr(dir, '\n'))
		return error_set(err, ERR_FAILED, "there is no place for a timer of systemd: %s",
			timer ? "the directory's name has a newline" : "HOME is not set");
	describe_service(self, words, &service_text);
	buf_addf(&timer_text,
		"# Written by 'cctm backup schedule'.\n[Unit]\nDescription=cctm backup, once a "
		"day\n\n"
		"[Timer]\nOnCalendar=*-*-* %s:00\nPersistent=true\n\n[Install]\n"
		"WantedBy=timers.target\n",
		at);
	return write_unit(service, &service_text, err) && write_unit(timer, &timer_text, err) &&
	       reload_units(err) && systemctl(enable, ACT_MS, err);
}

bool systemd_has_timer(const char *dir)
{
	AUTO(str) char *path = timer_path(dir, "timer");
	return path && access(path, F_OK) == 0;
}

bool systemd_remove_timer(const char *dir, struct error *err)
{
	AUTO(str) char *service = timer_path(dir, "service");
	AUTO(str) char *timer = timer_path(dir, "timer");
	AUTO(str) char *name = timer_name(dir, "timer");
	const char *const disable[] = { "disable", "--now", name, NULL };
	if (!systemd_has_timer(dir))
		return true;
	if (!systemctl(disable, ACT_MS, err))
		return false;
	if (unlink(timer) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", timer);
	if (unlink(service) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", service);
	return reload_units(err);
}
