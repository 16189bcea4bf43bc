/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static void flush(struct http_conn *hc);
static void flush_expire(struct http_conn *hc);
static void head_expire(struct http_conn *hc);

/* What a state waits for, and what then happens on the loop. */
static const struct {
	uint32_t events;
	void (*ready)(struct http_conn *hc);
	void (*expire)(struct http_conn *hc);
} states[HTTP_STATES] = {
	[HTTP_STATE_HANDSHAKE] = { EPOLLIN, http_handshake_go,
	    http_conn_close },
	[HTTP_STATE_HEAD] = { EPOLLIN, http_head_read, head_expire },
	[HTTP_STATE_IDLE] = { EPOLLIN, http_head_read, http_conn_close },
	[HTTP_STATE_GATHER] = { EPOLLIN, http_gather_read, http_gather_expire },
	[HTTP_STATE_AWAIT] = { EPOLLIN, http_gather_read,
	    http_gather_hand_over },
	[HTTP_STATE_WORKER] = { 0, http_conn_mute, NULL },
	[HTTP_STATE_QUEUED] = { EPOLLRDHUP, http_park_look, NULL },
	[HTTP_STATE_LIVE] = { EPOLLIN, http_live_look, NULL },
	[HTTP_STATE_FLUSH] = { EPOLLOUT, flush, flush_expire },
	[HTTP_STATE_LINGER] = { EPOLLIN, http_linger_read, http_linger_expire },
	[HTTP_STATE_CLOSED] = { 0, NULL, NULL },
};

static void
set_events(struct http_conn *hc, uint32_t events)
{
	if (hc->events == events || !loop_watch_is_started(&hc->watch))
		return;
	loop_watch_set(hc->lp->loop, &hc->watch, events);
	hc->events = events;
}

void
http_conn_watch(struct http_conn *hc, uint32_t events)
{
	set_events(hc, events);
}

/* Bytes come while a worker has the connection.  Only now the loop stops
 * looking: most requests have nothing behind them, and this costs two
 * system calls. */
void
http_conn_mute(struct http_conn *hc)
{
	set_events(hc, 0);
}

/*
 * TLS may have to write before it can read on, and the other way round.  Then
 * the loop has to wait for that, or it would spin.
 */
static void
follow_wants(struct http_conn *hc)
{
	enum conn_want wants;

	switch (hc->state) {
	case HTTP_STATE_HANDSHAKE:
	case HTTP_STATE_HEAD:
	case HTTP_STATE_IDLE:
	case HTTP_STATE_GATHER:
	case HTTP_STATE_AWAIT:
		wants = hc->conn.read_wants;
		break;
	case HTTP_STATE_FLUSH:
		wants = hc->conn.write_wants;
		break;
	default: /* it is not ours, or does that itself */
		return;
	}
	set_events(hc, wants == CONN_READ ? EPOLLIN : EPOLLOUT);
}

static void
ready(struct loop_watch *watch, uint32_t events)
{
	struct http_conn *hc = CONTAINER_OF(watch, struct http_conn, watch);
	struct http_loop *lp = hc->lp;

	/* Most find errors and hang-ups by reading or writing. */
	hc->seen = events;
	states[hc->state].ready(hc);
	follow_wants(hc);
	http_loop_reap(lp);
}

struct http_conn *
http_conn_new(struct http_loop *lp, int fd, const struct addr *peer)
{
	struct http_conn *hc = mem_calloc(1, sizeof(*hc));

	list_init(&hc->link);
	list_init(&hc->deliveries);
	list_init(&hc->delivering);
	hc->lp = lp;
	hc->peer = *peer;
	conn_tcp_init(&hc->conn, fd);
	loop_watch_init(&hc->watch, fd, ready);
	buf_init(&hc->in, SIZE_MAX);
	buf_init(&hc->out, SIZE_MAX);
	return hc;
}

void
http_conn_enter(struct http_conn *hc, enum http_state state)
{
	http_loop_enter(hc, state);
	/* With a worker, it depends on what happens. */
	if (state != HTTP_STATE_WORKER)
		set_events(hc, states[state].events);
}

void
http_conn_begin(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	if (hc->refusal != ERR_NONE) {
		(void)err_set(&err, hc->refusal,
		    "there are too many connections; try again soon");
		http_refuse(hc, &err);
	} else if (hc->lp->is_draining) {
		http_conn_drain(hc);
	}
}

static void
drop_part(struct http_conn *hc)
{
	if (hc->part == NULL)
		return;
	buf_fini(&hc->part->bytes);
	free(hc->part);
	hc->part = NULL;
}

void
http_conn_close(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	assert(hc->state != HTTP_STATE_CLOSED);
	if (hc->x != NULL) {
		if (!hc->x->is_cut) {
			(void)err_set(&err, ERR_CLOSED, "the connection broke");
			http_exchange_cut(hc->x, &err);
		}
		http_exchange_tell(hc->x);
		http_exchange_end(hc->x);
	}
	if (hc->live != NULL)
		http_live_forget(hc);
	http_delivery_end(hc);
	loop_watch_cancel(hc->lp->loop, &hc->watch);
	hc->conn.ops->close(&hc->conn);
	http_loop_enter(hc, HTTP_STATE_CLOSED);
}

void
http_conn_free(struct http_conn *hc)
{
	struct http_server *s = hc->lp->server;

	if (hc->is_counted)
		http_peers_remove(s->peers, &hc->peer);
	if (hc->refusal != ERR_NONE)
		atomic_fetch_sub(&s->n_refused, 1);
	drop_part(hc);
	buf_fini(&hc->in);
	buf_fini(&hc->out);
	atomic_fetch_sub(&hc->lp->n_conns, 1);
	free(hc);
	http_server_forget(s);
}

