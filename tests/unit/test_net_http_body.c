/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_fixture.h"

/* Sends ${n} bytes of body as one Content-Length, or as chunks of ${chunk}
 * bytes, in writes of ${piece}. */
static void
send_body(int fd, size_t n, size_t chunk, size_t piece)
{
	struct buf b;
	size_t at, run;

	buf_init(&b, 256 << 20);
	for (at = 0; at < n; at += run) {
		run = chunk == 0 || n - at < chunk ? n - at : chunk;
		if (chunk > 0)
			buf_printf(&b, "%zx\r\n", run);
		http_fixture_fill(buf_reserve(&b, run), run, at);
		buf_add(&b, run);
		if (chunk > 0)
			buf_append_str(&b, "\r\n");
	}
	if (chunk > 0)
		buf_append_str(&b, "0\r\n\r\n");
	for (at = 0; at < b.len; at += run) {
		run = b.len - at < piece ? b.len - at : piece;
		client_send_bytes(fd, b.p + at, run);
	}
	buf_fini(&b);
}

static void
send_head(int fd, const char *path, size_t n, size_t chunk)
{
	char head[200];

	if (chunk > 0)
		snprintf(head, sizeof(head),
		    "PUT %s HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
		    path);
	else
		snprintf(head, sizeof(head),
		    "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
		    path, n);
	client_send(fd, head);
}

TEST(test_net_http_body__arrives_whole)
{
	static const char *const paths[] = { "/transfer", "/wait", "/short" };
	static const struct {
		size_t n, chunk, piece;
	} cases[] = {
		{ 0, 0, 1 },
		{ 1, 0, 1 },
		{ 1000, 0, 100 },
		{ 65536, 0, 65536 },
		{ 65537, 0, 65537 },
		{ 3000000, 0, 70000 },
		{ 0, 1, 1 },
		{ 1, 1, 1 },
		{ 300, 1, 1 },
		{ 5000, 7, 3 },
		{ 65536, 1000, 9999 },
		{ 3000000, 16384, 70000 },
		{ 3000000, 1000000, 3000000 },
	};
	struct fixture f;
	struct reply r;
	size_t i, k;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	for (k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			/* over the limit of short ones */
			if (k == 2 && cases[i].n > 65536)
				continue;
			send_head(fd, paths[k], cases[i].n, cases[i].chunk);
			send_body(
			    fd, cases[i].n, cases[i].chunk, cases[i].piece);
			client_reply(fd, "PUT", &r);
			assert_int_equal(r.status, 200);
			assert_string_equal(
			    buf_str(&r.body), http_fixture_summary(cases[i].n));
			reply_fini(&r);
		}
	}
	client_close(fd);
	http_fixture_fini(&f);
}

/* Head, body and the next head may be cut anywhere. */
TEST(test_net_http_body__splits_anywhere)
{
	static const char text[] = "PUT /wait HTTP/1.1\r\nHost: a\r\n"
	                           "Transfer-Encoding: chunked\r\n\r\n"
	                           "3;x\r\nabc\r\n0\r\nA: b\r\n\r\n"
	                           "PUT /transfer HTTP/1.1\r\nHost: "
	                           "a\r\nContent-Length: 90000\r\n\r\n";
	size_t n = sizeof(text) - 1, split;
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	for (split = 1; split < n; split++) {
		client_send_bytes(fd, text, split);
		/* let the server see the first part alone, mostly */
		(void)client_is_quiet(fd, split % 16 == 0 ? 1 : 0);
		client_send_bytes(fd, text + split, n - split);
		send_body(fd, 90000, 0, 90000);
		client_reply(fd, "PUT", &r);
		assert_string_equal(buf_str(&r.body), "3 96354");
		reply_fini(&r);
		client_reply(fd, "PUT", &r);
		assert_string_equal(
		    buf_str(&r.body), http_fixture_summary(90000));
		reply_fini(&r);
	}
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_body__asks_to_continue)
{
	static const char *const paths[] = { "/transfer", "/wait", "/short" };
	struct fixture f;
	struct reply r;
	char head[200];
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(head, sizeof(head),
		    "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
		    "Expect: 100-continue\r\n\r\n",
		    paths[i]);
		client_send(fd, head);
		client_expect_100(fd);
		assert_true(client_is_quiet(fd, 5));
		send_body(fd, 10, 0, 10);
		client_reply(fd, "PUT", &r);
		assert_string_equal(buf_str(&r.body), http_fixture_summary(10));
		reply_fini(&r);
	}
	/* the larger one goes to a transfer thread */
	client_send(fd,
	    "PUT /transfer HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
	    "Expect: 100-continue\r\n\r\n");
	client_expect_100(fd);
	send_body(fd, 100000, 0, 1000);
	client_reply(fd, "PUT", &r);
	assert_string_equal(buf_str(&r.body), http_fixture_summary(100000));
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* Who is refused is not asked for the body, and the connection ends: whether
 * the body comes, nobody knows. */
