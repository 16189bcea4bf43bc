/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"

#define SLICE (1024u * 1024)
#define TURNS 4 /* slices in a row, before others come to theirs */

void
client_init(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	plan_request_init(&c->request);
}

void
client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->watched = 0;
	c->state = CLIENT_IDLE;
}

void
client_fini(struct client *c)
{
	client_close(c);
	plan_request_fini(&c->request);
}

/* Once a connection is up, requests that fit into its buffers need no call. */
static int
watch(struct client *c, const struct client_env *env, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };
	int op = c->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (c->watched == events)
		return 0;
	c->watched = events;
	return epoll_ctl(env->epoll_fd, op, c->fd, &ev);
}

/* The kernel's default may be one that halves what loopback can carry. */
static void
set_congestion(int fd, const char *name)
{
	if (name == NULL)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
	    (socklen_t)strlen(name)); /* checked once by load.c */
}

static int
begin_connect(struct client *c, const struct client_env *env, struct err *err)
{
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_set_errno(err, ERR_IO, "socket");
	set_congestion(c->fd, env->congestion);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (const struct sockaddr *)&env->addr,
	        sizeof(env->addr)) < 0 &&
	    errno != EINPROGRESS)
		return err_set_errno(err, ERR_IO, "connect");
	c->state = CLIENT_CONNECTING;
	if (watch(c, env, EPOLLIN | EPOLLOUT) < 0)
		return err_set_errno(err, ERR_IO, "epoll_ctl");
	return 0;
}

/* 1 when it is all sent, 0 when the socket is full, -1. */
static int
send_buf(int fd, const struct buf *b, size_t *sent, int flags)
{
	ssize_t n;

	while (*sent < b->len) {
		n = send(
		    fd, b->p + *sent, b->len - *sent, MSG_NOSIGNAL | flags);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		*sent += (size_t)n;
	}
	return 1;
}

/* As send_buf(); one slice a turn, so that others come to theirs. */
static int
send_body(struct client *c, const struct plan *p)
{
	struct plan_request *r = &c->request;
	uint64_t want = r->body_left < SLICE ? r->body_left : SLICE;
	off_t off;
	ssize_t n;

	if (r->body_left == 0)
		return 1;
	if (want > PLAN_PAYLOAD - r->body_off)
		want = PLAN_PAYLOAD - r->body_off;
	off = (off_t)r->body_off;
	n = sendfile(c->fd, p->payload_fd, &off, (size_t)want);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	r->body_off = (r->body_off + (uint64_t)n) % PLAN_PAYLOAD;
	r->body_left -= (uint64_t)n;
	c->bytes_sent += (uint64_t)n;
	return r->body_left == 0;
}

static int
send_some(struct client *c, const struct client_env *env, struct err *err)
{
	int flags = c->request.body_left > 0 ? MSG_MORE : 0;
	int rc;

	rc = send_buf(c->fd, &c->request.head, &c->head_sent, flags);
	if (rc == 1)
		rc = send_body(c, env->plan);
	if (rc == 1)
		rc = send_buf(c->fd, &c->request.tail, &c->tail_sent, 0);
	if (rc < 0)
		return err_set_errno(err, ERR_IO, "send");
	c->is_sent = rc == 1;
	if (watch(c, env, c->is_sent ? EPOLLIN : EPOLLIN | EPOLLOUT) < 0)
		return err_set_errno(err, ERR_IO, "epoll_ctl");
	return 0;
}

int
client_start(struct client *c, const struct client_env *env, struct err *err)
{
	c->head_sent = c->tail_sent = 0;
	c->is_sent = false;
	c->head_len = 0;
	c->in_body = false;
	c->must_close = false;
	c->status = 0;
	c->left = 0;
	if (c->fd < 0)
		return begin_connect(c, env, err);
	c->state = CLIENT_BUSY;
	return send_some(c, env, err);
}

