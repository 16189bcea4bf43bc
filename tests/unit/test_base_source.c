/* SPDX-License-Identifier: MIT */
#include "base/source.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

/* Gives its text in pieces of at most three bytes, then fails or ends. */
struct slow {
	struct source source;
	const char *text;
	bool fails;
	int n_waits;
	bool is_closed;
};

static ssize_t
slow_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct slow *slow = (struct slow *)s;
	size_t left = strlen(slow->text);

	if (left == 0 && slow->fails)
		return err_set(err, ERR_CLOSED, "the peer went away");
	if (n > 3)
		n = 3;
	if (n > left)
		n = left;
	memcpy(buf, slow->text, n);
	slow->text += n;
	return (ssize_t)n;
}

static int
slow_wait(struct source *s, int timeout_ms, struct err *err)
{
	(void)err;
	((struct slow *)s)->n_waits++;
	return timeout_ms == 7 ? 0 : 1;
}

static void
slow_close(struct source *s)
{
	((struct slow *)s)->is_closed = true;
}

static void
slow_init(struct slow *slow, const char *text)
{
	*slow = (struct slow){
		.source = { .read = slow_read,
		    .wait = slow_wait,
		    .close = slow_close },
		.text = text,
	};
}

/* Opens a file of "0123456789". */
static int
digits(void)
{
	int fd = file_open(
	    AT_FDCWD, unit_temppath("digits"), O_RDWR | O_CREAT, 0600, NULL);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "0123456789", 10, NULL), 0);
	return fd;
}

TEST(test_base_source__mem)
{
	struct source *s = source_mem("abcdef", 6);
	struct extent e;
	char got[8];

	assert_int_equal(source_wait(s, -1, NULL), 1);
	assert_false(source_extent(s, &e));
	assert_int_equal(source_read(s, got, 4, NULL), 4);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(source_read(s, got, 4, NULL), 2);
	assert_memory_equal(got, "ef", 2);
	assert_int_equal(source_read(s, got, 4, NULL), 0);
	source_close(s);
	s = source_mem(NULL, 0);
	assert_int_equal(source_read(s, got, 4, NULL), 0);
	source_close(s);
	source_close(NULL);
}

TEST(test_base_source__read_full_gathers)
{
	struct err err = ERR_INIT;
	struct slow slow;
	char got[20];

	slow_init(&slow, "0123456789");
	assert_int_equal(source_read_full(&slow.source, got, 8, &err), 8);
	assert_memory_equal(got, "01234567", 8);
	assert_int_equal(source_read_full(&slow.source, got, 8, &err), 2);
	assert_int_equal(source_wait(&slow.source, 7, &err), 0);
	assert_int_equal(slow.n_waits, 1);
	slow_init(&slow, "01234");
	slow.fails = true;
	assert_int_equal(source_read_full(&slow.source, got, 5, &err), 5);
	assert_int_equal(source_read_full(&slow.source, got, 5, &err), -1);
	assert_int_equal(err.code, ERR_CLOSED);
}

