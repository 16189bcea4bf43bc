/* SPDX-License-Identifier: MIT */
#ifndef API_CALL_H
#define API_CALL_H

/*
 * One request on its way through the application: made on the loop from the
 * head, carried to the worker, freed with the exchange.
 */

#include <stdint.h>

#include "api/app.h"
#include "api/guard.h"
#include "api/turn.h"
#include "engine/auth.h"
#include "engine/tenants.h"
#include "engine/transfer.h"
#include "net/http.h"

struct route;

struct call {
	struct app *app;
	struct http_exchange *x;
	const struct route *route; /* NULL: no route was found */
	char *name; /* what follows the route's path, decoded; NULL: nothing */
	struct principal who;
	struct visitor visitor;   /* its address as our proxies tell it */
	struct guard_place place; /* among the open ones of that address */
	int64_t began_ns;
	struct mover mover;   /* interrupts this exchange */
	struct tenant tenant; /* the same when its key ends */
	struct turn turn;
	/* Instead of the route's handler, when it runs once more after it had
	 * to wait for its turn; NULL: that one, from its beginning.  ${state}
	 * is what it left for then, freed with the call. */
	void (*again)(struct call *c);
	/* On the loop: its client has gone while it waited.  NULL: nothing is
	 * to be done but what is done for all. */
	void (*left)(struct call *c);
	void *state;
	void (*free_state)(void *state);
	/* Filled by call_client(). */
	struct client client;
	char ip[ADDR_TEXT_SIZE];
	char *client_id;
	char *agent;
};

/* The handler has it now. */
void call_keep_state(struct call *c);
/* What it left is not needed any more; no-op when that is nothing. */
void call_drop_state(struct call *c);

struct call *call_new(struct app *app, struct http_exchange *x);
/* Its client has gone: nobody interrupts it any more, and it has no turn. */
void call_leave(struct call *c);
void call_free(void *call); /* as http_set_user() wants it */

/* Who is at the other end: address, X-Client-Id or the query's client_id,
 * User-Agent. ERR_INVALID_PARAMETER for a bad id. */
int call_client(struct call *c, struct err *err);

/* At most LIMIT_CLIENT_ID printable characters? */
int call_check_client_id(struct slice id, struct err *err);

#endif
