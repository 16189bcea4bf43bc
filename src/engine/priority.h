/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PRIORITY_H
#define ENGINE_PRIORITY_H

/* A file's turn is changed by hand (PATCH /status). */

#include "base/err.h"
#include "engine/engine.h"

/*
 * Gives all unfinished transfers of ${filename} the priority
 * (0..LIMIT_PRIORITY) whether they move, wait, or their client is away.
 * ERR_NO_ACTIVE_TRANSFER when there is none, ERR_FORBIDDEN outside the key's
 * prefix.  Any thread.
 */
int priority_set(struct engine *e, const struct principal *who,
    const char *filename, int priority, struct err *err);

#endif
