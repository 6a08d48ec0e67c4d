/* Scalars as YAML text: plain where every reader takes the text for the text, else between quotes. */
#ifndef CCTM_CONFIG_YAML_TEXT_H
#define CCTM_CONFIG_YAML_TEXT_H

#include <stdbool.h>

struct buf;

enum yaml_quotes { YAML_QUOTE_IF_NEEDED, YAML_QUOTE_SINGLE, YAML_QUOTE_DOUBLE };

/* `is_number`: a number, true or false, which stays plain whatever the quotes asked for. Single quotes turn
 * into double ones where the text needs escapes. The result never spans lines. */
void yaml_add_scalar(struct buf *out, const char *text, bool is_number, enum yaml_quotes quotes);

#endif
