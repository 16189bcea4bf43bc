/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TENANTS_H
#define ENGINE_TENANTS_H

/*
 * Requests that go on for as long as their key holds (rule 26).  One that may
 * move for hours enrols; when its key is revoked or expires it hears of it, and
 * ends.
 *
 * Locked by itself; any thread, never blocks for long.
 */

#include <stdint.h>

#include "base/list.h"
#include "engine/auth.h"

struct tenants;

struct tenant {
	struct list link;      /* the tenants' lock */
	struct tenants *among; /* its owner's; NULL: it is not enrolled */
	const struct principal *who;
	/* Its key is gone.  At most once, from any thread, under the lock:
	 * must neither block nor come back here. */
	void (*evict)(void *arg);
	void *arg;
};

struct tenants *tenants_new(void);
/* After the last one left.  NULL is fine. */
void tenants_free(struct tenants *ts);

void tenant_init(struct tenant *t, void (*evict)(void *arg), void *arg);
/*
 * From now on it hears when the key of ${who} (borrowed until it leaves) ends;
 * whoever has none never does.  What ended before is not told: so ask
 * auth_check_again() after, not before.  Once more is a no-op.
 */
void tenant_enrol(
    struct tenant *t, struct tenants *ts, const struct principal *who);
/* When it returns evict() does not run and never will; no-op unless
 * enrolled. */
void tenant_leave(struct tenant *t);

/* Evicts those with this key, and those whose key has expired by then. */
void tenants_evict_key(struct tenants *ts, const char *key_id);
void tenants_evict_expired(struct tenants *ts, int64_t wall_ms);

#endif
