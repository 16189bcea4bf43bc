/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

/*
 * Transfers of the past and the present, with filters, newest first; those that
 * move show how far they are.  Any thread; each call waits for one read of the
 * database.
 */

#include "base/err.h"
#include "db/rec_history.h"
#include "engine/status.h"

/* ${q}->prefix is set by it to what ${who} may see.  ${ret}: the page's views,
 * and in total how many match in all. */
int history_get(struct engine *e, const struct principal *who,
    struct rec_history_query *q, struct status_list *ret, struct err *err);

/* Removes what ended longer than HISTORY_KEEP ago from the records, the oldest
 * first, for about HISTORY_PRUNE_MS.  *${ret_left}: there is more. */
#define HISTORY_PRUNE_MS 50
int history_prune(struct engine *e, bool *ret_left, struct err *err);

#endif
