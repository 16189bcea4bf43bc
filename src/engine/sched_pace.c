/* SPDX-License-Identifier: MIT */

/* Who moves, and how fast; who is slow goes on beside the others. */

#include "engine/sched_priv.h"

/* How often one that has lost its place in the middle of a body looks whether
 * it has one again. */
#define LOOK_MS 50

unsigned
ticket_next(struct ticket *t, uint64_t *n)
{
	struct lane *l = t->lane;
	struct rate *r = l->sched->rate;
	uint64_t us;

	if (lane_waits(l))
		return LOOK_MS;
	if (r == NULL)
		return 0;
	us = rate_ask(r, &t->ask, clock_mono_ns(l->sched->clock) / 1000, n);
	return (unsigned)((us + 999) / 1000);
}

/* Its client does not keep up; the lane may be slow now. */
static void
become_slow(struct ticket *t)
{
	struct lane *l = t->lane;
	struct sched *s = l->sched;

	pthread_mutex_lock(&s->lock);
	t->is_slow = true;
	l->slow++;
	sched_review(l);
	pthread_mutex_unlock(&s->lock);
	/* From now on by the wall, to see whether it is fast again. */
	t->moved_ms = clock_mono_ms(s->clock);
	meter_init(&t->meter, t->moved_ms);
}

static void
become_fast(struct ticket *t)
{
	struct lane *l = t->lane;
	struct sched *s = l->sched;

	pthread_mutex_lock(&s->lock);
	t->is_slow = false;
	l->slow--;
	if (atomic_load(&l->state) == LANE_ASIDE)
		sched_want_place(l);
	pthread_mutex_unlock(&s->lock);
}

/* Not before its first bytes are wanted: it may have waited for its turn. */
static void
begin(struct ticket *t, int64_t waited_ms)
{
	if (t->has_begun)
		return;
	t->has_begun = true;
	t->moved_ms = clock_mono_ms(t->lane->sched->clock);
	meter_init(&t->meter, t->is_slow ? t->moved_ms : waited_ms);
}

/* Several on one lane are as fast as they are together. */
static uint64_t
slow_bps(const struct lane *l)
{
	struct sched *s = l->sched;
	unsigned movers;

	pthread_mutex_lock(&s->lock);
	movers = l->movers;
	pthread_mutex_unlock(&s->lock);
	return METER_SLOW_BPS / (movers > 0 ? movers : 1);
}

bool
ticket_moved(struct ticket *t, uint64_t n, int64_t waited_ms)
{
	int64_t now_ms = clock_mono_ms(t->lane->sched->clock);

	begin(t, waited_ms);
	if (!t->is_slow) {
		meter_add(&t->meter, waited_ms, n);
		return false;
	}
	if (now_ms - t->moved_ms >= SCHED_STALL_MS)
		meter_init(&t->meter, now_ms);
	t->moved_ms = now_ms;
	meter_add(&t->meter, now_ms, n);
	if (!meter_is_at(&t->meter, now_ms, slow_bps(t->lane)))
		return false;
	become_fast(t);
	meter_init(&t->meter, waited_ms);
	return true;
}

bool
ticket_waited(struct ticket *t, int64_t waited_ms, int64_t still_ms)
{
	begin(t, waited_ms);
	if (t->is_slow)
		return false;
	if (still_ms >= SCHED_STALL_MS ||
	    meter_is_below(&t->meter, waited_ms, slow_bps(t->lane)))
		become_slow(t);
	return !t->is_slow;
}
