/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/*
 * One keep-alive connection of the load generator: sends a request, reads its
 * answer, asks for the next.  Non-blocking; driven by epoll from one thread.
 * Bodies of answers are thrown away inside the kernel (MSG_TRUNC).
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "plan.h"

#define CLIENT_ANSWER_HEAD_MAX 16384

enum client_state { CLIENT_IDLE, CLIENT_CONNECTING, CLIENT_BUSY };

struct client {
	int fd;           /* -1: none */
	uint32_t watched; /* epoll events */
	enum client_state state;
	struct plan_request request;
	size_t head_sent, tail_sent;
	bool is_sent;
	/* the answer */
	char head[CLIENT_ANSWER_HEAD_MAX + 1];
	size_t head_len;
	bool in_body;
	bool must_close;
	int status;
	uint64_t left;
	/* sums of this connection */
	uint64_t bytes_sent;
	uint64_t bytes_received; /* of bodies */
	int64_t started_ns;
};

/* Where to, and what; the same for all. */
struct client_env {
	struct sockaddr_in addr;
	const char *congestion; /* NULL: the system's */
	int epoll_fd;
	const struct plan *plan;
};

enum client_step {
	CLIENT_MORE, /* waits for the socket */
	CLIENT_DONE, /* an answer is complete; its status is in the client */
	CLIENT_LOST, /* the connection failed; err says how */
};

void client_init(struct client *c);
void client_fini(struct client *c);
/* Sends the request that was set in c->request, connecting first where there
 * is no connection. */
int client_start(
    struct client *c, const struct client_env *env, struct err *err);
/* The socket is ready for something. */
enum client_step client_go(
    struct client *c, const struct client_env *env, struct err *err);
void client_close(struct client *c);

#endif
