/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

/*
 * Who parks an exchange says so before it asks for what it waits for, so that
 * an http_unpark() in between is not lost.  From WANTED to READY only one
 * comes, and that one posts the task; so it is posted once, and the exchange,
 * which it lies in, does not end before it has run.
 */
enum { NONE, WANTED, READY };

void
http_park(struct http_exchange *x)
{
	atomic_store(&x->park, WANTED);
	/* Whoever came before looked for nothing to unpark. */
	if (atomic_load(&x->interrupt) != 0)
		http_unpark(x);
}

bool
http_park_undo(struct http_exchange *x)
{
	int wanted = WANTED;

	return atomic_compare_exchange_strong(&x->park, &wanted, NONE);
}

bool
http_park_is_wanted(const struct http_exchange *x)
{
	return atomic_load(&x->park) != NONE;
}

/* On the loop: its handler runs once more. */
static void
resume(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;

	x->is_due = false;
	atomic_store(&x->park, NONE);
	http_head_run(hc, "", 0);
}

static void
run_unpark(struct loop_task *task)
{
	struct http_exchange *x =
	    CONTAINER_OF(task, struct http_exchange, unpark_task);
	struct http_conn *hc = x->hc;

	/* Its worker may not have given it back yet. */
	if (hc->state != HTTP_STATE_QUEUED) {
		x->is_due = true;
		return;
	}
	resume(hc);
	http_loop_reap(hc->lp);
}

void
http_unpark(struct http_exchange *x)
{
	int wanted = WANTED;

	if (!atomic_compare_exchange_strong(&x->park, &wanted, READY))
		return;
	x->unpark_task.run = run_unpark;
	loop_post(x->hc->lp->loop, &x->unpark_task);
}

void
http_park_enter(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;

	http_conn_enter(hc, HTTP_STATE_QUEUED);
	if (x->is_due)
		resume(hc);
	else if (hc->lp->is_draining) /* it was not here when that was said */
		http_conn_hurry(hc);
}

/* The peer has shut its side: does the request lack something for ever? */
static bool
is_cut_short(const struct http_conn *hc)
{
	const struct http_exchange *x = hc->x;
	uint64_t here = hc->in.len - hc->in_at;

	if (!x->req.has_body || x->req.chunked || x->body.is_gathered)
		return false;
	return here + hc->conn.ops->available(&hc->conn) < x->body.left;
}

void
http_park_look(struct http_conn *hc)
{
	const struct http_app *app = &hc->lp->server->cf.app;
	struct http_exchange *x = hc->x;

	if ((hc->seen & (EPOLLERR | EPOLLHUP)) == 0 && !is_cut_short(hc)) {
		/* Half a close is legal; it is told again and again. */
		http_conn_mute(hc);
		return;
	}
	app->left(x, app->arg);
	if (atomic_load(&x->park) == WANTED)
		http_conn_close(hc);
	else
		http_conn_mute(hc);
}
