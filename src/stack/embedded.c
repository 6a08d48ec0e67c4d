#include "stack/embedded.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "config/bridge_dir.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"
#include "stack/systemd.h"

#define RUNNING_FILE  "bridge.json" /* as the bridge writes it */
#define RUNNING_MAX   8192
#define LOOK_MS	      20
#define LOG_MAX	      (4 << 20) /* bytes; then it becomes bridge.log.1 */
#define LOG_READ      (16 << 20)
#define SAID_MAX      300
#define KILL_AFTER_MS 1000

static char *lock_path(const char *state_dir)
{
	return path_join(state_dir, BRIDGE_LOCK_FILE);
}

pid_t embedded_find(const char *state_dir)
{
	AUTO(str) char *path = lock_path(state_dir);
	pid_t pid = lock_holder(path);
	return pid > 0 ? pid : 0;
}

/* ---- what runs ---- */

char *embedded_instance(const char *state_dir)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(RUNNING_MAX);
	AUTO(str) char *path = path_join(state_dir, RUNNING_FILE);
	if (!embedded_find(state_dir) || file_read(path, &text, &ignored) <= 0)
		return NULL;
	json_t *root = json_loadb(buf_str(&text), text.len, 0, NULL);
	const char *instance = json_string_value(json_object_get(root, "instance"));
	char *copy = instance ? mem_strdup(instance) : NULL;
	json_decref(root);
	return copy;
}

/* ---- starting and ending ---- */

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* What the last run said is looked for when something went wrong: it is kept, but not for ever. */
static void rotate(const char *log)
{
	struct stat st;
	AUTO(str) char *older = mem_printf("%s.1", log);
	if (stat(log, &st) == 0 && st.st_size > LOG_MAX)
		(void)!rename(log, older);
}

/* The last line of the log that is no hint; yours. */
static char *last_words(const char *log)
{
	AUTO(buf) struct buf text = BUF_INIT(LOG_READ);
	AUTO(error) struct error ignored = ERROR_INIT;
	return file_read(log, &text, &ignored) > 0
		       ? text_last_line(buf_str(&text), SAID_MAX, "  hint:")
		       : mem_strdup("it said nothing");
}

/* systemd comes back once the bridge has said that it is ready. */
static bool start_unit(const char *state_dir, const char *log, struct error *err)
{
	if (!systemd_start(state_dir, err)) {
		AUTO(str) char *said = last_words(log);
		error_wrap(err, "the bridge's unit does not start (%s)", said);
		return error_hint(err, "its log is %s", log);
	}
	return embedded_find(state_dir) != 0 ||
	       error_set(err, ERR_FAILED, "systemd started the bridge, and it does not run");
}

static bool wait_for_lock(
	const char *state_dir, pid_t pid, int64_t deadline_ms, const char *log, struct error *err)
{
	int64_t end_ms = clock_mono_ms() + deadline_ms;
	for (;;) {
		int status;
		pid_t holder = embedded_find(state_dir);
		if (holder == pid)
			return true;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			AUTO(str) char *said = last_words(log);
			error_set(err, ERR_FAILED, "the bridge ended at once: %s", said);
			return error_hint(err, "its log is %s", log);
		}
		if (clock_mono_ms() > end_ms) {
			kill(pid, SIGKILL);
			return error_set(err, ERR_FAILED, "the bridge did not get ready in time");
		}
		pause_ms(LOOK_MS);
	}
}

bool embedded_start(const char *dir, const char *state_dir, int64_t deadline_ms, struct error *err)
{
	pid_t pid;
	AUTO(str) char *log = path_join(state_dir, EMBEDDED_LOG);
	AUTO(str) char *self = proc_self(err);
	if (!self)
		return false;
	const char *const argv[] = { self, "bridge", "-C", dir, NULL };
	if (!dir_make(state_dir, 0700, err))
		return false;
	rotate(log);
	if (systemd_has_unit(state_dir))
		return start_unit(state_dir, log, err);
	return proc_start(argv, dir, log, &pid, err) &&
	       wait_for_lock(state_dir, pid, deadline_ms, log, err);
}

static bool wait_for_end(const char *state_dir, int64_t deadline_ms)
{
	int64_t end_ms = clock_mono_ms() + deadline_ms;
	while (embedded_find(state_dir)) {
		if (clock_mono_ms() > end_ms)
			return false;
		pause_ms(LOOK_MS);
	}
	return true;
}

bool embedded_stop(const char *state_dir, int64_t deadline_ms, struct error *err)
{
	/* Also one that does not run: it would come back with the next login. */
	if (systemd_has_unit(state_dir) && !systemd_stop(state_dir, err))
		return false;
	pid_t pid = embedded_find(state_dir);
	if (!pid)
		return true;
	if (kill(pid, SIGTERM) < 0 && errno != ESRCH)
		return error_set_errno(err, ERR_FAILED, errno, "cannot end process %ld", (long)pid);
	if (wait_for_end(state_dir, deadline_ms))
		return true;
	/* What it acknowledged is in its journal. */
	kill(pid, SIGKILL);
	return wait_for_end(state_dir, KILL_AFTER_MS) ||
	       error_set(err, ERR_FAILED, "process %ld does not end", (long)pid);
}
