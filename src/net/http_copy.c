/* SPDX-License-Identifier: MIT */

/*
 * A body that passes through memory: read from its source into a borrowed
 * buffer, sent, and so on.  While a client takes all that it is sent, another
 * thread reads what comes next.
 */

#include "net/http_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ahead.h"
#include "base/mem.h"

/*
 * How much is read from a source at once: doubled when the socket takes all
 * of it, halved when it does not, since what it does not take has to stay in
 * memory while the client is waited for.
 */
#define COPY_MIN ((size_t)16 * 1024)
#define COPY_FIRST ((size_t)64 * 1024)
/* From here on the hand-over to another thread is worth it. */
#define AHEAD_MIN ((size_t)256 * 1024)

struct copying {
	struct http_streaming *st;
	struct buffers *buffers;
	size_t slice;
	uint64_t read;       /* bytes of the source, also those read ahead */
	struct ahead *ahead; /* NULL until there was a reason */
	char *ahead_buf;     /* borrowed, while one is under way */
};

/* How much to read next; 0: all of a known length has been. */
static size_t
next_slice(const struct copying *c)
{
	uint64_t length = c->st->s->length;

	if (length != HTTP_LENGTH_UNKNOWN && length - c->read < c->slice)
		return (size_t)(length - c->read);
	return c->slice;
}

static void
adapt_slice(struct copying *c, bool took_all)
{
	size_t most = buffers_size(c->buffers);

	if (took_all)
		c->slice = 2 * c->slice < most ? 2 * c->slice : most;
	else if (c->slice > COPY_MIN)
		c->slice /= 2;
}

/* --- ahead ---------------------------------------------------------------- */

/* The slice after the one that is about to be sent. */
static void
read_ahead(struct copying *c)
{
	struct iovec to;

	to.iov_len = next_slice(c);
	if (to.iov_len < AHEAD_MIN || c->st->framing != HTTP_BY_LENGTH ||
	    source_wait(c->st->s->src, 0, NULL) <= 0)
		return;
	/* One that holds a buffer must not wait for a second. */
	to.iov_base = buffers_try(c->buffers);
	if (to.iov_base == NULL)
		return;
	if (c->ahead == NULL)
		c->ahead = ahead_new(c->st->x->server->ahead_jobs);
	if (ahead_start(c->ahead, c->st->s->src, to))
		c->ahead_buf = to.iov_base;
	else
		buffers_give(c->buffers, to.iov_base);
}

static bool
is_ahead(const struct copying *c)
{
	return c->ahead_buf != NULL;
}

/* What was read ahead, in its buffer, which is the caller's now. */
static ssize_t
take_ahead(struct copying *c, char **ret_buf, struct err *err)
{
	*ret_buf = c->ahead_buf;
	c->ahead_buf = NULL;
	return ahead_finish(c->ahead, err);
}

/* --- pieces --------------------------------------------------------------- */

/*
 * Tries to send; what the socket does not take is moved out of the borrowed
 * buffer to *${ret_rest} (to be freed), so that nobody waits with one.
 */
static int
write_some(struct copying *c, struct iovec *iov, int n_iov,
    struct iovec *ret_rest, struct err *err)
{
	size_t total = 0, sent;
	ssize_t done;
	char *at;
	int i;

	for (i = 0; i < n_iov; i++)
		total += iov[i].iov_len;
	done = http_conn_write(c->st->x->hc, iov, n_iov, false, err);
	if (done == -1)
		return -1;
	sent = done == CONN_AGAIN ? 0 : (size_t)done;
	if (sent > 0)
		http_wait_moved(c->st->x);
	adapt_slice(c, sent == total);
	*ret_rest = (struct iovec){ NULL, total - sent };
	if (sent == total)
		return 0;
	at = mem_try_alloc(total - sent);
	ret_rest->iov_base = at;
	if (at == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	for (i = 0; i < n_iov; i++) {
		if (sent >= iov[i].iov_len) {
			sent -= iov[i].iov_len;
			continue;
		}
		total = iov[i].iov_len - sent;
		at = mempcpy(at, (char *)iov[i].iov_base + sent, total);
		sent = 0;
	}
	return 0;
}

/* The ${n} bytes at ${buf}, framed as they have to be. */
static int
write_piece(struct copying *c, char *buf, size_t n, struct iovec *ret_rest,
    struct err *err)
{
	struct iovec iov[3];
	char size[20];
	int len;