TEST(test_base_source__file_reads_its_range)
{
	int fd = digits();
	struct source *s = source_file(fd, 2, 5);
	struct extent e;
	char got[20];

	assert_true(source_extent(s, &e));
	assert_int_equal(e.fd, fd);
	assert_int_equal(e.offset, 2);
	assert_int_equal(e.length, 5);
	assert_int_equal(source_read(s, got, 3, NULL), 3);
	assert_memory_equal(got, "234", 3);
	assert_true(source_extent(s, &e));
	assert_int_equal(e.offset, 5);
	assert_int_equal(e.length, 2);
	assert_int_equal(source_read(s, got, 20, NULL), 2);
	assert_memory_equal(got, "56", 2);
	assert_int_equal(source_read(s, got, 20, NULL), 0);
	source_close(s);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

TEST(test_base_source__file_too_short_is_an_error)
{
	struct source *s = source_file(digits(), 6, 5);
	struct err err = ERR_INIT;
	char got[20];

	assert_int_equal(source_read(s, got, 20, &err), 4);
	assert_int_equal(source_read(s, got, 20, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	source_close(s);
	s = source_file(-1, 0, 1);
	assert_int_equal(source_read(s, got, 1, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	source_close(s);
}

TEST(test_base_source__limit_lets_exactly_so_many_pass)
{
	static const char text[] = "0123456789";
	struct err err = ERR_INIT;
	struct source *s;
	struct slow slow;
	char got[20];
	size_t limit;

	for (limit = 0; limit <= 12; limit++) {
		slow_init(&slow, text);
		err_clear(&err);
		s = source_limit(&slow.source, limit, ERR_FILE_TOO_LARGE);
		assert_int_equal(source_wait(s, -1, NULL), 1);
		assert_int_equal(slow.n_waits, 1);
		if (limit >= 10) {
			assert_int_equal(
			    source_read_full(s, got, 20, &err), 10);
		} else {
			assert_int_equal(
			    source_read_full(s, got, limit, &err), limit);
			assert_int_equal(source_read(s, got, 20, &err), -1);
			assert_int_equal(err.code, ERR_FILE_TOO_LARGE);
		}
		source_close(s);
		assert_true(slow.is_closed);
	}
	assert_string_equal(err.msg, "");
}

TEST(test_base_source__limit_says_its_number)
{
	struct source *s = source_limit(source_mem("abc", 3), 2, ERR_IO);
	struct err err = ERR_INIT;
	char got[4];

	assert_int_equal(source_read_full(s, got, 4, &err), -1);
	assert_string_equal(err.msg, "the file is larger than 2 bytes");
	source_close(s);
}

TEST(test_base_source__limit_passes_an_extent_that_fits)
{
	struct source *s =
	    source_limit(source_file(digits(), 0, 10), 10, ERR_IO);
	struct extent e;

	assert_true(source_extent(s, &e));
	assert_int_equal(e.length, 10);
	source_close(s);
	s = source_limit(source_file(digits(), 0, 10), 9, ERR_IO);
	assert_false(source_extent(s, &e));
	source_close(s);
}

TEST(test_base_source__reads_into_parts)
{
	char a[4], b[1], c[6];
	struct err err = ERR_INIT;

	for (int from = 0; from < 3; from++) {
		struct iovec parts[4] = { { a, 4 }, { NULL, 0 }, { b, 1 },
			{ c, 6 } };
		struct slow slow;
		struct source *src = &slow.source;

		slow_init(&slow, "0123456789");
		if (from == 1)
			src = source_mem("0123456789", 10);
		if (from == 2)
			src = source_file(digits(), 0, 10);
		memset(c, 0, sizeof(c));
		assert_int_equal(source_read_parts(src, parts, 4, &err), 10);
		assert_memory_equal(a, "0123", 4);
		assert_memory_equal(b, "4", 1);
		assert_memory_equal(c, "56789", 6);
		source_close(src);
	}
}

TEST(test_base_source__fails_to_read_into_parts_what_is_not_there)
{
	char a[4], b[4];
	struct iovec parts[2] = { { a, 4 }, { b, 4 } };
	struct source *src = source_file(digits(), 4, 8);
	struct err err = ERR_INIT;

	assert_int_equal(source_read_parts(src, parts, 2, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	source_close(src);
}

TEST(test_base_source__puts_a_prefix_before_another)
{
	struct slow slow;
	struct source *src;
	struct err err = ERR_INIT;
	char prefix[3] = "ab", got[16];

	slow_init(&slow, "cdefg");
	src = source_prefixed(prefix, 2, &slow.source);
	memset(prefix, 'x', 2); /* it was copied */
	assert_int_equal(source_wait(src, 7, &err), 1);
	assert_int_equal(source_read(src, got, 1, &err), 1);
	assert_int_equal(got[0], 'a');
	assert_int_equal(source_read_full(src, got, sizeof(got), &err), 6);
	assert_memory_equal(got, "bcdefg", 6);
	assert_int_equal(source_wait(src, 7, &err), 0);
	source_close(src);
	assert_true(slow.is_closed);
}
