/* SPDX-License-Identifier: MIT */

/* /socket.io/: Engine.IO over HTTP. */

#include <stdlib.h>

#include "api/call.h"
#include "api/cors.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/socket.h"
#include "base/mem.h"
#include "net/ws.h"
#include "proto/limits.h"
#include "proto/sio.h"

#define PAYLOAD_SOFT ((size_t)256 * 1024) /* events in one answer to a poll */
#define WORD_MAX 64u

/* Engine.IO's own refusals: clients know them by number. */
enum refusal {
	UNKNOWN_TRANSPORT = 0,
	UNKNOWN_SID = 1,
	BAD_METHOD = 2,
	BAD_REQUEST = 3,
	BAD_VERSION = 5,
};

static const struct {
	const char *message; /* Engine.IO's words */
	const char *error;   /* for people */
} refusals[] = {
	[UNKNOWN_TRANSPORT] = { "Transport unknown",
	    "The parameter transport must be polling or websocket." },
	[UNKNOWN_SID] = { "Session ID unknown",
	    "There is no such session; connect anew." },
	[BAD_METHOD] = { "Bad handshake method",
	    "A session begins with a GET." },
	[BAD_REQUEST] = { "Bad request",
	    "This does not fit the state of the session." },
	[BAD_VERSION] = { "Unsupported protocol version",
	    "The parameter EIO must be 4; use a client of Socket.IO 3 or 4." },
};

static void
refuse(struct call *c, enum refusal r)
{
	reply_json(c->app, c->x, 400,
	    json_pack("{s:b, s:s, s:i, s:s}", "success", 0, "error",
	        refusals[r].error, "code", (int)r, "message",
	        refusals[r].message));
}

static void
reply_text(struct call *c, struct slice text)
{
	reply_begin(c->app, c->x, 200);
	http_header(c->x, "Content-Type", "text/plain; charset=UTF-8");
	http_send(c->x, text.p, text.n);
}

/* --- what is asked
 * ------------------------------------------------------------ */

static struct buf
query(const struct call *c, const char *name)
{
	struct buf b;

	buf_init(&b, WORD_MAX);
	if (params_query(http_request(c->x), name, &b) < 0)
		buf_clear(&b);
	return b;
}

static bool
query_is(const struct call *c, const char *name, const char *value)
{
	struct buf b = query(c, name);
	bool is = slice_eq_str(buf_slice(&b), value);

	buf_fini(&b);
	return is;
}

/* With a reference; NULL: there is no sid, or (*${ret_has}) it is unknown. */
static struct socket *
find(struct call *c, bool *ret_has)
{
	struct socket *s = NULL;
	struct buf sid;
	int found;

	buf_init(&sid, WORD_MAX);
	found = params_query(http_request(c->x), "sid", &sid);
	/* One that is no word at all is unknown, and not left out. */
	*ret_has = found < 0 || sid.len > 0;
	if (found > 0 && sid.len > 0)
		s = sockets_find(c->app->sockets, buf_slice(&sid));
	buf_fini(&sid);
	return s;
}

static bool
has_good_origin(struct call *c)
{
	struct slice origin = http_field(http_request(c->x), "origin");
	struct err e = ERR_INIT;

	if (origin.n == 0 || cors_allows(c->app->cors, origin))
		return true;
	(void)err_set(&e, ERR_ORIGIN_FORBIDDEN,
	    "pages of this origin may not use this server; CORS_ORIGINS says "
	    "which may");
	reply_error(
	    c->app, c->x, &e, json_pack("{s:s}", "message", "Forbidden"));
	return false;
}

/* --- handshakes
 * --------------------------------------------------------------- */

static struct socket *
open_socket(struct call *c, enum socket_transport transport)
{
	const struct socket_start start = {
		.who = &c->who,
		.from = &c->visitor.from,
		.scope = c->route->scope,
		.transport = transport,
	};
	struct socket *s = NULL;
	struct err e = ERR_INIT;

	if (socket_open(c->app->sockets, &start, &s, &e) < 0)
		reply_error(c->app, c->x, &e, NULL);
	return s;
}

static void
handshake_polling(struct call *c)
{
	struct socket *s = open_socket(c, SOCKET_POLLING);
	struct buf b;

	if (s == NULL)
		return;
	buf_init(&b, 1024);
	(void)buf_append_char(&b, '0' + EIO_OPEN);
	(void)socket_put_open(s, &b);
	reply_text(c, buf_slice(&b));
	buf_fini(&b);
	socket_unref(s);
}

