/* The commented sample of cctm.yaml: every key of the table with its default, switched off.
 *
 * A line "# text" explains; a line "#key: value" is a setting, which works when its "#" is taken away (and
 * that of the group above it). */
#ifndef CCTM_CONFIG_SAMPLE_H
#define CCTM_CONFIG_SAMPLE_H

struct buf;

void config_sample(struct buf *out);

#endif
