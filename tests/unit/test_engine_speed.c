/* SPDX-License-Identifier: MIT */
#include "engine/speed.h"

#include "unit.h"

TEST(test_engine_speed__is_zero_at_first)
{
	struct speed s;

	speed_init(&s, 1000);
	assert_int_equal(speed_now(&s, 1000, 0), 0);
}

TEST(test_engine_speed__is_the_mean_while_young)
{
	struct speed s;

	speed_init(&s, 0);
	speed_add(&s, 500, 500000);
	assert_int_equal(speed_now(&s, 1000, 2000000), 2000000);
}

TEST(test_engine_speed__forgets_what_is_older_than_the_window)
{
	struct speed s;
	uint64_t bytes = 0;

	speed_init(&s, 0);
	/* Ten seconds at 1 MB/s, then ten at 3 MB/s. */
	for (int64_t ms = 200; ms <= 20000; ms += 200) {
		bytes += ms <= 10000 ? 200000 : 600000;
		speed_add(&s, ms, bytes);
	}
	assert_int_equal(speed_now(&s, 20000, bytes), 3000000);
}

TEST(test_engine_speed__falls_to_zero_when_nothing_moves)
{
	struct speed s;

	speed_init(&s, 0);
	speed_add(&s, 1000, 5000000);
	assert_int_equal(speed_now(&s, 60000, 5000000), 0);
}

TEST(test_engine_speed__ignores_samples_that_are_too_close)
{
	struct speed s;

	speed_init(&s, 0);
	for (int64_t ms = 1; ms < SPEED_STEP_MS; ms++)
		speed_add(&s, ms, (uint64_t)ms);
	assert_int_equal(s.count, 1);
}
