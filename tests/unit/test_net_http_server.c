/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "http_fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define MEBIBYTE ((size_t)1024 * 1024)

TEST(test_net_http_server__mute_handler_is_a_500)
{
	struct fixture f;

	http_fixture_init(&f);
	http_fixture_start(&f);
	assert_int_equal(client_ask(&f, GET("/mute")), 500);
	http_fixture_fini(&f);
}

/* Sends ${n} bytes whatever comes, and only then reads. */
static void
upload_and_read(struct fixture *f, const char *path, size_t n)
{
	static char zeros[64 * 1024];
	struct reply r;
	char head[200];
	int fd = client_open(f);

	snprintf(head, sizeof(head),
	    "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", path,
	    n);
	client_send(fd, head);
	for (; n > 0; n -= sizeof(zeros))
		client_send_bytes(fd, zeros, sizeof(zeros));
	client_reply(fd, "PUT", &r);
	assert_in_range(r.status, 403, 413);
	assert_string_equal(reply_field(&r, "Connection"), "close");
	assert_true(client_is_ended(fd));
	reply_fini(&r);
	client_close(fd);
}

TEST(test_net_http_server__early_reply_can_be_read)
{
	struct fixture f;

	http_fixture_init(&f);
	http_fixture_start(&f);
	upload_and_read(&f, "/early", 50 * MEBIBYTE);
	upload_and_read(&f, "/refuse", 50 * MEBIBYTE);
	upload_and_read(&f, "/short", 50 * MEBIBYTE);
	http_fixture_wait_connections(&f, 0);
	http_fixture_fini(&f);
}

/* Lingering is bounded in bytes ... */
TEST(test_net_http_server__lingers_for_so_much)
{
	struct fixture f;
	char zeros[1000] = "";
	ssize_t done;
	int fd;

	http_fixture_init(&f);
	f.cf.linger_bytes = MEBIBYTE;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, "PUT /early HTTP/1.1\r\nHost: a\r\n"
	                "Content-Length: 1000000000\r\n\r\n");
	do {
		done = send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL);
	} while (done > 0);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	client_close(fd);
	http_fixture_wait_connections(&f, 0);
	http_fixture_fini(&f);
}

/* ... and in time. */
TEST(test_net_http_server__lingers_for_so_long)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.cf.linger_ms = 30;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd,
	    "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	client_reply(fd, "PUT", &r);
	http_fixture_wait_connections(&f, 0);
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

TEST(test_net_http_server__limits_connections)
{
	struct fixture f;
	struct reply r;
	int fds[3];
	int i;

	http_fixture_init(&f);
	f.cf.max_connections = 2;
	http_fixture_start(&f);
	for (i = 0; i < 2; i++) {
		fds[i] = client_open(&f);
		client_send(fds[i], GET("/loop"));
		client_reply(fds[i], "GET", &r);
		assert_int_equal(r.status, 200);
		reply_fini(&r);
	}
	fds[2] = client_open(&f);
	client_send(fds[2], GET("/loop"));
	client_reply(fds[2], "GET", &r);
	assert_int_equal(r.status, 503);
	assert_string_equal(reply_field(&r, "X-Code"), "too_many_connections");
	assert_true(client_is_ended(fds[2]));
	reply_fini(&r);
	client_close(fds[0]);
	client_close(fds[2]);
	http_fixture_wait_connections(&f, 1);
	assert_int_equal(client_ask(&f, GET("/loop")), 200);
	client_close(fds[1]);
	http_fixture_fini(&f);
}

TEST(test_net_http_server__limits_connections_of_a_client)
{
	struct fixture f;
	struct reply r;
	int first, second;

	http_fixture_init(&f);
	f.cf.max_connections_per_client = 1;
	http_fixture_start(&f);
	first = client_open(&f);
	client_send(first, GET("/loop"));
	client_reply(first, "GET", &r);
	assert_int_equal(r.status, 200);
	reply_fini(&r);
	second = client_open(&f);
	client_reply(second, "GET", &r);
	assert_int_equal(r.status, 503);
	reply_fini(&r);
	client_close(second);
	client_close(first);
	http_fixture_wait_connections(&f, 0);
	assert_int_equal(client_ask(&f, GET("/loop")), 200);
	http_fixture_fini(&f);
}

/* Far beyond a limit nobody gets an answer, and nothing is kept: who is
 * refused must not keep others out. */
