/* The parts of the model: model.c puts them together. */
#ifndef CCTM_RENDER_MODEL_INTERNAL_H
#define CCTM_RENDER_MODEL_INTERNAL_H

#include "render/data.h"
#include "render/model.h"

bool model_says(const struct config *config, const char *key, const char *text);

/* Durations as Go, sizes as Compose and Prometheus (powers of 1024) read them; yours. */
char *model_go_duration(int64_t ms);
char *model_size(int64_t bytes, const char *const units[4]);

/* As str_duration, but whole days stay days: 14d and not 2w. Yours. */
char *model_days(int64_t ms);

/* Seconds of milliseconds, dollars of thousandths: for an expression of PromQL. */
struct data *model_decimal(int64_t thousandths);

/* Takes `text`, which may be NULL for the empty one. */
struct data *model_take(char *text);
struct data *model_list(const struct config *config, const char *key);

/* The compose file. */
void model_add_services(
	struct data *root, const struct config *config, const struct surroundings *around);

/* The files under config/. */
void model_add_collector(struct data *root, const struct config *config);
void model_add_prometheus(struct data *root, const struct config *config);
void model_add_counting(struct data *root, const struct config *config);
void model_add_alerts(struct data *root, const struct config *config);
void model_add_rules(struct data *root, const struct config *config);
void model_add_others(struct data *root, const struct config *config);

#endif
