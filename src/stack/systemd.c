#include "stack/systemd.h"

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
static char *unit_path(const char *state_dir)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	AUTO(str) char *name = unit_name(state_dir);
	if (config && *config)
		return mem_printf("%s/systemd/user/%s", config, name);
	return home && *home ? mem_printf("%s/.config/systemd/user/%s", home, name) : NULL;
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

bool systemd_write_unit(const char *dir, const char *state_dir, struct error *err)
{
	static const char *const reload[] = { "daemon-reload", NULL };
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
	       file_write_atomic(path, text.data, text.len, 0644, err) &&
	       systemctl(reload, ACT_MS, err);
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
