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
	uint64_t allowed;    /* of the next slice */
	uint64_t read;       /* bytes of the source, but those being read */
	struct ahead *ahead; /* NULL until there was a reason */
	/* Borrowed for what is being read ahead, in its order. */
	struct iovec bufs[AHEAD_MAX];
	unsigned n_bufs;
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

/* Bytes that were asked for and have not come. */
static uint64_t
being_read(const struct copying *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < c->n_bufs; i++)
		sum += c->bufs[i].iov_len;
	return sum;
}

/* The slice after those that are being read; false: not now. */
static bool
read_ahead(struct copying *c)
{
	struct http_exchange *x = c->st->x;
	struct source *src = c->st->s->src;
	uint64_t left = c->st->s->length - c->read - being_read(c);
	struct iovec to = { NULL, left < c->slice ? (size_t)left : c->slice };

	if (to.iov_len < AHEAD_MIN || c->n_bufs == AHEAD_MAX ||
	    (c->n_bufs == 0 && source_wait(src, 0, NULL) <= 0))
		return false;
	/* One that holds a buffer must not wait for a second. */
	to.iov_base = buffers_try(c->buffers);
	if (to.iov_base == NULL)
		return false;
	if (c->ahead == NULL)
		c->ahead = ahead_new(x->server->ahead_jobs);
	if (!ahead_start(c->ahead, src, to)) {
		buffers_give(c->buffers, to.iov_base);
		return false;
	}
	c->bufs[c->n_bufs++] = to;
	return true;
}

static bool
is_ahead(const struct copying *c)
{
	return c->n_bufs > 0;
}

/* What was read ahead first, in its buffer, which is the caller's now. */
static ssize_t
take_ahead(struct copying *c, char **ret_buf, struct err *err)
{
	*ret_buf = c->bufs[0].iov_base;
	c->n_bufs--;
	memmove(c->bufs, c->bufs + 1, c->n_bufs * sizeof(c->bufs[0]));
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
		n = source_read(
		    c->st->s->src, *ret_buf, (size_t)c->allowed, err);
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
	if (c->st->framing == HTTP_BY_LENGTH && !c->st->s->is_limited)
		while (read_ahead(c))
			continue;
	rc = write_piece(c, buf, (size_t)n, ret_rest, err);
	buffers_give(c->buffers, buf);
	return rc < 0 ? -1 : n;
}

/* What was read ahead, in memory of its own. */
struct shelf {
	struct iovec pieces[AHEAD_MAX];
	unsigned count;
	bool has_failed; /* behind the pieces */
	struct err why;
};

static void
shelve_ahead(struct copying *c, struct shelf *s)
{
	memset(s, 0, sizeof(*s));
	while (is_ahead(c)) {
		char *buf;
		ssize_t n = take_ahead(c, &buf, &s->why);
		void *copy = n > 0 ? mem_try_alloc((size_t)n) : NULL;

		if (copy != NULL) {
			memcpy(copy, buf, (size_t)n);
			s->pieces[s->count++] =
			    (struct iovec){ copy, (size_t)n };
			c->read += (uint64_t)n;
		} else if (n != 0 && !s->has_failed) {
			if (n > 0)
				(void)err_set(
				    &s->why, ERR_UNAVAILABLE, "out of memory");
			s->has_failed = true;
		}
		buffers_give(c->buffers, buf);
	}
}

static int
send_shelf(struct copying *c, struct shelf *s, struct err *err)
{
	for (unsigned i = 0; i < s->count; i++)
		if (http_stream_write_all(c->st->x, &s->pieces[i], err) < 0 ||
		    http_stream_report(c->st, s->pieces[i].iov_len, err) < 0)
			return -1;
	if (s->has_failed)
		*err = s->why;
	return s->has_failed ? -1 : 0;
}

/* Sends what a client did not take at once, waiting for it, and with nothing
 * borrowed meanwhile. */
static int
wait_with(struct copying *c, struct iovec rest, uint64_t n, struct err *err)
{
	struct shelf shelf;
	int rc = -1;

	shelve_ahead(c, &shelf);
	if (http_stream_write_all(c->st->x, &rest, err) == 0 &&
	    http_stream_report(c->st, n, err) == 0)
		rc = send_shelf(c, &shelf, err);
	for (unsigned i = 0; i < shelf.count; i++)
		free(shelf.pieces[i].iov_base);
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
		c->allowed = next_slice(c);
		if (http_stream_allow(c->st, &c->allowed, err) < 0)
			return -1;
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
		rc = -1;
		if (done > 0)
			rc = rest.iov_len > 0
			         ? wait_with(c, rest, (uint64_t)done, err)
			         : http_stream_report(
			               c->st, (uint64_t)done, err);
		free(memory);
		if (rc < 0)
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

	while (is_ahead(&c)) {
		(void)take_ahead(&c, &buf, NULL);
		buffers_give(c.buffers, buf);
	}
	ahead_free(c.ahead);
	return rc;
}