/* -1: it was refused. */
static int
check_upgrade(struct call *c, char ret_accept[WS_ACCEPT_SIZE])
{
	struct err e = ERR_INIT;

	if (ws_handshake(http_request(c->x), ret_accept, &e) == 0)
		return 0;
	http_header(c->x, "Sec-WebSocket-Version", "13");
	refuse(c, BAD_REQUEST);
	return -1;
}

static void
switch_protocols(struct call *c, const char *accept)
{
	reply_begin(c->app, c->x, 101);
	http_header(c->x, "Upgrade", "websocket");
	http_header(c->x, "Connection", "Upgrade");
	http_header(c->x, "Sec-WebSocket-Accept", "%s", accept);
}

static void
handshake_websocket(struct call *c)
{
	char accept[WS_ACCEPT_SIZE];
	struct socket *s;
	struct buf b;

	if (check_upgrade(c, accept) < 0)
		return;
	s = open_socket(c, SOCKET_WEBSOCKET);
	if (s == NULL)
		return;
	switch_protocols(c, accept);
	buf_init(&b, 1024);
	(void)socket_put_open(s, &b);
	socket_send(s, EIO_OPEN, buf_slice(&b));
	buf_fini(&b);
	socket_ws(s, c->x, false);
	socket_unref(s);
}

static void
handshake(struct call *c, bool is_websocket)
{
	if (http_request(c->x)->method != HTTP_GET)
		refuse(c, BAD_METHOD);
	else if (!query_is(c, "EIO", EIO_VERSION))
		refuse(c, BAD_VERSION);
	else if (is_websocket)
		handshake_websocket(c);
	else
		handshake_polling(c);
}

static void
probe(struct call *c, struct socket *s)
{
	char accept[WS_ACCEPT_SIZE];
	bool may;

	pthread_mutex_lock(&s->lock);
	may = s->why == NULL && s->transport == SOCKET_POLLING &&
	      !s->is_upgrading;
	pthread_mutex_unlock(&s->lock);
	if (!may)
		refuse(c, BAD_REQUEST);
	else if (check_upgrade(c, accept) == 0) {
		switch_protocols(c, accept);
		socket_ws(s, c->x, true);
	}
}

/* --- polls
 * -------------------------------------------------------------------- */

/* What waits for the client, or that nothing does. */
static void
answer_poll(struct call *c, struct socket *s)
{
	const struct err *why = socket_check(s);
	struct bus_entry e;
	struct buf b;
	size_t n = 0;

	socket_take_out(s, &b);
	b.max = SIZE_MAX;
	while (why == NULL && b.len < PAYLOAD_SOFT &&
	       bus_take(&s->subscriber, &e, 1)) {
		if (b.len > 0)
			(void)buf_append_char(&b, EIO_SEPARATOR);
		(void)buf_append_char(&b, '0' + EIO_MESSAGE);
		(void)sio_put_event(&b, bus_event_name(e.kind),
		    (struct slice){ e.message->json, e.message->n });
		bus_message_unref(e.message);
		n++;
	}
	if (why != NULL)
		(void)eio_put(&b, EIO_CLOSE, SLICE_NULL);
	else if (b.len == 0)
		(void)eio_put(&b, EIO_NOOP, SLICE_NULL);
	reply_text(c, buf_slice(&b));
	buf_fini(&b);
}

/* A GET on its way: the call's state. */
struct poll {
	struct socket *s; /* a reference */
	bool is_over;
};

static void
end_poll(struct poll *p)
{
	pthread_mutex_lock(&p->s->lock);
	if (!p->is_over) {
		p->s->poll = NULL;
		p->s->is_polled = false;
	}
	pthread_mutex_unlock(&p->s->lock);
	p->is_over = true;
}

/* However its exchange ends, nobody unparks it after this. */
static void
free_poll(void *poll)
{
	struct poll *p = poll;

	end_poll(p);
	socket_unref(p->s);
	free(p);
}

/* Its turn has come: something waits, or the server stops. */
static void
poll_again(struct call *c)
{
	struct poll *p = c->state;
	struct socket *s = p->s;
	struct err e = ERR_INIT;
	bool is_ours;

	pthread_mutex_lock(&s->lock);
	is_ours = s->transport == SOCKET_POLLING;
	pthread_mutex_unlock(&s->lock);
	end_poll(p);
	if (http_check(c->x, &e) < 0)
		reply_text(c, SLICE_LIT("1"));
	else if (!is_ours)
		reply_text(c, SLICE_LIT("6"));
	else
		answer_poll(c, s);
}

