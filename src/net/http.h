/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_H
#define NET_HTTP_H

/*
 * What a handler sees of HTTP: a request, its body as a source, and a reply.
 * Never a socket.
 *
 * An exchange is one request and its reply.  It has one owner at a time:
 * the loop (while accept() looks at the head), then a worker (while
 * handle() runs).  Only the owner calls these functions;
 * http_interrupt() alone may be called from any thread, by whoever knows
 * that the exchange has not ended.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/source.h"
#include "net/addr.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* a valid token that is none of these */
	HTTP_METHOD_COUNT
};

struct http_field {
	struct slice name;
	struct slice value; /* trimmed */
};

/* A parsed head.  All slices point into the exchange's own copy. */
struct http_request {
	enum http_method method;
	int minor; /* HTTP/1.minor, 0 or 1 */
	struct slice target;
	struct slice path;  /* still percent-encoded, begins with '/' */
	struct slice query; /* after '?', empty when there is none */
	const struct http_field *fields;
	size_t field_count;
	uint64_t content_length; /* 0 without a body; HTTP_LENGTH_UNKNOWN */
	bool has_body;           /* Content-Length > 0 or chunked */
	bool chunked;
	bool expects_continue;
	bool keep_alive; /* what the client asks */
};

#define HTTP_LENGTH_UNKNOWN UINT64_MAX
#define HTTP_REQUEST_ID_MAX 128
#define HTTP_REQUEST_ID_SIZE (HTTP_REQUEST_ID_MAX + 1)

struct http_exchange;

/* The value of the first field ${name} (any case); null slice: none. */
struct slice http_field(const struct http_request *req, const char *name);
/* Of all fields of that name as the one list that they are (RFC 9110, 5.3):
 * where there are several it is in ${b}, which may be without room for it. */
struct slice http_field_list(
    const struct http_request *req, const char *name, struct buf *b);
const char *http_method_name(enum http_method m);
const char *http_status_text(int status); /* "Not Found" */

const struct http_request *http_request(const struct http_exchange *x);
/* What the system knows of the way to the peer: round trip and its variance in
 * microseconds, segments sent and sent again.  False when that is nothing. */
struct http_path {
	uint32_t rtt_us;
	uint32_t rttvar_us;
	uint32_t retransmits;
	uint32_t segments;
};
bool http_path(const struct http_exchange *x, struct http_path *ret);
const struct addr *http_peer(const struct http_exchange *x);
/* For logs and X-Request-Id: the one that came in that field when it is sane (1
 * to HTTP_REQUEST_ID_MAX of A-Z a-z 0-9 . _ -), else 128 random bits in hex.
 * The text is the exchange's and stays the same until it ends. */
const char *http_request_id(struct http_exchange *x);

/* The application's own data of this exchange; ${fini} is called when the
 * exchange ends, on whichever thread ends it. */
void http_set_user(
    struct http_exchange *x, void *user, void (*fini)(void *user));
void *http_user(const struct http_exchange *x);

/*
 * The body without its framing.  Borrowed: its close() is a no-op.  The first
 * read or wait sends 100 (Continue) when the client waits for it.  read()
 * returns what is there (at most n) as soon as anything is; errors:
 * ERR_CLOSED, ERR_TIMEOUT (stalled), ERR_MALFORMED_REQUEST (chunked
 * framing), or the code given to http_interrupt().
 */
struct source *http_body(struct http_exchange *x);
/* Has every byte of the body been read? */
bool http_body_ended(const struct http_exchange *x);

/* The reply: status and fields, then exactly one http_send_*().  A value
 * with CR, LF or NUL is a programming error (asserted). Date, Connection,
 * Content-Length and Transfer-Encoding are added by the engine. */
void http_status(struct http_exchange *x, int status);
void http_header(struct http_exchange *x, const char *name, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* The connection ends after this reply. */
void http_close_after(struct http_exchange *x);

/* A reply in memory (copied).  On a HEAD only its length is sent. */
void http_send(struct http_exchange *x, const void *body, size_t n);
/* No body and no Content-Length (204, 304). */
void http_send_empty(struct http_exchange *x);

/*
 * A reply from a source, on a worker only: ${length} bytes (the source
 * yielding fewer ends the connection short), or HTTP_LENGTH_UNKNOWN
 * (chunked).  Owns and closes ${src}.  ${src}'s extent, where it has one, goes
 * out by sendfile.  On a HEAD the source is closed unread.  -1 when the
 * reply could not be sent whole: ERR_CLOSED, ERR_TIMEOUT, the interrupting
 * code, or the source's own error.
 */
struct http_stream {
	uint64_t length;
	struct source *src;
	/* Bytes of the body that left so far, after each slice (at most 1
	 * MiB); may be NULL.  Not 0 stops the reply with the err set. */
	int (*progress)(void *arg, uint64_t sent, struct err *err);
	/* Before each slice: *n bytes would be sent; lowers it to what may be,
	 * waiting until that is something.  -1 stops the reply.  May be NULL:
	 * as fast as the client takes them. */
	int (*allow)(void *arg, uint64_t *n, struct err *err);
	bool is_limited; /* allow() may lower it: nothing is read ahead */
	/*
	 * Called exactly once, after http_send_stream() returned or before:
	 * ${delivered} bytes of the body are known to have reached the peer's
	 * system; complete when that is all of ${length} (rule 19).  On a
	 * worker or on the loop: must not block.  May be NULL.
	 */
	void (*delivered)(void *arg, uint64_t delivered, bool complete);
	/*
	 * How many are known to have reached it so far: after each slice, now
	 * and then while the client is waited for or the last bytes are on
	 * their way; each time more, and none after delivered(), without
	 * which it is not called.  May be NULL.
	 */
	void (*arrived)(void *arg, uint64_t bytes);
	void *arg;
};
int http_send_stream(
    struct http_exchange *x, const struct http_stream *s, struct err *err);

bool http_is_replied(const struct http_exchange *x); /* head was sent */
int http_status_sent(const struct http_exchange *x);
uint64_t http_bytes_sent(const struct http_exchange *x); /* of the body */

/*
 * To wait for a turn that may be long in coming without holding a thread: a
 * handler calls http_park(), asks, and returns without a reply; the socket
 * stays unread.  Once http_unpark() is called, from any thread, handle() runs
 * once more for the same exchange.  http_interrupt() unparks, too.
 */
void http_park(struct http_exchange *x);
/* It need not wait after all.  False: it was unparked already, so the handler
 * returns as if it waited, and runs once more. */
bool http_park_undo(struct http_exchange *x);
void http_unpark(struct http_exchange *x);

/* Not for the client: sleeps so long, or until it is interrupted: -1. */
int http_pause(struct http_exchange *x, int ms, struct err *err);
/* -1 with its code when it has been interrupted. */
int http_check(struct http_exchange *x, struct err *err);
/* For how long the client has been waited for, in all, and since something
 * last moved. */
uint64_t http_waited_ns(const struct http_exchange *x);
int64_t http_still_ms(const struct http_exchange *x);
/* ${waits} hears of it a few times a second while the client is waited for,
 * until it returns false. */
void http_watch_waits(
    struct http_exchange *x, bool (*waits)(void *arg), void *arg);

/* Any thread: what this exchange waits for ends with ${code}. */
void http_interrupt(struct http_exchange *x, enum err_code code);

#endif
