/* SPDX-License-Identifier: MIT */
#include "base/rand.h"

#include <string.h>

#include "unit.h"

TEST(test_base_rand__fills_all_and_no_more)
{
	unsigned char bytes[1001];
	unsigned char seen[1000];
	size_t i;
	int round;

	memset(seen, 0, sizeof(seen));
	bytes[1000] = 0xa5;
	for (round = 0; round < 8; round++) {
		rand_bytes(bytes, 1000);
		for (i = 0; i < 1000; i++)
			seen[i] |= bytes[i];
	}
	/* each is 0 eight times once in 2^64 runs */
	for (i = 0; i < 1000; i++)
		assert_int_not_equal(seen[i], 0);
	assert_int_equal(bytes[1000], 0xa5);
	rand_bytes(NULL, 0);
}

TEST(test_base_rand__differs)
{
	assert_true(rand_u64() != rand_u64());
}
