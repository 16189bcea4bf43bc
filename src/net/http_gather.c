/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>

static bool
is_full(const struct http_server *s)
{
	return atomic_load(&s->gathered) >= s->cf.gathered_max;
}

bool
http_gather_wanted(const struct http_exchange *x)
{
	const struct http_server *s = x->server;

	if (!x->req.has_body || x->verdict == HTTP_STREAM)
		return false;
	if (x->verdict == HTTP_SHORT)
		return true;
	/* With all memory for them in use, a transfer thread reads it: that
	 * one holds nothing while it waits. */
	return x->req.content_length <= s->cf.small_body_max && !is_full(s);
}

void
http_gather_release(struct http_exchange *x)
{
	struct buf *mem = &x->body.mem;

	if (mem->len == 0)
		return;
	atomic_fetch_sub(&x->server->gathered, mem->len);
	buf_fini(mem);
}

static int
too_large(const struct http_exchange *x, struct err *err)
{
	return err_set(err, ERR_BODY_TOO_LARGE,
	    "the request body is larger than %zu bytes",
	    x->server->cf.small_body_max);
}

static int
add(struct http_exchange *x, const char *p, size_t n, struct err *err)
{
	struct buf *mem = &x->body.mem;

	if (n > mem->max - mem->len)
		return too_large(x, err);
	/* Many begin while there is room, and all of them come at once. */
	if (is_full(x->server))
		return err_set(err, ERR_SERVER_BUSY, "the server is busy");
	if (buf_append(mem, p, n) < 0)
		return err_set(err, ERR_SERVER_BUSY, "the server is busy");
	atomic_fetch_add(&x->server->gathered, n);
	return 0;
}

static ptrdiff_t
add_by_length(struct http_exchange *x, const char *p, size_t n, struct err *err)
{
	if (n > x->body.left)
		n = (size_t)x->body.left;
	if (add(x, p, n, err) < 0)
		return -1;
	x->body.left -= n;
	return (ptrdiff_t)n;
}

static ptrdiff_t
add_by_chunks(struct http_exchange *x, const char *p, size_t n, struct err *err)
{
	struct http_chunked *c = &x->body.chunked;
	size_t used = 0, run;
	ptrdiff_t done;

	for (;;) {
		done = http_chunked_skip(c, p + used, n - used, err);
		if (done < 0)
			return -1;
		used += (size_t)done;
		run = http_chunked_take(c, n - used);
		if (run == 0)
			return (ptrdiff_t)used;
		if (add(x, p + used, run, err) < 0)
			return -1;
		used += run;
	}
}

/* Takes what is the body's off the front of ${p}; once it is whole, a worker
 * takes over. */
static void
feed(struct http_conn *hc, const char *p, size_t n)
{
	struct http_exchange *x = hc->x;
	struct err err = ERR_INIT;
	ptrdiff_t used;

	used = x->req.chunked ? add_by_chunks(x, p, n, &err)
	                      : add_by_length(x, p, n, &err);
	if (used < 0) {
		http_refuse(hc, &err);
	} else if (http_body_ended(x)) {
		x->body.is_gathered = true;
		http_head_run(hc, p + used, n - (size_t)used);
	} else if (x->verdict == HTTP_SHORT) {
		/* again, so that the stall clock begins anew */
		http_conn_enter(hc, HTTP_STATE_GATHER);
	} else if (hc->state != HTTP_STATE_AWAIT) {
		http_conn_enter(hc, HTTP_STATE_AWAIT);
	}
}

void
http_gather_start(struct http_conn *hc, const char *p, size_t n)
{
	struct http_exchange *x = hc->x;
	struct err err = ERR_INIT;

	if (!x->req.chunked &&
	    x->req.content_length > x->server->cf.small_body_max) {
		(void)too_large(x, &err);
		http_refuse(hc, &err);
		return;
	}
	if (is_full(x->server)) {
		(void)err_set(&err, ERR_SERVER_BUSY, "the server is busy");
		http_refuse(hc, &err);
		return;
	}
	if (n == 0 && http_body_continue(x, &err) < 0) {
		http_conn_close(hc);
		return;
	}
	feed(hc, p, n);
}

void
http_gather_read(struct http_conn *hc)
{
	struct http_loop *lp = hc->lp;
	ssize_t n;

	n = hc->conn.ops->read(&hc->conn, lp->input, HTTP_INPUT, NULL);
	if (n > 0)
		feed(hc, lp->input, (size_t)n);
	else if (n != CONN_AGAIN)
		http_conn_close(hc);
}

bool
http_gather_is_on(const struct http_conn *hc)
{
	return hc->state == HTTP_STATE_GATHER || hc->state == HTTP_STATE_AWAIT;
}

void
http_gather_expire(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	(void)err_set(
	    &err, ERR_REQUEST_TIMEOUT, "the request body did not come in time");
	http_refuse(hc, &err);
}

void
http_gather_hand_over(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;
	const struct buf *mem = &x->body.mem;

	/* Those of transfers are gathered by their length only. */
	assert(!x->req.chunked);
	x->body.left += mem->len;
	http_conn_keep(hc, mem->p, mem->len);
	http_gather_release(x);
	http_head_run(hc, "", 0);
}
