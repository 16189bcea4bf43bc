/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_PRIV_H
#define NET_HTTP_PRIV_H

/*
 * The inside of the HTTP server, for http_*.c only.
 *
 *	http_server.c    the whole: new, start, stop, free
 *	http_loop.c      one loop: its thread, lists and time-outs
 *	http_accept.c    new connections and their limits
 *	http_handshake.c TLS begins, on the loop
 *	http_redirect.c  plain HTTP where it only points to TLS
 *	http_conn.c      a connection on its loop: states, what follows a reply
 *	http_head.c      bytes to heads to exchanges
 *	http_gather.c    small bodies, on the loop
 *	http_linger.c    the end of a connection, on the loop
 *	http_delivery.c  what of a download has reached its peer, on the loop
 *	http_worker.c    exchanges on worker threads
 *	http_park.c      exchanges that wait for their turn, on the loop
 *	http_live.c      connections that stay: WebSockets, streams of events
 *	http_wait.c      the one place where a worker waits for a client
 *	http_exchange.c  an exchange: life, what handlers ask of it
 *	http_body.c      its body as a source
 *	http_reply.c     its reply: head, and bodies in memory
 *	http_stream.c    its reply from a source, by the kernel where it can
 *	http_copy.c      or through memory
 *	http_refuse.c    what the engine itself answers
 *	http_peers.c     connections counted by client
 *
 * Threads.  A connection belongs to one loop for life.  While an exchange of
 * it runs on a worker (state WORKER) the worker owns what is marked W below,
 * and the exchange; everything else, always, is the loop's.  Handing over
 * goes through the job queue, giving back through loop_post(): each orders
 * what was written before it.
 *
 * A connection that ends on its loop is closed at once and freed by
 * http_loop_reap(), at the end of whatever the loop called: code that may
 * have closed a connection looks at its state and touches nothing else.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/buffers.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/siphash.h"
#include "base/thread.h"
#include "loop/loop.h"
#include "net/conn.h"
#include "net/http_chunked.h"
#include "net/http_date.h"
#include "net/http_parse.h"
#include "net/http_server.h"

#define HTTP_SLICE ((size_t)1024 * 1024) /* most bytes moved at once */
#define HTTP_INPUT ((size_t)64 * 1024)   /* most of a body a loop reads */
#define HTTP_INPUT_HEAD                                                        \
	((size_t)16 * 1024)          /* when heads are due: see http_head.c */
#define HTTP_KEEP ((size_t)8 * 1024) /* largest memory kept for reuse */

/*
 *   HANDSHAKE (TLS only)
 *     ▼                              QUEUED
 *     ▼                     AWAIT      ▲▼     ┌──▶ LIVE
 *   HEAD ──▶ (accept) ──▶ GATHER ──▶ WORKER ──┴──▶ FLUSH ──▶ IDLE ──▶ HEAD
 *                │                                │
 *                └── answered at once ────────────┴──▶ LINGER ──▶ CLOSED
 */
enum http_state {
	HTTP_STATE_HANDSHAKE, /* new, and TLS is to begin */
	HTTP_STATE_HEAD,      /* new, or in the middle of a head */
	HTTP_STATE_IDLE,      /* between requests */
	HTTP_STATE_GATHER,    /* a small body comes in */
	HTTP_STATE_AWAIT,     /* the same for a transfer, and not for long */
	HTTP_STATE_WORKER,    /* owned by a worker */
	HTTP_STATE_QUEUED, /* parked: the socket is unread, no thread holds it
	                    */
	HTTP_STATE_LIVE,   /* the application's, both ways, on the loop */
	HTTP_STATE_FLUSH,  /* the reply goes out */
	HTTP_STATE_LINGER, /* our side is shut; what comes is discarded */
	HTTP_STATE_CLOSED, /* waits to be freed */
	HTTP_STATES
};

/* A head that has not come whole yet. */
struct http_part {
	struct buf bytes;
	struct http_parse parse;
};

struct http_conn {
	struct list link; /* in lp->lists[state], the oldest first */
	struct http_loop *lp;
	struct loop_watch watch;
	uint32_t events; /* that the watch reports now */
	uint32_t seen;   /* that it reported last */
	enum http_state state;
	int64_t since_ms; /* when the state's time-out began to run */
	struct addr peer;
	enum err_code refusal; /* to be refused as soon as it is ours */
	bool is_counted;       /* among its client's */
	bool is_redirect;      /* came to the port that only points to TLS */
	bool is_shut;          /* in state LINGER: our side really is */
	struct http_part *part;
	struct http_exchange *x;  /* NULL between requests */
	struct http_live *live;   /* in state LIVE, else NULL */
	struct list deliveries;   /* of ended downloads, oldest first */
	struct list delivering;   /* in lp->delivering */
	struct loop_task task;    /* to come (back) to the loop */
	uint64_t mark;            /* unsent bytes at the last look */
	uint64_t linger_left;     /* bytes that may still be discarded */
	struct conn conn;         /* W */
	struct buf in;            /* W: bytes read, not yet used ... */
	size_t in_at;             /* W: ... from here on */
	struct buf out;           /* W: the reply's rest ... */
	size_t out_at;            /* W: ... from here on */
	_Atomic uint64_t written; /* W; the loop may read it */
};

