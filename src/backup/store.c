#include "backup/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup/examine.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/zone.h"

static const char *const endings[] = { [PACK_ZSTD] = ".tar.zst", [PACK_GZIP] = ".tar.gz" };

/* What a run that was killed left. */
static void clear_leftovers(const char *store)
{
	DIR *entries = opendir(store);
	for (const struct dirent *entry; entries && (entry = readdir(entries));) {
		if (str_has_prefix(entry->d_name, ".cctm-") &&
			str_has_suffix(entry->d_name, ".cctm-new"))
			unlinkat(dirfd(entries), entry->d_name, 0);
	}
	if (entries)
		closedir(entries);
}

/* Archives hold secrets and data: no version control takes them by accident. */
char *store_open(const char *stack_dir, struct error *err)
{
	char *store = path_join(stack_dir, STORE_FOLDER);
	AUTO(str) char *ignore = path_join(store, ".gitignore");
	if (dir_make(store, 0700, err) &&
		(access(ignore, F_OK) == 0 || file_write_atomic(ignore, "*\n", 2, 0600, err))) {
		clear_leftovers(store);
		return store;
	}
	free(store);
	return NULL;
}

/* ---- names ---- */

static char *prefix_of(const char *project)
{
	return mem_printf("cctm-%s-", project);
}

char *store_new_path(
	const char *store, const char *project, enum pack_compression compression, int64_t now_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm civil;
	char stamp[32];
	gmtime_r(&seconds, &civil);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &civil);
	for (unsigned n = 1;; n++) {
		AUTO(str) char *number = n > 1 ? mem_printf("-%u", n) : mem_strdup("");
		char *path = mem_printf(
			"%s/cctm-%s-%s%s%s", store, project, stamp, number, endings[compression]);
		if (access(path, F_OK) < 0 || n == 1000)
			return path;
		free(path);
	}
}

/* "20261130T232746Z", perhaps with a number behind it. */
static bool parse_stamp(const char *stamp, int64_t *at_ms)
{
	if (strlen(stamp) < 16 || (stamp[16] != '.' && stamp[16] != '-'))
		return false;
	AUTO(str)
	char *text = mem_printf(
		"%.4s-%.2s-%.5s:%.2s:%.3s", stamp, stamp + 4, stamp + 6, stamp + 11, stamp + 13);
	return clock_parse(text, at_ms);
}

static bool is_archive(const char *name)
{
	return str_has_suffix(name, endings[PACK_ZSTD]) || str_has_suffix(name, endings[PACK_GZIP]);
}

/* ---- listing ---- */

static void look(struct stored *item)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(inventory) struct inventory inventory = { 0 };
	item->is_readable = examine_inventory(item->path, &inventory, &err);
	if (!item->is_readable) {
		item->why = mem_strdup(err.message);
		return;
	}
	item->is_partial = inventory.is_partial;
	item->cctm = TAKE(inventory.cctm);
}

static void add(struct stored_list *out, char *path, const char *name, int64_t at_ms)
{
	struct stat st;
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(path);
		return;
	}
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	struct stored *item = &out->items[out->count++];
	*item = (struct stored){
		.path = path, .name = mem_strdup(name), .at_ms = at_ms, .bytes = st.st_size
	};
	look(item);
}

static int newest_first(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;
	return x->at_ms == y->at_ms ? strcmp(y->name, x->name)
				    : (x->at_ms < y->at_ms) - (x->at_ms > y->at_ms);
}

bool store_list(
	const char *stack_dir, const char *project, struct stored_list *out, struct error *err)
{
	AUTO(str) char *store = path_join(stack_dir, STORE_FOLDER);
	AUTO(str) char *prefix = prefix_of(project);
	*out = (struct stored_list){ 0 };
	DIR *entries = opendir(store);
	if (!entries)
		return errno == ENOENT ||
		       error_set_errno(err, ERR_IO, errno, "cannot list %s", store);
	for (const struct dirent *entry; (entry = readdir(entries)) && out->count < STORE_MAX;) {
		const char *name = entry->d_name;
		int64_t at_ms;
		if (str_has_prefix(name, prefix) && is_archive(name) &&
			parse_stamp(name + strlen(prefix), &at_ms))
			add(out, path_join(store, name), name, at_ms);
	}
	closedir(entries);
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, newest_first);
	return true;
}

void stored_list_clear(struct stored_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].name);
		free(list->items[i].why);
		free(list->items[i].cctm);
	}
	free(list->items);
	*list = (struct stored_list){ 0 };
}

/* ---- what is kept ---- */

static int64_t day_of(int64_t ms)
{
	return zone_day(ms, 0);
}

static int64_t week_of(int64_t ms)
{
	return zone_week(ms, 0);
}

static int64_t month_of(int64_t ms)
{
	return zone_month(ms, 0);
}

static int64_t moment_of(int64_t ms)
{
	return ms;
}

static bool is_whole(const struct stored *item)
{
	return item->is_readable && !item->is_partial;
}

/* The newest of each of `count` spans. */
static void keep_by(
	struct stored_list *list, int64_t count, const char *rule, int64_t (*span_of)(int64_t ms))
{
	int64_t span = INT64_MAX;
	bool is_each = span_of == moment_of;
	for (size_t i = 0; i < list->count && count > 0; i++) {
		struct stored *item = &list->items[i];
		if (!is_whole(item) || (!is_each && span_of(item->at_ms) == span))
			continue;
		span = span_of(item->at_ms);
		if (!item->rule)
			item->rule = rule;
		count--;
	}
}

void store_choose(const struct keep_rules *rules, struct stored_list *list)
{
	bool has_newer = false;
	for (size_t i = 0; i < list->count; i++) {
		struct stored *item = &list->items[i];
		item->rule = NULL;
		if (!item->is_readable)
			item->rule = "it cannot be read";
		else if (item->is_partial && !has_newer)
			item->rule = "no whole one is newer";
		else if (!item->is_partial && !has_newer)
			item->rule = "the newest";
		has_newer = has_newer || is_whole(item);
	}
	keep_by(list, rules->last, "last", moment_of);
	keep_by(list, rules->daily, "daily", day_of);
	keep_by(list, rules->weekly, "weekly", week_of);
	keep_by(list, rules->monthly, "monthly", month_of);
}