TEST(test_net_http_body__refusal_instead_of_continue)
{
	static const char *const paths[] = { "/early", "/refuse" };
	struct fixture f;
	struct buf head;
	char start[200];
	char c;
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < 2; i++) {
		fd = client_open(&f);
		snprintf(start, sizeof(start),
		    "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
		    "Expect: 100-continue\r\n\r\n",
		    paths[i]);
		client_send(fd, start);
		buf_init(&head, 4096);
		while (recv(fd, &c, 1, 0) == 1)
			buf_append_char(&head, c);
		assert_memory_equal(buf_str(&head), "HTTP/1.1 4", 10);
		assert_non_null(
		    strstr(buf_str(&head), "Connection: close\r\n"));
		buf_fini(&head);
		client_close(fd);
	}
	http_fixture_fini(&f);
}

TEST(test_net_http_body__malformed_chunks)
{
	static const char *const paths[] = { "/transfer", "/wait", "/short" };
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = client_open(&f);
		send_head(fd, paths[i], 0, 1);
		client_send(fd, "3\r\nabc\r\n0x2\r\nab\r\n0\r\n\r\n");
		client_reply(fd, "PUT", &r);
		assert_int_equal(r.status, 400);
		assert_string_equal(reply_field(&r, "Connection"), "close");
		assert_true(client_is_ended(fd));
		reply_fini(&r);
		client_close(fd);
	}
	http_fixture_fini(&f);
}

TEST(test_net_http_body__broken_off)
{
	static const char *const paths[] = { "/transfer", "/wait", "/short" };
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = client_open(&f);
		send_head(fd, paths[i], i == 2 ? 1000 : 100000, 0);
		client_send(fd, "abc");
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		/* a half-close is legal, so there may be an answer */
		if (i < 2) {
			client_reply(fd, "PUT", &r);
			assert_int_equal(r.status, 400);
			reply_fini(&r);
		}
		assert_true(client_is_ended(fd));
		client_close(fd);
	}
	http_fixture_wait_connections(&f, 0);
	http_fixture_fini(&f);
}

static void
check_interrupted(const char *path, const char *answer)
{
	static char request[40200];
	struct fixture f;
	struct reply r;
	size_t n;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	n = (size_t)snprintf(request, sizeof(request),
	    "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
	    path);
	memset(request + n, 'x', 40000);
	/* At once, so that more has arrived than comes with the head. */
	client_send_bytes(fd, request, n + 40000);
	client_reply(fd, "PUT", &r);
	assert_string_equal(buf_str(&r.body), answer);
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* What had arrived by then still counts, unless nobody wants it. */
TEST(test_net_http_body__interrupted)
{
	check_interrupted("/taken-over", "40000 upload_taken_over");
	check_interrupted("/cancelled", "0 cancelled");
}

TEST(test_net_http_body__stalled)
{
	static const char *const paths[] = { "/transfer", "/wait", "/short" };
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	f.cf.stall_timeout_ms = 30;
	http_fixture_start(&f);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = client_open(&f);
		send_head(fd, paths[i], i == 2 ? 1000 : 100000, 0);
		client_send(fd, "abc");
		client_reply(fd, "PUT", &r);
		assert_int_equal(r.status, 408);
		assert_true(client_is_ended(fd));
		reply_fini(&r);
		client_close(fd);
	}
	http_fixture_fini(&f);
}

