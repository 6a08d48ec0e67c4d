#include "stack/causes.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ANY -1

/* The first row that fits counts, so what is more certain stands above. */
static const struct {
	const char *words; /* somewhere in the log; NULL: whatever it says */
	int64_t exit_code; /* ANY: whatever it is */
	struct cause cause;
} rows[] = {
	{ NULL, 137,
		{ "it was killed, most likely for want of memory",
			"give it more (limits.* in cctm.yaml) or the machine; 'docker inspect' "
			"says "
			"OOMKilled" } },
	{ "no space left on device", ANY,
		{ "its disk is full",
			"make room; 'docker system df' shows what the engine keeps" } },
	{ "address already in use", ANY,
		{ "another program has one of its ports",
			"'cctm init --auto-ports' finds free ones" } },
	{ "port is already allocated", ANY,
		{ "another container has one of its ports",
			"'cctm init --auto-ports' finds free ones" } },
	{ "exec format error", ANY,
		{ "its image is for another kind of machine",
			"name an image for this one under images.* in cctm.yaml" } },
	{ "is not writable", ANY,
		{ "it may not write into its data directory",
			"give the directory to the user it runs as; 'cctm init' makes new ones "
			"right" } },
	{ "permission denied", ANY,
		{ "it may not use a file or directory", "look at who owns what it names; 'cctm "
							"init' gives new directories to the right "
							"user" } },
	{ "lock DB directory", ANY,
		{ "another Prometheus uses the same data",
			"stop that one: 'docker ps' lists it" } },
	{ "opening storage failed", ANY,
		{ "its data cannot be opened",
			"the log names the file; a snapshot can be put in its "
			"place" } },
	{ "error loading config", ANY,
		{ "its configuration has an error", "mend the file it names under config/, or "
						    "delete it and run 'cctm init'" } },
	{ "failed to get config", ANY,
		{ "its configuration has an error", "mend the file it names under config/, or "
						    "delete it and run 'cctm init'" } },
	{ "cannot unmarshal", ANY,
		{ "its configuration has an error", "mend the file it names under config/, or "
						    "delete it and run 'cctm init'" } },
	{ "unknown component", ANY,
		{ "its image lacks a part that the configuration names",
			"use the contrib distribution of the Collector (images.collector)" } },
	{ "unknown type", ANY,
		{ "its image lacks a part that the configuration names",
			"use the contrib distribution of the Collector (images.collector)" } },
	{ "Datasource provisioning error", ANY,
		{ "a file under config/grafana/provisioning has an error",
			"mend it, or delete it and run 'cctm init'" } },
	{ NULL, 126,
		{ "its program may not be executed",
			"the image is damaged or not the one meant" } },
	{ NULL, 127, { "its program is not in the image", "look at images.* in cctm.yaml" } },
};

/* Programs differ in how they begin a sentence. */
static bool says(const char *log, const char *words)
{
	size_t len = strlen(words);
	for (; *log; log++) {
		if (strncasecmp(log, words, len) == 0)
			return true;
	}
	return false;
}

const struct cause *cause_find(const char *log, int64_t exit_code)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool is_so = (rows[i].exit_code == ANY || rows[i].exit_code == exit_code) &&
			     (!rows[i].words || says(log, rows[i].words));
		if (is_so)
			return &rows[i].cause;
	}
	return NULL;
}
