/* SPDX-License-Identifier: MIT */
#include "engine/parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct parts {
	struct transfers *transfers;
	struct sched *sched;
	const struct clock *clock;
	int64_t together_ms;
	pthread_mutex_t lock; /* over all below, and all of their insides */
	struct list busy;
	struct list resting; /* who has rested longest is first */
	unsigned rest_count;
};

struct parted {
	struct list link;
	struct parts *all; /* constant, as the next */
	struct lane *lane;
	char *ip;
	char *client_id; /* NULL: none */
	char blob_id[ID_SIZE];
	char sha256[SHA256_HEX_SIZE];
	bool is_raw;
	uint64_t total;
	uint64_t moved;
	unsigned count;            /* parts that are under way */
	bool is_going;             /* one of them has had its turn */
	struct err why;            /* the first that failed since it rested */
	struct transfer *transfer; /* NULL: it rests, and ... */
	struct rec_transfer row;   /* ... this is how it was */
	int64_t rested_ms;         /* since when */
};

struct parts *
parts_new(struct transfers *ts, struct sched *sched, const struct clock *clock,
    int64_t keep_ms)
{
	struct parts *ps = mem_calloc(1, sizeof(*ps));

	ps->transfers = ts;
	ps->sched = sched;
	ps->clock = clock;
	ps->together_ms = keep_ms > 0 && keep_ms < PARTS_TOGETHER_MS
	                      ? keep_ms
	                      : PARTS_TOGETHER_MS;
	pthread_mutex_init(&ps->lock, NULL);
	list_init(&ps->busy);
	list_init(&ps->resting);
	return ps;
}

static void
destroy(struct parted *p)
{
	rec_transfer_fini(&p->row);
	lane_unref(p->lane);
	free(p->ip);
	free(p->client_id);
	free(p);
}

static struct parted *
parted_of(struct list *node)
{
	return CONTAINER_OF(node, struct parted, link);
}

void
parts_free(struct parts *ps)
{
	struct list *first;

	if (ps == NULL)
		return;
	while ((first = list_pop_front(&ps->resting)) != NULL)
		destroy(parted_of(first));
	pthread_mutex_destroy(&ps->lock);
	free(ps);
}

/* --- finding (under the lock) ----------------------------------------------
 */

/* Those that rested for too long, and what is too many. */
static void
forget_old(struct parts *ps, int64_t now_ms)
{
	struct list *first;

	while ((first = list_pop_front(&ps->resting)) != NULL) {
		struct parted *p = parted_of(first);

		if (ps->rest_count <= PARTS_RESTING &&
		    now_ms - p->rested_ms < ps->together_ms) {
			list_push_front(&ps->resting, first);
			return;
		}
		destroy(p);
		ps->rest_count--;
	}
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct parted *
find(struct list *in, const struct parts_wanted *w)
{
	struct list *it, *tmp;

	/* The analyzer does not see that who was freed is in no list. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	LIST_FOREACH(in, it, tmp)
	{
		struct parted *p = parted_of(it);
		struct err cancelled = ERR_INIT;

		if (p->transfer != NULL &&
		    transfer_is_cancelled(p->transfer, &cancelled))
			continue;
		if (strcmp(p->blob_id, w->blob_id) == 0 &&
		    p->is_raw == w->is_raw && is_same(p->ip, w->client->ip) &&
		    is_same(p->client_id, w->client->id))
			return p;
	}
	return NULL;
}

static struct parted *
begin(struct parts *ps, const struct parts_wanted *w)
{
	struct parted *p = mem_calloc(1, sizeof(*p));
	struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = w->filename,
		.total = w->length,
		.encryption = w->encryption,
		.client = w->client,
	};

	p->all = ps;
	p->ip = mem_strdup(w->client->ip);
	p->client_id = mem_strdup(w->client->id);
	memcpy(p->blob_id, w->blob_id, sizeof(p->blob_id));
	(void)snprintf(p->sha256, sizeof(p->sha256), "%s", w->sha256);
	p->is_raw = w->is_raw;
	p->lane = start.lane = lane_new(ps->sched, 0);
	p->transfer = transfer_begin(ps->transfers, &start);
	list_push_back(&ps->busy, &p->link);
	return p;
}

static void
go_on(struct parted *p)
{
	struct parts *ps = p->all;

	list_remove(&p->link);
	list_push_back(&ps->busy, &p->link);
	ps->rest_count--;
	p->is_going = false;
	err_clear(&p->why);
	p->transfer = transfer_resume(ps->transfers, &p->row, false);
	transfer_set_lane(p->transfer, p->lane);
	rec_transfer_fini(&p->row);
}

/* --- for its parts ----------------------------------------------------------
 */

struct parted *
parts_join(struct parts *ps, const struct parts_wanted *w)
{
	struct parted *p;

	pthread_mutex_lock(&ps->lock);
	forget_old(ps, clock_mono_ms(ps->clock));
	p = find(&ps->busy, w);
	if (p == NULL) {
		p = find(&ps->resting, w);
		if (p == NULL)
			p = begin(ps, w);
		else
			go_on(p);
	}
	p->count++;
	p->total += w->length;
	transfer_set_total(p->transfer, p->total);
	pthread_mutex_unlock(&ps->lock);
	return p;
}

struct lane *
parts_lane(struct parted *p)
{
	return p->lane;
}

void
parts_attach(struct parted *p, struct mover *m)
{
	transfer_attach(p->transfer, m);
}

/* What was waited for the first turn is not part of its speed. */
void
parts_go(struct parted *p)
{
	pthread_mutex_lock(&p->all->lock);
	if (!p->is_going)
		transfer_go(p->transfer);
	p->is_going = true;
	pthread_mutex_unlock(&p->all->lock);
}

void
parts_moved(struct parted *p, int64_t delta)
{
	pthread_mutex_lock(&p->all->lock);
	p->moved += (uint64_t)delta;
	transfer_moved(p->transfer, p->moved);
	pthread_mutex_unlock(&p->all->lock);
}

/* Under the lock, as nobody is left. */
static void
rest(struct parted *p)
{
	struct parts *ps = p->all;
	const struct err *why = p->why.code == ERR_NONE ? NULL : &p->why;

	transfer_final(p->transfer,
	    why == NULL ? REC_COMPLETED : transfer_status_of(why), why,
	    &p->row);
	memcpy(p->row.sha256, p->sha256, sizeof(p->row.sha256));
	transfer_end(p->transfer, &p->row);
	p->transfer = NULL;
	list_remove(&p->link);
	if (p->row.status == REC_CANCELLED) {
		destroy(p);
		return;
	}
	list_push_back(&ps->resting, &p->link);
	ps->rest_count++;
	p->rested_ms = clock_mono_ms(ps->clock);
}

void
parts_leave(struct parted *p, const struct err *why)
{
	struct parts *ps = p->all;

	pthread_mutex_lock(&ps->lock);
	if (why != NULL && p->why.code == ERR_NONE)
		p->why = *why;
	if (--p->count == 0)
		rest(p);
	forget_old(ps, clock_mono_ms(ps->clock));
	pthread_mutex_unlock(&ps->lock);
}
