/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <inttypes.h>

#include "unit.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_base_num__uint)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "1", 0, false, 0 },
		{ "007", 9, true, 7 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "9", 5, false, 0 },
		{ "", UINT64_MAX, false, 0 },
		{ "+1", UINT64_MAX, false, 0 },
		{ "-1", UINT64_MAX, false, 0 },
		{ " 1", UINT64_MAX, false, 0 },
		{ "1 ", UINT64_MAX, false, 0 },
		{ "1.0", UINT64_MAX, false, 0 },
		{ "0x1", UINT64_MAX, false, 0 },
		{ "1e3", UINT64_MAX, false, 0 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		v = 4711;
		assert_int_equal(
		    num_uint(slice_str(cases[i].text), cases[i].max, &v),
		    cases[i].ok);
		assert_int_equal(v, cases[i].ok ? cases[i].value : 4711);
	}
	assert_false(num_uint((struct slice){ "1\0", 2 }, 9, &v));
	assert_false(num_uint(SLICE_NULL, 9, &v));
}

TEST(test_base_num__int)
{
	static const struct {
		const char *text;
		int64_t min, max;
		bool ok;
		int64_t value;
	} cases[] = {
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, true,
		    INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, true,
		    INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
		{ "-0", 0, 5, true, 0 },
		{ "-1", 0, 5, false, 0 },
		{ "-3", -3, 5, true, -3 },
		{ "6", -3, 5, false, 0 },
		{ "--1", -3, 5, false, 0 },
		{ "-", -3, 5, false, 0 },
		{ "+1", -3, 5, false, 0 },
	};
	int64_t v;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		v = 4711;
		assert_int_equal(num_int(slice_str(cases[i].text), cases[i].min,
		                     cases[i].max, &v),
		    cases[i].ok);
		assert_true(v == (cases[i].ok ? cases[i].value : 4711));
	}
}

TEST(test_base_num__hex)
{
	uint64_t v = 1;

	assert_true(num_hex(SLICE_LIT("fFfF"), UINT64_MAX, &v));
	assert_int_equal(v, 0xffff);
	assert_true(num_hex(SLICE_LIT("ffffffffffffffff"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(num_hex(SLICE_LIT("10000000000000000"), UINT64_MAX, &v));
	assert_false(num_hex(SLICE_LIT("ff"), 0xfe, &v));
	assert_false(num_hex(SLICE_LIT("0x1"), UINT64_MAX, &v));
	assert_false(num_hex(SLICE_LIT("g"), UINT64_MAX, &v));
	assert_false(num_hex(SLICE_LIT(""), UINT64_MAX, &v));
}

TEST(test_base_num__size)
{
	uint64_t v;

	assert_true(num_size(SLICE_LIT("10"), 10, &v));
	assert_int_equal(v, 10);
	assert_true(num_size(SLICE_LIT("64K"), UINT64_MAX, &v));
	assert_int_equal(v, 65536);
	assert_true(num_size(SLICE_LIT("256M"), UINT64_MAX, &v));
	assert_int_equal(v, 268435456);
	assert_true(num_size(SLICE_LIT("2G"), UINT64_MAX, &v));
	assert_true(v == UINT64_C(2147483648));
	assert_true(num_size(SLICE_LIT("1K"), 1024, &v));
	assert_false(num_size(SLICE_LIT("1K"), 1023, &v));
	assert_false(num_size(SLICE_LIT("17179869184G"), UINT64_MAX, &v));
	assert_true(num_size(SLICE_LIT("17179869183G"), UINT64_MAX, &v));
	assert_false(num_size(SLICE_LIT("1KB"), UINT64_MAX, &v));
	assert_false(num_size(SLICE_LIT("1 K"), UINT64_MAX, &v));
	assert_false(num_size(SLICE_LIT("K"), UINT64_MAX, &v));
	assert_false(num_size(SLICE_LIT("1.5G"), UINT64_MAX, &v));
	assert_false(num_size(SLICE_LIT("-1K"), UINT64_MAX, &v));
}

TEST(test_base_num__duration)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "0", 0 },
		{ "10", 10000 },
		{ "10s", 10000 },
		{ "500ms", 500 },
		{ "5m", 300000 },
		{ "24h", 86400000 },
		{ "365d", INT64_C(31536000000) },
		{ "9223372036854775807ms", INT64_MAX },
	};
	static const char *const bad[] = { "", "s", "1 s", "1w", "1S", "-1s",
		"1.5h", "1h30m", "9223372036854775808ms",
		"18446744073709551616", "106751991168d" };
	int64_t v;
	size_t i;

	for (i = 0; i < LENGTH(good); i++) {
		assert_true(
		    num_duration(slice_str(good[i].text), INT64_MAX, &v));
		assert_true(v == good[i].ms);
	}
	for (i = 0; i < LENGTH(bad); i++)
		assert_false(num_duration(slice_str(bad[i]), INT64_MAX, &v));
	assert_true(num_duration(SLICE_LIT("1s"), 1000, &v));
	assert_false(num_duration(SLICE_LIT("1s"), 999, &v));
	assert_false(num_duration(SLICE_LIT("0"), -1, &v));
}

TEST(test_base_num__bool)
{
	static const char *const yes[] = { "true", "1", "yes", "on", "TRUE",
		"Yes" };
	static const char *const no[] = { "false", "0", "no", "off", "OFF" };
	static const char *const bad[] = { "", "2", "truee", "y", "enabled" };
	bool v;
	size_t i;

	for (i = 0; i < LENGTH(yes); i++) {
		v = false;
		assert_true(num_bool(slice_str(yes[i]), &v));
		assert_true(v);
	}
	for (i = 0; i < LENGTH(no); i++) {
		v = true;
		assert_true(num_bool(slice_str(no[i]), &v));
		assert_false(v);
	}
	for (i = 0; i < LENGTH(bad); i++)
		assert_false(num_bool(slice_str(bad[i]), &v));
}
