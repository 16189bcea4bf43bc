/* SPDX-License-Identifier: MIT */
#ifndef SFTD_BACKGROUND_H
#define SFTD_BACKGROUND_H

/* Work beside a running server, which goes first. */

#include "base/err.h"

/* This process waits for the processor and the disk behind all others, and
 * leaves no core dump. */
void background_begin(void);
/* For struct engine_config. */
_Noreturn void background_fatal(const struct err *e);

#endif
