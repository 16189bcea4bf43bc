/* SPDX-License-Identifier: MIT */
#ifndef NET_PROXIES_H
#define NET_PROXIES_H

/*
 * Who really asks: the address that proxies in front of us tell in
 * X-Forwarded-For and Forwarded (RFC 7239).  Both are lists to which each proxy
 * adds, at the end, whom it took the request from; anybody can send the
 * beginning.  So only what trusted proxies added counts: from the end, past the
 * addresses of such proxies, to the first that is none.
 *
 * Constant after proxies_new(); any thread.
 */

#include <stdbool.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/http.h"

struct proxies;

/* ${list}: TRUSTED_PROXIES, a comma list of addresses and blocks; NULL: none
 * are trusted.  ERR_SETTING when it is no such list. */
int proxies_new(
    const char *list, struct proxies **ret_proxies, struct err *err);
void proxies_free(struct proxies *p); /* NULL is fine */

bool proxies_trust(const struct proxies *p, const struct addr *peer);
/*
 * *${ret}: who sent ${req}, which came from ${peer}.  That is the peer unless
 * it is trusted.  A hop that is no address ("unknown", "_hidden", garbage) ends
 * the way back: what lies before it is not believed.  Where both fields came
 * and tell different clients, the proxy passes one on that it does not know,
 * which the client may have made up: the peer.  The port is 0 unless it is the
 * peer's own.
 */
void proxies_client(const struct proxies *p, const struct addr *peer,
    const struct http_request *req, struct addr *ret);

#endif
