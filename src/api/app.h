/* SPDX-License-Identifier: MIT */
#ifndef API_APP_H
#define API_APP_H

/*
 * The application over the HTTP engine: routes, keys, CORS, errors as JSON.
 * app_http() gives the callbacks that the engine calls.  Constant after
 * app_new(), but for what is atomic; its parts lock themselves.
 */

#include <stdatomic.h>

#include "api/cors.h"
#include "engine/engine.h"
#include "engine/wary.h"
#include "net/http_server.h"

struct app {
	struct engine *engine;
	struct cors *cors;
	struct guard *guard;     /* api/guard.h */
	struct wary *wary;       /* of clients' connections */
	struct sockets *sockets; /* api/socket.h */
	int64_t started_ms;      /* monotonic */
	atomic_size_t lists;     /* bytes of names that are just being read */
	/* Monotonic; when refusals may be logged again. */
	_Atomic int64_t refusal_due_ms;
};

/* ${own_origins}: the origins at which this server is reached, a line each. */
int app_new(struct engine *e, const char *own_origins, struct app **ret_app,
    struct err *err);
void app_free(struct app *app);
void app_http(struct app *app, struct http_app *ret);

#endif
