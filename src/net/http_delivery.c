/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <stdlib.h>

#include "base/mem.h"

/*
 * Nobody tells when the peer's system has confirmed bytes: it has to be
 * asked.  The first looks come soon, since most peers answer soon.
 */
#define LOOK_FIRST_MS 4
#define LOOK_LAST_MS 128

/*
 * The bytes of the connection that have arrived.  ${written} first: while
 * a worker writes on, this may come out too small, never too large.
 */
static uint64_t
arrived(const struct http_conn *hc)
{
	uint64_t written = atomic_load(&hc->written);
	uint64_t unsent = hc->conn.ops->unsent(&hc->conn);

	return written > unsent ? written - unsent : 0;
}

void
http_delivery_tell(struct http_exchange *x)
{
	const struct http_stream *s = x->stream;
	uint64_t bytes;

	if (s == NULL || s->arrived == NULL)
		return;
	bytes = arrived(x->hc);
	bytes = bytes > x->body_begin ? bytes - x->body_begin : 0;
	/* sizes of chunks are not of the body */
	if (s->length == HTTP_LENGTH_UNKNOWN && bytes > x->body_sent)
		bytes = x->body_sent;
	if (bytes <= x->told)
		return;
	x->told = bytes;
	s->arrived(s->arg, bytes);
}

/* Of the body, when so many of the connection have. */
static uint64_t
arrived_of(const struct http_delivery *d, uint64_t arrived_bytes)
{
	uint64_t missing = d->end > arrived_bytes ? d->end - arrived_bytes : 0;
	uint64_t bytes = d->sent > missing ? d->sent - missing : 0;

	return bytes > d->told ? bytes : d->told;
}

static void
tell(struct http_delivery *d, uint64_t arrived_bytes)
{
	uint64_t bytes = arrived_of(d, arrived_bytes);

	if (d->arrived == NULL || bytes == d->told)
		return;
	d->told = bytes;
	d->arrived(d->arg, bytes);
}

/* Tells the application, and is gone. */
static void
report(struct http_delivery *d, uint64_t arrived_bytes)
{
	d->delivered(d->arg, arrived_of(d, arrived_bytes),
	    d->is_whole && d->end <= arrived_bytes);
	free(d);
}

void
http_delivery_start(
    struct http_exchange *x, const struct http_stream *s, bool is_whole)
{
	struct http_delivery *d;

	if (s->delivered == NULL)
		return;
	d = mem_calloc(1, sizeof(*d));
	list_init(&d->link);
	d->end = atomic_load(&x->hc->written);
	/* a piece of it may have been written in part */
	d->sent = s->length == HTTP_LENGTH_UNKNOWN ? x->body_sent
	                                           : d->end - x->body_begin;
	/* without a body nothing is to arrive */
	if (d->sent == 0)
		d->end = 0;
	d->is_whole = is_whole;
	d->told = x->told;
	d->delivered = s->delivered;
	d->arrived = s->arrived;
	d->arg = s->arg;
	/* A cut one waits for nothing more: the connection is closed next. */
	if (!is_whole || arrived(x->hc) >= d->end)
		report(d, arrived(x->hc));
	else
		x->delivery = d;
}

void
http_delivery_add(struct http_conn *hc, struct http_exchange *x)
{
	struct http_loop *lp = hc->lp;

	if (x->delivery == NULL)
		return;
	if (list_is_empty(&hc->deliveries))
		list_push_back(&lp->delivering, &hc->delivering);
	list_push_back(&hc->deliveries, &x->delivery->link);
	x->delivery = NULL;
	lp->delivery_ms = LOOK_FIRST_MS;
	loop_timer_start(lp->loop, &lp->delivery_timer, lp->delivery_ms);
}

/* Reports those that ended at or before ${arrived_bytes}. */
static bool
report_arrived(struct http_conn *hc, uint64_t arrived_bytes)
{
	struct http_delivery *d;
	struct list *node, *tmp;
	bool any = false;

	LIST_FOREACH(&hc->deliveries, node, tmp)
	{
		d = CONTAINER_OF(node, struct http_delivery, link);
		if (d->end > arrived_bytes) {
			tell(d, arrived_bytes);
			break;
		}
		list_remove(node);
		report(d, arrived_bytes);
		any = true;
	}
	if (list_is_empty(&hc->deliveries))
		list_remove(&hc->delivering);
	return any;
}

static void
look(struct loop_timer *timer)
{
	struct http_loop *lp =
	    CONTAINER_OF(timer, struct http_loop, delivery_timer);
	struct http_conn *hc;
	struct list *node, *tmp;
	bool any = false;

	LIST_FOREACH(&lp->delivering, node, tmp)
	{
		hc = CONTAINER_OF(node, struct http_conn, delivering);
		if (report_arrived(hc, arrived(hc)))
			any = true;
	}
	if (list_is_empty(&lp->delivering))
		return;
	if (any)
		lp->delivery_ms = LOOK_FIRST_MS;
	else if (lp->delivery_ms < LOOK_LAST_MS)
		lp->delivery_ms *= 2;
	loop_timer_start(lp->loop, timer, lp->delivery_ms);
}

void
http_delivery_end(struct http_conn *hc)
{
	uint64_t arrived_bytes;
	struct list *node;

	if (list_is_empty(&hc->deliveries))
		return;
	arrived_bytes = arrived(hc);
	while ((node = list_pop_front(&hc->deliveries)) != NULL)
		report(CONTAINER_OF(node, struct http_delivery, link),
		    arrived_bytes);
	list_remove(&hc->delivering);
}

void
http_delivery_init(struct http_loop *lp)
{
	list_init(&lp->delivering);
	loop_timer_init(&lp->delivery_timer, look);
	lp->delivery_ms = LOOK_FIRST_MS;
}
