/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "http_fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* f->file with ${n} bytes. */
static void
make_file(struct fixture *f, size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	http_fixture_fill(p, n, 0);
	f->file = file_open(AT_FDCWD, unit_temppath("file"),
	    O_RDWR | O_CREAT | O_TRUNC, 0600, NULL);
	assert_true(f->file >= 0);
	assert_int_equal(file_write_all(f->file, p, n, NULL), 0);
	f->file_size = n;
	free(p);
}

static void
assert_content(const struct buf *b, size_t n)
{
	size_t i;

	assert_int_equal(b->len, n);
	for (i = 0; i < n; i++) {
		if (b->p[i] != http_fixture_byte(i))
			fail_msg("byte %zu of %zu is wrong", i, n);
	}
}

TEST(test_net_http_stream__sends_files)
{
	static const size_t sizes[] = { 0, 1, 1000, 5000000 };
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		http_fixture_init(&f);
		make_file(&f, sizes[i]);
		http_fixture_start(&f);
		fd = client_open(&f);
		client_send(fd, GET("/file"));
		client_reply(fd, "GET", &r);
		assert_int_equal(r.status, 200);
		assert_content(&r.body, sizes[i]);
		http_fixture_wait(&f, http_fixture_has_delivered);
		assert_true(f.complete);
		assert_int_equal(f.delivered, sizes[i]);
		assert_int_equal(f.progress, sizes[i]);
		/* and again, on the same connection */
		reply_fini(&r);
		client_send(fd, GET("/file"));
		client_reply(fd, "GET", &r);
		assert_content(&r.body, sizes[i]);
		reply_fini(&r);
		client_close(fd);
		http_fixture_fini(&f);
		assert_int_equal(f.n_delivered, 2);
	}
}

TEST(test_net_http_stream__copies)
{
	static const char *const heads[] = {
		"GET /copy?%zu HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /chunks?%zu HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /chunks?%zu HTTP/1.0\r\n\r\n",
		"GET /copy?%zu HTTP/1.0\r\n\r\n",
	};
	static const size_t sizes[] = { 0, 1, 65536, 3000000 };
	struct fixture f;
	struct reply r;
	char head[100];
	size_t i, k;
	int fd;

	for (k = 0; k < sizeof(heads) / sizeof(heads[0]); k++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			http_fixture_init(&f);
			http_fixture_start(&f);
			snprintf(head, sizeof(head), heads[k], sizes[i]);
			fd = client_open(&f);
			client_send(fd, head);
			client_reply(fd, "GET", &r);
			assert_int_equal(r.status, 200);
			assert_false(r.is_short);
			assert_content(&r.body, sizes[i]);
			http_fixture_wait(&f, http_fixture_has_delivered);
			assert_true(f.complete);
			assert_int_equal(f.progress, sizes[i]);
			reply_fini(&r);
			client_close(fd);
			http_fixture_fini(&f);
		}
	}
}

TEST(test_net_http_stream__head_has_no_body)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	make_file(&f, 12345);
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
	client_reply(fd, "HEAD", &r);
	assert_string_equal(reply_field(&r, "Content-Length"), "12345");
	reply_fini(&r);
	client_send(fd, "HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	client_reply(fd, "HEAD", &r);
	assert_string_equal(reply_field(&r, "Transfer-Encoding"), "chunked");
	reply_fini(&r);
	/* nothing of a body is in the way of the next */
	client_send(fd, GET("/loop"));
	client_reply(fd, "GET", &r);
	assert_string_equal(buf_str(&r.body), "loop");
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
	assert_int_equal(f.n_delivered, 2);
	assert_true(f.complete);
	assert_int_equal(f.delivered, 0);
}

