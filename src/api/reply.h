/* SPDX-License-Identifier: MIT */
#ifndef API_REPLY_H
#define API_REPLY_H

/* Answers as JSON, errors above all: one table from codes to statuses. */

#include "api/app.h"
#include "base/json.h"
#include "net/http.h"

/* The HTTP status of an error code. */
int reply_status(enum err_code code);

/* Fields that every answer has: CORS, X-Request-Id, and what keeps browsers
 * from taking it for a page: nosniff, Content-Security-Policy, Referrer-Policy.
 * No cache may store it. */
void reply_begin(struct app *app, struct http_exchange *x, int status);
/* The same for what caches may keep: Cache-Control is the caller's to say. */
void reply_begin_kept(struct app *app, struct http_exchange *x, int status);

/* Sends ${body} (a reference is taken from the caller). */
void reply_json(
    struct app *app, struct http_exchange *x, int status, json_t *body);

/* The same of what was written already. */
void reply_json_text(
    struct app *app, struct http_exchange *x, int status, struct slice text);

/* {"success": false, "error", "code"}, fit for clients. A new reference. */
json_t *reply_error_json(const struct err *e);

/*
 * Sends ${e} as {"success": false, "error", "code"}.  What is not for clients
 * is logged and replaced by a general sentence.  ${extra} (may be NULL; its
 * reference is taken) adds fields.
 */
void reply_error(struct app *app, struct http_exchange *x, const struct err *e,
    json_t *extra);
/* The same with the status that the engine chose. */
void reply_error_status(
    struct app *app, struct http_exchange *x, int status, const struct err *e);

#endif
