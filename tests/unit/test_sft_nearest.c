/* SPDX-License-Identifier: MIT */
#include "sft/nearest.h"

#include <string.h>

#include "unit.h"

TEST(test_sft_nearest__distance)
{
	static const struct {
		const char *a, *b;
		unsigned n;
	} cases[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "", 3 },
		{ "upload", "upload", 0 },
		{ "uplaod", "upload", 1 },
		{ "uload", "upload", 1 },
		{ "uploads", "upload", 1 },
		{ "ipload", "upload", 1 },
		{ "ipoad", "upload", 2 },
		{ "kitten", "sitting", 3 },
		{ "ba", "abc", 2 },
	};
	char longest[NEAREST_MAX + 2];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    nearest_distance(cases[i].a, cases[i].b), cases[i].n);
		assert_int_equal(
		    nearest_distance(cases[i].b, cases[i].a), cases[i].n);
	}
	memset(longest, 'x', sizeof(longest));
	longest[NEAREST_MAX + 1] = '\0';
	assert_int_equal(nearest_distance(longest, "x"), NEAREST_MAX + 1);
	longest[NEAREST_MAX] = '\0';
	assert_int_equal(nearest_distance(longest, "x"), NEAREST_MAX - 1);
	assert_int_equal(nearest_distance(longest, longest), 0);
}

TEST(test_sft_nearest__like)
{
	assert_true(nearest_is_like("dowload", "download"));
	assert_true(nearest_is_like("donwlod", "download"));
	assert_true(nearest_is_like("lss", "ls"));
	assert_false(nearest_is_like("abc", "ls"));
	assert_false(nearest_is_like("nonsense", "download"));
}