/* Where a worker can be woken up from its wait for a client.  It exists as
 * long as the server, so waking somebody who has just gone is harmless. */
struct http_wake {
	struct wake wake;
	struct http_wake *next; /* in server->wakes */
};

struct http_body {
	struct source source;
	struct buf mem;   /* a gathered body ... */
	size_t mem_at;    /* ... from here on */
	bool is_gathered; /* all of it is in mem */
	bool awaits_100;  /* the client waits for 100 (Continue) */
	uint64_t left;    /* of Content-Length, to be read */
	bool is_ending;   /* interrupted; had arrived by then, and is left: */
	uint64_t arrived;
	struct http_chunked chunked;
};

/* Bytes of a download that are on their way.  The exchange is over by the
 * time they arrive. */
struct http_delivery {
	struct list link;
	uint64_t end;  /* hc->written at the reply's end */
	uint64_t sent; /* of the body */
	bool is_whole; /* all of the body was sent */
	uint64_t told; /* the application knows of */
	void (*delivered)(void *arg, uint64_t delivered, bool complete);
	void (*arrived)(void *arg, uint64_t bytes); /* may be NULL */
	void *arg;
};

struct http_exchange {
	struct list link; /* in lp->spares */
	struct http_request req;
	struct http_conn *hc;
	struct http_server *server;
	void *head; /* fields, then bytes, that req's slices point to */
	size_t head_cap;
	bool on_loop; /* who owns it: the loop or a worker */
	struct http_body body;

	struct buf fields; /* the reply's, "Name: value\r\n" */
	struct buf wire;   /* the reply's head, and a small body */
	int status;
	bool is_replied;
	bool closes;      /* the connection ends after the reply */
	bool until_close; /* the body ends with the connection */
	bool is_told;     /* the application knows that it is over */
	bool is_cut;      /* the reply could not be sent whole ... */
	struct err why;   /* ... because of this */
	uint64_t body_sent;
	const struct http_stream
	    *stream;         /* while its body is sent, else NULL */
	uint64_t body_begin; /* hc->written before the body */
	uint64_t told;       /* of it, the application knows to have arrived */
	struct http_delivery *delivery; /* NULL: all has arrived, or none */

	char id[HTTP_REQUEST_ID_SIZE]; /* "" until asked for */
	void *user;
	void (*fini)(void *user);

	struct job job;
	enum http_verdict verdict;
	bool is_transfer;         /* on a transfer thread */
	int64_t waited_ms;        /* for the client, since bytes last moved */
	uint64_t waited_ns;       /* for the client, in all */
	bool (*waits)(void *arg); /* NULL: nobody wants to know */
	void *waits_arg;
	uint64_t mark;                    /* unsent bytes at the last look */
	_Atomic(struct http_wake *) wake; /* while a worker may wait */
	_Atomic int interrupt;            /* enum err_code; 0: none */
	_Atomic int park;                 /* http_park.c */
	struct loop_task unpark_task;
	bool is_due;            /* the loop's: unparked before it was parked */
	struct http_live *live; /* becomes the connection's; NULL: none */
};

struct http_loop {
	struct http_server *server;
	struct loop *loop;
	pthread_t thread;
	bool is_running;
	char *input; /* HTTP_INPUT bytes */
	struct http_parse parse;
	struct list lists[HTTP_STATES];
	_Atomic size_t counts[HTTP_STATES];
	int64_t timeout_ms[HTTP_STATES]; /* 0: none */
	struct loop_timer timer;         /* the next time-out */
	struct list spares;              /* exchanges, ready for use */
	size_t n_spares;

	struct loop_watch listening;
	struct loop_watch redirecting;  /* the same where TLS is pointed to */
	struct loop_timer accept_timer; /* until accepting is tried again */
	int spare_fd; /* given up to accept when there are no more */
	struct addr_links *links;
	int64_t links_ms;

	struct list delivering; /* connections with deliveries */
	struct loop_timer delivery_timer;
	int64_t delivery_ms; /* between two looks */

	int64_t date_s; /* that ${date} shows */
	char date[HTTP_DATE_SIZE];

