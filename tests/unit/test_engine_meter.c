/* SPDX-License-Identifier: MIT */
#include "engine/meter.h"

#include "unit.h"

#define BPS 1000

TEST(test_engine_meter__says_nothing_before_its_window_is_full)
{
	struct meter m;

	meter_init(&m, 100);
	meter_add(&m, 100, 1000000);
	assert_false(meter_is_at(&m, 100 + METER_WINDOW_MS - 1, BPS));
	meter_init(&m, 100);
	assert_false(meter_is_below(&m, 100 + METER_WINDOW_MS - 1, BPS));
	assert_true(meter_is_below(&m, 100 + METER_WINDOW_MS, BPS));
}

TEST(test_engine_meter__tells_a_rate_from_one_that_is_a_little_less)
{
	struct meter m;
	int64_t ms;

	meter_init(&m, 0);
	for (ms = 0; ms <= METER_WINDOW_MS; ms += METER_STEP_MS)
		meter_add(&m, ms, BPS * METER_STEP_MS / 1000);
	ms -= METER_STEP_MS;
	assert_true(meter_is_at(&m, ms, BPS));
	assert_false(meter_is_below(&m, ms, BPS));
	assert_true(meter_is_below(&m, ms, BPS + 1));
	assert_false(meter_is_at(&m, ms, BPS + 1));
}

TEST(test_engine_meter__forgets_what_is_older_than_its_window)
{
	struct meter m;

	meter_init(&m, 0);
	meter_add(&m, 0, 1000000);
	assert_true(meter_is_below(&m, METER_WINDOW_MS, BPS));
	/* Also after a jump of many windows. */
	meter_add(&m, METER_WINDOW_MS, 1000000);
	assert_false(meter_is_below(&m, METER_WINDOW_MS, BPS));
	assert_true(meter_is_below(&m, (int64_t)METER_WINDOW_MS * 1000, BPS));
}
