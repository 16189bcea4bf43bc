/* SPDX-License-Identifier: MIT */
#ifndef API_GUARD_H
#define API_GUARD_H

/*
 * At the door: where a request really comes from (TRUSTED_PROXIES), whose key
 * it shows, and whether that one has asked too often (AUTH_FAIL_LIMIT,
 * RATE_LIMIT) or has too much open (MAX_CONNECTIONS_PER_CLIENT, behind a
 * proxy).  Addresses are counted by addr_client_bytes().
 *
 * In memory that does not grow with the number of clients.  Locked by itself;
 * any thread, never blocks for long.
 */

#include "base/clock.h"
#include "base/settings.h"
#include "engine/auth.h"
#include "engine/bus.h"
#include "net/addr.h"
#include "net/http.h"

struct guard;

/* ${auth}, ${clock}: borrowed; ${s} only while this runs. ERR_SETTING. */
int guard_new(const struct settings *s, struct auth *auth,
    const struct clock *clock, struct guard **ret_guard, struct err *err);
void guard_free(struct guard *g); /* NULL is fine */

/* A proxy's connections are not one client's: not to be counted as such. */
bool guard_trusts(const struct guard *g, const struct addr *peer);
/* Who sent ${req}, see proxies_client(). */
void guard_client(const struct guard *g, const struct addr *peer,
    const struct http_request *req, struct addr *ret);

/* Who stands at the door. */
struct visitor {
	struct addr from;
	int64_t retry_after_s; /* of a refusal: seconds to wait; 0: unknown */
};

/*
 * Who shows ${key}, see auth_check().  A wrong one is logged and counted for
 * its address: ERR_INVALID_API_KEY, or past AUTH_FAIL_LIMIT
 * ERR_TOO_MANY_REQUESTS. A right one is never refused.
 */
int guard_check_key(struct guard *g, struct slice key, struct visitor *v,
    struct principal *ret, struct err *err);
/* ${who} listens to ${bus} from now on.  Where its key was revoked while it was
 * let in, nobody has closed that yet; so it is done here. */
void guard_confirm(
    struct guard *g, struct bus *bus, const struct principal *who);
/* One more request of this key, or without one of this address:
 * ERR_TOO_MANY_REQUESTS past RATE_LIMIT. */
int guard_count(struct guard *g, const struct principal *who, struct visitor *v,
    struct err *err);

/* One of the requests that a client may have open; all zeros: none.  It may be
 * moved, by who owns it, to what goes on when the request's exchange ends. */
struct guard_place {
	struct guard *guard; /* NULL: none */
	struct addr from;
};
/* A request of ${from} begins that came through a proxy:
 * ERR_TOO_MANY_CONNECTIONS when it has too many open, and no place. */
int guard_enter(struct guard *g, const struct addr *from,
    struct guard_place *ret, struct err *err);
/* It has ended; no-op without a place. */
void guard_leave(struct guard_place *place);
void guard_move(struct guard_place *from, struct guard_place *to);

#endif