	iov[1] = (struct iovec){ buf, n };
	if (c->st->framing != HTTP_BY_CHUNKS)
		return write_some(c, &iov[1], 1, ret_rest, err);
	len = snprintf(size, sizeof(size), "%zx\r\n", n);
	iov[0] = (struct iovec){ size, (size_t)len };
	iov[2] = (struct iovec){ (char *)"\r\n", 2 };
	return write_some(c, iov, 3, ret_rest, err);
}

/* The next bytes, in a borrowed buffer, unless there are none. */
static ssize_t
next_piece(struct copying *c, char **ret_buf, struct err *err)
{
	ssize_t n;

	if (is_ahead(c)) {
		n = take_ahead(c, ret_buf, err);
	} else {
		*ret_buf = buffers_take(c->buffers);
		n = source_read(c->st->s->src, *ret_buf, next_slice(c), err);
	}
	if (n > 0) {
		c->read += (uint64_t)n;
		return n;
	}
	buffers_give(c->buffers, *ret_buf);
	*ret_buf = NULL;
	return n;
}

/* One piece from the source to the socket: its size, 0 at the end, -1. */
static ssize_t
copy_piece(struct copying *c, struct iovec *ret_rest, struct err *err)
{
	char *buf;
	ssize_t n = next_piece(c, &buf, err);
	int rc;

	if (n <= 0)
		return n;
	read_ahead(c);
	rc = write_piece(c, buf, (size_t)n, ret_rest, err);
	buffers_give(c->buffers, buf);
	return rc < 0 ? -1 : n;
}

/* Sends what a client did not take at once, waiting for it, and with nothing
 * borrowed meanwhile: what was read ahead goes to memory of its own, too. */
static int
wait_with(struct copying *c, struct iovec rest, struct err *err)
{
	struct iovec next = { NULL, 0 };
	struct err why = ERR_INIT;
	ssize_t n = 0;
	char *buf;
	int rc;

	if (is_ahead(c)) {
		n = take_ahead(c, &buf, &why);
		if (n > 0) {
			c->read += (uint64_t)n;
			next.iov_len = (size_t)n;
			next.iov_base = mem_try_alloc(next.iov_len);
			if (next.iov_base != NULL)
				memcpy(next.iov_base, buf, next.iov_len);
			else
				n = err_set(
				    &why, ERR_UNAVAILABLE, "out of memory");
		}
		buffers_give(c->buffers, buf);
	}
	rc = http_stream_write_all(c->st->x, &rest, err);
	if (rc == 0 && n < 0) {
		*err = why;
		rc = -1;
	}
	buf = next.iov_base;
	if (rc == 0 && n > 0) {
		rc = http_stream_write_all(c->st->x, &next, err);
		if (rc == 0)
			rc = http_stream_report(c->st, (uint64_t)n, err);
	}
	free(buf);
	return rc;
}

static int
copy_all(struct copying *c, struct err *err)
{
	struct http_exchange *x = c->st->x;
	struct iovec rest;
	void *memory;
	ssize_t done;
	int rc;

	while (next_slice(c) > 0) {
		/* Before a buffer is borrowed, there must be room for it. */
		if (!is_ahead(c) &&
		    (http_wait(x, CONN_WRITE, -1, err) < 0 ||
		        source_wait(c->st->s->src, -1, err) < 0))
			return -1;
		rest = (struct iovec){ NULL, 0 };
		done = copy_piece(c, &rest, err);
		if (done == 0)
			break;
		memory = rest.iov_base;
		rc = done < 0 ? -1 : 0;
		if (rc == 0 && rest.iov_len > 0)
			rc = wait_with(c, rest, err);
		free(memory);
		if (rc < 0 ||
		    http_stream_report(c->st, (uint64_t)done, err) < 0)
			return -1;
	}
	if (c->st->s->length != HTTP_LENGTH_UNKNOWN &&
	    x->body_sent < c->st->s->length)
		return err_set(
		    err, ERR_IO, "what was to be sent ended too early");
	return 0;
}

int
http_copy(struct http_streaming *st, struct err *err)
{
	struct copying c = {
		.st = st,
		.buffers = st->x->server->buffers,
		.slice = COPY_FIRST,
	};
	int rc = copy_all(&c, err);
	char *buf;

	if (is_ahead(&c)) {
		(void)take_ahead(&c, &buf, NULL);
		buffers_give(c.buffers, buf);
	}
	ahead_free(c.ahead);
	return rc;
}
