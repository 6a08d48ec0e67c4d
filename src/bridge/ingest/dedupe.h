/* Which request bodies were taken in the last quarter of an hour.
 *
 * Claude Code repeats a request byte for byte after 429, 502, 503 and 504, within about ten seconds; no two
 * different exports were ever seen with equal bodies. Two generations of hashes: a hash is remembered for
 * 15 to 30 minutes. The number per generation is bounded; past it a generation ends early.
 */
#ifndef CCTM_BRIDGE_INGEST_DEDUPE_H
#define CCTM_BRIDGE_INGEST_DEDUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUPE_WINDOW_MS INT64_C(900000)
/* 127 requests a second over the whole window; as full as a table of one MiB may be. */
#define DEDUPE_MAX ((size_t)7 << 14)

struct dedupe;

struct dedupe *dedupe_new(size_t max_per_generation);
void dedupe_free(struct dedupe *d);

/* Brings the place of a hash into the cache, for a dedupe_has some microseconds later. */
void dedupe_prefetch(const struct dedupe *d, const uint64_t hash[2]);

bool dedupe_has(const struct dedupe *d, const uint64_t hash[2], int64_t now_ms);
void dedupe_add(struct dedupe *d, const uint64_t hash[2], int64_t seen_ms);

/* Generations that ended early because they were full: repeats older than the youngest are not known. */
uint64_t dedupe_shortened(const struct dedupe *d);

#endif