/* The value of a field in the NUL-terminated head; NULL: there is none. */
static const char *
field(const char *head, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);
	const char *line = head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " ");
		*ret_len = strcspn(line, "\r");
		return line;
	}
	return NULL;
}

/* Status, length and connection from the head that ends at ${end}. */
static int
read_head(struct client *c, char *end, struct err *err)
{
	uint64_t status;
	const char *value;
	size_t len;

	*end = '\0';
	if (strncmp(c->head, "HTTP/1.1 ", 9) != 0 ||
	    !num_uint((struct slice){ c->head + 9, 3 }, 999, &status))
		return err_set(err, ERR_IO, "no HTTP answer");
	c->status = (int)status;
	c->left = 0;
	value = field(c->head, "content-length", &len);
	if (value != NULL &&
	    !num_uint((struct slice){ value, len }, UINT64_MAX, &c->left))
		return err_set(err, ERR_IO, "a bad Content-Length");
	if (value == NULL && c->status != 204)
		return err_set(err, ERR_IO, "an answer without a length");
	value = field(c->head, "connection", &len);
	c->must_close =
	    value != NULL && len == 5 && strncasecmp(value, "close", 5) == 0;
	return 0;
}

/* 1 when the head is complete, 0 when more is to come, -1. */
static int
receive_head(struct client *c, struct err *err)
{
	size_t room = CLIENT_ANSWER_HEAD_MAX - c->head_len;
	size_t extra;
	char *end;
	ssize_t n;

	if (room == 0)
		return err_set(err, ERR_IO, "the answer's head is too long");
	n = recv(c->fd, c->head + c->head_len, room, 0);
	if (n == 0)
		return err_set(err, ERR_CLOSED, "closed before an answer");
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_set_errno(err, ERR_IO, "recv");
	c->head_len += (size_t)n;
	c->head[c->head_len] = '\0';
	end = strstr(c->head, "\r\n\r\n");
	if (end == NULL)
		return 0;
	extra = c->head_len - (size_t)(end + 4 - c->head);
	if (read_head(c, end, err) < 0)
		return -1;
	if (extra > c->left)
		return err_set(err, ERR_IO, "more than the answer");
	c->left -= extra;
	c->bytes_received += extra;
	c->in_body = true;
	return 1;
}

/* 1 when there may be more at once, 0 when it is to come, -1. */
static int
receive_body(struct client *c, struct err *err)
{
	size_t want = c->left < SLICE ? (size_t)c->left : SLICE;
	ssize_t n;

	/* tcp(7): with MSG_TRUNC the bytes are dropped, not copied */
	n = recv(c->fd, NULL, want, MSG_TRUNC);
	if (n == 0)
		return err_set(err, ERR_CLOSED, "closed within a body");
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_set_errno(err, ERR_IO, "recv");
	c->left -= (uint64_t)n;
	c->bytes_received += (uint64_t)n;
	return 1;
}

static int
connected(struct client *c, struct err *err)
{
	int e = 0;
	socklen_t len = sizeof(e);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0 || e != 0) {
		errno = e;
		return err_set_errno(err, ERR_IO, "connect");
	}
	c->state = CLIENT_BUSY;
	return 0;
}

enum client_step
client_go(struct client *c, const struct client_env *env, struct err *err)
{
	int rc = 1;
	int turn;

	if (c->state == CLIENT_CONNECTING && connected(c, err) < 0)
		return CLIENT_LOST;
	if (!c->is_sent && send_some(c, env, err) < 0)
		return CLIENT_LOST;
	/* an answer may come before all is sent: a refusal */
	if (!c->in_body)
		rc = receive_head(c, err);
	for (turn = 0; turn < TURNS && rc == 1 && c->left > 0; turn++)
		rc = receive_body(c, err);
	if (rc < 0)
		return CLIENT_LOST;
	if (!c->in_body || c->left > 0)
		return CLIENT_MORE;
	if (!c->is_sent)
		c->must_close = true;
	return CLIENT_DONE;
}
