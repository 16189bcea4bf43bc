/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

#include <stdlib.h>

#include "unit.h"

TEST(test_base_slice__compares)
{
	assert_true(slice_eq(SLICE_LIT("abc"), slice_str("abc")));
	assert_false(slice_eq(SLICE_LIT("abc"), SLICE_LIT("abd")));
	assert_false(slice_eq(SLICE_LIT("abc"), SLICE_LIT("ab")));
	assert_true(slice_eq(SLICE_NULL, SLICE_LIT("")));
	assert_true(slice_eq_str(SLICE_LIT("a\0b"), "a") == false);
	assert_true(slice_eq_str(SLICE_NULL, ""));
	assert_null(slice_str(NULL).p);
	assert_int_equal(slice_str(NULL).n, 0);
}

TEST(test_base_slice__ignores_ascii_case_only)
{
	assert_true(slice_eq_nocase(SLICE_LIT("Content-TYPE"), "content-type"));
	assert_false(slice_eq_nocase(SLICE_LIT("content"), "content-type"));
	/* '[' and '{', '@' and '`' differ by the case bit, too */
	assert_false(slice_eq_nocase(SLICE_LIT("["), "{"));
	assert_false(slice_eq_nocase(SLICE_LIT("@"), "`"));
	/* Latin-1 E with acute */
	assert_false(slice_eq_nocase(SLICE_LIT("\xc9"), "\xe9"));
}

TEST(test_base_slice__starts)
{
	assert_true(slice_starts(SLICE_LIT("sqlite:x"), "sqlite:"));
	assert_true(slice_starts(SLICE_LIT("x"), ""));
	assert_true(slice_starts(SLICE_NULL, ""));
	assert_false(slice_starts(SLICE_LIT("sql"), "sqlite:"));
}

TEST(test_base_slice__trims_spaces_and_tabs)
{
	assert_true(slice_eq_str(slice_trim(SLICE_LIT(" \ta b\t ")), "a b"));
	assert_true(slice_eq_str(slice_trim(SLICE_LIT("\ra\n")), "\ra\n"));
	assert_int_equal(slice_trim(SLICE_LIT(" \t ")).n, 0);
	assert_int_equal(slice_trim(SLICE_NULL).n, 0);
}

TEST(test_base_slice__splits)
{
	static const struct {
		const char *text;
		const char *parts[4];
	} cases[] = {
		{ "", { NULL } },
		{ "a", { "a", NULL } },
		{ "a,b", { "a", "b", NULL } },
		{ ",a,,b", { "", "a", "", "b" } },
		{ "a,", { "a", NULL } },
	};
	struct slice rest, part;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rest = slice_str(cases[i].text);
		for (k = 0; k < 4 && cases[i].parts[k] != NULL; k++) {
			assert_true(slice_next(&rest, ',', &part));
			assert_true(slice_eq_str(part, cases[i].parts[k]));
		}
		assert_false(slice_next(&rest, ',', &part));
	}
}

TEST(test_base_slice__copies)
{
	char *s = slice_dup((struct slice){ "abcdef", 3 });

	assert_string_equal(s, "abc");
	free(s);
	s = slice_dup(SLICE_NULL);
	assert_string_equal(s, "");
	free(s);
}
