/* SPDX-License-Identifier: MIT */
#include "engine/sched.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define KIB 1024

static void
count(void *arg)
{
	(*(unsigned *)arg)++;
}

struct bench {
	struct clock_manual clock;
	struct sched *s;
};

static void
setup(struct bench *b, unsigned places, uint64_t bytes_per_s)
{
	clock_manual_init(&b->clock, 0);
	b->s = sched_new(&(struct sched_config){
	    .clock = &b->clock.clock,
	    .places = places,
	    .bytes_per_s = bytes_per_s,
	});
}

/* A transfer with one request. */
struct one {
	struct lane *lane;
	struct ticket ticket;
	unsigned granted;
};

static bool
one_asks(struct bench *b, struct one *o, int priority)
{
	o->granted = 0;
	o->lane = lane_new(b->s, priority);
	ticket_init(&o->ticket, count, &o->granted);
	return ticket_ask(&o->ticket, o->lane);
}

static void
one_leaves(struct one *o)
{
	ticket_leave(&o->ticket);
	lane_unref(o->lane);
}

TEST(test_engine_sched__gives_a_free_place_at_once)
{
	struct bench b;
	struct one o[3];
	unsigned waiting, held;

	setup(&b, 2, 0);
	assert_true(one_asks(&b, &o[0], 0));
	assert_true(one_asks(&b, &o[1], 0));
	assert_false(one_asks(&b, &o[2], 10));
	sched_counts(b.s, &waiting, &held);
	assert_int_equal(waiting, 1);
	assert_int_equal(held, 2);
	assert_true(lane_waits(o[2].lane));
	assert_int_equal(lane_position(o[2].lane), 1);
	assert_int_equal(lane_position(o[0].lane), 0);
	/* Who has asked already is answered again. */
	assert_true(ticket_ask(&o[0].ticket, o[0].lane));
	assert_false(ticket_ask(&o[2].ticket, o[2].lane));
	one_leaves(&o[0]);
	assert_int_equal(o[2].granted, 1);
	assert_true(ticket_is_in(&o[2].ticket));
	assert_true(ticket_ask(&o[2].ticket, o[2].lane));
	one_leaves(&o[1]);
	one_leaves(&o[2]);
	sched_counts(b.s, &waiting, &held);
	assert_int_equal(waiting + held, 0);
	sched_free(b.s);
}

TEST(test_engine_sched__lets_who_waits_gain)
{
	struct bench b;
	struct one first, old, young;

	setup(&b, 1, 0);
	assert_true(one_asks(&b, &first, 5));
	assert_false(one_asks(&b, &old, 3));
	clock_manual_advance(&b.clock, 2 * SCHED_STEP_MS - 1);
	assert_false(one_asks(&b, &young, 5));
	assert_int_equal(lane_position(young.lane), 1);
	/* With its second step it is equal, and came first. */
	clock_manual_advance(&b.clock, 1);
	assert_int_equal(lane_position(old.lane), 1);
	assert_int_equal(lane_position(young.lane), 2);
	one_leaves(&first);
	assert_int_equal(old.granted, 1);
	one_leaves(&old);
	assert_int_equal(young.granted, 1);
	one_leaves(&young);
	sched_free(b.s);
}

TEST(test_engine_sched__takes_the_place_of_who_stalls)
{
	struct bench b;
	struct one a, w;

	setup(&b, 1, 0);
	assert_true(one_asks(&b, &a, 0));
	assert_false(one_asks(&b, &w, 0));
	assert_true(ticket_waited(&a.ticket, 0, SCHED_STALL_MS - 1));
	assert_int_equal(w.granted, 0);
	/* From then on there is nothing to be told. */
	assert_false(ticket_waited(&a.ticket, 1000, SCHED_STALL_MS));
	assert_int_equal(w.granted, 1);
	assert_true(ticket_is_in(&a.ticket));
	assert_int_equal(lane_position(a.lane), 0);
	one_leaves(&a);
	one_leaves(&w);
	sched_free(b.s);
}

