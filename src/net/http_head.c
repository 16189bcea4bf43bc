/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <stdlib.h>

#include "base/mem.h"

/* A head that is not whole yet gets memory of its own. */
static void
keep_part(struct http_conn *hc, const char *p, size_t n)
{
	struct http_part *part = mem_calloc(1, sizeof(*part));
	struct err err = ERR_INIT;

	part->parse = hc->lp->parse;
	buf_init(&part->bytes, hc->lp->server->limits.head_max + HTTP_INPUT);
	hc->part = part;
	if (buf_append(&part->bytes, p, n) == 0) {
		http_conn_enter(hc, HTTP_STATE_HEAD);
		return;
	}
	(void)err_set(&err, ERR_SERVER_BUSY, "the server is busy");
	http_refuse(hc, &err);
}

/*
 * Makes hc->x of the head at the front of ${p} and returns its length; 0:
 * more of it is needed, or it was refused.
 */
static size_t
take_head(struct http_conn *hc, const char *p, size_t n)
{
	struct http_parse *parse = &hc->lp->parse;
	struct err err = ERR_INIT;
	ptrdiff_t len;

	if (hc->part != NULL)
		parse = &hc->part->parse;
	else
		http_parse_init(parse, &hc->lp->server->limits);
	len = http_parse_feed(parse, p, n, &err);
	if (len > 0) {
		hc->x = http_exchange_start(hc, parse, p);
		return (size_t)len;
	}
	if (len < 0) {
		hc->x = http_exchange_start_refused(hc, parse, p);
		http_refuse(hc, &err);
	} else if (hc->part == NULL) {
		keep_part(hc, p, n);
	}
	return 0;
}

/* A worker takes over, and with it what came behind the request. */
void
http_head_run(struct http_conn *hc, const char *p, size_t n)
{
	struct err err = ERR_INIT;

	http_conn_keep(hc, p, n);
	if (http_worker_start(hc))
		return;
	(void)err_set(&err,
	    hc->lp->is_closing ? ERR_SHUTTING_DOWN : ERR_SERVER_BUSY,
	    hc->lp->is_closing ? "the server is shutting down"
	                       : "the server is busy; try again soon");
	http_refuse(hc, &err);
}

/* Shows the head to the application, which says where the request goes.
 * ${p} is what came behind the head. */
static void
dispatch(struct http_conn *hc, const char *p, size_t n)
{
	const struct http_app *app = &hc->lp->server->cf.app;
	struct http_exchange *x = hc->x;
	struct err err = ERR_INIT;

	if (hc->is_redirect) {
		http_redirect(hc);
		return;
	}
	x->verdict = app->accept(x, app->arg);
	if (x->verdict != HTTP_REPLIED) {
		if (http_gather_wanted(x))
			http_gather_start(hc, p, n);
		else
			http_head_run(hc, p, n);
		return;
	}
	if (!x->is_replied) {
		(void)err_set(&err, ERR_INTERNAL, "a handler did not answer");
		http_refuse_exchange(x, &err);
	}
	http_conn_replied(hc);
	if (hc->state == HTTP_STATE_FLUSH)
		http_conn_keep(hc, p, n);
}

static void
free_part(struct http_part *part)
{
	if (part == NULL)
		return;
	buf_fini(&part->bytes);
	free(part);
}

void
http_head_feed(struct http_conn *hc, const char *p, size_t n)
{
	struct http_part *held = NULL;
	struct err err = ERR_INIT;
	size_t len;

	if (hc->part != NULL) {
		if (buf_append(&hc->part->bytes, p, n) < 0) {
			(void)err_set(
			    &err, ERR_SERVER_BUSY, "the server is busy");
			http_refuse(hc, &err);
			return;
		}
		p = hc->part->bytes.p;
		n = hc->part->bytes.len;
	}
	do {
		len = take_head(hc, p, n);
		if (len == 0)
			break;
		/* p points into it to the end */
		if (hc->part != NULL) {
			held = hc->part;
			hc->part = NULL;
		}
		p += len;
		n -= len;
		dispatch(hc, p, n);
	} while (n > 0 && hc->state == HTTP_STATE_IDLE);
	free_part(held);
}

/*
 * Not as much as the buffer holds: a flood of small requests would keep the
 * loop for long, and what belongs to a large body is better read by the
 * worker, once, to where it is wanted.
 */
void
http_head_read(struct http_conn *hc)
{
	struct http_loop *lp = hc->lp;
	ssize_t n;

	n = hc->conn.ops->read(&hc->conn, lp->input, HTTP_INPUT_HEAD, NULL);
	if (n > 0)
		http_head_feed(hc, lp->input, (size_t)n);
	else if (n != CONN_AGAIN)
		http_conn_close(hc);
}