static void
crowd(size_t max, size_t max_per_client)
{
	enum { MANY = 300 };
	struct http_server_counts counts;
	struct fixture f;
	int fds[MANY];
	int i;

	http_fixture_init(&f);
	f.cf.max_connections = max;
	f.cf.max_connections_per_client = max_per_client;
	http_fixture_start(&f);
	for (i = 0; i < MANY; i++)
		fds[i] = client_open(&f);
	/* the last has been dropped, so all have been seen */
	assert_true(client_is_ended(fds[MANY - 1]));
	http_server_counts(f.server, &counts);
	assert_in_range(counts.connections, 1, 70);
	for (i = 0; i < MANY; i++)
		client_close(fds[i]);
	http_fixture_wait_connections(&f, 0);
	assert_int_equal(client_ask(&f, GET("/loop")), 200);
	http_fixture_fini(&f);
}

TEST(test_net_http_server__survives_a_crowd)
{
	crowd(1, 0);
}

TEST(test_net_http_server__survives_a_crowd_of_one_client)
{
	crowd(100, 1);
}

TEST(test_net_http_server__busy_transfers_are_a_503)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.cf.transfer_threads_max = 1;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd,
	    "PUT /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	http_fixture_wait(&f, http_fixture_is_hanging);
	assert_int_equal(client_ask(&f, GET("/transfer")), 503);
	/* others are as quick as ever */
	assert_int_equal(client_ask(&f, GET("/loop")), 200);
	assert_int_equal(client_ask(&f, GET("/short")), 200);
	http_interrupt(f.hanging, ERR_CANCELLED);
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 409);
	assert_string_equal(reply_field(&r, "X-Code"), "cancelled");
	assert_true(client_is_ended(fd));
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}

/* No descriptor is left: the loops neither spin nor stop, and when there is
 * room again, all is well. */
TEST(test_net_http_server__survives_without_descriptors)
{
	struct rlimit before, low;
	struct fixture f;
	int fds[4], i, probe;

	http_fixture_init(&f);
	f.cf.loops = 1; /* two would fight for the last descriptor */
	http_fixture_start(&f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* clients' sockets are made first, as they share our limit */
	for (i = 0; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fds[i] >= 0);
	}
	probe = dup(fds[0]);
	close(probe);
	low = before;
	low.rlim_cur = (rlim_t)probe;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (i = 0; i < 4; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET };

		in.sin_port = htons(f.port);
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		assert_int_equal(
		    connect(fds[i], (struct sockaddr *)&in, sizeof(in)), 0);
	}
	/* dropped, one after the other */
	for (i = 0; i < 4; i++)
		assert_true(client_is_ended(fds[i]));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(client_ask(&f, GET("/loop")), 200);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	http_fixture_fini(&f);
}

/* Stopping, on a thread of its own. */
struct stopping {
	struct fixture *f;
	pthread_t thread;
	int64_t grace_ms;
};

static void *
run_stop(void *arg)
{
	struct stopping *s = arg;

	http_server_stop(s->f->server, s->grace_ms);
	return NULL;
}

static void
start_stopping(struct stopping *s, struct fixture *f, int64_t grace_ms)
{
	struct thread_options options = { .name = "stopping" };

	*s = (struct stopping){ .f = f, .grace_ms = grace_ms };
	assert_int_equal(
	    thread_start(&options, run_stop, s, &s->thread, NULL), 0);
}

TEST(test_net_http_server__stop_ends_idle_ones)
{
	struct fixture f;
	struct stopping s;
	struct reply r;
	int idle, fresh;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fresh = client_open(&f);
	idle = client_open(&f);
	client_send(idle, GET("/loop"));
	client_reply(idle, "GET", &r);
	http_fixture_wait_connections(&f, 2);
	start_stopping(&s, &f, 60000);
	assert_true(client_is_ended(idle));
	assert_true(client_is_ended(fresh));
	pthread_join(s.thread, NULL);
	reply_fini(&r);
	client_close(idle);
	client_close(fresh);
	http_fixture_fini(&f);
}

/* What runs is finished, and its client told that this was the last. */
TEST(test_net_http_server__stop_finishes_what_runs)
{
	struct fixture f;
	struct stopping s;
	struct reply r;
	char body[100000];
	int fd, idle;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	idle = client_open(&f);
	client_send(fd,
	    "PUT /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
	    "Expect: 100-continue\r\n\r\n");
	client_expect_100(fd);
	start_stopping(&s, &f, 60000);
	assert_true(client_is_ended(idle)); /* it has begun */
	http_fixture_fill(body, sizeof(body), 0);
	client_send_bytes(fd, body, sizeof(body));
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_field(&r, "Connection"), "close");
	assert_string_equal(
	    buf_str(&r.body), http_fixture_summary(sizeof(body)));
	assert_true(client_is_ended(fd));
	reply_fini(&r);
	client_close(fd);
	client_close(idle);
	pthread_join(s.thread, NULL);
	http_fixture_fini(&f);
}

