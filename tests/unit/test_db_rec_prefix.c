/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>

#include "db/rec_prefix.h"

TEST(test_db_rec_prefix__holds)
{
	assert_true(rec_prefix_holds("", "a"));
	assert_true(rec_prefix_holds("team/", "team/"));
	assert_true(rec_prefix_holds("team/", "team/a"));
	assert_false(rec_prefix_holds("team/", "team"));
	assert_false(rec_prefix_holds("team/", "Team/a"));
}

/* The end comes right after everything that begins with the prefix. */
TEST(test_db_rec_prefix__end)
{
	static const struct {
		const char *prefix;
		const char *end;
	} cases[] = {
		{ "a", "b" },
		{ "team/", "team0" },
		{ "a\x7f", "a\xc2\x80" },
		{ "\xc3\xbf", "\xc4\x80" },
		{ "a\xed\x9f\xbf", "a\xee\x80\x80" }, /* over the surrogates */
		{ "\xef\xbf\xbf", "\xf0\x90\x80\x80" },
		{ "b\xf4\x8f\xbf\xbf", "c" },
		{ "b\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf", "c" },
	};
	size_t i;
	char *end;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		end = rec_prefix_end(cases[i].prefix);
		assert_non_null(end);
		assert_string_equal(end, cases[i].end);
		free(end);
	}
	assert_null(rec_prefix_end(""));
	assert_null(rec_prefix_end("\xf4\x8f\xbf\xbf"));
}
