/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_LIVE_H
#define NET_HTTP_LIVE_H

/*
 * A connection that stays after its reply's head: a WebSocket, or a stream of
 * events.  From then on bytes go both ways as the application likes, without a
 * thread and, while nothing moves, without a buffer.
 *
 *	handle(): fields, http_live(), http_live_begin()
 *		──▶ [its loop] input, ready ... closed
 *
 * All callbacks run on the connection's loop and must not block.  There, and
 * only there, the functions below may be called, but for http_live_wake().
 */

#include <stddef.h>
#include <sys/uio.h>

#include "net/http.h"

struct http_live;

struct http_live_ops {
	/* Bytes came; none at all: the peer shut its side, and closed()
	 * follows. */
	void (*input)(void *arg, const char *p, size_t n);
	/* At first, when it was woken, and when all that was kept has gone to
	 * the socket. */
	void (*ready)(void *arg);
	/* The server stops. */
	void (*draining)(void *arg);
	/* It is gone, and so is ${l} when this returns: nobody may wake it
	 * any more. */
	void (*closed)(void *arg);
};

/*
 * On a worker, instead of a reply.  It can be woken from here on; what it shall
 * hear of is to be arranged before http_live_begin(), for a peer that has the
 * head takes it that it hears everything.
 */
struct http_live *http_live(
    struct http_exchange *x, const struct http_live_ops *ops, void *arg);
/* Sends the head with the status and fields set so far.  101 announces no end;
 * all others end with the connection.  Must follow, on the same worker. */
void http_live_begin(struct http_live *l);

/* Sends; what the socket does not take is kept. */
void http_live_send(struct http_live *l, const struct iovec *iov, int n_iov);
/* Bytes kept. */
size_t http_live_unsent(const struct http_live *l);
/* Ends it once everything is sent, or could not be for linger_ms; nothing more
 * is read. */
void http_live_end(struct http_live *l);
/* Ends it at once, after the callback. */
void http_live_abort(struct http_live *l);
/* ready() is called soon; any thread. */
void http_live_wake(struct http_live *l);

#endif