	_Atomic size_t n_conns; /* that are its own, also those to come */
	bool is_draining;       /* idle connections end */
	bool is_closing;        /* no more exchanges begin */
};

struct http_server {
	struct http_server_config cf;
	struct http_parse_limits limits;
	int listen_fd;
	const char *congestion; /* for peers on the link; NULL: none */
	struct buffers *buffers;
	struct buffers *own_buffers; /* NULL: the configuration's */
	struct jobs *short_jobs;
	struct jobs *transfer_jobs;
	struct jobs *ahead_jobs; /* read what is sent next; NULL: nobody */
	struct http_peers *peers;
	size_t n_loops;
	struct http_loop *loops;
	_Atomic size_t n_connections;
	_Atomic size_t n_refused;   /* of these, that only get to hear why */
	_Atomic size_t n_transfers; /* exchanges on transfer threads */
	_Atomic size_t gathered;    /* bytes of small bodies in memory */
	_Atomic bool is_draining;
	pthread_mutex_t lock;   /* over the two below */
	pthread_cond_t emptied; /* n_connections became 0 while draining */
	struct http_wake *wakes;
	struct siphash_key id_keys[2];
	_Atomic uint64_t n_ids;
};

/* http_loop.c */
int http_loop_init(
    struct http_loop *lp, struct http_server *s, struct err *err);
void http_loop_fini(struct http_loop *lp);
int http_loop_start(struct http_loop *lp, struct err *err);
void http_loop_join(struct http_loop *lp);
/* A connection's state began: its list, its time-out. */
void http_loop_enter(struct http_conn *hc, enum http_state state);
void http_loop_reap(struct http_loop *lp);
const char *http_loop_date(struct http_loop *lp);

/* http_accept.c */
int http_accept_init(struct http_server *s, struct err *err);
int http_accept_start(struct http_loop *lp, struct err *err);
void http_accept_stop(struct http_loop *lp);

/* http_handshake.c: loop. */
/* A connection's first state, where TLS is spoken. */
void http_handshake_start(struct http_conn *hc);
void http_handshake_go(struct http_conn *hc);

/* http_redirect.c: loop; answers hc->x, a request that should have been made
 * by TLS. */
void http_redirect(struct http_conn *hc);

/* http_conn.c: on the loop, but for http_conn_write(). */
struct http_conn *http_conn_new(
    struct http_loop *lp, int fd, const struct addr *peer);
/* A new connection may say what it wants, or hears why not. */
void http_conn_begin(struct http_conn *hc);
void http_conn_enter(struct http_conn *hc, enum http_state state);
void http_conn_close(struct http_conn *hc);
void http_conn_free(struct http_conn *hc);
/* The server stops: ends an idle one, once it has nothing more to ask. */
void http_conn_drain(struct http_conn *hc);
/* Time is up: interrupts what runs, refuses what comes. */
void http_conn_hurry(struct http_conn *hc);
void http_conn_expire(struct http_conn *hc);
/* Bytes that came behind what was used; kept until somebody asks. */
void http_conn_keep(struct http_conn *hc, const char *p, size_t n);
/* After accept() or a refusal answered on the loop, or a worker came back:
 * flush, end the exchange, linger or become idle. */
void http_conn_replied(struct http_conn *hc);
/* The same and then the requests that came already. */
void http_conn_resume(struct http_conn *hc);
/* What the watch of a LIVE one reports. */
void http_conn_watch(struct http_conn *hc, uint32_t events);
/* Only a broken connection is reported from now on, once. */
void http_conn_mute(struct http_conn *hc);
ssize_t http_conn_write(struct http_conn *hc, const struct iovec *iov,
    int n_iov, bool more, struct err *err);
/* Has the peer's system taken anything since the last look? */
bool http_conn_advances(const struct conn *c, uint64_t *mark);

/* http_head.c */
void http_head_read(struct http_conn *hc);
void http_head_feed(struct http_conn *hc, const char *p, size_t n);
/* hc->x goes to a worker; ${p} is what came behind it. */
void http_head_run(struct http_conn *hc, const char *p, size_t n);

/* http_gather.c */
bool http_gather_wanted(const struct http_exchange *x);
/* Begins with the bytes at ${p}, which came behind the head. */
void http_gather_start(struct http_conn *hc, const char *p, size_t n);
void http_gather_read(struct http_conn *hc);
bool http_gather_is_on(const struct http_conn *hc);
/* It has not come in time: a refusal, or a worker goes on with it, so that
 * others see a transfer that is slow, and can cancel it. */
