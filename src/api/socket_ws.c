/* SPDX-License-Identifier: MIT */

/* A socket's WebSocket.  Everything here but socket_ws() and the beat is on the
 * connection's loop. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/socket.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/ws.h"
#include "proto/limits.h"

#define BATCH 32 /* events sent at once */
#define REASON_MAX (WS_CONTROL_MAX - 2)

struct ws {
	struct socket *s; /* a reference */
	struct http_live *live;
	struct guard_place place; /* its client's */
	struct ws_reader reader;
	bool is_probe;       /* the socket is still on polling */
	bool is_closed;      /* we have said so */
	struct beat beat;    /* a probe's time is up ... */
	atomic_bool is_late; /* ... and was */
};

static void
send_frame(struct ws *w, enum ws_opcode opcode, struct slice data)
{
	unsigned char head[WS_HEAD_MAX];
	struct iovec iov[2] = {
		{ head, ws_head(head, opcode, data.n) },
		{ (void *)data.p, data.n },
	};

	http_live_send(w->live, iov, data.n == 0 ? 1 : 2);
}

static void
close_ws(struct ws *w, int code, const char *reason)
{
	char data[WS_CONTROL_MAX];
	struct slice text = slice_str(reason);

	if (w->is_closed)
		return;
	if (text.n > REASON_MAX) {
		text.n = REASON_MAX;
		text.n = utf8_cut(text);
	}
	data[0] = (char)(code >> 8);
	data[1] = (char)(code & 0xff);
	if (text.n > 0)
		memcpy(data + 2, text.p, text.n);
	send_frame(w, WS_CLOSE, (struct slice){ data, 2 + text.n });
	w->is_closed = true;
	http_live_end(w->live);
}

/* --- out
 * ---------------------------------------------------------------------- */

static void
send_out(struct ws *w)
{
	struct buf out;
	struct slice rest, text;
	bool at_end;

	socket_take_out(w->s, &out);
	rest = buf_slice(&out);
	at_end = rest.n == 0;
	while (eio_next(&rest, &at_end, &text))
		send_frame(w, WS_TEXT, text);
	buf_fini(&out);
}

/* An event as a frame, one for all who get it so. */
static struct bus_text *
make_frame(const struct bus_entry *e)
{
	const struct bus_message *m = e->message;
	const char *name = bus_event_name(e->kind);
	size_t size = strlen(name) + sizeof("42[\"\",]") - 1 + m->n;
	struct bus_text *t = mem_alloc(sizeof(*t) + WS_HEAD_MAX + size + 1);
	size_t head = ws_head((unsigned char *)t->p, WS_TEXT, size);

	(void)snprintf(
	    t->p + head, size + 1, "42[\"%s\",%.*s]", name, (int)m->n, m->json);
	t->n = head + size;
	return t;
}

/* False: there were no more than these. */
static bool
send_events(struct ws *w)
{
	struct bus_entry entries[BATCH];
	struct iovec iov[BATCH];
	size_t n = bus_take(&w->s->subscriber, entries, BATCH);

	for (size_t i = 0; i < n; i++) {
		const struct bus_text *t =
		    bus_entry_text(&entries[i], BUS_WS, make_frame);

		iov[i] = (struct iovec){ (void *)t->p, t->n };
	}
	if (n > 0)
		http_live_send(w->live, iov, (int)n);
	for (size_t i = 0; i < n; i++)
		bus_message_unref(entries[i].message);
	return n == BATCH;
}

static int
code_of(const struct err *why)
{
	switch (why->code) {
	case ERR_CLOSED:
		return WS_NORMAL;
	case ERR_SHUTTING_DOWN:
		return WS_GOING_AWAY;
	case ERR_MALFORMED_REQUEST:
		return WS_PROTOCOL_ERROR;
	case ERR_TOO_SLOW:
		return WS_TRY_LATER;
	default:
		return WS_POLICY;
	}
}

static void
on_ready(void *arg)
{
	struct ws *w = arg;
	const struct err *why;

	if (w->is_probe) {
		if (atomic_load(&w->is_late) || socket_check(w->s) != NULL)
			close_ws(w, WS_POLICY, "the upgrade did not come");
		return;
	}
	why = socket_check(w->s);
	/* What waits for a slow client waits where it is counted. */
	if (http_live_unsent(w->live) == 0 || why != NULL)
		send_out(w);
	if (why != NULL) {
		close_ws(w, code_of(why), why->msg);
		return;
	}
	while (http_live_unsent(w->live) == 0)
		if (!send_events(w))
			break;
}

/* --- in
 * ----------------------------------------------------------------------- */

static void
fail(struct ws *w, int code, const char *reason)
{
	close_ws(w, code, reason);
	if (!w->is_probe)
		socket_close(w->s, &socket_bad_packet);
}

