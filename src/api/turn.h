/* SPDX-License-Identifier: MIT */
#ifndef API_TURN_H
#define API_TURN_H

/*
 * A request's turn to move bytes ("Scheduling" of the contract).
 *
 * A handler asks with turn_take(), or hands turn_asker() to an engine function
 * that asks.  When it has to wait, it returns without a reply: its connection
 * goes back to the loop, its socket stays unread, and when its turn comes the
 * handler runs once more, from its beginning, or where call->again says.  What
 * it asks for a second time it gets.
 *
 * The body read through turn_body(), and a reply that uses turn_stream(), keep
 * to the bandwidth, and tell the scheduler how fast the client is.
 *
 * Lies in the call; the thread that runs the handler owns it, while it is
 * parked its loop.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "engine/sched.h"
#include "engine/transfer.h"
#include "net/http.h"

struct call;

struct turn {
	struct http_exchange *x;
	struct ticket ticket;
	struct ticket_asker asker;
	struct transfer *transfer; /* begun when it had to wait; NULL: none */
	struct source body;        /* over http_body() */
	bool is_limited;           /* by a bandwidth */
	uint64_t allowed;          /* bytes that may be read now */
};

void turn_init(struct call *c);
/* No longer waited for: its client has gone, or it is answered. */
void turn_fini(struct call *c);

struct turn_wanted {
	const struct transfer_start *start; /* its lane is set by turn_take() */
	uint64_t size; /* bytes, as far as known; small ones need no turn */
	/* Refuses now rather than when its turn comes.  NULL: nothing to. */
	int (*check)(void *arg, struct err *err);
	void *arg;
};
/*
 * 0: it may move, *ret_lane is its lane (NULL: it needs none) and
 * c->turn.transfer what was begun when it had to wait (to be taken over by the
 * caller, who sets it to NULL; may be NULL); 1: it waits, return; -1.
 */
int turn_take(struct call *c, const struct turn_wanted *w,
    struct lane **ret_lane, struct err *err);

/* For an engine function that asks by itself; *${ret} is NULL when ${size}
 * needs no turn.  -1 when it was interrupted while it waited. */
int turn_asker(struct call *c, uint64_t size, const struct ticket_asker **ret,
    struct err *err);

/* What was begun when it had to wait came to nothing. */
void turn_fail(struct call *c, const struct err *why);

/* It was begun only to be seen while it waited. */
void turn_drop(struct call *c);

struct source *turn_body(struct call *c);
/* Bytes of the reply: as http_stream's allow(); after each slice moved(). */
int turn_allow(struct call *c, uint64_t *n, struct err *err);
void turn_moved(struct call *c, uint64_t n);

#endif
