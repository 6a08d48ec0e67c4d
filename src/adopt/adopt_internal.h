/* What the files of this room share: the files that are read, their nodes, and adding to the result.
 *
 * Reading never stops halfway in a function: the first error is kept in the reader, later ones are not, and the
 * nodes that could not be had are NULL. adopt_read looks between its steps. */
#ifndef CCTM_ADOPT_ADOPT_INTERNAL_H
#define CCTM_ADOPT_ADOPT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "adopt/adopt.h"
#include "config/tree.h"
#include "core/buf.h"
#include "core/cleanup.h"
#include "render/env_file.h"

#define MOUNTS_MAX 64
#define WORDS_MAX  256

/* A YAML file. */
struct source {
	struct reader *reader;
	char *name; /* relative to the stack's directory where it lies in it */
	struct buf bytes;
	struct tree tree;
};

struct mount {
	char *source, *target;	 /* source is "" of an anonymous volume */
	bool is_directory;	 /* or a file: of the host, not a volume */
	bool is_used;		 /* for data or a configuration */
	const struct node *node; /* where it stands */
};

/* A service of ours in the Compose file. */
struct part {
	const char *name; /* in the file; NULL: it is not there */
	const struct node *node;
	struct mount mounts[MOUNTS_MAX];
	size_t mount_count;
	char *words[WORDS_MAX]; /* of its command */
	const struct node *word_nodes[WORDS_MAX];
	size_t word_count;
};

#define PART_COUNT (SERVICE_GRAFANA + 1)
#define PORTS_MAX  16

struct reader {
	const struct adopt_request *request;
	struct adoption *out;
	struct error *err;
	struct env_file env; /* .env */
	struct source compose;
	struct part parts[PART_COUNT]; /* by enum service; the bridge's is never there */
	size_t expansions;	       /* of variables, bounded */
	char *project;
	/* On which port the programs listen in their containers, in the order of service_ports. */
	int64_t container_ports[PORTS_MAX];
};

bool reader_failed(const struct reader *reader);

/* What Compose would put in for a variable: the shell's, else .env's; NULL: nobody's. Yours. */
char *reader_variable(struct reader *reader, const char *name);

/* ---- files and nodes (adopt_source.c) ---- */

/* That nothing is opened which could make the program wait or is too large. 1: a file, 0: not there, -1: error. */
int file_check(struct reader *reader, const char *path, const char *name);

/* 1: read and listed in out->files, 0: there is none, -1: error. Empty files have a NULL root. */
int source_read(struct reader *reader, const char *name, struct source *out);
void source_clear(struct source *source);

/* The path of `name` as it can be opened. Yours. */
char *source_path(const struct reader *reader, const char *name);

void source_fail(const struct source *source, const struct node *node, const char *fmt, ...)
	PRINTF(3, 4);

/* "docker-compose.yml:12"; of no node the file alone. Yours. */
char *source_where(const struct source *source, const struct node *node);

/* The value of `key` in a map. NULL: not there, null, or of another kind, which is an error. The parent may be
 * NULL. */
const struct node *node_map(
	const struct source *source, const struct node *parent, const char *key);
const struct node *node_list(
	const struct source *source, const struct node *parent, const char *key);
const struct node *node_text(
	const struct source *source, const struct node *parent, const char *key);
const struct node *node_any(const struct node *parent, const char *key);
bool node_says(const struct node *node, const char *text); /* false of NULL */

/* ---- the result (adopt_findings.c) ---- */

/* Refused by the key's own rules: a fault. As the default: nothing. A key that is set: nothing. */
void add_setting(
	const struct source *source, const struct node *node, const char *key, const char *text);
/* Item by item: one that is not allowed is a fault, the others become the setting. */
void add_list_setting(const struct source *source, const struct node *node, const char *key,
	char *const *items, size_t count);
const struct adopt_setting *find_setting(const struct reader *reader, const char *key);
void drop_setting(struct reader *reader, const char *key);
void add_secret(const struct source *source, const struct node *node, const char *name,
	const char *value, bool is_weak);
void add_data(const struct source *source, const struct node *node, const struct adopt_data *data);
void add_fault(const struct source *source, const struct node *node, enum fault fault,
	const char *what, ...) PRINTF(4, 5);
/* Of the fault that was added last. */
void set_remedy(struct reader *reader, const char *fmt, ...) PRINTF(2, 3);
void add_kept(const struct source *source, const struct node *node, const char *advice,
	const char *what, ...) PRINTF(4, 5);
void add_file(struct reader *reader, const char *name);

/* Of a map, what the templates have no place for is kept: "PREFIXkey of OWNER". */
struct others {
	const char *const
		*known; /* keys that are read, or that the new files have anyway; ends with NULL */
	const char *prefix, *owner; /* NULL: none */
	const char *advice;
};

void list_others(const struct source *source, const struct node *map, const struct others *others);
bool is_one_of(const char *text, const char *const *words);

extern const char advice_override[], advice_edit[];

/* ---- the steps ---- */

/* Replaces what Compose interpolates in every value of the file. */
void interpolate_tree(struct source *source);
/* One text; NULL after an error. Yours. */
char *interpolate(const struct source *source, const struct node *node, const char *text);

/* Finds the Compose file, reads it and .env. False: error. */
bool compose_find(struct reader *reader);
void compose_read(struct reader *reader); /* top level, project, which service is which */
void mounts_read(struct reader *reader, enum service service);

/* Where the data at a container's path lie on the host; */
void data_read(struct reader *reader, enum service service, const char *path);

/* The mounts that were used for nothing are the user's own. */
void mounts_list_unused(struct reader *reader);
/* The innermost mount that holds a container's path, which so is used; *rest is what of the path lies in it. */
const struct mount *mount_at(struct part *part, const char *path, const char **rest);
/* The host's file or directory behind a container's path; NULL: none of the host's. Yours. */
char *mount_host(struct part *part, const char *path);
/* Reads the file behind a container's path. False: there is none, which is a fault, or an error. */
bool mount_read(struct reader *reader, struct part *part, const char *path, struct source *out);

void command_read(struct reader *reader, enum service service);
/* The last "--name=value" or "--name value"; NULL: not given. */
const char *command_flag(const struct part *part, const char *name, const struct node **node);

/* The value of a variable in a service's container, from environment or env_file; NULL: not set there. Yours.
 * *node is where it stands. */
char *environment_value(
	struct reader *reader, const struct part *part, const char *name, const struct node **node);

void images_read(struct reader *reader);
void ports_read(struct reader *reader);
void limits_read(struct reader *reader, enum service service);
void collector_read(struct reader *reader);
void prometheus_read(struct reader *reader);
void grafana_read(struct reader *reader);

/* The program listens on the port in `node`, an address or a number, instead of its usual one. */
void set_container_port(const struct source *source, const struct node *node, const char *key);

/* Makes the settings agree with each other. */
void settings_settle(struct reader *reader);

/* Findings by file, in the order in which the files were read, and line. */
void findings_sort(struct reader *reader);

#endif
