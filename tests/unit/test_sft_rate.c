/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "sft/rate.h"

TEST(test_sft_rate__steady)
{
	struct rate r;
	int64_t ms;

	rate_init(&r, 5000);
	assert_int_equal(rate_bps(&r, 5000, 0), 0);
	for (ms = 100; ms <= 20000; ms += 100)
		rate_note(&r, 5000 + ms, (uint64_t)ms * 10);
	assert_int_equal(rate_bps(&r, 25000, 200000), 10000);
}

TEST(test_sft_rate__forgets)
{
	struct rate r;
	int64_t ms;

	rate_init(&r, 0);
	for (ms = 100; ms <= 10000; ms += 100)
		rate_note(&r, ms, (uint64_t)ms * 1000);
	/* nothing moves any more */
	for (; ms <= 20000; ms += 100)
		rate_note(&r, ms, 10000000);
	assert_int_equal(rate_bps(&r, 20000, 10000000), 0);
}

TEST(test_sft_rate__begins_at_once)
{
	struct rate r;

	rate_init(&r, 0);
	rate_note(&r, 50, 5000);
	assert_int_equal(rate_bps(&r, 100, 10000), 100000);
}