TEST(test_engine_sched__takes_the_place_of_who_is_slow)
{
	struct bench b;
	struct one a, w;
	int64_t ms;

	setup(&b, 1, 0);
	assert_true(one_asks(&b, &a, 0));
	assert_false(one_asks(&b, &w, 0));
	/* Just fast enough, as long as that lasts. */
	for (ms = 0; ms < 60000; ms += 500) {
		assert_false(ticket_moved(&a.ticket, 32 * KIB, ms));
		assert_true(ticket_waited(&a.ticket, ms + 499, 499));
	}
	assert_int_equal(w.granted, 0);
	/* Of time in which nobody waits for it, nothing follows. */
	clock_manual_advance(&b.clock, 3600 * 1000);
	assert_true(ticket_waited(&a.ticket, ms - 1, 0));
	for (; w.granted == 0; ms += 500) {
		assert_false(ticket_moved(&a.ticket, 16 * KIB, ms));
		(void)ticket_waited(&a.ticket, ms + 499, 499);
		assert_true(ms < 80000);
	}
	one_leaves(&a);
	one_leaves(&w);
	sched_free(b.s);
}

/* At twice the rate that is slow; when it has become fast. */
static bool
speeds_up(struct bench *b, struct ticket *t)
{
	for (int i = 0; i < 2 * METER_WINDOW_MS / 500; i++) {
		clock_manual_advance(&b->clock, 500);
		if (ticket_moved(t, METER_SLOW_BPS, 0))
			return true;
	}
	return false;
}

TEST(test_engine_sched__queues_who_is_fast_again)
{
	struct bench b;
	struct one a, w;
	uint64_t n = 100;

	setup(&b, 1, 0);
	assert_true(one_asks(&b, &a, 0));
	assert_false(one_asks(&b, &w, 0));
	assert_false(ticket_waited(&a.ticket, 1000, 1000));
	assert_int_equal(ticket_next(&a.ticket, &n), 0);
	assert_int_equal(n, 100);
	assert_true(speeds_up(&b, &a.ticket));
	assert_true(lane_waits(a.lane));
	assert_true(ticket_next(&a.ticket, &n) > 0);
	one_leaves(&w);
	assert_false(lane_waits(a.lane));
	assert_int_equal(ticket_next(&a.ticket, &n), 0);
	one_leaves(&a);
	sched_free(b.s);
}

TEST(test_engine_sched__does_not_give_a_place_to_who_stalled_in_the_queue)
{
	struct bench b;
	struct one a, w;

	setup(&b, 1, 0);
	assert_true(one_asks(&b, &a, 0));
	assert_false(one_asks(&b, &w, 0));
	assert_false(ticket_waited(&a.ticket, 1000, 1000));
	assert_true(speeds_up(&b, &a.ticket));
	assert_true(lane_waits(a.lane));
	assert_false(ticket_waited(&a.ticket, 2000, 1000));
	assert_false(lane_waits(a.lane));
	one_leaves(&w);
	/* Its place is for others, and it moves beside them. */
	assert_true(one_asks(&b, &w, 0));
	one_leaves(&a);
	one_leaves(&w);
	sched_free(b.s);
}

TEST(test_engine_sched__weighs_by_priority)
{
	struct bench b;
	struct one o[3];
	uint64_t moved[3] = { 0 };

	setup(&b, 3, 1000 * KIB);
	assert_true(sched_is_limited(b.s));
	for (int i = 0; i < 3; i++)
		assert_true(one_asks(&b, &o[i], i == 2 ? 0 : 4 * i));
	lane_set_priority(o[2].lane, 9);
	for (int ms = 0; ms < 10000; ms++) {
		clock_manual_advance(&b.clock, 1);
		for (int i = 0; i < 3; i++) {
			uint64_t n = 10 * KIB;

			if (ticket_next(&o[i].ticket, &n) == 0)
				moved[i] += n;
		}
	}
	/* 1 : 5 : 10 of ten seconds' worth. */
	assert_in_range(moved[0], 590 * KIB, 660 * KIB);
	assert_in_range(moved[1], 3000 * KIB, 3250 * KIB);
	assert_in_range(moved[2], 6000 * KIB, 6500 * KIB);
	for (int i = 0; i < 3; i++)
		one_leaves(&o[i]);
	sched_free(b.s);
}

