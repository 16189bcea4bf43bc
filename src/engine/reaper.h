/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REAPER_H
#define ENGINE_REAPER_H

/*
 * Removes blobs that no record names any more (rule 2): only once the commit
 * that dropped them is durable, and while nobody has them pinned.
 */

#include <stdbool.h>

#include "engine/engine.h"

/* One pass over all of the trash.  *${ret_left}: something is pinned and waits.
 * On the maintenance thread. */
int reaper_run(struct engine *e, bool *ret_left, struct err *err);

#endif