/* A reply that cannot be whole is cut, so that nobody takes it for whole. */
TEST(test_net_http_stream__short_source_cuts)
{
	struct fixture f;
	struct reply r;
	int fd;

	http_fixture_init(&f);
	f.big = 100000;
	http_fixture_start(&f);
	fd = client_open(&f);
	client_send(fd, GET("/lies"));
	client_reply(fd, "GET", &r);
	assert_true(r.is_short);
	assert_content(&r.body, 100000);
	reply_fini(&r);
	client_close(fd);
	http_fixture_wait(&f, http_fixture_has_ended);
	assert_int_equal(f.last_why, ERR_IO);
	assert_false(f.complete);
	http_fixture_fini(&f);
}

/* The socket's buffer is small, so that the server has to wait. */
static int
open_slow(struct fixture *f)
{
	int fd = client_open(f);
	int size = 128 << 10;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

TEST(test_net_http_stream__slow_readers_get_all)
{
	static const char *const heads[] = {
		GET("/file"),
		GET("/copy"),
		GET("/chunks"),
		GET("/big"),
	};
	struct fixture f;
	struct reply r;
	size_t i;
	int fd;

	http_fixture_init(&f);
	f.big = 8 << 20;
	make_file(&f, f.big);
	http_fixture_start(&f);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		fd = open_slow(&f);
		client_send(fd, heads[i]);
		(void)client_is_quiet(fd, 1);
		client_reply(fd, "GET", &r);
		assert_false(r.is_short);
		assert_content(&r.body, f.big);
		reply_fini(&r);
		client_close(fd);
	}
	http_fixture_fini(&f);
}

TEST(test_net_http_stream__who_reads_nothing_is_cut)
{
	static const char *const heads[] = {
		GET("/file"),
		GET("/copy"),
		GET("/big"),
	};
	struct fixture f;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		http_fixture_init(&f);
		f.cf.stall_timeout_ms = 50;
		f.big = 16 << 20;
		make_file(&f, f.big);
		http_fixture_start(&f);
		fd = open_slow(&f);
		client_send(fd, heads[i]);
		http_fixture_wait(&f, http_fixture_has_ended);
		assert_int_equal(f.last_why, ERR_TIMEOUT);
		if (i < 2) {
			assert_int_equal(f.n_delivered, 1);
			assert_false(f.complete);
			/* what the socket still held was not delivered */
			assert_true(f.delivered < f.progress);
		}
		client_close(fd);
		http_fixture_fini(&f);
	}
}

/* All was handed to the kernel, but the client had not taken it when it
 * went away. */
TEST(test_net_http_stream__handed_over_is_not_delivered)
{
	struct fixture f;
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd;

	http_fixture_init(&f);
	make_file(&f, 1 << 20);
	http_fixture_start(&f);
	fd = open_slow(&f);
	client_send(fd, GET("/file"));
	http_fixture_wait(&f, http_fixture_has_ended);
	assert_int_equal(f.last_why, ERR_NONE);
	assert_int_equal(f.progress, f.file_size);
	pthread_mutex_lock(&f.lock);
	assert_int_equal(f.n_delivered, 0);
	pthread_mutex_unlock(&f.lock);
	/* a reset */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(fd);
	http_fixture_wait(&f, http_fixture_has_delivered);
	assert_false(f.complete);
	assert_true(f.delivered < f.file_size);
	http_fixture_fini(&f);
	assert_int_equal(f.n_delivered, 1);
}

TEST(test_net_http_stream__who_goes_away_ends_it)
{
	struct fixture f;
	struct reply r;
	char some[1000];
	int fd;

	http_fixture_init(&f);
	make_file(&f, 32 << 20);
	http_fixture_start(&f);
	fd = open_slow(&f);
	client_send(fd, GET("/file"));
	assert_true(recv(fd, some, sizeof(some), 0) > 0);
	client_close(fd);
	http_fixture_wait(&f, http_fixture_has_ended);
	assert_int_equal(f.last_why, ERR_CLOSED);
	assert_int_equal(f.n_delivered, 1);
	assert_false(f.complete);
	/* and others are served */
	fd = client_open(&f);
	client_send(fd, GET("/loop"));
	client_reply(fd, "GET", &r);
	reply_fini(&r);
	client_close(fd);
	http_fixture_fini(&f);
}