/* --- against a simple model ------------------------------------------------
 */

#define LANES 12
#define TICKETS 3 /* of each */

enum { IDLE, WAITS, HOLDS, ASIDE };

struct model_lane {
	int state, priority;
	int64_t since, order;
	enum ticket_state tickets[TICKETS];
	bool slow[TICKETS];
};

struct model {
	struct model_lane lanes[LANES];
	int64_t now, orders;
	unsigned places;
	uint64_t seed;
	/* What is held against it. */
	struct bench b;
	struct lane *real[LANES];
	struct ticket tickets[LANES][TICKETS];
	unsigned granted[LANES][TICKETS];
};

static unsigned
below(struct model *m, unsigned n)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(m->seed >> 33) % n;
}

static unsigned
held(const struct model *m)
{
	unsigned n = 0;

	for (int i = 0; i < LANES; i++)
		n += m->lanes[i].state == HOLDS;
	return n;
}

static bool
is_before(const struct model *m, int a, int b)
{
	const struct model_lane *x = &m->lanes[a], *y = &m->lanes[b];
	int64_t p = x->priority + (m->now - x->since) / SCHED_STEP_MS;
	int64_t q = y->priority + (m->now - y->since) / SCHED_STEP_MS;

	return p > q || (p == q && x->order < y->order);
}

static void
fill(struct model *m)
{
	while (held(m) < m->places) {
		int best = -1;

		for (int i = 0; i < LANES; i++)
			if (m->lanes[i].state == WAITS &&
			    (best < 0 || is_before(m, i, best)))
				best = i;
		if (best < 0)
			return;
		m->lanes[best].state = HOLDS;
		for (int k = 0; k < TICKETS; k++)
			if (m->lanes[best].tickets[k] == TICKET_WAITS)
				m->lanes[best].tickets[k] = TICKET_IN;
	}
}

static void
want(struct model *m, struct model_lane *l)
{
	if (held(m) < m->places) {
		l->state = HOLDS;
		return;
	}
	l->state = WAITS;
	l->since = m->now;
	l->order = ++m->orders;
}

/* After somebody left, or became slow. */
static void
look_again(struct model *m, struct model_lane *l)
{
	int in = 0, fast = 0, waiting = 0;

	for (int k = 0; k < TICKETS; k++) {
		in += l->tickets[k] == TICKET_IN;
		fast += l->tickets[k] == TICKET_IN && !l->slow[k];
		waiting += l->tickets[k] == TICKET_WAITS;
	}
	if (in + waiting == 0)
		l->state = IDLE;
	else if (fast == 0 && waiting == 0 && l->state != IDLE)
		l->state = ASIDE;
	fill(m);
}

static void
come(struct model *m, int i, int k)
{
	struct model_lane *l = &m->lanes[i];

	if (l->tickets[k] != TICKET_OUT)
		return;
	if (l->state == IDLE)
		want(m, l);
	l->tickets[k] = l->state == WAITS ? TICKET_WAITS : TICKET_IN;
	l->slow[k] = l->state == ASIDE;
	ticket_init(&m->tickets[i][k], count, &m->granted[i][k]);
	assert_int_equal(ticket_ask(&m->tickets[i][k], m->real[i]),
	    l->tickets[k] == TICKET_IN);
}

static void
go(struct model *m, int i, int k)
{
	m->lanes[i].tickets[k] = TICKET_OUT;
	m->lanes[i].slow[k] = false;
	ticket_leave(&m->tickets[i][k]);
	look_again(m, &m->lanes[i]);
}

