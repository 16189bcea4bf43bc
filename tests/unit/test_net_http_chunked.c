/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http_chunked.h"

struct outcome {
	struct buf data;
	size_t used;
	bool ended;
	bool failed;
};

/* Decodes ${in} in pieces of ${piece} bytes. */
static void
decode(struct slice in, size_t piece, struct outcome *ret)
{
	struct http_chunked c;
	struct err err = ERR_INIT;
	size_t at, n, used;
	ptrdiff_t got;
	char *copy;

	*ret = (struct outcome){ .used = 0 };
	buf_init(&ret->data, 1 << 20);
	http_chunked_init(&c);
	for (at = 0; at < in.n && !ret->ended && !ret->failed; at += n) {
		n = in.n - at < piece ? in.n - at : piece;
		copy = malloc(n); /* to the byte, for the sanitizer */
		assert_non_null(copy);
		memcpy(copy, in.p + at, n);
		got = http_chunked_decode(&c, copy, n, &used, &err);
		if (got < 0) {
			assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
			ret->failed = true;
		} else {
			buf_append(&ret->data, copy, (size_t)got);
			ret->used += used;
			ret->ended = http_chunked_ended(&c);
			assert_true(used == n || ret->ended);
		}
		free(copy);
	}
}

static const struct {
	const char *in;
	const char *data; /* NULL: malformed */
	const char *rest; /* what follows the body */
} cases[] = {
	{ "0\r\n\r\n", "", "" },
	{ "3\r\nabc\r\n0\r\n\r\n", "abc", "" },
	{ "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde", "GET" },
	{ "a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "" },
	{ "A\r\n0123456789\r\n000\r\n\r\n", "0123456789", "" },
	{ "0000000000000003\r\nabc\r\n0\r\n\r\n", "abc", "" },
	{ "00000000000000003\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3;a=b\r\nabc\r\n0;c=\"d;e\"\r\n\r\n", "abc", "" },
	{ "3;\r\nabc\r\n0\r\n\r\n", "abc", "" },
	{ "3\r\n\r\na\r\n0\r\n\r\n", "\r\na", "" },
	{ "0\r\nA: b\r\nC: d\r\n\r\nX", "", "X" },
	{ "0\r\nA: b\r\n c\r\n\r\n", NULL, "" },
	{ "0\r\n: b\r\n\r\n", NULL, "" },
	{ "0\r\nA: b\n\r\n", NULL, "" },
	{ "0\r\nA: \x01\r\n\r\n", NULL, "" },
	{ "0\r\n\n", NULL, "" },
	{ "0\n\n", NULL, "" },
	{ "3\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3\r\nabc\n0\r\n\r\n", NULL, "" },
	{ "3\r\nabcd\r\n0\r\n\r\n", NULL, "" },
	{ "3\r\nab\r\n0\r\n\r\n", NULL, "" },
	{ "3\rXabc\r\n0\r\n\r\n", NULL, "" },
	{ "3;a\rb\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3;a\nb\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "+3\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "-3\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "0x3\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ " 3\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3 \r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3 ;a\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "3_\r\nabc\r\n0\r\n\r\n", NULL, "" },
	{ "\r\n0\r\n\r\n", NULL, "" },
	{ ";a\r\n0\r\n\r\n", NULL, "" },
	{ "g\r\n0\r\n\r\n", NULL, "" },
	{ "8000000000000000\r\n", NULL, "" },
	{ "ffffffffffffffff\r\n", NULL, "" },
	{ "10000000000000003\r\nabc\r\n", NULL, "" },
};

TEST(test_net_http_chunked__decodes_in_pieces_of_any_size)
{
	struct outcome out;
	struct slice in;
	size_t i, piece;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in = slice_str(cases[i].in);
		for (piece = 1; piece <= in.n; piece++) {
			decode(in, piece, &out);
			if (out.failed != (cases[i].data == NULL))
				fail_msg("'%s' by %zu", cases[i].in, piece);
			if (!out.failed) {
				assert_true(out.ended);
				assert_string_equal(
				    buf_str(&out.data), cases[i].data);
				assert_string_equal(
				    in.p + out.used, cases[i].rest);
			}
			buf_fini(&out.data);
		}
	}
}

TEST(test_net_http_chunked__largest_size)
{
	struct http_chunked c;
	char in[] = "7fffffffffffffff\r\nab";
	size_t used;

	http_chunked_init(&c);
	assert_int_equal(
	    http_chunked_decode(&c, in, strlen(in), &used, NULL), 2);
	assert_true(c.left == INT64_MAX - 2);
}

static bool
is_accepted(const struct buf *in)
{
	struct outcome out;
	bool accepted;

	decode(buf_slice(in), 4096, &out);
	accepted = out.ended;
	assert_true(out.ended != out.failed);
	buf_fini(&out.data);
	return accepted;
}

/* Chunk by chunk, so that it is the sum that counts. */
static void
put_extensions(struct buf *b, size_t n)
{
	buf_clear(b);
	for (; n > 0; n--)
		buf_append_str(b, "1;x\r\na\r\n");
	buf_append_str(b, "0\r\n\r\n");
}

TEST(test_net_http_chunked__limits_extensions)
{
	struct buf in;

	buf_init(&in, 1 << 20);
	put_extensions(&in, HTTP_CHUNKED_EXTENSIONS_MAX);
	assert_true(is_accepted(&in));
	put_extensions(&in, HTTP_CHUNKED_EXTENSIONS_MAX + 1);
	assert_false(is_accepted(&in));
	buf_fini(&in);
}

static void
put_trailers(struct buf *b, size_t n)
{
	buf_clear(b);
	buf_append_str(b, "0\r\n");
	for (; n > 3; n -= 2)
		buf_append_str(b, "a:\r\n");
	buf_append_str(b, n == 3 ? "a:b\r\n" : "a:\r\n");
	buf_append_str(b, "\r\n");
}

TEST(test_net_http_chunked__limits_trailers)
{
	struct buf in;

	buf_init(&in, 1 << 20);
	put_trailers(&in, HTTP_CHUNKED_TRAILERS_MAX);
	assert_true(is_accepted(&in));
	put_trailers(&in, HTTP_CHUNKED_TRAILERS_MAX + 1);
	assert_false(is_accepted(&in));
	buf_fini(&in);
}

TEST(test_net_http_chunked__trailers_are_fields)
{
	static const struct {
		const char *line;
		bool is_good;
	} lines[] = {
		{ "X-Sum: 5", true },
		{ "X-Sum:", true },
		{ "X: a:b \t\xff", true },
		{ "X", false },
		{ "X : y", false },
		{ ": y", false },
		{ " X: y", false },
		{ "X(: y", false },
		{ "X: \x01", false },
	};
	struct buf in;
	size_t i;

	buf_init(&in, 1 << 20);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_clear(&in);
		buf_printf(&in, "0\r\n%s\r\n\r\n", lines[i].line);
		assert_int_equal(is_accepted(&in), lines[i].is_good);
	}
	buf_fini(&in);
}