void http_gather_expire(struct http_conn *hc);
void http_gather_hand_over(struct http_conn *hc);
/* The memory of a gathered body goes. */
void http_gather_release(struct http_exchange *x);

/* http_live.c: loop. */
/* A worker gave one back that stays. */
void http_live_enter(struct http_conn *hc);
void http_live_look(struct http_conn *hc);
void http_live_drain(struct http_conn *hc);
/* The application hears that it is gone. */
void http_live_forget(struct http_conn *hc);

/* http_park.c */
bool http_park_is_wanted(const struct http_exchange *x);
/* Loop: a worker gave a parked one back. */
void http_park_enter(struct http_conn *hc);
void http_park_look(struct http_conn *hc);

/* http_linger.c */
void http_linger_start(struct http_conn *hc);
void http_linger_read(struct http_conn *hc);
void http_linger_expire(struct http_conn *hc);

/* http_delivery.c */
void http_delivery_init(struct http_loop *lp);
/* On the worker: tells of what has arrived of x->stream, if that is more. */
void http_delivery_tell(struct http_exchange *x);
/* Worker: reports what has arrived, or leaves x->delivery to the loop. */
void http_delivery_start(
    struct http_exchange *x, const struct http_stream *s, bool is_whole);

enum http_framing { HTTP_BY_LENGTH, HTTP_BY_CHUNKS, HTTP_BY_CLOSE, HTTP_NONE };
/* A reply from a source on its way. */
struct http_streaming {
	struct http_exchange *x;
	const struct http_stream *s;
	enum http_framing framing;
};
/* As http_stream's allow(). */
int http_stream_allow(struct http_streaming *st, uint64_t *n, struct err *err);
/* ${n} more bytes of the body have left. */
int http_stream_report(struct http_streaming *st, uint64_t n, struct err *err);
/* Sends all of it, waiting for the client. */
int http_stream_write_all(
    struct http_exchange *x, const struct iovec *iov, struct err *err);
/* The whole body through memory. */
int http_copy(struct http_streaming *st, struct err *err);
/* Loop: takes over x->delivery. */
void http_delivery_add(struct http_conn *hc, struct http_exchange *x);
/* Loop, before the descriptor is closed. */
void http_delivery_end(struct http_conn *hc);

/* http_worker.c */
int http_worker_init(struct http_server *s, struct err *err);
/* Loop: false when no thread is to be had. */
bool http_worker_start(struct http_conn *hc);

/* http_wait.c: worker. */
int http_wait(struct http_exchange *x, enum conn_want want, int timeout_ms,
    struct err *err);
/* -1 with the interrupting code when there is one. */
int http_wait_check(struct http_exchange *x, struct err *err);
/* Bytes moved: the stall clock begins anew. */
void http_wait_moved(struct http_exchange *x);
void http_wait_end(struct http_exchange *x);
void http_wait_fini(struct http_server *s);

/* http_exchange.c */
struct http_exchange *http_exchange_start(
    struct http_conn *hc, const struct http_parse *parse, const char *head);
/* For a head that is refused: the method and the fields that were read before
 * what is wrong, so that the refusal fits them; no body. */
struct http_exchange *http_exchange_start_refused(
    struct http_conn *hc, const struct http_parse *parse, const char *head);
/* Tells the application that it is over; any owner, once. */
void http_exchange_tell(struct http_exchange *x);
/* Loop: off its connection, back to the spares. */
void http_exchange_end(struct http_exchange *x);
void http_exchange_free(struct http_exchange *x);
void http_exchange_cut(struct http_exchange *x, const struct err *why);

/* http_body.c */
void http_body_init(struct http_exchange *x);
int http_body_continue(struct http_exchange *x, struct err *err);

/* http_reply.c */
/* Makes the head in x->wire; from now on the reply has begun. */
void http_reply_head(
    struct http_exchange *x, enum http_framing framing, uint64_t length);

/* Sends what the socket takes and leaves the rest to the loop. */
void http_reply_send(
    struct http_exchange *x, const struct iovec *iov, int n_iov);

/* http_refuse.c */
int http_refuse_status(enum err_code code);
/* Loop: answers instead of a request that cannot be had, then closes. */
void http_refuse(struct http_conn *hc, const struct err *why);
/* Any owner: the application's fail() for this exchange. */
void http_refuse_exchange(struct http_exchange *x, const struct err *why);

/* http_peers.c */
struct http_peers *http_peers_new(void);
void http_peers_free(struct http_peers *p);
/* False when there are ${max} already. */
bool http_peers_add(struct http_peers *p, const struct addr *a, size_t max);
void http_peers_remove(struct http_peers *p, const struct addr *a);

/* http_server.c: a connection is gone. */
void http_server_forget(struct http_server *s);

#endif
