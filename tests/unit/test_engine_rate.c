/* SPDX-License-Identifier: MIT */
#include "engine/rate.h"

#include <string.h>

#include "unit.h"

#define RATE ((uint64_t)10 * 1000 * 1000)
#define SECOND 1000000
#define FLOWS 4

/* Flows that want as much as they can have, or nothing, or now and then a
 * little; each sleeps as long as it is told. */
struct crowd {
	struct rate *r;
	int n;
	struct rate_flow flows[FLOWS];
	struct rate_ask asks[FLOWS];
	int64_t until_us[FLOWS];
	uint64_t moved[FLOWS];
	uint64_t piece[FLOWS];   /* 0: it wants nothing */
	int64_t pause_us[FLOWS]; /* after each piece */
};

static void
crowd_init(struct crowd *c, const unsigned *weights, int n)
{
	memset(c, 0, sizeof(*c));
	c->r = rate_new(RATE);
	c->n = n;
	for (int i = 0; i < n; i++) {
		rate_flow_init(&c->flows[i], weights[i]);
		rate_ask_init(&c->asks[i], &c->flows[i]);
		c->piece[i] = 1000000;
	}
}

static void
crowd_fini(struct crowd *c)
{
	for (int i = 0; i < c->n; i++)
		rate_ask_fini(c->r, &c->asks[i]);
	rate_free(c->r);
}

static void
ask(struct crowd *c, int i, int64_t now_us)
{
	uint64_t n = c->piece[i];
	uint64_t us = rate_ask(c->r, &c->asks[i], now_us, &n);

	if (us == 0)
		c->moved[i] += n;
	assert_true(us <= RATE_SLEEP_US);
	c->until_us[i] = now_us + (us > 0 ? (int64_t)us : c->pause_us[i]);
}

static void
crowd_run(struct crowd *c, int64_t from_us, int64_t to_us)
{
	for (int64_t us = from_us; us < to_us; us += 500)
		for (int i = 0; i < c->n; i++)
			if (c->piece[i] > 0 && us >= c->until_us[i])
				ask(c, i, us);
}

static void
assert_near(uint64_t is, uint64_t wanted)
{
	assert_in_range(is, wanted * 95 / 100, wanted * 105 / 100);
}

TEST(test_engine_rate__is_the_limit_of_one)
{
	const unsigned weight = 3;
	struct crowd c;

	crowd_init(&c, &weight, 1);
	crowd_run(&c, SECOND, 3 * SECOND);
	assert_near(c.moved[0], 2 * RATE);
	crowd_fini(&c);
}

TEST(test_engine_rate__is_shared_by_weight)
{
	const unsigned weights[] = { 1, 2, 6, 11 };
	struct crowd c;

	crowd_init(&c, weights, 4);
	crowd_run(&c, SECOND, 3 * SECOND);
	for (int i = 0; i < 4; i++)
		assert_near(c.moved[i], 2 * RATE * weights[i] / 20);
	crowd_fini(&c);
}

TEST(test_engine_rate__gives_to_others_what_one_does_not_use)
{
	const unsigned weights[] = { 9, 1, 2 };
	struct crowd c;

	crowd_init(&c, weights, 3);
	/* 1 MB/s of the 7.5 that it might have. */
	c.piece[0] = 200000;
	c.pause_us[0] = 200000;
	crowd_run(&c, SECOND, 3 * SECOND);
	assert_in_range(c.moved[0], RATE * 2 / 10 * 8 / 10, RATE * 2 / 10);
	assert_near(c.moved[0] + c.moved[1] + c.moved[2], 2 * RATE);
	assert_near(c.moved[2], 2 * c.moved[1]);
	crowd_fini(&c);
}

TEST(test_engine_rate__keeps_nothing_for_who_was_away)
{
	const unsigned weights[] = { 1, 1 };
	struct crowd c;

	crowd_init(&c, weights, 2);
	c.piece[1] = 0;
	crowd_run(&c, SECOND, 11 * SECOND);
	memset(c.moved, 0, sizeof(c.moved));
	c.piece[1] = 1000000;
	crowd_run(&c, 11 * SECOND, 13 * SECOND);
	assert_near(c.moved[0], RATE);
	assert_near(c.moved[1], RATE);
	/* And a burst is no more than its time. */
	memset(c.moved, 0, sizeof(c.moved));
	crowd_run(&c, 100 * (int64_t)SECOND, 100 * (int64_t)SECOND + 1000);
	assert_true(c.moved[0] + c.moved[1] <=
	            RATE * RATE_BURST_US / SECOND + 2 * RATE_SLICE);
	crowd_fini(&c);
}

TEST(test_engine_rate__weighs_anew)
{
	const unsigned weights[] = { 1, 1 };
	struct crowd c;

	crowd_init(&c, weights, 2);
	crowd_run(&c, SECOND, 2 * SECOND);
	rate_weigh(c.r, &c.flows[1], 4);
	memset(c.moved, 0, sizeof(c.moved));
	crowd_run(&c, 2 * SECOND, 4 * SECOND);
	assert_near(c.moved[0], 2 * RATE / 5);
	assert_near(c.moved[1], 2 * RATE * 4 / 5);
	crowd_fini(&c);
}

TEST(test_engine_rate__lets_nobody_block_who_gave_up)
{
	const unsigned weights[] = { 1, 1 };
	struct crowd c;

	crowd_init(&c, weights, 2);
	crowd_run(&c, SECOND, 2 * SECOND);
	/* It waits at the front, and goes. */
	c.piece[0] = 0;
	rate_ask_fini(c.r, &c.asks[0]);
	memset(c.moved, 0, sizeof(c.moved));
	crowd_run(&c, 2 * SECOND, 4 * SECOND);
	assert_near(c.moved[1], 2 * RATE);
	crowd_fini(&c);
}

TEST(test_engine_rate__lets_the_smallest_limit_move)
{
	struct rate *r = rate_new(1);
	struct rate_flow f;
	struct rate_ask a;
	uint64_t n = 5000, moved = 0;

	rate_flow_init(&f, 1);
	rate_ask_init(&a, &f);
	for (int64_t us = SECOND; us < 5000 * (int64_t)SECOND; us += SECOND)
		if (rate_ask(r, &a, us, &n) == 0)
			moved += n;
	assert_in_range(moved, 3000, 6100);
	rate_ask_fini(r, &a);
	rate_free(r);
}
