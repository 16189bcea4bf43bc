/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "http_fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

TEST(test_net_http_head__answers_on_the_loop)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, GET("/loop"));
	client_reply(fd, "GET", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(buf_str(&r.body), "loop");
	assert_string_equal(reply_field(&r, "Content-Length"), "4");
	assert_string_equal(reply_field(&r, "X-Number"), "7");
	assert_int_equal(strlen(reply_field(&r, "X-Id")), 32);
	assert_null(reply_field(&r, "Connection"));
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__keeps_alive)
{
	static const char *const heads[] = {
		GET("/loop"),
		GET("/short"),
		GET("/nothing"),
		"HEAD /loop HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /short HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
		"abc",
		GET("/transfer"),
	};
	struct fixture f;
	struct reply r;
	size_t i;
	int fd, round;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
			client_send(fd, heads[i]);
			client_reply(fd,
			    strncmp(heads[i], "HEAD", 4) == 0 ? "HEAD" : "",
			    &r);
			assert_true(r.status == 200 || r.status == 204);
			reply_fini(&r);
		}
	}
	client_close(fd);
	http_fixture_wait_connections(&f, 0);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__keep_alive_is_asked_for)
{
	static const struct {
		const char *head;
		const char *connection; /* of the reply; NULL: none */
		bool ends;
	} cases[] = {
		{ GET("/loop"), NULL, false },
		{ "GET /loop HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		    "close", true },
		{ "GET /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		    "close", true },
		{ "GET /loop HTTP/1.0\r\n\r\n", "close", true },
		{ "GET /loop HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		    "keep-alive", false },
	};
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = client_open(&f);
		client_send(fd, cases[i].head);
		client_reply(fd, "GET", &r);
		if (cases[i].connection == NULL)
			assert_null(reply_field(&r, "Connection"));
		else
			assert_string_equal(
			    reply_field(&r, "Connection"), cases[i].connection);
		if (cases[i].ends)
			assert_true(client_is_ended(fd));
		else
			assert_true(client_is_quiet(fd, 5));
		reply_fini(&r);
		client_close(fd);
	}
	http_fixture_fini(&f);
}

/* Each answer in its turn, whoever gives it. */
TEST(test_net_http_head__answers_pipelined_requests_in_order)
{
	static const char heads[] = GET("/loop") GET("/short")
	    GET("/loop") "POST /short HTTP/1.1\r\nHost: a\r\nContent-Length: "
	                 "3\r\n\r\nabc"
	                 "PUT /transfer HTTP/1.1\r\nHost: a\r\n"
	                 "Transfer-Encoding: "
	                 "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET("/nothing")
	                     GET("/chunks") GET("/loop");
	static const char *const bodies[] = {
		"loop",
		"0 0",
		"loop",
		"3 96354",
		"3 96354",
		"",
		NULL,
		"loop",
	};
	struct fixture f;
	struct reply r;
	size_t i, piece, at, n;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (piece = 1; piece < sizeof(heads) * 2; piece = piece * 2 + 1) {
		fd = client_open(&f);
		for (at = 0; at < sizeof(heads) - 1; at += n) {
			n = sizeof(heads) - 1 - at;
			if (n > piece)
				n = piece;
			client_send_bytes(fd, heads + at, n);
		}
		for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
			client_reply(fd, "GET", &r);
			if (bodies[i] != NULL)
				assert_string_equal(
				    buf_str(&r.body), bodies[i]);
			else
				assert_int_equal(r.body.len, f.big);
			reply_fini(&r);
		}
		client_close(fd);
	}
	http_fixture_fini(&f);
}

#define FLOOD 3000

static void *
send_flood(void *arg)
{
	const int *fd = arg;
	int i;

	for (i = 0; i < FLOOD; i++)
		client_send(*fd, GET("/loop"));
	return NULL;
}

/* Requests come faster than answers are taken. */
TEST(test_net_http_head__answers_a_flood)
{
	struct thread_options options = { .name = "flood" };
	pthread_t thread;
	struct fixture f;
	struct reply r;
	int fd, i;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	assert_int_equal(
	    thread_start(&options, send_flood, &fd, &thread, NULL), 0);
	/* until nobody can send anything */
	(void)client_is_quiet(fd, 20);
	for (i = 0; i < FLOOD; i++) {
		client_reply(fd, "GET", &r);
		assert_int_equal(r.status, 200);
		reply_fini(&r);
	}
	pthread_join(thread, NULL);
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__refuses_and_closes)
{
	static const struct {
		const char *head;
		int status;
		const char *code;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 400, "malformed_request" },
		{ "GET /\r\n\r\n", 400, "malformed_request" },
		{ "\x16\x03\x01", 400, "malformed_request" },
		{ "GET / HTTP/2.0\r\n\r\n", 505, "version_not_supported" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417,
		    "expectation_failed" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
		    501, "not_implemented" },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1"
		  "\r\nHost: a\r\n\r\n",
		    400, "malformed_request" },
	};
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = client_open(&f);
		client_send(fd, cases[i].head);
		client_reply(fd, "GET", &r);
		assert_int_equal(r.status, cases[i].status);
		assert_string_equal(reply_field(&r, "X-Code"), cases[i].code);
		assert_string_equal(reply_field(&r, "Connection"), "close");
		/* one answer, and no second request was seen */
		assert_true(client_is_ended(fd));
		reply_fini(&r);
		client_close(fd);
	}
	assert_int_equal(f.n_accepted, 0);
	http_fixture_fini(&f);
}

