/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_fixture.h"

#define PUT "PUT /park HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"

#define SMALL_PUT "PUT /park HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"

/* Too large to be gathered on the loop. */
#define SIZE 100000

struct parked {
	struct fixture f;
	int fd;
};

static void
setup(struct parked *p, const char *request)
{
	http_fixture_init(&p->f);
	http_fixture_start(&p->f);
	p->fd = client_open(&p->f);
	client_send(p->fd, request);
	http_fixture_wait(&p->f, http_fixture_is_parked);
}

static void
teardown(struct parked *p)
{
	client_close(p->fd);
	http_fixture_fini(&p->f);
}

static void
send_body(int fd)
{
	static char bytes[SIZE];

	http_fixture_fill(bytes, SIZE, 0);
	client_send_bytes(fd, bytes, SIZE);
}

static void
expect(struct parked *p, int status, const char *body)
{
	struct reply r;

	client_reply(p->fd, "PUT", &r);
	assert_int_equal(r.status, status);
	assert_string_equal(buf_str(&r.body), body);
	reply_fini(&r);
}

static bool
has_left(const struct fixture *f)
{
	return f->n_left > 0;
}

TEST(test_net_http_park__runs_the_handler_again)
{
	struct parked p;

	setup(&p, PUT);
	assert_true(client_is_quiet(p.fd, 50));
	http_unpark(p.f.parked);
	send_body(p.fd);
	expect(&p, 200, http_fixture_summary(SIZE));
	/* The connection is as good as before. */
	p.f.unparks_early = true;
	client_send(p.fd, PUT);
	send_body(p.fd);
	expect(&p, 200, http_fixture_summary(SIZE));
	assert_int_equal(p.f.n_left, 0);
	teardown(&p);
}

/* Many times, since it is a race of the loop and a worker. */
TEST(test_net_http_park__is_not_lost_when_it_comes_early)
{
	struct fixture f;
	int fd;

	http_fixture_init(&f);
	f.unparks_early = true;
	http_fixture_start(&f);
	fd = client_open(&f);
	for (int i = 0; i < 300; i++) {
		struct reply r;

		client_send(fd, PUT);
		send_body(fd);
		client_reply(fd, "PUT", &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(
		    buf_str(&r.body), http_fixture_summary(SIZE));
		reply_fini(&r);
	}
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_park__is_interrupted)
{
	struct parked p;

	setup(&p, PUT "1");
	http_interrupt(p.f.parked, ERR_CANCELLED);
	expect(&p, 409, "cancelled");
	teardown(&p);
}

TEST(test_net_http_park__says_when_the_client_has_gone)
{
	struct linger reset = { 1, 0 };
	struct parked p;

	setup(&p, PUT "12");
	assert_int_equal(
	    setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	client_close(p.fd);
	http_fixture_wait(&p.f, has_left);
	http_fixture_wait_connections(&p.f, 0);
	p.fd = client_open(&p.f);
	teardown(&p);
}

TEST(test_net_http_park__says_when_a_body_can_never_be_whole)
{
	struct parked p;

	setup(&p, PUT "12");
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	http_fixture_wait(&p.f, has_left);
	teardown(&p);
}

TEST(test_net_http_park__lets_who_sent_all_close_its_side)
{
	struct parked p;

	setup(&p, PUT);
	send_body(p.fd);
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	assert_true(client_is_quiet(p.fd, 50));
	assert_int_equal(p.f.n_left, 0);
	http_unpark(p.f.parked);
	expect(&p, 200, http_fixture_summary(SIZE));
	teardown(&p);
}

static void *
stop(void *server)
{
	/* Who waits gets none of this grace. */
	http_server_stop(server, 60000);
	return NULL;
}

/* Many times: its worker may give it back before or after. */
TEST(test_net_http_park__ends_when_the_server_stops)
{
	for (int i = 0; i < 200; i++) {
		pthread_t stopper;
		struct parked p;

		setup(&p, SMALL_PUT);
		assert_int_equal(
		    pthread_create(&stopper, NULL, stop, p.f.server), 0);
		expect(&p, 409, "shutting_down");
		client_close(p.fd);
		assert_int_equal(pthread_join(stopper, NULL), 0);
		http_fixture_fini(&p.f);
	}
}
