/* SPDX-License-Identifier: MIT */
#ifndef UNIT_HTTP_FIXTURE_H
#define UNIT_HTTP_FIXTURE_H

/*
 * A server of src/net over a tiny application, and a client that speaks raw
 * bytes: for the tests of http_*.c.
 *
 *	/loop           answered on the loop: "loop"
 *	/big            on the loop, fixture.big bytes
 *	/short          short: reads the body, answers "<bytes> <sum>"
 *	/transfer       transfer: the same
 *	/wait           transfer: the same, and waits before each read
 *	/early          transfer: 413 without reading
 *	/hang           transfer: on hang_code, 409 with its name
 *	/park           transfer: parks until fixture.parked is unparked;
 *	                then as /transfer, or 409 with an interrupt's name
 *	/cancelled      transfer: is interrupted before it reads; answers with
 *how /taken-over     many bytes it gets, and the reason /mute transfer: does
 *not answer /file           transfer: fixture.file by an extent /copy transfer:
 *fixture.big bytes, copied /chunks         transfer: the same, of unknown
 *length /lies           transfer: announces one byte more than comes /refuse
 *403 on the loop, the body unread /nothing        204 on the loop
 *
 * A query says how many bytes /big, /copy, /chunks and /lies mean, if not
 * fixture.big.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/http_server.h"

struct fixture {
	struct http_server_config
	    cf; /* change it before http_fixture_start() */
	struct http_server *server;
	int listen_fd;
	uint16_t port;
	int file; /* for /file; -1: none */
	size_t file_size;
	size_t big; /* bytes of /big, /copy, /chunks */

	pthread_mutex_t lock; /* over all below */
	pthread_cond_t changed;
	size_t n_accepted;
	size_t n_ended;
	enum err_code last_why; /* of ended() */
	size_t n_delivered;
	uint64_t delivered;
	bool complete;
	uint64_t progress;
	struct http_exchange *hanging; /* in /hang */
	struct http_exchange *parked;  /* in /park */
	bool unparks_early;            /* before the handler of /park returns */
	size_t n_left;
	size_t n_fini;
};

/* Sane limits, long time-outs, not started. */
void http_fixture_init(struct fixture *f);
void http_fixture_start(struct fixture *f);
/* Stops it, too.  Every exchange must have ended, every user data gone. */
void http_fixture_fini(struct fixture *f);
/* Waits until the predicate holds; fails the test after 10 s. */
void http_fixture_wait(
    struct fixture *f, bool (*is_so)(const struct fixture *f));
bool http_fixture_is_hanging(const struct fixture *f);
bool http_fixture_is_parked(const struct fixture *f);
bool http_fixture_has_delivered(const struct fixture *f);
bool http_fixture_has_ended(const struct fixture *f);
/* Until the server counts ${n} connections. */
void http_fixture_wait_connections(struct fixture *f, size_t n);
/* Byte ${i} of everything that is sent here. */
char http_fixture_byte(size_t i);
void http_fixture_fill(char *p, size_t n, size_t from);
/* "<bytes> <sum>" as /short and /transfer answer to ${n} such bytes. */
const char *http_fixture_summary(size_t n);

/* A reply as the client sees it. */
struct reply {
	int status;
	struct buf head;
	struct buf body;
	bool is_short;   /* the connection ended before the body did */
	char value[256]; /* of reply_field() */
};

int client_open(const struct fixture *f);
void client_close(int fd);
void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *p, size_t n);
/* Reads one reply (100s are skipped unless ${want_100}); ${method} says
 * whether a body comes. */
void client_reply(int fd, const char *method, struct reply *ret);
/* Exactly "HTTP/1.1 100 Continue" and nothing else yet. */
void client_expect_100(int fd);
void reply_fini(struct reply *r);
/* The value of a field in the head, until the next call; NULL: none. */
const char *reply_field(struct reply *r, const char *name);
/* True when the server ends the connection (properly or not) without
 * another byte. */
bool client_is_ended(int fd);
/* Nothing comes for ${ms}. */
bool client_is_quiet(int fd, int ms);
/* Opens, sends, reads the reply's status, closes. */
int client_ask(const struct fixture *f, const char *text);

#endif
