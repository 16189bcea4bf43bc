/* SPDX-License-Identifier: MIT */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/*
 * Named points at which a test ends the process as a crash would (rule 27).
 * With the build option `faults` the process ends by SIGKILL when the point
 * named by the environment variable SFT_FAULT is passed for the nth time
 * ("publish.renamed" or "publish.renamed:3").  Without the option the macro
 * is nothing: no shipped binary can be told to die.
 */

#ifdef SFT_FAULTS
/* Does not return at the point that is asked for.  Any thread. */
void fault_point(const char *name);
#define FAULT_POINT(name) fault_point(name)
#else
#define FAULT_POINT(name) ((void)0)
#endif

#endif
