/* SPDX-License-Identifier: MIT */
#include "engine/sched_priv.h"

#include <stdlib.h>

#include "base/mem.h"

struct sched *
sched_new(const struct sched_config *cf)
{
	struct sched *s = mem_calloc(1, sizeof(*s));

	s->clock = cf->clock;
	s->places = cf->places;
	if (cf->bytes_per_s > 0)
		s->rate = rate_new(cf->bytes_per_s);
	pthread_mutex_init(&s->lock, NULL);
	for (int i = 0; i < PRIORITIES; i++)
		list_init(&s->queues[i]);
	return s;
}

void
sched_free(struct sched *s)
{
	if (s == NULL)
		return;
	rate_free(s->rate);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool
sched_is_limited(const struct sched *s)
{
	return s->rate != NULL;
}

void
sched_counts(struct sched *s, unsigned *ret_waiting, unsigned *ret_held)
{
	pthread_mutex_lock(&s->lock);
	*ret_waiting = s->waiting;
	*ret_held = s->held;
	pthread_mutex_unlock(&s->lock);
}

/* --- lanes ---------------------------------------------------------------- */

struct lane *
lane_new(struct sched *s, int priority)
{
	struct lane *l = mem_calloc(1, sizeof(*l));

	l->sched = s;
	l->priority = priority;
	atomic_store(&l->refs, 1);
	list_init(&l->link);
	list_init(&l->tickets);
	rate_flow_init(&l->flow, (unsigned)priority + 1);
	return l;
}

struct lane *
lane_ref(struct lane *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

void
lane_unref(struct lane *l)
{
	if (l != NULL && atomic_fetch_sub(&l->refs, 1) == 1)
		free(l);
}

/* --- the order (under the lock) ------------------------------------------- */

static int64_t
rank(const struct lane *l, int64_t now_ms)
{
	return l->priority + (now_ms - l->since_ms) / SCHED_STEP_MS;
}

static bool
goes_before(const struct lane *a, const struct lane *b, int64_t now_ms)
{
	int64_t x = rank(a, now_ms), y = rank(b, now_ms);

	return x != y ? x > y : a->order < b->order;
}

static struct lane *
lane_of(struct list *node)
{
	return CONTAINER_OF(node, struct lane, link);
}

/* Among those of one priority who came first has waited longest, so the next
 * is at the front of a queue. */
static struct lane *
first_of(struct sched *s, struct list *const fronts[PRIORITIES])
{
	int64_t now_ms = clock_mono_ms(s->clock);
	struct lane *best = NULL;

	for (int i = 0; i < PRIORITIES; i++) {
		if (fronts[i] != &s->queues[i] &&
		    (best == NULL ||
		        goes_before(lane_of(fronts[i]), best, now_ms)))
			best = lane_of(fronts[i]);
	}
	return best;
}

static void
find_fronts(struct sched *s, struct list *ret[PRIORITIES])
{
	for (int i = 0; i < PRIORITIES; i++)
		ret[i] = s->queues[i].next;
}

static struct lane *
next_lane(struct sched *s)
{
	struct list *fronts[PRIORITIES];

	find_fronts(s, fronts);
	return first_of(s, fronts);
}

static void
enqueue(struct lane *l)
{
	struct list *queue = &l->sched->queues[l->priority];
	struct list *at = queue->prev;

	while (at != queue && lane_of(at)->order > l->order)
		at = at->prev;
	list_push_front(at, &l->link);
}

static void
wait_in_queue(struct lane *l)
{
	struct sched *s = l->sched;

	l->since_ms = clock_mono_ms(s->clock);
	l->order = ++s->orders;
	enqueue(l);
	s->waiting++;
	atomic_store(&l->state, LANE_WAITS);
}

static void
leave_queue(struct lane *l)
{
	list_remove(&l->link);
	l->sched->waiting--;
}

void
lane_set_priority(struct lane *l, int priority)
{
	struct sched *s = l->sched;

	pthread_mutex_lock(&s->lock);
	l->priority = priority;
	if (atomic_load(&l->state) == LANE_WAITS) {
		list_remove(&l->link);
		enqueue(l);
	}
	pthread_mutex_unlock(&s->lock);
	if (s->rate != NULL)
		rate_weigh(s->rate, &l->flow, (unsigned)priority + 1);
}

unsigned
lane_position(struct lane *l)
{
	struct sched *s = l->sched;
	int64_t now_ms = clock_mono_ms(s->clock);
	unsigned position = 0;

	pthread_mutex_lock(&s->lock);
	if (atomic_load(&l->state) == LANE_WAITS) {
		position = 1;
		for (int i = 0; i < PRIORITIES; i++) {
			struct list *it, *tmp;

			LIST_FOREACH(&s->queues[i], it, tmp)
			{
				if (!goes_before(lane_of(it), l, now_ms))
					break;
				position++;
			}
		}
	}
	pthread_mutex_unlock(&s->lock);
	return position;
}

void
lane_number_all(struct lane *any)
{
	struct sched *s = any->sched;
	struct list *fronts[PRIORITIES];
	unsigned number = 0;
	struct lane *l;

	pthread_mutex_lock(&s->lock);
	find_fronts(s, fronts);
	while ((l = first_of(s, fronts)) != NULL) {
		l->number = ++number;
		fronts[l->priority] = l->link.next;
	}
	pthread_mutex_unlock(&s->lock);
}

unsigned
lane_number(struct lane *l)
{
	struct sched *s = l->sched;
	unsigned number;

	pthread_mutex_lock(&s->lock);
	number = lane_waits(l) ? l->number : 0;
	pthread_mutex_unlock(&s->lock);
	return number;
}

bool
lane_waits(const struct lane *l)
{
	return atomic_load(&l->state) == LANE_WAITS;
}

/* --- places (under the lock) ---------------------------------------------- */

static void
admit(struct ticket *t)
{
	struct lane *l = t->lane;

	t->state = TICKET_IN;
	/* Beside the others it has to show that it is fast. */
	t->is_slow = atomic_load(&l->state) == LANE_ASIDE;
	l->slow += t->is_slow;
	l->movers++;
}

/* The place is ${l}'s: for those who wait on it, and those whom it lost in the
 * middle of a body. */
static void
grant(struct lane *l)
{
	struct list *it, *tmp;

	leave_queue(l);
	l->sched->held++;
	atomic_store(&l->state, LANE_HOLDS);
	LIST_FOREACH(&l->tickets, it, tmp)
	{
		struct ticket *t = CONTAINER_OF(it, struct ticket, link);

		if (t->state != TICKET_WAITS)
			continue;
		admit(t);
		t->granted(t->arg);
	}
}

static void
fill_places(struct sched *s)
{
	struct lane *l;

	while (s->held < s->places && (l = next_lane(s)) != NULL)
		grant(l);
}

static void
give_up(struct lane *l, enum lane_state state)
{
	l->sched->held--;
	atomic_store(&l->state, state);
	fill_places(l->sched);
}

void
sched_want_place(struct lane *l)
{
	struct sched *s = l->sched;

	if (s->held < s->places) {
		s->held++;
		atomic_store(&l->state, LANE_HOLDS);
	} else {
		wait_in_queue(l);
	}
}

/* Nobody wants to move on it. */
static void
idle(struct lane *l)
{
	switch (atomic_load(&l->state)) {
	case LANE_HOLDS:
		give_up(l, LANE_IDLE);
		break;
	case LANE_WAITS:
		leave_queue(l);
		break;
	default:
		break;
	}
	atomic_store(&l->state, LANE_IDLE);
}

void
sched_review(struct lane *l)
{
	int state = atomic_load(&l->state);

	if (l->asked == 0) {
		idle(l);
		return;
	}
	if (l->movers == 0 || l->slow < l->movers)
		return;
	if (state == LANE_HOLDS) {
		give_up(l, LANE_ASIDE);
	} else if (state == LANE_WAITS && l->asked == l->movers) {
		/* It was fast again, and slow before its turn came. */
		leave_queue(l);
		atomic_store(&l->state, LANE_ASIDE);
	}
}

/* --- tickets -------------------------------------------------------------- */

void
ticket_init(struct ticket *t, void (*granted)(void *arg), void *arg)
{
	*t = (struct ticket){ .granted = granted, .arg = arg };
	list_init(&t->link);
	list_init(&t->ask.link);
}

bool
ticket_is_in(const struct ticket *t)
{
	struct sched *s;
	bool is_in;

	if (t->lane == NULL)
		return false;
	s = t->lane->sched;
	pthread_mutex_lock(&s->lock);
	is_in = t->state == TICKET_IN;
	pthread_mutex_unlock(&s->lock);
	return is_in;
}

bool
ticket_ask(struct ticket *t, struct lane *l)
{
	struct sched *s = l->sched;
	bool is_in;

	pthread_mutex_lock(&s->lock);
	if (t->lane == NULL) {
		t->lane = lane_ref(l);
		if (atomic_load(&l->state) == LANE_IDLE)
			sched_want_place(l);
		list_push_back(&l->tickets, &t->link);
		l->asked++;
		t->state = TICKET_WAITS;
		if (atomic_load(&l->state) != LANE_WAITS)
			admit(t);
		rate_ask_init(&t->ask, &l->flow);
	}
	is_in = t->state == TICKET_IN;
	pthread_mutex_unlock(&s->lock);
	return is_in;
}

void
ticket_leave(struct ticket *t)
{
	struct lane *l = t->lane;
	struct sched *s;

	if (l == NULL)
		return;
	s = l->sched;
	if (s->rate != NULL)
		rate_ask_fini(s->rate, &t->ask);
	pthread_mutex_lock(&s->lock);
	list_remove(&t->link);
	l->asked--;
	if (t->state == TICKET_IN) {
		l->movers--;
		l->slow -= t->is_slow;
	}
	t->state = TICKET_OUT;
	t->is_slow = false;
	sched_review(l);
	pthread_mutex_unlock(&s->lock);
	t->lane = NULL;
	lane_unref(l);
}
