/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

#include "unit.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_base_utf8__decodes)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t cp;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 },
		{ "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 0xe000 },
		{ "\xef\xbf\xbf", 3, 0xffff },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	};
	uint32_t cp;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(
		    utf8_next(slice_str(cases[i].text), &cp), cases[i].n);
		assert_int_equal(cp, cases[i].cp);
		assert_true(utf8_is_valid(slice_str(cases[i].text)));
	}
	assert_int_equal(utf8_next((struct slice){ "\0x", 2 }, &cp), 1);
	assert_int_equal(cp, 0);
}

TEST(test_base_utf8__refuses)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf", /* overlong or alone */
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf", /* surrogates */
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3",
		"\xc3x",
		"\xe2\x82",
		"\xe2\x82x",
		"\xf0\x90\x80",
	};
	uint32_t cp = 7;
	size_t i;

	for (i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(utf8_next(slice_str(bad[i]), &cp), 0);
		assert_false(utf8_is_valid(slice_str(bad[i])));
	}
	assert_int_equal(utf8_next(SLICE_NULL, &cp), 0);
	assert_int_equal(cp, 7);
	assert_true(utf8_is_valid(SLICE_NULL));
	assert_false(utf8_is_valid(SLICE_LIT("ab\xffzz")));
}

TEST(test_base_utf8__cuts_no_character_in_two)
{
	/* a, e-acute, euro, a face: 1 + 2 + 3 + 4 bytes */
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };
	size_t n;

	for (n = 0; n < LENGTH(kept); n++) {
		assert_int_equal(utf8_cut((struct slice){ text, n }), kept[n]);
	}
	/* What was no UTF-8 before it was cut stays. */
	assert_int_equal(utf8_cut(SLICE_LIT("\x80\x80\x80\x80\x80")), 5);
	assert_int_equal(utf8_cut(SLICE_LIT("ab\xff")), 3);
}

TEST(test_base_utf8__knows_what_terminals_should_not_get)
{
	static const uint32_t bad[] = { 0, '\n', 0x1b, 0x1f, 0x7f, 0x80, 0x85,
		0x9b, 0x9f, 0x200e, 0x2028, 0x2029, 0x202e, 0x2066, 0x2069,
		0xfeff };
	static const uint32_t good[] = { ' ', '~', 0xa0, 0xe9, 0x20ac, 0x2027,
		0x202f, 0xd7ff, 0xfffd, 0x1f600 };
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		assert_false(utf8_is_printable(bad[i]));
	for (i = 0; i < LENGTH(good); i++)
		assert_true(utf8_is_printable(good[i]));
}

TEST(test_base_utf8__lines)
{
	assert_true(utf8_is_line(SLICE_LIT(""), 0));
	assert_true(utf8_is_line(SLICE_LIT("a\xc3\xa9"), 2));
	assert_false(utf8_is_line(SLICE_LIT("a\xc3\xa9"), 1));
	assert_false(utf8_is_line(SLICE_LIT("a\n"), 5));
	assert_false(utf8_is_line(SLICE_LIT("a\x1b"), 5));
	assert_false(utf8_is_line(SLICE_LIT("a\xc3"), 5));
}
