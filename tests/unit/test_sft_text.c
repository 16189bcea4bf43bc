/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sft/text.h"

TEST(test_sft_text__sizes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1048524, "1023.9 KiB" },
		{ 1048575, "1.0 MiB" },
		{ 1048576, "1.0 MiB" },
		{ UINT64_C(5) << 30, "5.0 GiB" },
		{ UINT64_C(3) << 40, "3.0 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char text[TEXT_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_size(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
	text_rate(1536, text);
	assert_string_equal(text, "1.5 KiB/s");
}

TEST(test_sft_text__times)
{
	static const struct {
		uint64_t seconds;
		const char *clock;
		const char *span;
	} cases[] = {
		{ 0, "0:00", "0 s" },
		{ 59, "0:59", "59 s" },
		{ 60, "1:00", "1 min" },
		{ 3599, "59:59", "59 min" },
		{ 3600, "1:00:00", "1 h 0 min" },
		{ 86399, "23:59:59", "23 h 59 min" },
		{ 183600, "2d 03:00:00", "2 d 3 h" },
	};
	char text[TEXT_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_clock(cases[i].seconds, text);
		assert_string_equal(text, cases[i].clock);
		text_span(cases[i].seconds, text);
		assert_string_equal(text, cases[i].span);
	}
	text_clock(UINT64_MAX, text);
	text_span(UINT64_MAX, text);
	text_time("2026-11-24T07:30:00.000Z", text);
	assert_string_equal(text, "2026-11-24 07:30");
	text_time(NULL, text);
	assert_string_equal(text, "-");
	text_time("2026-11-24", text);
	assert_string_equal(text, "-");
	text_time("yesterday at noon, or so", text);
	assert_string_equal(text, "-");
	text_time("\x1b[2J567890T\x1b[1m6", text);
	assert_string_equal(text, "-");
}

TEST(test_sft_text__cleans)
{
	static const struct {
		const char *dirty;
		const char *clean;
	} cases[] = {
		{ "plain", "plain" },
		{ "写真.jpg", "写真.jpg" },
		{ "\x1b[2J", "\xef\xbf\xbd[2J" },
		{ "a\r\nb", "a\xef\xbf\xbd\xef\xbf\xbd"
		            "b" },
		{ "\xc2\x9b", "\xef\xbf\xbd" },     /* C1 */
		{ "\xe2\x80\xae", "\xef\xbf\xbd" }, /* U+202E */
		{ "caf\xe9", "caf\xef\xbf\xbd" },
		{ "", "" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 1024);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		text_clean(&b, slice_str(cases[i].dirty));
		assert_string_equal(buf_str(&b), cases[i].clean);
	}
	buf_fini(&b);
}

TEST(test_sft_text__measures)
{
	assert_int_equal(text_width(slice_str("")), 0);
	assert_int_equal(text_width(slice_str("abc")), 3);
	assert_int_equal(text_width(slice_str("é")), 1);
	assert_int_equal(text_width(slice_str("写真")), 4);
	assert_int_equal(text_width(slice_str("한글")), 4);
	assert_int_equal(text_width(slice_str("ｱ")), 1);
	assert_int_equal(text_width(slice_str("🎉")), 2);
	assert_int_equal(text_width(slice_str("e\xcc\x81")), 1);
	assert_int_equal(text_width(slice_str("\xff\xfe")), 2);
}

TEST(test_sft_text__fits)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *fit;
		size_t taken;
	} cases[] = {
		{ "abc", 3, "abc", 3 }, { "abcd", 3, "ab…", 3 },
		{ "abcd", 1, "…", 1 }, { "abcd", 0, "", 0 }, { "", 0, "", 0 },
		{ "写真帳", 6, "写真帳", 6 }, { "写真帳", 5, "写真…", 5 },
		{ "写真帳", 4, "写…", 3 }, /* no half of a character */
	};
	struct buf b;
	size_t i;

	buf_init(&b, 1024);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		assert_int_equal(
		    text_fit(&b, slice_str(cases[i].text), cases[i].columns),
		    cases[i].taken);
		assert_string_equal(buf_str(&b), cases[i].fit);
	}
	buf_fini(&b);
}

TEST(test_sft_text__wraps)
{
	static const struct {
		const char *text;
		struct text_block block;
		const char *wrapped;
	} cases[] = {
		{ "one two three", { 2, 9 }, "  one two\n  three\n" },
		{ "one two three", { 0, SIZE_MAX }, "one two three\n" },
		{ "incomprehensible words", { 1, 5 },
		    " incomprehensible\n words\n" },
		{ "写真 写真", { 0, 8 }, "写真\n写真\n" },
		{ "", { 2, 9 }, "\n" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 1024);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		text_wrap(&b, cases[i].text, cases[i].block);
		assert_string_equal(buf_str(&b), cases[i].wrapped);
	}
	buf_fini(&b);
}