/* On the loop. */
static void
poll_left(struct call *c)
{
	struct poll *p = c->state;

	end_poll(p);
	socket_close(p->s, &socket_gone);
}

/* 0: it is the only one, and the session polls. */
static int
begin_poll(struct call *c, struct socket *s)
{
	bool fits, is_second;

	pthread_mutex_lock(&s->lock);
	fits = s->why == NULL && s->transport == SOCKET_POLLING;
	is_second = fits && s->is_polled;
	if (fits && !is_second)
		s->is_polled = true;
	pthread_mutex_unlock(&s->lock);
	if (fits && !is_second)
		return 0;
	if (is_second)
		socket_close(s, &socket_bad_packet);
	refuse(c, BAD_REQUEST);
	return -1;
}

static void
poll(struct call *c, struct socket *s)
{
	struct poll *p;

	if (begin_poll(c, s) < 0)
		return;
	p = mem_calloc(1, sizeof(*p));
	atomic_fetch_add(&s->refs, 1);
	p->s = s;
	c->state = p;
	c->free_state = free_poll;
	c->again = poll_again;
	c->left = poll_left;
	http_park(c->x);
	pthread_mutex_lock(&s->lock);
	s->poll = c->x;
	pthread_mutex_unlock(&s->lock);
	/* What came before is seen here, what comes later wakes it. */
	if (!socket_has_some(s) || !http_park_undo(c->x))
		return;
	end_poll(p);
	answer_poll(c, s);
}

/* --- posts
 * -------------------------------------------------------------------- */

static int
take_payload(struct socket *s, struct slice rest, struct err *err)
{
	struct eio_packet p;
	struct slice text;
	bool at_end = false;

	while (eio_next(&rest, &at_end, &text))
		if (eio_parse(text, false, &p, err) < 0 ||
		    socket_input(s, &p, err) < 0)
			return -1;
	return 0;
}

static int
read_payload(struct call *c, struct buf *b, struct err *err)
{
	void *room = buf_reserve(b, LIMIT_SMALL_BODY);
	ssize_t n;

	if (room == NULL)
		return err_set(err, ERR_SERVER_BUSY, "the server is busy");
	n = source_read_full(http_body(c->x), room, LIMIT_SMALL_BODY, err);
	if (n < 0)
		return -1;
	buf_add(b, (size_t)n);
	return 0;
}

static bool
set_posted(struct socket *s, bool is_posted)
{
	bool fits;

	pthread_mutex_lock(&s->lock);
	fits = s->why == NULL && s->transport == SOCKET_POLLING &&
	       s->is_posted != is_posted;
	s->is_posted = is_posted;
	pthread_mutex_unlock(&s->lock);
	return fits;
}

static void
post(struct call *c, struct socket *s)
{
	struct err e = ERR_INIT;
	bool is_bad;
	struct buf b;

	if (!set_posted(s, true)) {
		socket_close(s, &socket_bad_packet);
		refuse(c, BAD_REQUEST);
		return;
	}
	buf_init(&b, LIMIT_SMALL_BODY);
	is_bad = read_payload(c, &b, &e) < 0 ||
	         take_payload(s, buf_slice(&b), &e) < 0;
	buf_fini(&b);
	(void)set_posted(s, false);
	if (is_bad) {
		socket_close(s, &socket_bad_packet);
		refuse(c, BAD_REQUEST);
	} else {
		reply_text(c, SLICE_LIT("ok"));
	}
}

/* --- the routes
 * --------------------------------------------------------------- */

static void
use(struct call *c, struct socket *s, bool is_websocket)
{
	enum http_method method = http_request(c->x)->method;

	if (is_websocket)
		probe(c, s);
	else if (method == HTTP_GET)
		poll(c, s);
	else if (method == HTTP_POST)
		post(c, s);
	else
		refuse(c, BAD_REQUEST);
}

void
h_socket(struct call *c)
{
	bool is_websocket = query_is(c, "transport", "websocket");
	struct socket *s;
	bool has_sid;

	if (!has_good_origin(c))
		return;
	if (!is_websocket && !query_is(c, "transport", "polling")) {
		refuse(c, UNKNOWN_TRANSPORT);
		return;
	}
	s = find(c, &has_sid);
	if (!has_sid)
		handshake(c, is_websocket);
	else if (s == NULL)
		refuse(c, UNKNOWN_SID);
	else
		use(c, s, is_websocket);
	socket_unref(s);
}
