#include "syncs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INODES_MAX 200

static ino_t unsynced[INODES_MAX];
static int unsynced_count;
static ino_t record_dir; /* 0: the record's name is durable */
static long too_early, turns;

void syncs_begin(void)
{
	unsynced_count = 0;
	record_dir = 0;
	too_early = turns = 0;
}

static ino_t inode_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		abort();
	return st.st_ino;
}

static int find(ino_t inode)
{
	int at = 0;
	while (at < unsynced_count && unsynced[at] != inode)
		at++;
	return at;
}

void syncs_changed(int fd)
{
	int at = find(inode_of(fd));
	if (record_dir)
		too_early++;
	if (at == INODES_MAX)
		abort();
	unsynced[at] = inode_of(fd);
	if (at == unsynced_count)
		unsynced_count++;
}

void syncs_synced(int fd)
{
	int at = find(inode_of(fd));
	if (at < unsynced_count)
		unsynced[at] = unsynced[--unsynced_count];
	if (inode_of(fd) == record_dir)
		record_dir = 0;
}

void syncs_record_turns(const char *path)
{
	struct stat st;
	char dir[4096] = "";
	strncat(dir, path, sizeof dir - 1);
	*strrchr(dir, '/') = '\0';
	if (stat(dir, &st) < 0)
		abort();
	/* The way back may begin with any of the steps taken, whichever of them are durable. */
	bool is_way_back = strstr(path, "undoing") != NULL;
	too_early += (is_way_back ? 0 : unsynced_count) + (record_dir != 0);
	record_dir = st.st_ino;
	turns++;
}

long syncs_too_early(void)
{
	return too_early + (record_dir != 0);
}

long syncs_turns(void)
{
	return turns;
}