/* A head with a field of ${n} bytes. */
static void
put_large(struct buf *b, size_t n)
{
	buf_clear(b);
	buf_append_str(b, "GET /loop HTTP/1.1\r\nHost: a\r\nA: ");
	for (; n > 0; n--)
		buf_append_char(b, 'b');
	buf_append_str(b, "\r\n\r\n");
}

TEST(test_net_http_head__limits)
{
	struct fixture f;
	struct buf b;

	http_fixture_init(&f);
	f.cf.head_max = 2000;
	f.cf.line_max = 200;
	http_fixture_start(&f);
	buf_init(&b, 1 << 20);
	put_large(&b, 1900);
	assert_int_equal(client_ask(&f, buf_str(&b)), 200);
	put_large(&b, 2000);
	assert_int_equal(client_ask(&f, buf_str(&b)), 431);
	/* so large that it does not come in one piece */
	put_large(&b, 500000);
	assert_int_equal(client_ask(&f, buf_str(&b)), 431);
	buf_clear(&b);
	buf_append_str(&b, "GET /");
	while (b.len < 300)
		buf_append_char(&b, 'a');
	assert_int_equal(client_ask(&f, buf_str(&b)), 414);
	buf_fini(&b);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__half_a_head_times_out)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.cf.header_timeout_ms = 30;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, "GET / HTTP/1.1\r\nHost:");
	client_reply(fd, "GET", &r);
	assert_int_equal(r.status, 408);
	assert_string_equal(reply_field(&r, "X-Code"), "request_timeout");
	assert_true(client_is_ended(fd));
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* Bytes that dribble in do not prolong it. */
TEST(test_net_http_head__dribbling_times_out)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.cf.header_timeout_ms = 50;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, "GET / HTTP/1.1\r\nA: ");
	while (client_is_quiet(fd, 5))
		client_send(fd, "b");
	client_reply(fd, "GET", &r);
	assert_int_equal(r.status, 408);
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__silence_ends_silently)
{
	struct fixture f;
	struct reply r;
	int fresh, idle;

	http_fixture_init(&f);
	f.cf.header_timeout_ms = 30;
	f.cf.idle_timeout_ms = 30;
	http_fixture_start(&f);
	fresh = client_open(&f);
	idle = client_open(&f);
	client_send(idle, GET("/loop"));
	client_reply(idle, "GET", &r);
	assert_true(client_is_ended(fresh));
	assert_true(client_is_ended(idle));
	reply_fini(&r);
	client_close(fresh);
	client_close(idle);
	http_fixture_fini(&f);
}

/* The idle time-out begins with the last request, not with the first. */
TEST(test_net_http_head__requests_prolong_idleness)
{
	struct fixture f;
	struct reply r;
	int fd, i;

	http_fixture_init(&f);
	f.cf.idle_timeout_ms = 60;
	http_fixture_start(&f);
	fd = client_open(&f);
	for (i = 0; i < 6; i++) {
		client_send(fd, GET("/loop"));
		client_reply(fd, "GET", &r);
		reply_fini(&r);
		assert_true(client_is_quiet(fd, 20));
	}
	assert_true(client_is_ended(fd));
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_head__broken_off_heads_leave_nothing)
{
	static const char head[] = GET("/loop");
	struct fixture f;
	size_t n;
	int fd;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (n = 0; n < sizeof(head) - 1; n++) {
		fd = client_open(&f);
		client_send_bytes(fd, head, n);
		client_close(fd);
	}
	http_fixture_wait_connections(&f, 0);
	assert_int_equal(f.n_accepted, 0);
	http_fixture_fini(&f);
}
