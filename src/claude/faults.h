/* Versions of Claude Code whose telemetry is known to be at fault, by public reports.
 */
#ifndef CCTM_CLAUDE_FAULTS_H
#define CCTM_CLAUDE_FAULTS_H

/* A sentence that says what was seen and what to do, without a full stop; NULL: nothing is known of this version. */
const char *version_fault(const char *version);

#endif
