/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "net/http_range.h"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define WHOLE HTTP_RANGE_WHOLE
#define PART HTTP_RANGE_PART
#define UNSAT HTTP_RANGE_UNSATISFIABLE
#define TOP UINT64_MAX

static const struct {
	const char *value; /* NULL: no such field */
	uint64_t size;
	enum http_range_result result;
	uint64_t first;
	uint64_t last;
} cases[] = {
	{ NULL, 100, WHOLE, 0, 0 },
	{ "", 100, WHOLE, 0, 0 },
	{ "bytes=0-0", 100, PART, 0, 0 },
	{ "bytes=0-99", 100, PART, 0, 99 },
	{ "bytes=10-19", 100, PART, 10, 19 },
	{ "bytes=99-", 100, PART, 99, 99 },
	{ "bytes=0-", 100, PART, 0, 99 },
	{ "bytes=0-1000", 100, PART, 0, 99 },
	{ "BYTES=1-2", 100, PART, 1, 2 },
	{ "bytes=007-0008", 100, PART, 7, 8 },
	{ "bytes=-1", 100, PART, 99, 99 },
	{ "bytes=-100", 100, PART, 0, 99 },
	{ "bytes=-500", 100, PART, 0, 99 },
	{ "bytes=-0", 100, UNSAT, 0, 0 },
	{ "bytes=100-", 100, UNSAT, 0, 0 },
	{ "bytes=100-200", 100, UNSAT, 0, 0 },
	/* nothing to have a range of */
	{ "bytes=0-", 0, UNSAT, 0, 0 },
	{ "bytes=0-0", 0, UNSAT, 0, 0 },
	{ "bytes=-5", 0, WHOLE, 0, 0 },
	{ "bytes=-0", 0, UNSAT, 0, 0 },
	/* reversed: no range at all */
	{ "bytes=5-4", 100, WHOLE, 0, 0 },
	{ "bytes=200-100", 100, WHOLE, 0, 0 },
	/* several */
	{ "bytes=0-1,5-6", 100, WHOLE, 0, 0 },
	{ "bytes=0-1,", 100, WHOLE, 0, 0 },
	{ "bytes=500-600,700-", 100, WHOLE, 0, 0 },
	/* no ranges of bytes */
	{ "bytes", 100, WHOLE, 0, 0 },
	{ "bytes=", 100, WHOLE, 0, 0 },
	{ "bytes=-", 100, WHOLE, 0, 0 },
	{ "bytes=1", 100, WHOLE, 0, 0 },
	{ "bytes=1-2x", 100, WHOLE, 0, 0 },
	{ "bytes=1-2 ", 100, WHOLE, 0, 0 },
	{ "bytes= 1-2", 100, WHOLE, 0, 0 },
	{ "bytes =1-2", 100, WHOLE, 0, 0 },
	{ "bytes=a-b", 100, WHOLE, 0, 0 },
	{ "bytes=--5", 100, WHOLE, 0, 0 },
	{ "bytes=-5-", 100, WHOLE, 0, 0 },
	{ "bytes=-1-5", 100, WHOLE, 0, 0 },
	{ "bytes=+1-5", 100, WHOLE, 0, 0 },
	{ "bytes=0x1-5", 100, WHOLE, 0, 0 },
	{ "items=0-5", 100, WHOLE, 0, 0 },
	{ "=0-5", 100, WHOLE, 0, 0 },
	/* 2^63 and 2^64 and what does not fit (CVE-2017-7529) */
	{ "bytes=0-9223372036854775808", 100, PART, 0, 99 },
	{ "bytes=9223372036854775807-", 100, UNSAT, 0, 0 },
	{ "bytes=18446744073709551615-", TOP, UNSAT, 0, 0 },
	{ "bytes=18446744073709551614-", TOP, PART, TOP - 1, TOP - 1 },
	{ "bytes=0-18446744073709551615", TOP, PART, 0, TOP - 1 },
	{ "bytes=18446744073709551616-", 100, UNSAT, 0, 0 },
	{ "bytes=5-18446744073709551617", 100, PART, 5, 99 },
	{ "bytes=-18446744073709551616", 100, PART, 0, 99 },
	{ "bytes=-9223372036854775808", 100, PART, 0, 99 },
	{ "bytes=99999999999999999999999999-9", 100, WHOLE, 0, 0 },
};

TEST(test_net_http_range__follows_the_table)
{
	uint64_t first, last;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		first = last = 0;
		if (http_range(slice_str(cases[i].value), cases[i].size, &first,
		        &last) != cases[i].result ||
		    first != cases[i].first || last != cases[i].last)
			fail_msg("'%s' of %llu: %llu-%llu", cases[i].value,
			    (unsigned long long)cases[i].size,
			    (unsigned long long)first,
			    (unsigned long long)last);
	}
}

/* CVE-2011-3192: what many ranges cost must not grow with what is sent. */
TEST(test_net_http_range__ignores_a_flood_of_ranges)
{
	size_t n = 6 + 4 * 8000;
	char *value = mem_alloc(n);
	uint64_t first, last;
	size_t i;

	memcpy(value, "bytes=", 6);
	for (i = 6; i < n; i += 4)
		memcpy(value + i, "0-1,", 4);
	assert_int_equal(
	    http_range((struct slice){ value, n }, 10, &first, &last), WHOLE);
	free(value);
}
