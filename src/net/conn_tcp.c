/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How a failed call on the socket is told. */
static ssize_t
fail(struct err *err)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return CONN_AGAIN;
	/* Reset, timed out, unreachable: to us it is the same. */
	return err_set_errno(err, ERR_CLOSED, "the connection broke");
}

static ssize_t
tcp_read(struct conn *c, void *p, size_t n, struct err *err)
{
	ssize_t done = recv(c->fd, p, n, 0);

	return done < 0 ? fail(err) : done;
}

static ssize_t
tcp_discard(struct conn *c, size_t n, struct err *err)
{
	/* The kernel drops them without copying (tcp(7), MSG_TRUNC).  Not
	 * recv(): the sanitizers believe that it writes to NULL. */
	ssize_t done =
	    syscall(SYS_recvfrom, c->fd, NULL, n, MSG_TRUNC, NULL, NULL);

	return done < 0 ? fail(err) : done;
}

static ssize_t
tcp_write(struct conn *c, const struct iovec *iov, int n_iov, bool more,
    struct err *err)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)iov };
	int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	ssize_t done;

	msg.msg_iovlen = (size_t)n_iov;
	if (n_iov == 1) /* most replies, and cheaper */
		done = send(c->fd, iov->iov_base, iov->iov_len, flags);
	else
		done = sendmsg(c->fd, &msg, flags);
	return done < 0 ? fail(err) : done;
}

static ssize_t
tcp_send_extent(struct conn *c, const struct extent *e, struct err *err)
{
	off_t offset = (off_t)e->offset;
	ssize_t done = sendfile(c->fd, e->fd, &offset, (size_t)e->length);

	if (done >= 0)
		return done;
	/* All else than these is the socket's. */
	if (errno == EIO || errno == EINVAL || errno == EOVERFLOW ||
	    errno == ENOMEM)
		return err_set_errno(err, ERR_IO, "cannot read a file");
	return fail(err);
}

static enum conn_event
tcp_wait(struct conn *c, enum conn_want want, int wake_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = c->fd, .events = want == CONN_READ ? POLLIN : POLLOUT },
		{ .fd = wake_fd, .events = POLLIN },
	};
	int n = poll(fds, 2, timeout_ms);

	if (n > 0 && fds[1].revents != 0)
		return CONN_WOKEN;
	if (n == 0)
		return CONN_TIMEOUT;
	/* Errors and hang-ups too: the next read or write tells.  EINTR:
	 * trying once too often does no harm. */
	return CONN_READY;
}

static bool
tcp_pending(const struct conn *c)
{
	(void)c;
	return false;
}

static uint64_t
tcp_unsent(const struct conn *c)
{
	int n = 0;

	if (ioctl(c->fd, SIOCOUTQ, &n) < 0 || n < 0)
		return 0;
	return (uint64_t)n;
}

static uint64_t
tcp_available(const struct conn *c)
{
	int n = 0;

	if (ioctl(c->fd, FIONREAD, &n) < 0 || n < 0)
		return 0;
	return (uint64_t)n;
}

static bool
tcp_shutdown(struct conn *c)
{
	/* Fails when the peer is gone, which is as good. */
	(void)shutdown(c->fd, SHUT_WR);
	return true;
}

static void
tcp_reset(struct conn *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
tcp_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

const struct conn_ops conn_tcp_ops = {
	.read = tcp_read,
	.discard = tcp_discard,
	.write = tcp_write,
	.send_extent = tcp_send_extent,
	.wait = tcp_wait,
	.pending = tcp_pending,
	.unsent = tcp_unsent,
	.available = tcp_available,
	.path = conn_tcp_path,
	.shutdown = tcp_shutdown,
	.reset = tcp_reset,
	.close = tcp_close,
};

void
conn_tcp_init(struct conn *c, int fd)
{
	*c = (struct conn){
		.ops = &conn_tcp_ops,
		.fd = fd,
		.read_wants = CONN_READ,
		.write_wants = CONN_WRITE,
	};
}