/* Polls are answered at once from now on, so that the client can stop them. */
static void
begin_upgrade(struct ws *w)
{
	pthread_mutex_lock(&w->s->lock);
	w->s->is_upgrading = true;
	pthread_mutex_unlock(&w->s->lock);
	send_frame(w, WS_TEXT, SLICE_LIT("3probe"));
	socket_wake(w->s);
}

static void
upgrade(struct ws *w)
{
	struct socket *s = w->s;
	struct http_exchange *poll;
	bool is_open;

	(void)beat_cancel(sockets_beats(s->all), &w->beat);
	pthread_mutex_lock(&s->lock);
	is_open =
	    s->why == NULL && s->is_upgrading && s->transport == SOCKET_POLLING;
	if (is_open) {
		s->transport = SOCKET_WEBSOCKET;
		s->live = w->live;
		s->is_upgrading = false;
		poll = s->poll;
		s->poll = NULL;
		if (poll != NULL)
			http_unpark(poll);
	}
	pthread_mutex_unlock(&s->lock);
	if (!is_open) {
		close_ws(w, WS_PROTOCOL_ERROR, "there is nothing to upgrade");
		return;
	}
	w->is_probe = false;
	on_ready(w);
}

static void
take_packet(struct ws *w, const struct eio_packet *p)
{
	struct err e = ERR_INIT;

	if (!w->is_probe) {
		if (socket_input(w->s, p, &e) < 0)
			fail(w, WS_PROTOCOL_ERROR, e.msg);
		return;
	}
	if (p->type == EIO_PING && slice_eq_str(p->data, "probe"))
		begin_upgrade(w);
	else if (p->type == EIO_UPGRADE)
		upgrade(w);
	else
		fail(w, WS_PROTOCOL_ERROR, "a probe was expected");
}

static void
take_message(struct ws *w, const struct ws_message *m)
{
	struct eio_packet p = { .type = EIO_MESSAGE, .is_binary = true };
	struct err e = ERR_INIT;

	switch (m->opcode) {
	case WS_PING:
		send_frame(w, WS_PONG, m->data);
		if (http_live_unsent(w->live) > LIMIT_SOCKET_OUT)
			http_live_abort(w->live);
		break;
	case WS_CLOSE:
		close_ws(w, m->code == 0 ? WS_NORMAL : m->code, "");
		break;
	case WS_TEXT:
		if (eio_parse(m->data, true, &p, &e) < 0)
			fail(w, WS_PROTOCOL_ERROR, e.msg);
		else
			take_packet(w, &p);
		break;
	case WS_BINARY:
		p.data = m->data;
		take_packet(w, &p);
		break;
	case WS_CONTINUATION:
	case WS_PONG:
		break;
	}
}

static void
on_input(void *arg, const char *p, size_t n)
{
	struct slice in = { p, n };
	struct ws *w = arg;
	struct ws_message m;
	int code = 0;
	int rc = 0;

	while (!w->is_closed && (rc = ws_read(&w->reader, &in, &m, &code)) == 1)
		take_message(w, &m);
	if (rc < 0)
		fail(w, code, "a frame breaks the rules");
}

/* --- its life
 * ----------------------------------------------------------------- */

static void
on_draining(void *arg)
{
	close_ws(arg, WS_GOING_AWAY, "the server is shutting down");
}

static void
on_closed(void *arg)
{
	struct ws *w = arg;
	struct socket *s = w->s;

	(void)beat_cancel(sockets_beats(s->all), &w->beat);
	pthread_mutex_lock(&s->lock);
	if (s->live == w->live)
		s->live = NULL;
	if (w->is_probe)
		s->is_upgrading = false;
	pthread_mutex_unlock(&s->lock);
	if (!w->is_probe)
		socket_close(s, &socket_gone);
	socket_unref(s);
	guard_leave(&w->place);
	ws_reader_fini(&w->reader);
	free(w);
}

static const struct http_live_ops ops = {
	.input = on_input,
	.ready = on_ready,
	.draining = on_draining,
	.closed = on_closed,
};

static int64_t
be_late(void *arg)
{
	struct ws *w = arg;

	atomic_store(&w->is_late, true);
	http_live_wake(w->live);
	return 0;
}

void
socket_ws(struct socket *s, struct http_exchange *x, bool is_probe)
{
	struct ws *w = mem_calloc(1, sizeof(*w));

	atomic_fetch_add(&s->refs, 1);
	w->s = s;
	w->is_probe = is_probe;
	ws_reader_init(&w->reader, LIMIT_SMALL_BODY);
	beat_init(&w->beat, be_late, w);
	guard_move(&((struct call *)http_user(x))->place, &w->place);
	w->live = http_live(x, &ops, w);
	if (is_probe) {
		beat_start(sockets_beats(s->all), &w->beat, SOCKET_UPGRADE_MS);
	} else {
		pthread_mutex_lock(&s->lock);
		s->live = w->live;
		pthread_mutex_unlock(&s->lock);
	}
	http_live_begin(w->live);
}
