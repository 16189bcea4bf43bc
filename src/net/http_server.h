/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

/*
 * The HTTP/1.1 server engine.
 *
 * Loops (one a core, at most LOOPS_MAX) accept, read and parse heads, keep
 * idle connections without any buffer, gather small bodies, flush what a
 * socket did not take, linger.  Workers run the application:
 *
 *   loop: accept(x) ─ HTTP_REPLIED: it has answered already
 *                   ├ HTTP_SHORT: body gathered on the loop (more than
 *                   │   small_body_max: 413), then handle(x) on a short
 *                   │   thread; the reply, in memory, is flushed by the loop
 *                   ├ HTTP_TRANSFER: body known to be at most
 *                   │   small_body_max: as HTTP_SHORT, but http_send_stream
 *                   │   may block; else handle(x) on a transfer thread, body
 *                   │   pulled from the socket
 *                   └ HTTP_STREAM: always the latter, so that also of a
 *                       small body that is cut all that came is seen
 *
 * Connection states and owners (rule 14): LOOP, WORKER, LINGER (loop), and
 * QUEUED (loop) for an exchange that its handler has parked (http_park()).  One
 * request of a connection at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buffers.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/http.h"

struct tls;

enum http_verdict { HTTP_REPLIED, HTTP_SHORT, HTTP_TRANSFER, HTTP_STREAM };

struct http_app {
	/* On a loop thread; must not block. */
	enum http_verdict (*accept)(struct http_exchange *x, void *arg);
	/* On a worker; must reply. */
	void (*handle)(struct http_exchange *x, void *arg);
	/*
	 * Answers for the engine's own refusals (malformed head, time-out,
	 * limits ...): sets fields and sends a body for ${status}.  On a loop
	 * or worker; the request may be empty (method HTTP_OTHER, no fields).
	 * The status is set already, and fields of accept() are forgotten.
	 */
	void (*fail)(struct http_exchange *x, int status, const struct err *why,
	    void *arg);
	/*
	 * On a loop: the client of a parked exchange has gone.  After this
	 * nobody calls http_unpark() or http_interrupt() any more; the
	 * exchange ends, unless somebody did before: then its handler runs.
	 */
	void (*left)(struct http_exchange *x, void *arg);
	/* On a loop: is ${peer} a proxy, whose connections are many clients'
	 * and not bounded by max_connections_per_client?  NULL: nobody is. */
	bool (*is_proxy)(const struct addr *peer, void *arg);
	/* After the reply went to the socket or could not (for the access
	 * log); ${why} is NULL unless the reply was cut.  Any thread. */
	void (*ended)(
	    struct http_exchange *x, const struct err *why, void *arg);
	void *arg;
};

struct http_server_config {
	struct http_app app;
	const struct clock *clock; /* for the Date field; NULL: the system's */
	/* Borrowed for replies that are copied; NULL: one of its own. */
	struct buffers *buffers;
	size_t loops;                /* 0: one a core, at most 4 */
	size_t short_threads;        /* 0: from the cores */
	size_t transfer_threads_max; /* 0: what the system allows, ≤ 4096 */
	size_t max_connections;
	size_t max_connections_per_client; /* 0: no limit */
	int64_t header_timeout_ms;
	int64_t idle_timeout_ms;
	int64_t stall_timeout_ms;
	size_t head_max;           /* 32 KiB: 431 */
	size_t line_max;           /* 8 KiB: 414 */
	size_t fields_max;         /* 100: 431 */
	size_t small_body_max;     /* 64 KiB */
	size_t gathered_max;       /* of all of these in memory; 64 MiB */
	uint64_t linger_bytes;     /* 256 MiB */
	int64_t linger_ms;         /* 5 s */
	struct tls *tls;           /* borrowed; NULL: plain HTTP */
	size_t tls_handshakes_max; /* at once; 0: no limit */
	/* A second listening socket, the caller's, where plain HTTP is told to
	 * use TLS; 0: none. */
	int redirect_fd;
	const char *tcp_congestion; /* auto | system | a name */
};

struct http_server;

/* ${listen_fd} stays the caller's and must outlive the server. */
int http_server_new(const struct http_server_config *cf, int listen_fd,
    struct http_server **ret_server, struct err *err);
/* Starts the threads; returns at once. */
int http_server_start(struct http_server *s, struct err *err);
/*
 * Graceful end: stops accepting, closes idle connections, answers with
 * Connection: close, waits up to ${grace_ms} for running exchanges, then
 * interrupts them with ERR_SHUTTING_DOWN, joins all threads.
 */
void http_server_stop(struct http_server *s, int64_t grace_ms);
void http_server_free(struct http_server *s);

struct http_server_counts {
	size_t connections;
	size_t idle;
	size_t transfers; /* exchanges on transfer threads */
	size_t lingering;
};
void http_server_counts(
    const struct http_server *s, struct http_server_counts *ret);

#endif
