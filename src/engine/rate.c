/* SPDX-License-Identifier: MIT */
#include "engine/rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

#define SLICE_MIN ((uint64_t)1024)

struct rate {
	pthread_mutex_t lock; /* over all of it */
	double bytes_per_us;
	double burst;        /* bytes */
	double tokens;       /* bytes; below 0: owed */
	int64_t filled_us;   /* 0: nobody has asked yet */
	double now;          /* virtual: the tag of the last that went */
	struct list waiting; /* rate_ask, by start */
};

struct rate *
rate_new(uint64_t bytes_per_s)
{
	struct rate *r = mem_calloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	r->bytes_per_us = (double)bytes_per_s / 1e6;
	r->burst = r->bytes_per_us * RATE_BURST_US;
	list_init(&r->waiting);
	return r;
}

void
rate_free(struct rate *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void
rate_flow_init(struct rate_flow *f, unsigned weight)
{
	f->weight = weight;
	f->finish = 0;
}

void
rate_weigh(struct rate *r, struct rate_flow *f, unsigned weight)
{
	pthread_mutex_lock(&r->lock);
	f->weight = weight;
	pthread_mutex_unlock(&r->lock);
}

void
rate_ask_init(struct rate_ask *a, struct rate_flow *f)
{
	list_init(&a->link);
	a->flow = f;
}

/* --- under the lock ------------------------------------------------------- */

static struct rate_ask *
ask_of(struct list *node)
{
	return CONTAINER_OF(node, struct rate_ask, link);
}

static void
fill(struct rate *r, int64_t now_us)
{
	int64_t took_us = now_us - r->filled_us;

	if (took_us <= 0)
		return;
	if (r->filled_us == 0)
		took_us = 1;
	r->filled_us = now_us;
	r->tokens += (double)took_us * r->bytes_per_us;
	if (r->tokens > r->burst)
		r->tokens = r->burst;
}

/* So much of what is wanted that the others need not wait for long. */
static uint64_t
slice_of(const struct rate *r, const struct rate_ask *a, uint64_t wanted)
{
	unsigned sum = a->flow->weight;
	uint64_t most;
	struct list *it, *tmp;

	LIST_FOREACH(&r->waiting, it, tmp)
	if (it != &a->link)
		sum += ask_of(it)->flow->weight;
	most =
	    (uint64_t)(r->bytes_per_us * RATE_SLICE_US * a->flow->weight / sum);
	if (most > RATE_SLICE)
		most = RATE_SLICE;
	if (most < SLICE_MIN)
		most = SLICE_MIN;
	return wanted < most ? wanted : most;
}

/* Into the list, behind those with the same tag. */
static void
enter(struct rate *r, struct rate_ask *a, uint64_t wanted)
{
	struct rate_flow *f = a->flow;
	struct list *at = r->waiting.prev;

	a->bytes = slice_of(r, a, wanted);
	a->start = f->finish > r->now ? f->finish : r->now;
	f->finish = a->start + (double)a->bytes / f->weight;
	while (at != &r->waiting && ask_of(at)->start > a->start)
		at = at->prev;
	list_push_front(at, &a->link);
}

/* Until the bucket has something, once those before it have gone. */
static uint64_t
sleep_us(const struct rate *r, const struct rate_ask *a)
{
	double owed = -r->tokens;
	const struct list *it;
	double us;

	for (it = r->waiting.next; it != &a->link; it = it->next)
		owed += (double)ask_of((struct list *)it)->bytes;
	us = owed / r->bytes_per_us;
	if (us < 1)
		return 1;
	return us < RATE_SLEEP_US ? (uint64_t)us + 1 : RATE_SLEEP_US;
}

uint64_t
rate_ask(struct rate *r, struct rate_ask *a, int64_t now_us, uint64_t *n)
{
	uint64_t us = 0;

	pthread_mutex_lock(&r->lock);
	fill(r, now_us);
	if (list_is_empty(&a->link))
		enter(r, a, *n);
	if (r->tokens > 0 && r->waiting.next == &a->link) {
		list_remove(&a->link);
		if (*n > a->bytes)
			*n = a->bytes;
		r->now = a->start;
		r->tokens -= (double)*n;
	} else {
		us = sleep_us(r, a);
	}
	pthread_mutex_unlock(&r->lock);
	return us;
}

void
rate_ask_fini(struct rate *r, struct rate_ask *a)
{
	pthread_mutex_lock(&r->lock);
	list_remove(&a->link);
	pthread_mutex_unlock(&r->lock);
}
