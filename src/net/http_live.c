/* SPDX-License-Identifier: MIT */
#include "net/http_live.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/http_priv.h"

/* What the system may hold of a slow peer's bytes before it takes no more:
 * what is old there cannot be replaced by something newer. */
#define NOTSENT_BYTES (32 * 1024)

struct http_live {
	struct http_conn *hc;
	const struct http_live_ops *ops;
	void *arg;
	struct loop_task task;
	atomic_bool is_woken;     /* the task is posted */
	bool is_ending;           /* once all is sent */
	bool is_broken;           /* now */
	bool is_gone;             /* waits for its task to be freed */
	struct loop_timer ending; /* it takes what is left for too long */
};

/* --- after each callback ----------------------------------------------------
 */

void
http_live_forget(struct http_conn *hc)
{
	struct http_live *l = hc->live;

	hc->live = NULL;
	loop_timer_cancel(hc->lp->loop, &l->ending);
	l->ops->closed(l->arg);
	l->is_gone = true;
	if (!atomic_load(&l->is_woken))
		free(l);
}

/* Ends what has to end. */
static void
settle(struct http_conn *hc)
{
	struct http_live *l = hc->live;
	uint32_t events;

	if (l->is_broken) {
		http_conn_close(hc);
	} else if (l->is_ending && hc->out.len == 0) {
		http_live_forget(hc);
		http_linger_start(hc);
	} else {
		events = hc->conn.read_wants == CONN_READ ? EPOLLIN : EPOLLOUT;
		if (hc->out.len > 0)
			events |= EPOLLOUT;
		http_conn_watch(hc, events);
	}
}

static void
ready(struct http_conn *hc)
{
	struct http_live *l = hc->live;

	if (!l->is_ending && !l->is_broken)
		l->ops->ready(l->arg);
	settle(hc);
}

/* --- its loop ---------------------------------------------------------------
 */

static void
input(struct http_live *l, const char *p, size_t n)
{
	if (!l->is_ending && !l->is_broken)
		l->ops->input(l->arg, p, n);
}

/* Reads once. */
static void
read_some(struct http_conn *hc)
{
	char *p = hc->lp->input;
	ssize_t n = hc->conn.ops->read(&hc->conn, p, HTTP_INPUT_HEAD, NULL);

	if (n > 0) {
		input(hc->live, p, (size_t)n);
	} else if (n != CONN_AGAIN) {
		if (n == 0)
			input(hc->live, NULL, 0);
		hc->live->is_broken = true;
	}
}

static void
take_kept(struct http_conn *hc)
{
	struct buf in = hc->in;

	buf_init(&hc->in, SIZE_MAX);
	if (in.len > hc->in_at)
		input(hc->live, in.p + hc->in_at, in.len - hc->in_at);
	hc->in_at = 0;
	buf_fini(&in);
	/* No event will tell of it. */
	if (!hc->live->is_broken && hc->conn.ops->pending(&hc->conn))
		read_some(hc);
}

void
http_live_enter(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;
	struct http_live *l = x->live;
	int lowat = NOTSENT_BYTES;

	x->live = NULL;
	hc->live = l;
	l->is_broken = x->is_cut;
	http_exchange_tell(x);
	http_exchange_end(x);
	http_conn_enter(hc, HTTP_STATE_LIVE);
	/* What the system will not do, it will not do. */
	(void)setsockopt(
	    hc->conn.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
	take_kept(hc);
	if (hc->lp->is_draining && !l->is_broken)
		l->ops->draining(l->arg);
	ready(hc);
}

static void
flush(struct http_conn *hc)
{
	struct iovec iov = { hc->out.p + hc->out_at, hc->out.len - hc->out_at };
	ssize_t done = http_conn_write(hc, &iov, 1, false, NULL);

	if (done == CONN_AGAIN)
		return;
	if (done < 0) {
		hc->live->is_broken = true;
		return;
	}
	hc->out_at += (size_t)done;
	if (hc->out_at < hc->out.len)
		return;
	buf_fini(&hc->out);
	hc->out_at = 0;
}

void
http_live_look(struct http_conn *hc)
{
	uint32_t events = hc->seen;

	if ((events & EPOLLOUT) != 0 && hc->out.len > 0)
		flush(hc);
	if ((events & ~(uint32_t)EPOLLOUT) != 0 ||
	    hc->conn.read_wants == CONN_WRITE)
		read_some(hc);
	if ((events & EPOLLOUT) != 0 && hc->out.len == 0)
		ready(hc);
	else
		settle(hc);
}

static void
end_anyway(struct loop_timer *timer)
{
	struct http_live *l = CONTAINER_OF(timer, struct http_live, ending);
	struct http_conn *hc = l->hc;

	http_conn_close(hc);
	http_loop_reap(hc->lp);
}

static void
run_wake(struct loop_task *task)
{
	struct http_live *l = CONTAINER_OF(task, struct http_live, task);
	struct http_conn *hc = l->hc;

	atomic_store(&l->is_woken, false);
	if (l->is_gone) {
		free(l);
		return;
	}
	/* Before it came to its loop: it will be ready() then. */
	if (hc->live != l)
		return;
	ready(hc);
	http_loop_reap(hc->lp);
}

void
http_live_drain(struct http_conn *hc)
{
	hc->live->ops->draining(hc->live->arg);
	settle(hc);
}

/* --- for the application ----------------------------------------------------
 */

struct http_live *
http_live(struct http_exchange *x, const struct http_live_ops *ops, void *arg)
{
	struct http_live *l = mem_calloc(1, sizeof(*l));

	l->hc = x->hc;
	l->ops = ops;
	l->arg = arg;
	list_init(&l->task.link);
	l->task.run = run_wake;
	loop_timer_init(&l->ending, end_anyway);
	return l;
}

void
http_live_begin(struct http_live *l)
{
	struct http_exchange *x = l->hc->x;
	struct iovec head;

	http_reply_head(x, x->status == 101 ? HTTP_NONE : HTTP_BY_CLOSE, 0);
	head = (struct iovec){ x->wire.p, x->wire.len };
	http_reply_send(x, &head, 1);
	x->live = l;
}

void
http_live_send(struct http_live *l, const struct iovec *iov, int n_iov)
{
	struct http_conn *hc = l->hc;
	size_t sent = 0;
	ssize_t done;

	if (l->is_broken)
		return;
	if (hc->out.len == 0) {
		done = http_conn_write(hc, iov, n_iov, false, NULL);
		if (done == -1) {
			l->is_broken = true;
			return;
		}
		sent = done == CONN_AGAIN ? 0 : (size_t)done;
	}
	for (int i = 0; i < n_iov; i++) {
		size_t n = sent < iov[i].iov_len ? sent : iov[i].iov_len;

		sent -= n;
		if (buf_append(&hc->out, (const char *)iov[i].iov_base + n,
		        iov[i].iov_len - n) < 0)
			l->is_broken = true;
	}
}

size_t
http_live_unsent(const struct http_live *l)
{
	return l->hc->out.len - l->hc->out_at;
}

void
http_live_end(struct http_live *l)
{
	struct http_loop *lp = l->hc->lp;

	if (l->is_ending)
		return;
	l->is_ending = true;
	loop_timer_start(lp->loop, &l->ending, lp->server->cf.linger_ms);
}

void
http_live_abort(struct http_live *l)
{
	l->is_broken = true;
}

void
http_live_wake(struct http_live *l)
{
	if (!atomic_exchange(&l->is_woken, true))
		loop_post(l->hc->lp->loop, &l->task);
}
