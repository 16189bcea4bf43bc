/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/filename.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_proto_filename__takes_and_composes)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "a", "a" },
		{ "a.txt", "a.txt" },
		{ " a ", " a " },
		{ "dir/sub/a.txt", "dir/sub/a.txt" },
		{ "...", "..." },
		{ "..a/.b/c..", "..a/.b/c.." },
		{ "C:a", "C:a" },
		{ "~/*?<>|\"'&;$()", "~/*?<>|\"'&;$()" },
		{ "%2e%2e%2f", "%2e%2e%2f" },
		{ "\xc3\xa4", "\xc3\xa4" },
		/* a + U+0308 */
		{ "a\xcc\x88", "\xc3\xa4" },
		/* U+1E9B U+0323, a case of UAX 15 */
		{ "\xe1\xba\x9b\xcc\xa3", "\xe1\xba\x9b\xcc\xa3" },
		/* U+212B is U+00C5; compatibility forms stay */
		{ "\xe2\x84\xab", "\xc3\x85" },
		{ "\xef\xac\x81", "\xef\xac\x81" },
		/* Hangul U+1112 U+1161 U+11AB */
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" },
		{ "\xf0\x9f\x98\x80/\xe4\xb8\xad", "\xf0\x9f\x98\x80/"
		                                   "\xe4\xb8\xad" },
		/* joiners and marks that are no overrides */
		{ "a\xe2\x80\x8d", "a\xe2\x80\x8d" },
		{ "a\xe2\x80\x8f", "a\xe2\x80\x8f" },
		/* around the forbidden ones: U+2027, U+202F, U+2065, U+206A,
		 * U+00A0, the full-width slash and backslash */
		{ "\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf" },
		{ "\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x81\xa5\xe2\x81\xaa" },
		{ "\xc2\xa0~", "\xc2\xa0~" },
		{ "\xef\xbc\x8f\xef\xbc\xbc", "\xef\xbc\x8f\xef\xbc\xbc" },
	};
	struct err err = ERR_INIT;
	char *name;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		name = NULL;
		if (filename_normalise(slice_str(cases[i].in), &name, &err) < 0)
			fail_msg("'%s': %s", cases[i].in, err.msg);
		assert_string_equal(name, cases[i].out);
		free(name);
	}
}

TEST(test_proto_filename__refuses)
{
	static const struct {
		struct slice in;
		const char *why; /* a part of the message */
	} cases[] = {
		{ { NULL, 0 }, "empty" },
		{ { "", 0 }, "empty" },
		{ { "/", 1 }, "segment" },
		{ { "/a", 2 }, "begins" },
		{ { "a/", 2 }, "ends" },
		{ { "a//b", 4 }, "empty segment" },
		{ { ".", 1 }, "'.'" },
		{ { "..", 2 }, "'..'" },
		{ { "a/../b", 6 }, "'..'" },
		{ { "a/./b", 5 }, "'.'" },
		{ { "../a", 4 }, "'..'" },
		{ { "a/..", 4 }, "'..'" },
		{ { "a\\b", 3 }, "backslash" },
		{ { "..\\..\\a", 7 }, "backslash" },
		{ { "a\0b", 3 }, "control" },
		{ { "\0", 1 }, "control" },
		{ { "a\r\n", 3 }, "control" },
		{ { "a\tb", 3 }, "control" },
		{ { "\x1f", 1 }, "control" },
		{ { "\x7f", 1 }, "control" },
		{ { "\xc2\x80", 2 }, "control" },
		{ { "\xc2\x9f", 2 }, "control" },
		{ { "a\xe2\x80\xa8", 4 }, "line or paragraph" },
		{ { "a\xe2\x80\xa9", 4 }, "line or paragraph" },
		{ { "a\xe2\x80\xaa", 4 }, "override" },
		{ { "a\xe2\x80\xae", 4 }, "override" },
		{ { "a\xe2\x81\xa6", 4 }, "isolate" },
		{ { "a\xe2\x81\xa9", 4 }, "isolate" },
		/* no UTF-8: a lone byte, overlong '/', a surrogate, beyond
		 * U+10FFFF, cut short */
		{ { "a\xff", 2 }, "UTF-8" },
		{ { "\xe4", 1 }, "UTF-8" },
		{ { "\xc0\xaf", 2 }, "UTF-8" },
		{ { "\xed\xa0\x80", 3 }, "UTF-8" },
		{ { "\xf4\x90\x80\x80", 4 }, "UTF-8" },
		{ { "a\xe2\x82", 3 }, "UTF-8" },
	};
	struct err err = ERR_INIT;
	char *name = NULL;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		err_clear(&err);
		if (filename_normalise(cases[i].in, &name, &err) == 0)
			fail_msg("case %zu was taken: '%s'", i, name);
		assert_int_equal(err.code, ERR_INVALID_FILENAME);
		if (strstr(err.msg, cases[i].why) == NULL)
			fail_msg("case %zu: '%s'", i, err.msg);
		assert_null(name);
	}
}

