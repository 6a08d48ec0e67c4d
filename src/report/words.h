/* Figures as people read them. Each appends to `out`. */
#ifndef CCTM_REPORT_WORDS_H
#define CCTM_REPORT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* $1,234.50; below one cent two significant digits: $0.0079. */
void words_money(struct buf *out, double usd);

/* 45,000; a fraction keeps one digit. */
void words_count(struct buf *out, double count);

/* 0.7 s, 12 s, 3 min, 1 h 20 min. */
void words_seconds(struct buf *out, double seconds);

/* "less than a minute ago", "2 minutes ago", "3 days ago". */
void words_age(struct buf *out, int64_t age_ms);

/* A date; with the time of day unless it is midnight. */
void words_moment(struct buf *out, int64_t ms);

/* `share` of `cells` columns, in eighths where the terminal shows them. */
void words_bar(struct buf *out, double share, unsigned cells, bool is_utf8);

/* Text from outside, shown and not obeyed, cut at `columns`. 64 hex digits (a user id) are cut at 12. */
void words_key(struct buf *out, const char *key, unsigned columns, bool is_utf8);

#endif
