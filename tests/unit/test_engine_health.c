/* SPDX-License-Identifier: MIT */
#include "engine/health.h"

#include "unit.h"

#define MIB ((uint64_t)1024 * 1024)

TEST(test_engine_health__says_little_without_evidence)
{
	const struct health_evidence none = { .rtt_us = 0 };
	struct health_advice a = health_judge(&none);

	assert_int_equal(a.quality, HEALTH_GOOD);
	assert_int_equal(a.chunk_size, HEALTH_CHUNK_DEFAULT);
	assert_int_equal(a.parallel, 1);
}

TEST(test_engine_health__judges_by_the_round_trip_and_what_it_varies)
{
	static const struct {
		uint32_t rtt_us, rttvar_us;
		enum health_quality quality;
	} cases[] = {
		{ 50 * 1000, 0, HEALTH_EXCELLENT },
		{ 50 * 1000 + 1, 0, HEALTH_GOOD },
		{ 10 * 1000, 21 * 1000, HEALTH_GOOD },
		{ 150 * 1000, 0, HEALTH_GOOD },
		{ 151 * 1000, 0, HEALTH_FAIR },
		{ 400 * 1000, 0, HEALTH_FAIR },
		{ 401 * 1000, 0, HEALTH_POOR },
		{ UINT32_MAX, UINT32_MAX, HEALTH_POOR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct health_evidence e = { .rtt_us = cases[i].rtt_us,
			.rttvar_us = cases[i].rttvar_us };

		assert_int_equal(health_judge(&e).quality, cases[i].quality);
	}
}

TEST(test_engine_health__judges_by_loss)
{
	static const struct {
		uint32_t retransmits, segments;
		enum health_quality quality;
	} cases[] = {
		{ 1, 1000, HEALTH_EXCELLENT },
		{ 2, 1000, HEALTH_GOOD },
		{ 11, 1000, HEALTH_FAIR },
		{ 51, 1000, HEALTH_POOR },
		{ 9, 9, HEALTH_EXCELLENT }, /* too few to tell */
		{ 10, 10, HEALTH_POOR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct health_evidence e = { .rtt_us = 100,
			.retransmits = cases[i].retransmits,
			.segments = cases[i].segments };

		assert_int_equal(health_judge(&e).quality, cases[i].quality);
	}
}

TEST(test_engine_health__aims_at_a_chunk_in_two_seconds)
{
	struct health_evidence e = { .rtt_us = 1000, .rate_bps = 4 * MIB };

	assert_int_equal(health_judge(&e).chunk_size, 8 * MIB);
	e.rate_bps = 4 * MIB - 1;
	assert_int_equal(health_judge(&e).chunk_size, 4 * MIB);
	e.rate_bps = 1;
	assert_int_equal(health_judge(&e).chunk_size, HEALTH_CHUNK_MIN);
	e.rate_bps = UINT64_MAX;
	assert_int_equal(health_judge(&e).chunk_size, HEALTH_CHUNK_MAX);
}

TEST(test_engine_health__cuts_smaller_what_is_lost)
{
	struct health_evidence e = {
		.rtt_us = 1000,
		.rate_bps = 4 * MIB,
		.segments = 1000,
	};

	e.retransmits = 10;
	assert_int_equal(health_judge(&e).chunk_size, 4 * MIB);
	e.retransmits = 30;
	assert_int_equal(health_judge(&e).chunk_size, 2 * MIB);
	e.retransmits = 1000;
	assert_int_equal(health_judge(&e).chunk_size, HEALTH_CHUNK_MIN);
}

TEST(test_engine_health__sends_more_at_once_over_long_wide_lines)
{
	struct health_evidence e = { .rtt_us = 100000, .rate_bps = 5 * MIB };

	assert_int_equal(health_judge(&e).parallel, 1);
	e.rate_bps = 11 * MIB;
	assert_int_equal(health_judge(&e).parallel, 3);
	e.rate_bps = UINT64_MAX;
	assert_int_equal(health_judge(&e).parallel, HEALTH_PARALLEL_MAX);
}

TEST(test_engine_health__has_a_name_for_each_quality)
{
	assert_string_equal(health_quality_name(HEALTH_EXCELLENT), "excellent");
	assert_string_equal(health_quality_name(HEALTH_GOOD), "good");
	assert_string_equal(health_quality_name(HEALTH_FAIR), "fair");
	assert_string_equal(health_quality_name(HEALTH_POOR), "poor");
}
