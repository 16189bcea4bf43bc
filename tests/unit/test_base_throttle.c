/* SPDX-License-Identifier: MIT */
#include "base/throttle.h"

#include "unit.h"

#define SECOND 1000

struct ground {
	struct clock_manual clock;
	struct throttle *t;
};

static void
begin(struct ground *g, enum throttle_kind kind, uint64_t per_minute)
{
	clock_manual_init(&g->clock, 0);
	g->t = throttle_new(kind, per_minute, &g->clock.clock);
}

static int64_t
take(struct ground *g, const char *who)
{
	return throttle_take(g->t, slice_str(who));
}

TEST(test_base_throttle__a_window_opens_a_minute_after_its_first)
{
	struct ground g;

	begin(&g, THROTTLE_WINDOW, 3);
	assert_int_equal(take(&g, "a"), 0);
	clock_manual_advance(&g.clock, 59 * SECOND);
	assert_int_equal(take(&g, "a"), 0);
	assert_int_equal(take(&g, "a"), 0);
	assert_int_equal(take(&g, "a"), SECOND);
	assert_int_equal(take(&g, "b"), 0);
	clock_manual_advance(&g.clock, 999);
	assert_int_equal(take(&g, "a"), 1);
	clock_manual_advance(&g.clock, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(&g, "a"), 0);
	assert_int_equal(take(&g, "a"), 60 * SECOND);
	throttle_free(g.t);
}

TEST(test_base_throttle__a_bucket_fills_evenly)
{
	struct ground g;

	begin(&g, THROTTLE_BUCKET, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(take(&g, "a"), 0);
	assert_int_equal(take(&g, "a"), 15 * SECOND);
	assert_int_equal(take(&g, "b"), 0);
	clock_manual_advance(&g.clock, 15 * SECOND - 1);
	assert_int_equal(take(&g, "a"), 1);
	clock_manual_advance(&g.clock, 1);
	assert_int_equal(take(&g, "a"), 0);
	assert_int_equal(take(&g, "a"), 15 * SECOND);
	/* it does not fill over its brim */
	clock_manual_advance(&g.clock, 3600 * SECOND);
	for (int i = 0; i < 4; i++)
		assert_int_equal(take(&g, "a"), 0);
	assert_int_not_equal(take(&g, "a"), 0);
	throttle_free(g.t);
}

TEST(test_base_throttle__a_refusal_costs_nothing)
{
	struct ground g;

	begin(&g, THROTTLE_BUCKET, 1);
	assert_int_equal(take(&g, "a"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(take(&g, "a"), 60 * SECOND);
	clock_manual_advance(&g.clock, 60 * SECOND);
	assert_int_equal(take(&g, "a"), 0);
	throttle_free(g.t);
}

TEST(test_base_throttle__the_largest_rate)
{
	struct ground g;

	begin(&g, THROTTLE_BUCKET, 1000000000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(&g, "a"), 0);
	throttle_free(g.t);
}

/* A flood of strangers finds room, and whoever is refused meanwhile stays so
 * but for bad luck. */
TEST(test_base_throttle__a_flood)
{
	struct ground g;
	uint32_t n;
	int kept = 0;

	begin(&g, THROTTLE_WINDOW, 1);
	for (n = 0; n < 4 * THROTTLE_SLOTS; n++) {
		struct slice who = { (const char *)&n, sizeof(n) };

		assert_int_equal(throttle_take(g.t, who), 0);
		if (n % 64 == 0)
			clock_manual_advance(&g.clock, 1);
	}
	/* the newest are there still */
	for (uint32_t i = n - THROTTLE_SLOTS / 16; i < n; i++) {
		struct slice who = { (const char *)&i, sizeof(i) };

		kept += throttle_take(g.t, who) > 0;
	}
	assert_true(kept > (int)(THROTTLE_SLOTS / 16 * 99 / 100));
	throttle_free(g.t);
}
