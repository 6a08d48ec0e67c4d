/* What a power failure could take back: which files and directories were changed and not synced since. When the
 * record changes its name, or goes, all that it speaks of must be durable; and its new name must be before anything
 * else is done. The record alone is handled by path (rename, unlink), everything else by directory (renameat, …). */
#ifndef CCTM_TESTS_TRANSACTION_SYNCS_H
#define CCTM_TESTS_TRANSACTION_SYNCS_H

void syncs_begin(void);
void syncs_changed(int fd); /* the file, or names in the directory, that fd stands for */
void syncs_synced(int fd);
void syncs_record_turns(const char *path); /* is about to get this name, or to lose it */

/* How often something came too early, in what was seen since syncs_begin. */
long syncs_too_early(void);
long syncs_turns(void);

#endif