void
http_conn_keep(struct http_conn *hc, const char *p, size_t n)
{
	struct err err = ERR_INIT;

	if (buf_append(&hc->in, p, n) == 0)
		return;
	/* What cannot be kept cannot be understood later. */
	(void)err_set(&err, ERR_UNAVAILABLE, "out of memory");
	http_exchange_cut(hc->x, &err);
}

ssize_t
http_conn_write(struct http_conn *hc, const struct iovec *iov, int n_iov,
    bool more, struct err *err)
{
	ssize_t done = hc->conn.ops->write(&hc->conn, iov, n_iov, more, err);

	/* One writer at a time, so there is no need to add atomically. */
	if (done > 0)
		atomic_store_explicit(&hc->written,
		    atomic_load_explicit(&hc->written, memory_order_relaxed) +
		        (uint64_t)done,
		    memory_order_release);
	return done;
}

bool
http_conn_advances(const struct conn *c, uint64_t *mark)
{
	uint64_t before = *mark;

	*mark = c->ops->unsent(c);
	return *mark < before;
}

/* The reply went to the socket, or could not. */
static void
end_exchange(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;
	bool closes = x->closes;
	bool is_cut = x->is_cut;

	http_delivery_add(hc, x);
	if (is_cut) {
		if (x->until_close)
			hc->conn.ops->reset(&hc->conn);
		http_exchange_end(x);
		http_conn_close(hc);
		return;
	}
	http_exchange_end(x);
	if (closes)
		http_linger_start(hc);
	else
		http_conn_enter(hc, HTTP_STATE_IDLE);
}

void
http_conn_replied(struct http_conn *hc)
{
	if (!hc->x->is_cut && hc->out.len > 0) {
		hc->mark = hc->conn.ops->unsent(&hc->conn);
		http_conn_enter(hc, HTTP_STATE_FLUSH);
		return;
	}
	http_exchange_tell(hc->x);
	end_exchange(hc);
}

/* Requests that came while the one before was answered. */
static void
feed_kept(struct http_conn *hc)
{
	struct buf in = hc->in;
	size_t at = hc->in_at;

	if (hc->state != HTTP_STATE_IDLE)
		return;
	buf_init(&hc->in, SIZE_MAX);
	hc->in_at = 0;
	if (in.len > at)
		http_head_feed(hc, in.p + at, in.len - at);
	buf_fini(&in);
	/* No event will tell of it. */
	if ((hc->state == HTTP_STATE_IDLE || hc->state == HTTP_STATE_HEAD ||
	        http_gather_is_on(hc)) &&
	    hc->conn.ops->pending(&hc->conn))
		states[hc->state].ready(hc);
}

void
http_conn_resume(struct http_conn *hc)
{
	http_conn_replied(hc);
	feed_kept(hc);
}

static void
flush(struct http_conn *hc)
{
	struct err err = ERR_INIT;
	struct iovec iov;
	ssize_t done;

	iov.iov_base = hc->out.p + hc->out_at;
	iov.iov_len = hc->out.len - hc->out_at;
	done = http_conn_write(hc, &iov, 1, false, &err);
	if (done == CONN_AGAIN)
		return;
	if (done == -1) {
		http_exchange_cut(hc->x, &err);
	} else {
		hc->out_at += (size_t)done;
		http_conn_enter(hc, HTTP_STATE_FLUSH);
	}
	if (done == -1 || hc->out_at == hc->out.len) {
		buf_fini(&hc->out);
		hc->out_at = 0;
		http_conn_resume(hc);
	}
}

static void
flush_expire(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	/* A slow reader takes bytes long before there is room again. */
	if (http_conn_advances(&hc->conn, &hc->mark)) {
		http_conn_enter(hc, HTTP_STATE_FLUSH);
		return;
	}
	(void)err_set(&err, ERR_TIMEOUT, "the client stalled");
	http_exchange_cut(hc->x, &err);
	buf_fini(&hc->out);
	http_conn_resume(hc);
}

static void
head_expire(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	/* Who said nothing is told nothing: browsers connect in advance. */
	if (hc->part == NULL) {
		http_conn_close(hc);
		return;
	}
	(void)err_set(
	    &err, ERR_REQUEST_TIMEOUT, "the request head did not come in time");
	drop_part(hc);
	http_refuse(hc, &err);
}

void
http_conn_drain(struct http_conn *hc)
{
	if (hc->part != NULL)
		return;
	/* A request may have come that nobody has seen yet: closing now
	 * would reset the connection. */
	http_head_read(hc);
	if (hc->state == HTTP_STATE_IDLE ||
	    (hc->state == HTTP_STATE_HEAD && hc->part == NULL))
		http_conn_close(hc);
}

void
http_conn_hurry(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	if (hc->state == HTTP_STATE_WORKER || hc->state == HTTP_STATE_QUEUED) {
		http_interrupt(hc->x, ERR_SHUTTING_DOWN);
	} else if (http_gather_is_on(hc) || hc->part != NULL) {
		(void)err_set(
		    &err, ERR_SHUTTING_DOWN, "the server is shutting down");
		drop_part(hc);
		http_refuse(hc, &err);
	} else if (hc->state == HTTP_STATE_HANDSHAKE ||
	           hc->state == HTTP_STATE_HEAD ||
	           hc->state == HTTP_STATE_IDLE ||
	           hc->state == HTTP_STATE_LIVE) {
		http_conn_close(hc);
	}
}

void
http_conn_expire(struct http_conn *hc)
{
	states[hc->state].expire(hc);
}
