/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

TEST(test_base_buf__appends)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	assert_int_equal(buf_append_str(&b, "one "), 0);
	assert_int_equal(buf_append_slice(&b, SLICE_LIT("two")), 0);
	assert_int_equal(buf_append_char(&b, ' '), 0);
	assert_int_equal(buf_printf(&b, "%d%s", 3, "!"), 0);
	assert_string_equal(buf_str(&b), "one two 3!");
	assert_true(slice_eq_str(buf_slice(&b), "one two 3!"));
	buf_clear(&b);
	assert_string_equal(buf_str(&b), "");
	buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(buf_append_str(&b, "again"), 0);
	buf_fini(&b);
}

TEST(test_base_buf__holds_its_maximum_and_no_byte_more)
{
	struct buf b;
	size_t max, i;

	for (max = 0; max < 300; max += 13) {
		buf_init(&b, max);
		for (i = 0; i < max; i++)
			assert_int_equal(buf_append_char(&b, 'x'), 0);
		assert_int_equal(buf_append_char(&b, 'y'), -1);
		assert_int_equal(buf_printf(&b, "%s", "y"), -1);
		assert_null(buf_reserve(&b, 1));
		assert_int_equal(b.len, max);
		assert_true(b.cap <= b.max);
		assert_int_equal(strlen(buf_str(&b)), max);
		buf_fini(&b);
	}
}

TEST(test_base_buf__failed_append_leaves_it)
{
	struct buf b;

	buf_init(&b, 8);
	buf_append_str(&b, "12345");
	assert_int_equal(buf_append_str(&b, "6789"), -1);
	assert_int_equal(buf_append(&b, "x", SIZE_MAX), -1);
	assert_string_equal(buf_str(&b), "12345");
	assert_int_equal(buf_append_str(&b, "678"), 0);
	assert_string_equal(buf_str(&b), "12345678");
	buf_fini(&b);
}

TEST(test_base_buf__has_no_limit_but_memory)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_append_str(&b, "x"), 0);
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_string_equal(buf_str(&b), "x");
	buf_fini(&b);
}

TEST(test_base_buf__reserves)
{
	struct buf b;
	char *p;

	buf_init(&b, 1000);
	buf_append_str(&b, "ab");
	p = buf_reserve(&b, 500);
	assert_non_null(p);
	memset(p, 'c', 500);
	assert_int_equal(b.len, 2);
	buf_add(&b, 3);
	assert_string_equal(buf_str(&b), "abccc");
	assert_non_null(buf_reserve(&b, 0));
	buf_fini(&b);
	assert_non_null(buf_reserve(&b, 0));
	buf_fini(&b);
}

TEST(test_base_buf__consumes)
{
	struct buf b;

	buf_init(&b, 100);
	buf_consume(&b, 0);
	buf_append_str(&b, "abcdef");
	buf_consume(&b, 2);
	assert_string_equal(buf_str(&b), "cdef");
	buf_consume(&b, 4);
	assert_string_equal(buf_str(&b), "");
	buf_fini(&b);
}

TEST(test_base_buf__gives_its_text_away)
{
	struct buf b;
	char *s;

	buf_init(&b, 100);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
	buf_append_str(&b, "mine");
	s = buf_take(&b);
	assert_string_equal(s, "mine");
	free(s);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 100);
	buf_fini(&b);
}

TEST(test_base_buf__appends_numbers)
{
	struct buf b;

	buf_init(&b, 64);
	assert_int_equal(buf_append_uint(&b, 0), 0);
	assert_int_equal(buf_append_char(&b, ' '), 0);
	assert_int_equal(buf_append_uint(&b, UINT64_MAX), 0);
	assert_string_equal(buf_str(&b), "0 18446744073709551615");
	buf_fini(&b);
}