TEST(test_net_http_server__stop_interrupts_after_the_grace)
{
	struct fixture f;
	struct stopping s;
	struct reply r;
	int fd, half, small;

	http_fixture_init(&f);
	http_fixture_start(&f);
	fd = client_open(&f);
	half = client_open(&f);
	small = client_open(&f);
	client_send(half, "GET / HTTP/1.1\r\n");
	client_send(small,
	    "PUT /short HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
	    "Expect: 100-continue\r\n\r\n");
	client_expect_100(small);
	client_send(fd,
	    "PUT /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	http_fixture_wait(&f, http_fixture_is_hanging);
	start_stopping(&s, &f, 30);
	client_reply(fd, "PUT", &r);
	assert_int_equal(r.status, 409);
	assert_string_equal(reply_field(&r, "X-Code"), "shutting_down");
	reply_fini(&r);
	client_reply(small, "PUT", &r);
	assert_int_equal(r.status, 503);
	reply_fini(&r);
	client_reply(half, "GET", &r);
	assert_int_equal(r.status, 503);
	reply_fini(&r);
	client_close(fd);
	client_close(half);
	client_close(small);
	pthread_join(s.thread, NULL);
	http_fixture_fini(&f);
}

/* Replies that are under way when the stop comes arrive whole. */
TEST(test_net_http_server__stop_loses_no_reply)
{
	enum { CLIENTS = 8 };
	struct fixture f;
	struct stopping s;
	struct reply r;
	int fds[CLIENTS];
	int i;

	http_fixture_init(&f);
	f.big = 4 * MEBIBYTE;
	http_fixture_start(&f);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = client_open(&f);
		client_send(fds[i], i % 2 == 0 ? GET("/big") : GET("/copy"));
		/* the first bytes are here */
		assert_false(client_is_quiet(fds[i], 5000));
	}
	start_stopping(&s, &f, 60000);
	for (i = 0; i < CLIENTS; i++) {
		client_reply(fds[i], "GET", &r);
		assert_false(r.is_short);
		assert_int_equal(r.body.len, f.big);
		reply_fini(&r);
		client_close(fds[i]);
	}
	pthread_join(s.thread, NULL);
	http_fixture_fini(&f);
}

TEST(test_net_http_server__stops_before_it_started)
{
	struct http_server *server;
	struct fixture f;
	int fd;

	http_fixture_init(&f);
	assert_int_equal(addr_listen("127.0.0.1", 0, &fd, NULL), 0);
	assert_int_equal(http_server_new(&f.cf, fd, &server, NULL), 0);
	http_server_free(server);
	http_server_free(NULL);
	close(fd);
}

TEST(test_net_http_server__unknown_congestion_control)
{
	struct http_server *server;
	struct err err = ERR_INIT;
	struct fixture f;
	int fd;

	http_fixture_init(&f);
	f.cf.tcp_congestion = "carrier-pigeon";
	assert_int_equal(addr_listen("127.0.0.1", 0, &fd, NULL), 0);
	assert_int_equal(http_server_new(&f.cf, fd, &server, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	close(fd);
}

/* Many at once, over every route. */
static void *
ask_all(void *arg)
{
	static const char *const heads[] = {
		GET("/loop"),
		GET("/short"),
		GET("/transfer"),
		GET("/copy"),
		GET("/chunks"),
		"PUT /transfer HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"PUT /short HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
		"abc",
	};
	struct fixture *f = arg;
	struct reply r;
	int fd = client_open(f);
	int i;

	for (i = 0; i < 200; i++) {
		client_send(fd, heads[i % 7]);
		client_reply(fd, "GET", &r);
		assert_int_equal(r.status, 200);
		reply_fini(&r);
	}
	client_close(fd);
	return NULL;
}

TEST(test_net_http_server__many_at_once)
{
	enum { CLIENTS = 8 };
	struct thread_options options = { .name = "client" };
	pthread_t threads[CLIENTS];
	struct fixture f;
	int i;

	http_fixture_init(&f);
	http_fixture_start(&f);
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(
		    thread_start(&options, ask_all, &f, &threads[i], NULL), 0);
	for (i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(f.n_accepted, CLIENTS * 200);
	http_fixture_fini(&f);
}
