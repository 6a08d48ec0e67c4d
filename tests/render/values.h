/* The hostile values: those of tests/data/hostile, one of 10 kB, and random mixtures of them. */
#ifndef CCTM_TESTS_RENDER_VALUES_H
#define CCTM_TESTS_RENDER_VALUES_H

#include <stddef.h>

#include "core/slice.h"

struct data;

/* Loaded at the first call; live until the process ends. Ends the process when the file cannot be read. */
size_t hostile_count(void);
struct slice hostile_value(size_t index);

/* { values: [ { name: "V0", text: … }, … ] }; yours. */
struct data *hostile_map(void);

#endif
