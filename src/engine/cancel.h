/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CANCEL_H
#define ENGINE_CANCEL_H

/*
 * Ends what is under way for a name, up and down: who moves bytes is told, what
 * had arrived is removed, the file that was there before stays.
 */

#include "base/err.h"
#include "engine/engine.h"

/* *${ret_count}: how many transfers.  Waits for their ends, a few seconds at
 * most.  ERR_NO_ACTIVE_TRANSFER, ERR_FORBIDDEN (outside the key's prefix). */
int cancel_name(struct engine *e, const struct principal *who,
    const char *filename, unsigned *ret_count, struct err *err);

#endif
