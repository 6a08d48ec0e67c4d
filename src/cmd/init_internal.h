/* The parts of cctm init: init.c is the story, init_settings.c what cctm.yaml becomes, init_ports.c the ports, init_adopt.c
 * a stack made by hand, init_print.c what is said. */
#ifndef CCTM_CMD_INIT_INTERNAL_H
#define CCTM_CMD_INIT_INTERNAL_H

#include <jansson.h>

#include "adopt/adopt.h"
#include "command.h"
#include "config/config.h"
#include "core/buf.h"
#include "render/provision.h"
#include "stack/runtime.h"

struct error;

struct init_args {
	const char *dir, *runtime, *profile, *templates, *adopt;
	struct opt_rest set;
	bool is_dry_run, is_forced, is_yes, is_auto_ports;
};

/* A port that another program has. */
struct taken_port {
	const char *key;
	int64_t port;
	char *who;
	int64_t moved_to; /* 0: it was left */
};

struct init_job {
	struct context *ctx;
	const struct init_args *args;
	char *dir;  /* absolute */
	char *file; /* its cctm.yaml */
	struct manifest last;
	struct buf settings; /* cctm.yaml as it is to be */
	bool is_new;	     /* there was none */
	struct config config;
	struct runtime_choice runtime;
	struct taken_port *taken;
	size_t taken_count;
	struct provision provision;
	struct adoption adoption;	  /* with --adopt */
	struct provision_secret *secrets; /* of it */
};

/* Where the files of an adopted stack go: they may hold passwords. */
#define ADOPTED_DIR STATE_DIR "/adopted"

/* Reads the stack made by hand; what it says becomes settings in init_settings_read. */
bool init_adopt_read(struct init_job *job, struct error *err) MUST_CHECK;

/* What would be read beside the new files goes into the backup. */
bool init_adopt_move_away(struct init_job *job, struct error *err) MUST_CHECK;

/* Asks on a terminal whether the stack shall be taken over; without one, --yes has to say so. */
bool init_adopt_confirm(struct init_job *job, struct error *err) MUST_CHECK;

void init_adopt_print(const struct init_job *job);
json_t *init_adopt_json(const struct init_job *job);

/* cctm.yaml's text with what the command line asks for, and the configuration that it makes. */
bool init_settings_read(struct init_job *job, struct error *err) MUST_CHECK;
bool init_settings_set(struct init_job *job, const char *key, const char *text, struct error *err)
	MUST_CHECK;
bool init_settings_load(struct init_job *job, struct error *err) MUST_CHECK;

/* Ports that were not in the files before: who has them, and with --auto-ports others instead. */
bool init_ports_check(struct init_job *job, struct error *err) MUST_CHECK;

void init_print(const struct init_job *job);

#endif