/* Slow is not stalled. */
TEST(test_net_http_body__slow)
{
	struct fixture f;
	struct reply r;
	char c;
	size_t i;
	int fd;

	http_fixture_init(&f);
	f.cf.stall_timeout_ms = 100;
	f.cf.small_body_max = 10;
	http_fixture_start(&f);
	fd = client_open(&f);
	send_head(fd, "/wait", 30, 0);
	for (i = 0; i < 30; i++) {
		c = http_fixture_byte(i);
		client_send_bytes(fd, &c, 1);
		/* the last one may be answered at once */
		assert_true(i == 29 || client_is_quiet(fd, 10));
	}
	client_reply(fd, "PUT", &r);
	assert_string_equal(buf_str(&r.body), http_fixture_summary(30));
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_body__short_ones_are_limited)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.cf.small_body_max = 1000;
	http_fixture_start(&f);
	fd = client_open(&f);
	send_head(fd, "/short", 1000, 0);
	send_body(fd, 1000, 0, 1000);
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 200);
	reply_fini(&r);
	send_head(fd, "/short", 1001, 0);
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 413);
	assert_string_equal(reply_field(&r, "X-Code"), "body_too_large");
	reply_fini(&r);
	client_close(fd);

	fd = client_open(&f);
	send_head(fd, "/short", 0, 1);
	send_body(fd, 1001, 500, 1001);
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 413);
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* It holds for those, too, that began while there was room. */
TEST(test_net_http_body__those_that_are_gathered_at_once_are_limited_together)
{
	struct fixture f;
	struct reply r;
	int first, second;

	http_fixture_init(&f);
	f.cf.gathered_max = 100;
	http_fixture_start(&f);
	first = client_open(&f);
	second = client_open(&f);
	send_head(first, "/short", 200, 0);
	send_head(second, "/short", 200, 0);
	send_body(first, 10, 0, 10);
	send_body(second, 10, 0, 10);
	assert_true(client_is_quiet(first, 20));
	send_body(first, 150, 0, 150);
	assert_true(client_is_quiet(first, 20));
	send_body(second, 150, 0, 150);
	client_reply(second, "PUT", &r);
	assert_int_equal(r.status, 503);
	reply_fini(&r);
	client_close(second);
	client_close(first);
	http_fixture_fini(&f);
}

/* One that does not come at once is seen while it comes, small as it is. */
TEST(test_net_http_body__a_small_one_is_not_waited_for)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	send_head(fd, "/hang", 100, 0);
	send_body(fd, 60, 0, 60);
	http_fixture_wait(&f, http_fixture_is_hanging);
	http_interrupt(f.hanging, ERR_INVALID_API_KEY);
	client_reply(fd, "PUT", &r);
	assert_string_equal(reply_field(&r, "X-Code"), "invalid_api_key");
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* When all memory for small bodies is in use, transfers go on without, and
 * short requests are asked to come again. */
TEST(test_net_http_body__gathered_ones_are_limited_together)
{
	struct fixture f;
	struct reply r;
	int first, second;

	http_fixture_init(&f);
	f.cf.gathered_max = 100;
	http_fixture_start(&f);
	first = client_open(&f);
	send_head(first, "/short", 200, 0);
	send_body(first, 100, 0, 100);
	/* until it lies in memory */
	assert_true(client_is_quiet(first, 20));
	second = client_open(&f);
	send_head(second, "/transfer", 300, 0);
	send_body(second, 300, 0, 300);
	client_reply(second, "PUT", &r);
	assert_string_equal(buf_str(&r.body), http_fixture_summary(300));
	reply_fini(&r);
	send_head(second, "/short", 1, 0);
	client_send(second, "a");
	client_reply(second, "PUT", &r);
	assert_int_equal(r.status, 503);
	assert_string_equal(reply_field(&r, "X-Code"), "server_busy");
	reply_fini(&r);
	client_close(second);
	client_close(first);
	http_fixture_wait_connections(&f, 0);
	/* the memory is free again */
	second = client_open(&f);
	send_head(second, "/short", 1, 0);
	client_send(second, "a");
	client_reply(second, "PUT", &r);
	assert_int_equal(r.status, 200);
	reply_fini(&r);
	client_close(second);
	http_fixture_fini(&f);
}
