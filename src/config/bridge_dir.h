/* Where the bridge that is not in a container keeps its journal and ledger. */
#ifndef CCTM_CONFIG_BRIDGE_DIR_H
#define CCTM_CONFIG_BRIDGE_DIR_H

struct config;

/* In it: the lock that a running bridge holds (the same name as in bridge/startup.c, which sees no other room). */
#define BRIDGE_LOCK_FILE "bridge.lock"

/* Of the stack in `stack_dir`: what data.bridge says when that is a directory, else bridge/ in it. Without a stack (NULL):
 * bridge/ in the user's data directory. `config` may be NULL. Yours. */
char *bridge_dir(const char *stack_dir, const struct config *config);

#endif
