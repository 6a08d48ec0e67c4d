/* For tests of every room: a configuration from a text. */
#ifndef CCTM_CONFIG_CONFIG_TESTING_H
#define CCTM_CONFIG_CONFIG_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/problems.h"

/* As if the text stood in cctm.yaml, without an environment. */
static inline struct config config_of(const char *text)
{
	struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	const struct config_request request = { .path = CONFIG_FILE };
	assert_true(config_check_bytes(&request, slice_str(text), &config, &problems));
	return config;
}

#endif
