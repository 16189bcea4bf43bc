/* SPDX-License-Identifier: MIT */
#ifndef API_CORS_H
#define API_CORS_H

/*
 * Which pages may talk to this server (Fetch standard, CORS protocol).
 * Constant after cors_new(); any thread.
 */

#include <stdbool.h>

#include "base/err.h"
#include "net/http.h"

struct cors;

/*
 * ${origins}: CORS_ORIGINS, a comma list of origins, "*" for any, and
 * "localhost" for http and https on localhost and 127.0.0.1, any port; NULL:
 * none.  ${own}: origins of the server itself, a line each, always
 * allowed.  ERR_SETTING for what is no origin.
 */
int cors_new(const char *origins, const char *own, struct cors **ret_cors,
    struct err *err);
void cors_free(struct cors *c);

bool cors_allows(const struct cors *c, struct slice origin);

/* Fields for a reply to this exchange: Access-Control-*, Vary. */
void cors_headers(const struct cors *c, struct http_exchange *x);
/* Fields for a preflight's answer besides; ${methods} as in Allow. */
void cors_preflight_headers(
    const struct cors *c, struct http_exchange *x, const char *methods);

/*
 * May this request change things?  Not when a page of a foreign origin sent
 * it: ERR_ORIGIN_FORBIDDEN.  Safe methods always may.
 */
int cors_check_unsafe(
    const struct cors *c, const struct http_request *req, struct err *err);

#endif
