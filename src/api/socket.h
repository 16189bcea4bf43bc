/* SPDX-License-Identifier: MIT */
#ifndef API_SOCKET_H
#define API_SOCKET_H

/*
 * Engine.IO sessions, called sockets here to tell them from uploads' sessions.
 *
 *	h_socket.c     HTTP: handshakes, polls, posts, refusals
 *	socket_ws.c    WebSocket: frames, the upgrade
 *	socket.c       a socket's life: table, heartbeat, what waits for it
 *	socket_sio.c   Socket.IO on it: connecting, subscriptions
 *
 * A socket outlives the connections that carry it: with polling it has one now
 * and then, and it may move from polling to a WebSocket.  It ends when its
 * client says so, stays silent, breaks the protocol, or its key ends.
 *
 * Locks, in this order: a beat's, ${input}, the bus's, the table's, ${lock}, a
 * loop's.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api/beat.h"
#include "api/guard.h"
#include "base/buf.h"
#include "engine/bus.h"
#include "engine/engine.h"
#include "net/addr.h"
#include "net/http_live.h"
#include "proto/eio.h"

#define SOCKET_PING_INTERVAL_MS 25000
#define SOCKET_PING_TIMEOUT_MS 20000
/* From the probe to the upgrade. */
#define SOCKET_UPGRADE_MS 10000
#define SOCKET_SID_SIZE 33

enum socket_transport { SOCKET_POLLING, SOCKET_WEBSOCKET };

struct sockets;

struct socket {
	_Atomic unsigned refs;
	struct sockets *all;
	char sid[SOCKET_SID_SIZE];
	struct addr from; /* its client, constant */
	unsigned scope;   /* that its key needs */
	struct bus_subscriber subscriber;
	struct beat beat;
	bool is_pinged; /* the beat's */

	pthread_mutex_t input;    /* one packet at a time; over the next */
	unsigned attachments;     /* binary messages to come */
	atomic_bool is_connected; /* to the namespace */

	pthread_mutex_t lock; /* over the following */
	enum socket_transport transport;
	const struct err *why;      /* it is closed (static); NULL: open */
	bool is_upgrading;          /* polls are answered at once */
	bool is_polled;             /* by a GET that is not answered yet */
	bool is_posted;             /* by a POST that is worked on */
	bool has_pong;              /* since the last ping */
	struct http_exchange *poll; /* parked; NULL: none */
	struct http_live *live;     /* the WebSocket; NULL: none */
	struct buf out;             /* packets that are not events of the bus */
};

/* ${e}, ${guard}: borrowed. */
int sockets_new(struct engine *e, struct guard *guard,
    struct sockets **ret_sockets, struct err *err);
/* When nothing serves any more. */
void sockets_free(struct sockets *all);
struct engine *sockets_engine(const struct sockets *all);
struct guard *sockets_guard(const struct sockets *all);
struct beats *sockets_beats(const struct sockets *all);

struct socket_start {
	const struct principal *who; /* as the request's head says */
	const struct addr *from;
	unsigned scope;
	enum socket_transport transport;
};
/* A new one with a reference.  ERR_SERVER_BUSY past MAX_CONNECTIONS of them, or
 * MAX_CONNECTIONS_PER_CLIENT of one address. */
int socket_open(struct sockets *all, const struct socket_start *start,
    struct socket **ret_socket, struct err *err);
/* With a reference; NULL: unknown, or closed. */
struct socket *sockets_find(struct sockets *all, struct slice sid);
void socket_unref(struct socket *s); /* NULL is fine */

/* Nothing comes to it any more, and its transport is told.  ${why} is
 * static. */
void socket_close(struct socket *s, const struct err *why);
extern const struct err socket_gone;       /* its connection, or its client */
extern const struct err socket_bad_packet; /* the client broke the protocol */

/* Queues one packet. */
void socket_send(struct socket *s, enum eio_type type, struct slice data);
/* Something waits for it: its poll or WebSocket runs. */
void socket_wake(struct socket *s);
bool socket_has_some(struct socket *s);
/* Takes what was queued, as a payload, not the events of the bus. */
void socket_take_out(struct socket *s, struct buf *ret);
/* Says goodbye with the reason, where it is the bus that closed it. */
const struct err *socket_check(struct socket *s);
/* One packet of the client.  -1: it broke the protocol. */
int socket_input(struct socket *s, const struct eio_packet *p, struct err *err);
/* The data of the packet that opens it: sid, heartbeats. */
int socket_put_open(const struct socket *s, struct buf *b);

/* socket_sio.c: a message of the client. */
int socket_message(
    struct socket *s, const struct eio_packet *p, struct err *err);
/* The event `error`, queued. */
void socket_send_error(struct socket *s, const struct err *e);

/* socket_ws.c: ${x} becomes its WebSocket, or, ${is_probe}, may take over from
 * its polls.  Takes a reference. */
void socket_ws(struct socket *s, struct http_exchange *x, bool is_probe);

#endif