TEST(test_net_http_chunked__skip_stops_before_data)
{
	static const char in[] = "3\r\nabc\r\n0\r\n\r\nX";
	struct http_chunked c;

	http_chunked_init(&c);
	assert_int_equal(http_chunked_skip(&c, in, 2, NULL), 2);
	assert_false(http_chunked_in_data(&c));
	assert_int_equal(http_chunked_skip(&c, in + 2, 5, NULL), 1);
	assert_true(http_chunked_in_data(&c));
	assert_int_equal(http_chunked_skip(&c, in + 3, 3, NULL), 0);
	assert_int_equal(http_chunked_take(&c, 2), 2);
	assert_int_equal(http_chunked_take(&c, 2), 1);
	assert_int_equal(http_chunked_take(&c, 2), 0);
	assert_int_equal(http_chunked_skip(&c, in + 6, 8, NULL), 7);
	assert_true(http_chunked_ended(&c));
}

/* Once wrong, it stays wrong. */
TEST(test_net_http_chunked__stays_bad)
{
	struct http_chunked c;

	http_chunked_init(&c);
	assert_int_equal(http_chunked_skip(&c, "x", 1, NULL), -1);
	assert_int_equal(http_chunked_skip(&c, "0\r\n\r\n", 5, NULL), -1);
}
