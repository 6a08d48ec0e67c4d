/* The keys of cctm.yaml, in one table: loading, `cctm config`, errors, completion, the sample file and
 * cctm.yaml(5) are made from it. What a value is and how it is checked is in value.h.
 *
 * No key holds a secret: passwords and tokens stand in .env, and a key that is named like one is refused
 * with that sentence (key_is_secret).
 */
#ifndef CCTM_CONFIG_KEYS_H
#define CCTM_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
	KEY_TEXT,
	KEY_BOOL,
	KEY_INT,
	KEY_DECIMAL,  /* money, processors: thousandths */
	KEY_DURATION, /* milliseconds */
	KEY_SIZE,     /* bytes */
	KEY_PORT,
	KEY_ADDRESS, /* IPv4 or IPv6, no name */
	KEY_CHOICE,
	KEY_URL,     /* http or https, without a password in it */
	KEY_ORIGIN,  /* as a browser sends it: scheme, host, port; or "*" */
	KEY_IMAGE,   /* reference of a container image */
	KEY_PROJECT, /* project name as Compose allows it */
	KEY_HOST,    /* DNS name */
	KEY_ZONE,    /* time zone: Europe/Berlin, UTC, +02:00 */
	KEY_FILE,    /* path */
	KEY_PLACE,   /* path that begins with / or ./, or the name of a Docker volume */
	KEY_NAME,    /* attribute or label: letters, digits, "_", "." and "-" */
	KEY_PAIR,    /* two names, "old=new" */
};

enum profile { PROFILE_LOCAL, PROFILE_TEAM, PROFILE_CLUSTER, PROFILE_COUNT };

struct key {
	const char *path;   /* "prometheus.retention_time" */
	enum key_type type; /* of a list: of its items */
	bool is_list;
	bool is_nullable; /* null or "" say: none */
	/* As written in the file; NULL is null. A list's items are separated by commas. */
	const char *fallback;
	/* By profile, where it differs from `fallback`; NULL: it does not. */
	const char *profile_fallback[PROFILE_COUNT];
	int64_t min, max; /* of numbers; both 0: the type's own bounds */
	const char *const *choices;
	const char *unit;     /* "USD", "processors"; NULL: the value says it or has none */
	const char *sentence; /* begins with a capital, ends with a full stop */
	const char *example;
};

extern const struct key config_keys[];
extern const size_t config_key_count;

/* NULL: there is no such key. */
const struct key *key_find(const char *path);
size_t key_index(const struct key *key);

/* True when keys lie below `path`: "ports". */
bool key_is_group(const char *path);

/* True when a name says that its value is a secret: "grafana.admin_password". */
bool key_is_secret(const char *path);

/* The key that was meant, or NULL; also when only its last word was given ("retention_time"). */
const struct key *key_nearest(const char *path);

/* "CCTM_PROMETHEUS_RETENTION_TIME"; yours. NULL for `version`, which belongs to the file alone. */
char *key_variable(const struct key *key);

/* "a whole number from 1 to 65535": what is allowed, for errors and manuals. Yours. */
char *key_allowed(const struct key *key);

/* The name of its type in JSON: "duration", "list of url". Yours. */
char *key_type_name(const struct key *key);

const char *key_fallback(const struct key *key, enum profile profile);

extern const char *const profile_names[]; /* by enum profile; ends with NULL */

/* All paths, NULL-terminated: for completion. */
const char *const *key_paths(void);

#endif
