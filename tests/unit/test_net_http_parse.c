/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http_parse.h"

static const struct http_parse_limits limits = { 8192, 32768, 100 };

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

/* Feeds ${head} in two steps, the first of ${split} bytes, from memory that
 * is exactly as large. */
static ptrdiff_t
feed_split(
    struct http_parse *p, struct slice head, size_t split, struct err *err)
{
	char *first = malloc(split + 1);
	ptrdiff_t len;

	assert_non_null(first);
	memcpy(first, head.p, split);
	http_parse_init(p, &limits);
	len = http_parse_feed(p, first, split, err);
	free(first);
	if (len == 0)
		len = http_parse_feed(p, head.p, head.n, err);
	return len;
}

static ptrdiff_t
feed_bytewise(struct http_parse *p, struct slice head, struct err *err)
{
	ptrdiff_t len = 0;
	size_t n;

	http_parse_init(p, &limits);
	for (n = 1; n <= head.n && len == 0; n++)
		len = http_parse_feed(p, head.p, n, err);
	return len;
}

struct wanted {
	struct slice head;
	enum err_code code;
};

#define H(text, code)                                                          \
	{                                                                      \
		{ (text), sizeof(text) - 1 }, code                             \
	}
#define OK ERR_NONE
#define BAD ERR_MALFORMED_REQUEST

