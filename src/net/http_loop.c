/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* A small body of a transfer mostly comes with its head.  One that takes longer
 * is worth a thread of its own. */
#define AWAIT_MS 250

/*
 * Time-outs without a timer for each connection: all that are in one state
 * have the same time, so each state's list is in the order in which they
 * run out, and one timer looks at the fronts.  It is never moved when a
 * connection is touched; it fires, finds nothing due, and is set anew.
 */

static int64_t
due_ms(const struct http_loop *lp, const struct http_conn *hc)
{
	return hc->since_ms + lp->timeout_ms[hc->state];
}

static void
set_timer(struct http_loop *lp, int64_t at_ms)
{
	if (loop_timer_is_running(&lp->timer) && lp->timer.at_ms <= at_ms)
		return;
	loop_timer_start(lp->loop, &lp->timer, at_ms - loop_now_ms(lp->loop));
}

void
http_loop_enter(struct http_conn *hc, enum http_state state)
{
	struct http_loop *lp = hc->lp;

	if (!list_is_empty(&hc->link))
		atomic_fetch_sub_explicit(
		    &lp->counts[hc->state], 1, memory_order_relaxed);
	list_remove(&hc->link);
	list_push_back(&lp->lists[state], &hc->link);
	atomic_fetch_add_explicit(&lp->counts[state], 1, memory_order_relaxed);
	hc->state = state;
	hc->since_ms = loop_now_ms(lp->loop);
	if (lp->timeout_ms[state] > 0)
		set_timer(lp, due_ms(lp, hc));
}

/* Ends those in ${state} whose time is up. */
static void
expire_state(struct http_loop *lp, enum http_state state)
{
	struct list *list = &lp->lists[state];
	int64_t now = loop_now_ms(lp->loop);
	struct http_conn *hc;

	while (!list_is_empty(list)) {
		hc = CONTAINER_OF(list->next, struct http_conn, link);
		if (due_ms(lp, hc) > now) {
			set_timer(lp, due_ms(lp, hc));
			return;
		}
		http_conn_expire(hc);
	}
}

static void
expire(struct loop_timer *timer)
{
	struct http_loop *lp = CONTAINER_OF(timer, struct http_loop, timer);
	int state;

	for (state = 0; state < HTTP_STATES; state++) {
		if (lp->timeout_ms[state] > 0)
			expire_state(lp, (enum http_state)state);
	}
	http_loop_reap(lp);
}

void
http_loop_reap(struct http_loop *lp)
{
	struct list *node;

	while ((node = list_pop_front(&lp->lists[HTTP_STATE_CLOSED])) != NULL) {
		atomic_fetch_sub_explicit(
		    &lp->counts[HTTP_STATE_CLOSED], 1, memory_order_relaxed);
		http_conn_free(CONTAINER_OF(node, struct http_conn, link));
	}
}

const char *
http_loop_date(struct http_loop *lp)
{
	int64_t now_s = clock_wall_ms(lp->server->cf.clock) / 1000;

	if (now_s != lp->date_s) {
		http_date(now_s, lp->date);
		lp->date_s = now_s;
	}
	return lp->date;
}

int
http_loop_init(struct http_loop *lp, struct http_server *s, struct err *err)
{
	const struct http_server_config *cf = &s->cf;
	int i;

	lp->server = s;
	lp->spare_fd = -1;
	lp->date_s = -1;
	lp->input = mem_alloc(HTTP_INPUT);
	for (i = 0; i < HTTP_STATES; i++)
		list_init(&lp->lists[i]);
	list_init(&lp->spares);
	lp->timeout_ms[HTTP_STATE_HANDSHAKE] = cf->header_timeout_ms;
	lp->timeout_ms[HTTP_STATE_HEAD] = cf->header_timeout_ms;
	lp->timeout_ms[HTTP_STATE_IDLE] = cf->idle_timeout_ms;
	lp->timeout_ms[HTTP_STATE_GATHER] = cf->stall_timeout_ms;
	lp->timeout_ms[HTTP_STATE_AWAIT] =
	    cf->stall_timeout_ms < AWAIT_MS ? cf->stall_timeout_ms : AWAIT_MS;
	lp->timeout_ms[HTTP_STATE_FLUSH] = cf->stall_timeout_ms;
	lp->timeout_ms[HTTP_STATE_LINGER] = cf->linger_ms;
	loop_timer_init(&lp->timer, expire);
	http_delivery_init(lp);
	return loop_new(&lp->loop, err);
}

/* No thread runs any more. */
void
http_loop_fini(struct http_loop *lp)
{
	struct list *node;
	int i;

	if (lp->loop == NULL)
		return;
	for (i = 0; i < HTTP_STATE_CLOSED; i++) {
		while (!list_is_empty(&lp->lists[i]))
			http_conn_close(CONTAINER_OF(
			    lp->lists[i].next, struct http_conn, link));
	}
	http_loop_reap(lp);
	http_accept_stop(lp);
	while ((node = list_pop_front(&lp->spares)) != NULL)
		http_exchange_free(
		    CONTAINER_OF(node, struct http_exchange, link));
	addr_links_free(lp->links);
	free(lp->input);
	loop_free(lp->loop);
	lp->loop = NULL;
}

static void *
run(void *arg)
{
	struct http_loop *lp = arg;

	loop_run(lp->loop);
	return NULL;
}

int
http_loop_start(struct http_loop *lp, struct err *err)
{
	struct thread_options options = { .name = "loop" };

	if (thread_start(&options, run, lp, &lp->thread, err) < 0)
		return -1;
	lp->is_running = true;
	return 0;
}

void
http_loop_join(struct http_loop *lp)
{
	if (!lp->is_running)
		return;
	loop_stop(lp->loop);
	pthread_join(lp->thread, NULL);
	lp->is_running = false;
}
