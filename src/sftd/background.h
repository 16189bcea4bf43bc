/* SPDX-License-Identifier: MIT */
#ifndef SFTD_BACKGROUND_H
#define SFTD_BACKGROUND_H

/* Work beside a running server, which goes first.  By the main thread. */

#include "base/err.h"

/* Before anything is opened: what is made is nobody else's. */
void background_begin(void);
/* From here on this thread waits for the processor and the disk behind all
 * others.  Only this one: the thread that writes records, started before,
 * holds a lock that a server may wait for. */
void background_give_way(void);
/* The same for the disk alone: for a thread with little to compute, which
 * holds locks that a server waits for. */
void background_spare_disk(void);
/* For struct engine_config. */
_Noreturn void background_fatal(const struct err *e);

#endif
