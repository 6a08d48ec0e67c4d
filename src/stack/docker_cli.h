/* What can be known of Docker's own program without starting it, which costs more than everything else that `cctm init`
 * does: its settings, its plug-ins, and how its versions are numbered.
 */
#ifndef CCTM_STACK_DOCKER_CLI_H
#define CCTM_STACK_DOCKER_CLI_H

#include <stdbool.h>

/* Its settings: $DOCKER_CONFIG or ~/.docker; yours. */
char *docker_cli_folder(void);

/* Is a plug-in, "docker-compose", in one of the places where it looks for them, and may be executed? False does not say
 * that there is none: config.json can name other places. */
bool docker_cli_has_plugin(const char *name);

/* Is "20.10.24+dfsg1" or "v2.3" before major.minor? False for what is not numbered that way. */
bool docker_cli_is_before(const char *version, unsigned major, unsigned minor);

#endif
