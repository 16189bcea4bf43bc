/* SPDX-License-Identifier: MIT */
#include "net/http_live.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "http_fixture.h"
#include "unit.h"

#define BIG ((size_t)8 * 1024 * 1024)

/* An application whose every request stays: it sends back what comes, "big"
 * sends BIG bytes, "end" ends, "abort" ends at once. */
struct echo {
	struct fixture f;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_live *live; /* the newest; under lock, as the next */
	unsigned ready, closed, drained, sent;
	unsigned prepared, begun; /* of "/slowly", which waits between */
	size_t unsent;            /* after the last that was sent */
};

static void
count(struct echo *e, unsigned *what)
{
	pthread_mutex_lock(&e->lock);
	(*what)++;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

static void
wait_until(struct echo *e, const unsigned *what, unsigned n)
{
	pthread_mutex_lock(&e->lock);
	while (*what < n)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
}

static void
send_bytes(struct echo *e, const char *p, size_t n)
{
	struct iovec iov[2] = {
		{ (void *)p, n / 2 },
		{ (void *)(p + n / 2), n - n / 2 },
	};

	http_live_send(e->live, iov, 2);
	e->unsent = http_live_unsent(e->live);
	count(e, &e->sent);
}

static void
on_input(void *arg, const char *p, size_t n)
{
	struct slice in = { p, n };
	struct echo *e = arg;
	char *big;

	if (slice_eq_str(in, "big")) {
		big = mem_calloc(1, BIG);
		send_bytes(e, big, BIG);
		free(big);
	} else if (slice_eq_str(in, "abort")) {
		http_live_abort(e->live);
	} else {
		send_bytes(e, p, n);
		if (slice_eq_str(in, "end"))
			http_live_end(e->live);
	}
}

static void
on_ready(void *arg)
{
	struct echo *e = arg;

	count(e, &e->ready);
}

static void
on_draining(void *arg)
{
	struct echo *e = arg;

	count(e, &e->drained);
	send_bytes(e, "bye", 3);
	http_live_end(e->live);
}

static void
on_closed(void *arg)
{
	struct echo *e = arg;

	count(e, &e->closed);
}

static enum http_verdict
accept_all(struct http_exchange *x, void *arg)
{
	(void)x;
	(void)arg;
	return HTTP_SHORT;
}

static void
handle(struct http_exchange *x, void *arg)
{
	static const struct http_live_ops ops = { on_input, on_ready,
		on_draining, on_closed };
	struct echo *e = arg;
	bool switches = slice_eq_str(http_request(x)->path, "/switch");
	bool waits = slice_eq_str(http_request(x)->path, "/slowly");

	http_status(x, switches ? 101 : 200);
	http_header(x, "X-Test", "1");
	e->live = http_live(x, &ops, e);
	/* Before it has come to its loop: that is no harm. */
	http_live_wake(e->live);
	count(e, &e->prepared);
	if (waits)
		wait_until(e, &e->begun, 1);
	http_live_begin(e->live);
}

static void
fail_all(struct http_exchange *x, int status, const struct err *why, void *arg)
{
	(void)status;
	(void)why;
	(void)arg;
	http_send(x, NULL, 0);
}

static void
ended(struct http_exchange *x, const struct err *why, void *arg)
{
	(void)x;
	(void)why;
	(void)arg;
}

static void
echo_init(struct echo *e)
{
	memset(e, 0, sizeof(*e));
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	http_fixture_init(&e->f);
	e->f.cf.app = (struct http_app){ .accept = accept_all,
		.handle = handle,
		.fail = fail_all,
		.ended = ended,
		.arg = e };
	e->f.cf.linger_ms = 300;
	http_fixture_start(&e->f);
}

/* Reads exactly ${n} bytes, or up to the end: how many came. */
static size_t
read_some(int fd, char *p, size_t n)
{
	size_t at = 0;
	ssize_t got;

	while (at < n && (got = read(fd, p + at, n - at)) > 0)
		at += (size_t)got;
	return at;
}

static void
expect(int fd, const char *text)
{
	char got[512];
	size_t n = strlen(text);

	assert_in_range(n, 0, sizeof(got));
	assert_int_equal(read_some(fd, got, n), n);
	assert_memory_equal(got, text, n);
}

/* Reads a head: does it have that line? */
static void
expect_head(int fd, const char *status, const char *line)
{
	char head[1024];
	size_t n = 0;

	while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
		assert_in_range(n, 0, sizeof(head) - 2);
		assert_int_equal(read_some(fd, head + n, 1), 1);
		n++;
	}
	head[n] = '\0';
	assert_memory_equal(head, status, strlen(status));
	assert_non_null(strstr(head, line));
}