/* ${n} times ${what}, cut into segments of ${each} by slashes (0: none). */
static int
check_repeated(const char *what, size_t n, size_t each, size_t *ret_len)
{
	struct err err = ERR_INIT;
	char *name = NULL;
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, 100000);
	for (i = 0; i < n; i++) {
		if (each > 0 && i > 0 && i % each == 0)
			buf_append_char(&b, '/');
		buf_append_str(&b, what);
	}
	rc = filename_normalise(buf_slice(&b), &name, &err);
	if (rc == 0)
		*ret_len = strlen(name);
	else
		assert_int_equal(err.code, ERR_INVALID_FILENAME);
	free(name);
	buf_fini(&b);
	return rc;
}

TEST(test_proto_filename__bounds_segments_and_the_whole)
{
	size_t len = 0;

	assert_int_equal(check_repeated("a", 255, 0, &len), 0);
	assert_int_equal(len, 255);
	assert_int_equal(check_repeated("a", 256, 0, &len), -1);
	assert_int_equal(check_repeated("\xc3\xa4", 127, 0, &len), 0);
	assert_int_equal(check_repeated("\xc3\xa4", 128, 0, &len), -1);
	/* 4 * 255 + 3 slashes = 1023, and 1025 with "/a" */
	assert_int_equal(check_repeated("a", 1020, 255, &len), 0);
	assert_int_equal(len, 1023);
	assert_int_equal(check_repeated("a", 1021, 255, &len), -1);
	/* 511 * 2 + 1 = 1023, 512 * 2 - 1 = 1023, 513 * 2 - 1 = 1025 */
	assert_int_equal(check_repeated("a", 512, 1, &len), 0);
	assert_int_equal(len, 1023);
	assert_int_equal(check_repeated("a", 513, 1, &len), -1);
}

