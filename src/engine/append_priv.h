/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_APPEND_PRIV_H
#define ENGINE_APPEND_PRIV_H

/* For src/engine/append*.c. */

#include "engine/append.h"
#include "engine/session_priv.h"

/* The session of a URL, with a reference and locked.  ERR_UPLOAD_NOT_FOUND
 * (also for names outside the key's prefix), ERR_UPLOAD_EXPIRED. */
int append_find(struct engine *e, const struct principal *who, const char *url,
    struct session **ret_s, struct err *err);
/* The same, also while somebody makes a file of it. */
int append_find_now(struct engine *e, const struct principal *who,
    const char *url, struct session **ret_s, struct err *err);
/* Ends whoever appends to it now, and waits for that.  Under its lock. */
void append_take_over(struct session *s);
/* Under its lock. */
void append_describe(struct session *s, struct append_state *ret);
/* What every new one is, but for its blob. */
void append_fill(struct session *s, const struct append_new *req);
/* Under its lock, without a claim: all its bytes are there. */
int append_complete(struct session *s, struct err *err);

#endif