TEST(test_net_http_live__sends_both_ways_after_the_head)
{
	struct echo e;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET /switch HTTP/1.1\r\nHost: a\r\n\r\nearly");
	expect_head(fd, "HTTP/1.1 101 ", "X-Test: 1\r\n");
	expect(fd, "early");
	client_send(fd, "later");
	expect(fd, "later");
	client_send(fd, "end");
	expect(fd, "end");
	assert_true(client_is_ended(fd));
	wait_until(&e, &e.closed, 1);
	client_close(fd);
	http_fixture_fini(&e.f);
}

/* Whoever has the head takes it that it hears all from then on. */
TEST(test_net_http_live__sends_no_head_before_it_begins)
{
	struct echo e;
	char c;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET /slowly HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_until(&e, &e.prepared, 1);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	count(&e, &e.begun);
	expect_head(fd, "HTTP/1.1 200 ", "X-Test: 1\r\n");
	client_close(fd);
	wait_until(&e, &e.closed, 1);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__what_is_no_switch_says_that_it_closes)
{
	struct echo e;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 200 ", "Connection: close\r\n");
	client_close(fd);
	wait_until(&e, &e.closed, 1);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__keeps_what_the_socket_does_not_take)
{
	struct echo e;
	char *got = mem_alloc(BIG);
	unsigned before;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 200 ", "X-Test: 1\r\n");
	wait_until(&e, &e.ready, 1);
	before = e.ready;
	client_send(fd, "big");
	assert_int_equal(read_some(fd, got, BIG), BIG);
	assert_true(e.unsent > 0);
	/* All is gone: more may come. */
	wait_until(&e, &e.ready, before + 1);
	client_send(fd, "more");
	expect(fd, "more");
	client_close(fd);
	wait_until(&e, &e.closed, 1);
	free(got);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__wakes_from_any_thread)
{
	struct echo e;
	unsigned before;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 200 ", "X-Test: 1\r\n");
	client_send(fd, "x");
	expect(fd, "x");
	before = e.ready;
	http_live_wake(e.live);
	wait_until(&e, &e.ready, before + 1);
	client_close(fd);
	wait_until(&e, &e.closed, 1);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__aborts_at_once)
{
	struct echo e;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 200 ", "X-Test: 1\r\n");
	client_send(fd, "abort");
	assert_true(client_is_ended(fd));
	wait_until(&e, &e.closed, 1);
	client_close(fd);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__an_end_does_not_wait_for_ever)
{
	struct echo e;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 200 ", "X-Test: 1\r\n");
	client_send(fd, "big");
	/* Nobody reads it; and then it is to end. */
	wait_until(&e, &e.sent, 1);
	client_send(fd, "end");
	wait_until(&e, &e.closed, 1);
	client_close(fd);
	http_fixture_fini(&e.f);
}

TEST(test_net_http_live__hears_that_the_server_stops)
{
	struct echo e;
	int fd;

	echo_init(&e);
	fd = client_open(&e.f);
	client_send(fd, "GET /switch HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head(fd, "HTTP/1.1 101 ", "X-Test: 1\r\n");
	client_send(fd, "x");
	expect(fd, "x");
	http_server_stop(e.f.server, 5000);
	assert_int_equal(e.drained, 1);
	assert_int_equal(e.closed, 1);
	expect(fd, "bye");
	assert_true(client_is_ended(fd));
	client_close(fd);
	http_fixture_fini(&e.f);
}