/* What counts is the length after composing. */
TEST(test_proto_filename__measures_what_is_composed)
{
	size_t len = 0;

	/* 9 bytes of Hangul each, 3 composed */
	assert_int_equal(
	    check_repeated("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 85, 0, &len),
	    0);
	assert_int_equal(len, 255);
	assert_int_equal(
	    check_repeated("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 86, 0, &len),
	    -1);
	assert_int_equal(check_repeated("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
	                     340, 85, &len),
	    0);
	assert_int_equal(len, 1023);
	/* U+0958 composes to nothing shorter: 3 bytes become 6 */
	assert_int_equal(check_repeated("\xe0\xa5\x98", 42, 0, &len), 0);
	assert_int_equal(len, 252);
	assert_int_equal(check_repeated("\xe0\xa5\x98", 43, 0, &len), -1);
	assert_int_equal(check_repeated("a", 90000, 200, &len), -1);
}

/* ${what} behind ${base}, as often as given. */
static int
check_marks(const char *base, const char *what, size_t n, size_t *ret_len)
{
	struct err err = ERR_INIT;
	char *name = NULL;
	struct buf b;
	int rc;

	buf_init(&b, 10000);
	buf_append_str(&b, base);
	while (n-- > 0)
		buf_append_str(&b, what);
	rc = filename_normalise(buf_slice(&b), &name, &err);
	if (rc == 0)
		*ret_len = strlen(name);
	else
		assert_non_null(strstr(err.msg, "longer than 255 bytes"));
	free(name);
	buf_fini(&b);
	return rc;
}

/* As many marks as fit, and not one more; they are not put in order when
 * there are too many, which would take long. */
TEST(test_proto_filename__bounds_marks)
{
	size_t len = 0;

	assert_int_equal(check_marks("b", "\xcc\x95", 127, &len), 0);
	assert_int_equal(len, 255);
	assert_int_equal(check_marks("b", "\xcc\x95", 128, &len), -1);
	/* three of them composed: U+03C9 U+0314 U+0342 U+0345 */
	assert_int_equal(check_marks("\xcf\x89\xcc\x94\xcd\x82\xcd\x85",
	                     "\xcc\xb4", 126, &len),
	    0);
	assert_int_equal(len, 255);
	assert_int_equal(check_marks("b", "\xcd\x85\xcc\xb4", 700, &len), -1);
	/* U+0F73 is no mark, but is made of two */
	assert_int_equal(check_marks("b", "\xe0\xbd\xb3", 42, &len), 0);
	assert_int_equal(len, 253);
	assert_int_equal(check_marks("b", "\xe0\xbd\xb3", 66, &len), -1);
}

TEST(test_proto_filename__normalises_twice_to_the_same)
{
	static const char *const names[] = { "a\xcc\x88\xcc\xa3/o\xcc\x82",
		"\xe1\x84\x92\xe1\x85\xa1", "\xcc\x88/\xcc\x88" };
	struct err err = ERR_INIT;
	char *once, *twice;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		assert_int_equal(
		    filename_normalise(slice_str(names[i]), &once, &err), 0);
		assert_int_equal(
		    filename_normalise(slice_str(once), &twice, &err), 0);
		assert_string_equal(once, twice);
		free(once);
		free(twice);
	}
}

TEST(test_proto_filename__reduces_to_the_last_segment)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "" },
		{ "a.txt", "a.txt" },
		{ "C:\\x\\a.txt", "a.txt" },
		{ "\\\\host\\share\\a.txt", "a.txt" },
		{ "dir/a.txt", "a.txt" },
		{ "/etc/passwd", "passwd" },
		{ "../../a", "a" },
		{ "x\\y/z", "z" },
		{ "x/y\\z", "z" },
		{ "dir/", "" },
		{ "..", ".." },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		assert_true(slice_eq_str(
		    filename_reduce(slice_str(cases[i].in)), cases[i].out));
	assert_int_equal(filename_reduce(SLICE_NULL).n, 0);
}

TEST(test_proto_filename__tells_last_segment_and_extension)
{
	static const struct {
		const char *name;
		const char *last;
		const char *extension;
	} cases[] = {
		{ "a", "a", "" },
		{ "a.jpg", "a.jpg", ".jpg" },
		{ "A.JPG", "A.JPG", ".jpg" },
		{ "a.tar.gz", "a.tar.gz", ".gz" },
		{ "d.ir/a", "a", "" },
		{ "d.ir/a.b/c.TXT", "c.TXT", ".txt" },
		{ ".profile", ".profile", "" },
		{ "..x", "..x", "" },
		{ ".a.b", ".a.b", ".b" },
		{ "a.", "a.", "" },
		{ "a. b", "a. b", ". b" },
		{ "a.\xc3\x84", "a.\xc3\x84", ".\xc3\x84" },
		{ "a.123456789012345678901234567890",
		    "a.123456789012345678901234567890",
		    ".123456789012345678901234567890" },
		{ "a.1234567890123456789012345678901",
		    "a.1234567890123456789012345678901", "" },
	};
	char extension[FILENAME_EXTENSION_SIZE];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		assert_string_equal(
		    filename_last(cases[i].name), cases[i].last);
		filename_extension(cases[i].name, extension);
		assert_string_equal(extension, cases[i].extension);
	}
}
