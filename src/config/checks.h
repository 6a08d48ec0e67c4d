/* What must hold between keys. */
#ifndef CCTM_CONFIG_CHECKS_H
#define CCTM_CONFIG_CHECKS_H

struct config;
struct problems;

void config_cross_check(const struct config *config, struct problems *problems);

#endif