/* clang-format off */
static const struct wanted heads[] = {
	/* request lines */
	H(LINE HOST "\r\n", OK),
	H("\r\n" LINE HOST "\r\n", OK),
	H("\r\n\r\n" LINE HOST "\r\n", OK),
	H("\r\n\r\n\r\n" LINE HOST "\r\n", BAD),
	H("\n" LINE HOST "\r\n", BAD),
	H(" " LINE HOST "\r\n", BAD),
	H("GET  / HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET /  HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET / HTTP/1.1 \r\n" HOST "\r\n", BAD),
	H("GET\t/ HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET / HTTP/1.1\n" HOST "\r\n", BAD),
	H("GET / HTTP/1.1\r\r\n" HOST "\r\n", BAD),
	H("GET /\r\n\r\n", BAD),
	H("GET\r\n\r\n", BAD),
	H("/ HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("G(T / HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET: / HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("FROBNICATE / HTTP/1.1\r\n" HOST "\r\n", OK),
	H("get / HTTP/1.1\r\n" HOST "\r\n", OK),
	H("\x16\x03\x01\x02\x00\x01\x00", BAD), /* TLS */
	/* versions */
	H("GET / HTTP/1.0\r\n\r\n", OK),
	H("GET / HTTP/1.2\r\n" HOST "\r\n", OK),
	H("GET / HTTP/2.0\r\n" HOST "\r\n", ERR_VERSION_NOT_SUPPORTED),
	H("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERR_VERSION_NOT_SUPPORTED),
	H("GET / HTTP/0.9\r\n\r\n", ERR_VERSION_NOT_SUPPORTED),
	H("GET / HTTP/1.10\r\n" HOST "\r\n", BAD),
	H("GET / HTTP/1,1\r\n" HOST "\r\n", BAD),
	H("GET / HTTP/1\r\n" HOST "\r\n", BAD),
	H("GET / http/1.1\r\n" HOST "\r\n", BAD),
	H("GET / HTTP/+1.1\r\n" HOST "\r\n", BAD),
	H("GET / XTTP/1.1\r\n" HOST "\r\n", BAD),
	/* targets */
	H("GET /a%20b?c=d HTTP/1.1\r\n" HOST "\r\n", OK),
	H("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", OK),
	H("GET /a#b HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET /a\x01 HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET /a\x7f HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET /a\0b HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET a HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET ?a HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET http://h/a HTTP/1.1\r\n" HOST "\r\n", OK),
	H("GET HTTPS://h:1?q HTTP/1.1\r\n" HOST "\r\n", OK),
	H("GET http:///a HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET http://u@h/a HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET ftp://h/a HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("GET file:/etc/passwd HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", OK),
	H("GET * HTTP/1.1\r\n" HOST "\r\n", BAD),
	H("OPTIONS *a HTTP/1.1\r\n" HOST "\r\n", BAD),
	/* fields */
	H(LINE HOST "A: b\r\n\r\n", OK),
	H(LINE HOST "A:\r\n\r\n", OK),
	H(LINE HOST "A: \t b\tc \r\n\r\n", OK),
	H(LINE HOST "A: \xff\r\n\r\n", OK),
	H(LINE HOST "A : b\r\n\r\n", BAD),
	H(LINE HOST "A\t: b\r\n\r\n", BAD),
	H(LINE HOST ": b\r\n\r\n", BAD),
	H(LINE HOST "A\r\n\r\n", BAD),
	H(LINE HOST "A b: c\r\n\r\n", BAD),
	H(LINE HOST "A\xe9: c\r\n\r\n", BAD),
	H(LINE HOST "A(: c\r\n\r\n", BAD),
	H(LINE HOST "A: b\r\n c\r\n\r\n", BAD), /* folded */
	H(LINE HOST "A: b\r\n\tc\r\n\r\n", BAD),
	H(LINE " A: b\r\n" HOST "\r\n", BAD),
	H(LINE HOST "A: b\n\r\n", BAD),
	H(LINE HOST "A: b\r\n\n", BAD),
	H(LINE HOST "A: b\rc\r\n\r\n", BAD),
	H(LINE HOST "A: b\0c\r\n\r\n", BAD),
	H(LINE HOST "A: b\x0b\r\n\r\n", BAD),
	H(LINE HOST "A: b\x7f\r\n\r\n", BAD),
	/* Host */
	H(LINE "\r\n", BAD),
	H(LINE HOST HOST "\r\n", BAD),
	H("GET / HTTP/1.0\r\n" HOST HOST "\r\n", BAD),
	H(LINE "Host:\r\n\r\n", OK),
	H(LINE "host: [::1]:80\r\n\r\n", OK),
	H(LINE "Host: a b\r\n\r\n", BAD),
	H(LINE "Host: a/b\r\n\r\n", BAD),
	H(LINE "Host: a, b\r\n\r\n", BAD),
	H(LINE "Host: u@a\r\n\r\n", BAD),
	/* framing */
	H(LINE HOST "Content-Length: 5\r\n\r\n", OK),
	H(LINE HOST "Content-Length: 0\r\n\r\n", OK),
	H(LINE HOST "Content-Length: 9223372036854775807\r\n\r\n", OK),
	H(LINE HOST "Content-Length: 9223372036854775808\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 18446744073709551621\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: +5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: -5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 0x5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 5 5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 5, 5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 5.0\r\n\r\n", BAD),
	H(LINE HOST "Content-Length:\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", BAD),
	H(LINE HOST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", BAD),
	H(LINE HOST "Content-Length : 5\r\n\r\n", BAD),
	H(LINE HOST "Transfer-Encoding: chunked\r\n\r\n", OK),
	H(LINE HOST "Transfer-Encoding: CHUNKED\r\n\r\n", OK),
	H(LINE HOST "Transfer-Encoding: gzip\r\n\r\n", ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
	    ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding: identity\r\n\r\n",
	    ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding: xchunked\r\n\r\n",
	    ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding:\r\n\r\n", ERR_NOT_IMPLEMENTED),
	H(LINE HOST "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", BAD),
	H(LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
	    BAD),
	H(LINE HOST "Content-Length: 0\r\nTransfer-Encoding: gzip\r\n\r\n",
	    BAD),
	H("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD),
	H(LINE HOST "Transfer-Encoding : chunked\r\n\r\n", BAD),
	H(LINE HOST "Transfer-Encoding:\x0b" "chunked\r\n\r\n", BAD),
	/* expectations */
	H(LINE HOST "Expect: 100-Continue\r\n\r\n", OK),
	H(LINE HOST "Expect: 200-ok\r\n\r\n", ERR_EXPECTATION_FAILED),
	H(LINE HOST "Expect: 100-continue\r\nExpect: x\r\n\r\n",
	    ERR_EXPECTATION_FAILED),
};
/* clang-format on */

static enum err_code
code_of(ptrdiff_t len, struct slice head, const struct err *err)
{
	if (len < 0)
		return err->code;
	if (len == 0)
		return ERR_INTERNAL; /* wants more */
	assert_int_equal(len, head.n);
	return ERR_NONE;
}

static void
check_code(
    struct slice head, enum err_code got, enum err_code wanted, const char *how)
{
	if (got == wanted)
		return;
	fail_msg("'%.*s' %s: %s instead of %s", (int)head.n, head.p, how,
	    err_code_name(got), err_code_name(wanted));
}

TEST(test_net_http_parse__judges_heads)
{
	struct http_parse p;
	struct slice head;
	struct err err = ERR_INIT;
	ptrdiff_t len;
	size_t i, split;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		head = heads[i].head;
		for (split = 0; split <= head.n; split++) {
			len = feed_split(&p, head, split, &err);
			check_code(head, code_of(len, head, &err),
			    heads[i].code, "split");
		}
		len = feed_bytewise(&p, head, &err);
		check_code(
		    head, code_of(len, head, &err), heads[i].code, "bytewise");
	}
}

/* What is asked of a head, with the head and the parser's fields around. */
struct parsed {
	struct http_parse p;
	struct http_field fields[HTTP_PARSE_FIELDS_MAX];
	struct http_request req;
};

static void
parse(struct parsed *r, const char *head)
{
	struct err err = ERR_INIT;
	ptrdiff_t len;

	http_parse_init(&r->p, &limits);
	len = http_parse_feed(&r->p, head, strlen(head), &err);
	if (len <= 0)
		fail_msg("'%s': %s", head, err.msg);
	http_parse_request(&r->p, head, r->fields, &r->req);
}

static void
assert_slice(struct slice got, const char *wanted)
{
	if (!slice_eq_str(got, wanted))
		fail_msg("'%.*s' is not '%s'", (int)got.n,
		    got.n == 0 ? "" : got.p, wanted);
}

TEST(test_net_http_parse__cuts_targets)
{
	static const struct {
		const char *target, *path, *query;
	} cases[] = {
		{ "/", "/", "" },
		{ "/a/b%20c", "/a/b%20c", "" },
		{ "/a?b=c&d", "/a", "b=c&d" },
		{ "/a?", "/a", "" },
		{ "/a?b?c", "/a", "b?c" },
		{ "//h/a", "//h/a", "" },
		{ "http://h/a?b", "/a", "b" },
		{ "http://h", "/", "" },
		{ "https://h:8/", "/", "" },
		{ "http://h?b", "/", "b" },
	};
	struct parsed r;
	char head[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(head, sizeof(head),
		    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].target);
		parse(&r, head);
		assert_slice(r.req.target, cases[i].target);
		assert_slice(r.req.path, cases[i].path);
		assert_slice(r.req.query, cases[i].query);
	}
	parse(&r, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_slice(r.req.path, "*");
}

TEST(test_net_http_parse__knows_methods)
{
	static const struct {
		const char *name;
		enum http_method method;
	} cases[] = {
		{ "GET", HTTP_GET },
		{ "HEAD", HTTP_HEAD },
		{ "POST", HTTP_POST },
		{ "PUT", HTTP_PUT },
		{ "PATCH", HTTP_PATCH },
		{ "DELETE", HTTP_DELETE },
		{ "OPTIONS", HTTP_OPTIONS },
		{ "TRACE", HTTP_OTHER },
		{ "OTHER", HTTP_OTHER },
		{ "get", HTTP_OTHER },
		{ "GETS", HTTP_OTHER },
	};
	struct parsed r;
	char head[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(head, sizeof(head), "%s / HTTP/1.1\r\nHost: x\r\n\r\n",
		    cases[i].name);
		parse(&r, head);
		assert_int_equal(r.req.method, cases[i].method);
	}
}

TEST(test_net_http_parse__gives_trimmed_fields)
{
	struct parsed r;

	parse(&r, LINE "hOsT: a\r\nA:  b \t\r\nC:\r\nA: d\r\n\r\n");
	assert_int_equal(r.req.field_count, 4);
	assert_slice(r.req.fields[0].name, "hOsT");
	assert_slice(r.req.fields[1].value, "b");
	assert_slice(r.req.fields[2].value, "");
	assert_slice(http_field(&r.req, "a"), "b");
	assert_slice(http_field(&r.req, "HOST"), "a");
	assert_null(http_field(&r.req, "B").p);
}

TEST(test_net_http_parse__knows_keep_alive)
{
	static const struct {
		int minor;
		const char *fields;
		bool wanted;
	} cases[] = {
		{ 1, "", true },
		{ 1, "Connection: close\r\n", false },
		{ 1, "Connection: keep-alive\r\n", true },
		{ 1, "Connection: TE, Close\r\n", false },
		{ 1, "Connection: x\r\nConnection: close\r\n", false },
		{ 1, "Connection: closed\r\n", true },
		{ 0, "", false },
		{ 0, "Connection: Keep-Alive\r\n", true },
		{ 0, "Connection: keep-alive, close\r\n", false },
	};
	struct parsed r;
	char head[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(head, sizeof(head),
		    "GET / HTTP/1.%d\r\nHost: a\r\n%s\r\n", cases[i].minor,
		    cases[i].fields);
		parse(&r, head);
		assert_int_equal(r.req.minor, cases[i].minor);
		assert_int_equal(r.req.keep_alive, cases[i].wanted);
	}
}

TEST(test_net_http_parse__knows_bodies)
{
	struct parsed r;

	parse(&r, LINE HOST "\r\n");
	assert_false(r.req.has_body);
	assert_int_equal(r.req.content_length, 0);
	parse(
	    &r, LINE HOST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n");
	assert_false(r.req.has_body);
	assert_false(r.req.expects_continue);
	parse(
	    &r, LINE HOST "Content-Length: 7\r\nExpect: 100-continue\r\n\r\n");
	assert_true(r.req.has_body);
	assert_false(r.req.chunked);
	assert_true(r.req.expects_continue);
	assert_int_equal(r.req.content_length, 7);
	parse(&r, LINE HOST "Transfer-Encoding: chunked\r\n\r\n");
	assert_true(r.req.has_body);
	assert_true(r.req.chunked);
	assert_true(r.req.content_length == HTTP_LENGTH_UNKNOWN);
	/* An HTTP/1.0 client does not know how to wait. */
	parse(&r, "PUT / HTTP/1.0\r\nContent-Length: 7\r\n"
	          "Expect: 100-continue\r\n\r\n");
	assert_false(r.req.expects_continue);
}

/* Builds "GET /aaa... HTTP/1.1" with a line of ${n} bytes. */
static void
put_line(struct buf *b, size_t n)
{
	size_t fixed = strlen("GET / HTTP/1.1");

	assert_true(n >= fixed);
	buf_append_str(b, "GET /");
	for (; n > fixed; n--)
		buf_append_char(b, 'a');
	buf_append_str(b, " HTTP/1.1\r\n");
}

static enum err_code
judge(const struct buf *b)
{
	struct err whole = ERR_INIT, bytewise = ERR_INIT;
	struct http_parse p;
	ptrdiff_t len;

	http_parse_init(&p, &limits);
	len = http_parse_feed(&p, b->p, b->len, &whole);
	assert_int_equal(feed_bytewise(&p, buf_slice(b), &bytewise), len);
	assert_int_equal(whole.code, bytewise.code);
	if (len == 0)
		return ERR_INTERNAL;
	return len < 0 ? whole.code : ERR_NONE;
}

TEST(test_net_http_parse__limits_the_request_line)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	put_line(&b, limits.line_max);
	buf_append_str(&b, HOST "\r\n");
	assert_int_equal(judge(&b), ERR_NONE);
	buf_clear(&b);
	put_line(&b, limits.line_max + 1);
	buf_append_str(&b, HOST "\r\n");
	assert_int_equal(judge(&b), ERR_URI_TOO_LONG);
	/* without an end */
	buf_consume(&b, 0);
	b.len = limits.line_max + 2;
	memset(b.p, 'a', b.len);
	assert_int_equal(judge(&b), ERR_URI_TOO_LONG);
	buf_fini(&b);
}

static void
put_fields(struct buf *b, size_t n)
{
	for (; n > 0; n--)
		buf_append_str(b, "A: b\r\n");
}

TEST(test_net_http_parse__limits_the_fields)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_append_str(&b, LINE HOST);
	put_fields(&b, limits.fields_max - 1);
	buf_append_str(&b, "\r\n");
	assert_int_equal(judge(&b), ERR_NONE);
	buf_clear(&b);
	buf_append_str(&b, LINE HOST);
	put_fields(&b, limits.fields_max);
	buf_append_str(&b, "\r\n");
	assert_int_equal(judge(&b), ERR_HEADERS_TOO_LARGE);
	buf_fini(&b);
}

/* A head of exactly ${n} bytes. */
static void
put_head(struct buf *b, size_t n)
{
	buf_clear(b);
	buf_append_str(b, LINE HOST "A: ");
	while (b->len < n - 4)
		buf_append_char(b, 'b');
	buf_append_str(b, "\r\n\r\n");
}

TEST(test_net_http_parse__limits_the_head)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	put_head(&b, limits.head_max);
	assert_int_equal(judge(&b), ERR_NONE);
	put_head(&b, limits.head_max + 1);
	assert_int_equal(judge(&b), ERR_HEADERS_TOO_LARGE);
	/* without an end */
	b.len -= 4;
	buf_append_str(&b, "bbbbbbb");
	assert_int_equal(judge(&b), ERR_HEADERS_TOO_LARGE);
	buf_fini(&b);
}

TEST(test_net_http_parse__leaves_what_follows)
{
	static const char text[] = LINE HOST "\r\nPOST / HTTP/1.1\r\n";
	struct http_parse p;

	http_parse_init(&p, &limits);
	assert_int_equal(http_parse_feed(&p, text, sizeof(text) - 1, NULL),
	    strlen(LINE HOST "\r\n"));
}

/* Nobody waits ten seconds to be told that this is no TLS port. */
TEST(test_net_http_parse__refuses_garbage_at_once)
{
	struct err err = ERR_INIT;
	struct http_parse p;

	http_parse_init(&p, &limits);
	assert_int_equal(http_parse_feed(&p, "\x16\x03\x01", 3, &err), -1);
	assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
}