static void
stall(struct model *m, int i, int k)
{
	struct model_lane *l = &m->lanes[i];

	if (l->tickets[k] != TICKET_IN || l->slow[k])
		return;
	l->slow[k] = true;
	assert_false(
	    ticket_waited(&m->tickets[i][k], SCHED_STALL_MS, SCHED_STALL_MS));
	look_again(m, l);
}

static void
hurry(struct model *m, int i, int k)
{
	struct model_lane *l = &m->lanes[i];

	if (l->tickets[k] != TICKET_IN || !l->slow[k])
		return;
	assert_true(speeds_up(&m->b, &m->tickets[i][k]));
	m->now = clock_mono_ms(&m->b.clock.clock);
	l->slow[k] = false;
	if (l->state == ASIDE)
		want(m, l);
}

static void
prioritise(struct model *m, int i)
{
	m->lanes[i].priority = (int)below(m, LIMIT_PRIORITY + 1);
	lane_set_priority(m->real[i], m->lanes[i].priority);
}

static void
wait_a_while(struct model *m)
{
	clock_manual_advance(&m->b.clock, below(m, 2 * SCHED_STEP_MS));
	m->now = clock_mono_ms(&m->b.clock.clock);
}

static void
step(struct model *m)
{
	int i = (int)below(m, LANES), k = (int)below(m, TICKETS);

	switch (below(m, 10)) {
	case 0:
	case 1:
	case 2:
	case 3:
		come(m, i, k);
		break;
	case 4:
	case 5:
		go(m, i, k);
		break;
	case 6:
		stall(m, i, k);
		break;
	case 7:
		hurry(m, i, k);
		break;
	case 8:
		prioritise(m, i);
		break;
	default:
		wait_a_while(m);
	}
}

static unsigned
position(const struct model *m, int i)
{
	unsigned n = 1;

	if (m->lanes[i].state != WAITS)
		return 0;
	for (int j = 0; j < LANES; j++)
		n += j != i && m->lanes[j].state == WAITS && is_before(m, j, i);
	return n;
}

static void
compare(struct model *m)
{
	unsigned waiting = 0, n_waiting, n_held;

	lane_number_all(m->real[0]);
	for (int i = 0; i < LANES; i++) {
		assert_int_equal(lane_position(m->real[i]), position(m, i));
		assert_int_equal(lane_number(m->real[i]), position(m, i));
		waiting += m->lanes[i].state == WAITS;
		for (int k = 0; k < TICKETS; k++)
			assert_int_equal(ticket_is_in(&m->tickets[i][k]),
			    m->lanes[i].tickets[k] == TICKET_IN);
	}
	sched_counts(m->b.s, &n_waiting, &n_held);
	assert_int_equal(n_waiting, waiting);
	assert_int_equal(n_held, held(m));
}

static void
run_model(unsigned places, uint64_t seed)
{
	struct model m = { .places = places, .seed = seed };

	setup(&m.b, places, 0);
	m.now = clock_mono_ms(&m.b.clock.clock);
	for (int i = 0; i < LANES; i++) {
		m.real[i] = lane_new(m.b.s, 0);
		for (int k = 0; k < TICKETS; k++)
			ticket_init(&m.tickets[i][k], count, NULL);
	}
	for (int n = 0; n < 3000; n++) {
		step(&m);
		compare(&m);
	}
	for (int i = 0; i < LANES; i++) {
		for (int k = 0; k < TICKETS; k++)
			ticket_leave(&m.tickets[i][k]);
		lane_unref(m.real[i]);
	}
	sched_free(m.b.s);
}

TEST(test_engine_sched__does_as_a_simple_model_does)
{
	for (unsigned places = 1; places <= 4; places++)
		for (uint64_t seed = 1; seed <= 5; seed++)
			run_model(places, seed * 7919 + places);
}
