/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

#include "unit.h"

TEST(test_base_clock__system_agrees_with_time)
{
	const struct clock *c = clock_system();
	int64_t before = clock_mono_ns(c);
	int64_t seconds = (int64_t)time(NULL);
	int64_t wall = clock_wall_ms(c) / 1000;

	assert_true(wall >= seconds && wall <= seconds + 2);
	assert_true(clock_mono_ns(c) >= before);
	assert_true(clock_mono_ms(c) >= before / 1000000);
}

TEST(test_base_clock__manual_moves_when_told)
{
	struct clock_manual m;
	int64_t mono;

	clock_manual_init(&m, 5000);
	mono = clock_mono_ms(&m.clock);
	assert_true(mono > 0);
	assert_int_equal(clock_wall_ms(&m.clock), 5000);
	clock_manual_advance(&m, 1500);
	assert_int_equal(clock_wall_ms(&m.clock), 6500);
	assert_int_equal(clock_mono_ms(&m.clock), mono + 1500);
	assert_int_equal(clock_mono_ns(&m.clock), (mono + 1500) * 1000000);
}

TEST(test_base_clock__writes_rfc3339)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ INT64_C(1795505400007), "2026-11-24T07:30:00.007Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ CLOCK_RFC3339_MIN, "0000-01-01T00:00:00.000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char text[CLOCK_RFC3339_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_rfc3339(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}
