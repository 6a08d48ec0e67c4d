/* The configuration of a stack: every key with its value and who set it.
 *
 * Flag > environment (CCTM_PROMETHEUS_RETENTION_TIME) > cctm.yaml > profile > default. An empty variable
 * counts as none. Loading collects all problems; a configuration with a problem is never used.
 *
 *     AUTO(config) struct config config = { 0 };
 *     const struct config_request request = { .path = path, .variable = config_getenv };
 *     if (!config_load(&request, &config, err))
 *             return false;
 *     listen_on(config_text(&config, "bind"), config_number(&config, "ports.otlp_http"));
 *
 * Reading a key that is not in the table is an assertion; tests/agree looks for such names too.
 */
#ifndef CCTM_CONFIG_CONFIG_H
#define CCTM_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/keys.h"
#include "config/origin.h"
#include "config/value.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct problems;

#define CONFIG_FILE	    "cctm.yaml"
#define CONFIG_FILE_VERSION 1

struct setting {
	struct value value;
	struct origin origin; /* its name is borrowed from the config */
};

struct config {
	char *path;		  /* of the file; NULL: there is none */
	struct setting *settings; /* in the order of config_keys */
	char **names;		  /* private: variables and options that origins point to */
	size_t name_count;
};

struct config_flag {
	const char *key, *text, *name; /* "bind", "::1", "--bind" */
};

struct config_request {
	const char *path;			   /* NULL or of no file: none */
	const char *(*variable)(const char *name); /* NULL: no environment */
	const struct config_flag *flags;
	size_t flag_count;
};

/* getenv, as a request takes it. */
const char *config_getenv(const char *name);

bool config_load(const struct config_request *request, struct config *out, struct error *err)
	MUST_CHECK;

/* The same, with all that is wrong; false when there is something. */
bool config_check(const struct config_request *request, struct config *out,
	struct problems *problems) MUST_CHECK;

/* The same from bytes in memory, as if they were in the file request->path. */
bool config_check_bytes(const struct config_request *request, struct slice bytes,
	struct config *out, struct problems *problems) MUST_CHECK;

void config_clear(struct config *config);

const struct setting *config_setting(const struct config *config, const char *path);
const char *config_text(const struct config *config, const char *path); /* "" of null */
int64_t config_number(const struct config *config, const char *path);	/* in the type's unit */
bool config_is(const struct config *config, const char *path);		/* of a bool: is it true? */
bool config_is_null(const struct config *config, const char *path);
bool config_is_set(
	const struct config *config, const char *path); /* by file, environment or flag */

static inline void auto_config(struct config *config)
{
	config_clear(config);
}

#endif
