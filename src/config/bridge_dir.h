/* Where the bridge that is not in a container keeps its journal and ledger. */
#ifndef CCTM_CONFIG_BRIDGE_DIR_H
#define CCTM_CONFIG_BRIDGE_DIR_H

struct config;

/* Of the stack in `stack_dir`: what data.bridge says when that is a directory, else bridge/ in it. Without a stack (NULL):
 * bridge/ in the user's data directory. `config` may be NULL. Yours. */
char *bridge_dir(const char *stack_dir, const struct config *config);

#endif
