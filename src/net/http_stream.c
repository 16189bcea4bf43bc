/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * How much is read from a source at once: doubled when the socket takes all
 * of it, halved when it does not, since what it does not take has to stay in
 * memory while the client is waited for.
 */
#define COPY_MIN ((size_t)16 * 1024)
#define COPY_FIRST ((size_t)64 * 1024)

struct streaming {
	struct http_exchange *x;
	const struct http_stream *s;
	enum http_framing framing;
	size_t slice;
};

static int
report(struct streaming *st, uint64_t n, struct err *err)
{
	st->x->body_sent += n;
	if (n == 0 || st->s->progress == NULL)
		return 0;
	return st->s->progress(st->s->arg, st->x->body_sent, err) == 0 ? 0 : -1;
}

/* Sends all, waiting for the client. */
static int
write_all(struct http_exchange *x, struct iovec *iov, int n_iov, bool more,
    struct err *err)
{
	size_t left;
	ssize_t done;

	while (n_iov > 0) {
		if (http_wait_check(x, err) < 0)
			return -1;
		done = http_conn_write(x->hc, iov, n_iov, more, err);
		if (done == -1)
			return -1;
		if (done == CONN_AGAIN) {
			if (http_wait(x, CONN_WRITE, -1, err) < 0)
				return -1;
			continue;
		}
		http_wait_moved(x);
		left = (size_t)done;
		while (n_iov > 0 && left >= iov->iov_len) {
			left -= iov->iov_len;
			iov++;
			n_iov--;
		}
		if (n_iov > 0) {
			iov->iov_base = (char *)iov->iov_base + left;
			iov->iov_len -= left;
		}
	}
	return 0;
}

static int
write_head(struct http_exchange *x, bool more, struct err *err)
{
	struct iovec iov = { x->wire.p, x->wire.len };

	return write_all(x, &iov, 1, more, err);
}

/* The file goes from the page cache to the socket. */
static int
send_extent(struct streaming *st, struct extent e, struct err *err)
{
	struct http_conn *hc = st->x->hc;
	struct extent slice;
	ssize_t done;

	while (e.length > 0) {
		if (http_wait_check(st->x, err) < 0)
			return -1;
		slice = e;
		if (slice.length > HTTP_SLICE)
			slice.length = HTTP_SLICE;
		done = hc->conn.ops->send_extent(&hc->conn, &slice, err);
		if (done == -1)
			return -1;
		if (done == 0)
			return err_set(err, ERR_IO,
			    "a file ends %" PRIu64 " bytes too early",
			    e.length);
		if (done == CONN_AGAIN) {
			if (http_wait(st->x, CONN_WRITE, -1, err) < 0)
				return -1;
			continue;
		}
		http_wait_moved(st->x);
		atomic_fetch_add(&hc->written, (uint64_t)done);
		e.offset += (uint64_t)done;
		e.length -= (uint64_t)done;
		if (report(st, (uint64_t)done, err) < 0)
			return -1;
	}
	return 0;
}

/* How much to read next; 0: all of a known length has been sent. */
static size_t
next_slice(const struct streaming *st)
{
	uint64_t left = st->s->length - st->x->body_sent;

	if (st->s->length != HTTP_LENGTH_UNKNOWN && left < st->slice)
		return (size_t)left;
	return st->slice;
}

static void
adapt_slice(struct streaming *st, bool took_all)
{
	size_t most = buffers_size(st->x->server->buffers);

	if (took_all)
		st->slice = 2 * st->slice < most ? 2 * st->slice : most;
	else if (!took_all && st->slice > COPY_MIN)
		st->slice /= 2;
}

/*
 * Tries to send; what the socket does not take is moved out of the borrowed
 * buffer to *${ret_rest} (to be freed), so that nobody waits with one.
 */
static int
write_some(struct streaming *st, struct iovec *iov, int n_iov,
    struct iovec *ret_rest, struct err *err)
{
	size_t total = 0, sent;
	ssize_t done;
	char *at;
	int i;

	for (i = 0; i < n_iov; i++)
		total += iov[i].iov_len;
	done = http_conn_write(st->x->hc, iov, n_iov, false, err);
	if (done == -1)
		return -1;
	sent = done == CONN_AGAIN ? 0 : (size_t)done;
	if (sent > 0)
		http_wait_moved(st->x);
	adapt_slice(st, sent == total);
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

/* One piece from the source to the socket: its size, 0 at the end, -1. */
static ssize_t
copy_piece(struct streaming *st, struct iovec *ret_rest, struct err *err)
{
	struct buffers *buffers = st->x->server->buffers;
	size_t n = next_slice(st);
	struct iovec iov[3];
	char size[20];
	ssize_t done;
	char *buf;
	int len;

	buf = buffers_take(buffers);
	done = source_read(st->s->src, buf, n, err);
	if (done <= 0)
		goto out;
	iov[1] = (struct iovec){ buf, (size_t)done };
	if (st->framing == HTTP_BY_CHUNKS) {
		len = snprintf(size, sizeof(size), "%zx\r\n", (size_t)done);
		iov[0] = (struct iovec){ size, (size_t)len };
		iov[2] = (struct iovec){ (char *)"\r\n", 2 };
		if (write_some(st, iov, 3, ret_rest, err) < 0)
			done = -1;
	} else if (write_some(st, &iov[1], 1, ret_rest, err) < 0) {
		done = -1;
	}
out:
	buffers_give(buffers, buf);
	return done;
}

/* The bytes pass through memory: 0 when all were sent. */
static int
send_copied(struct streaming *st, struct err *err)
{
	struct iovec rest;
	void *memory;
	ssize_t done;
	int rc;

	while (next_slice(st) > 0) {
		/* Before a buffer is borrowed, there must be room for it. */
		if (http_wait(st->x, CONN_WRITE, -1, err) < 0 ||
		    source_wait(st->s->src, -1, err) < 0)
			return -1;
		rest = (struct iovec){ NULL, 0 };
		done = copy_piece(st, &rest, err);
		if (done == 0)
			break;
		memory = rest.iov_base;
		rc = done < 0 ? -1 : 0;
		if (rc == 0 && rest.iov_len > 0)
			rc = write_all(st->x, &rest, 1, false, err);
		free(memory);
		if (rc < 0 || report(st, (uint64_t)done, err) < 0)
			return -1;
	}
	if (st->s->length != HTTP_LENGTH_UNKNOWN &&
	    st->x->body_sent < st->s->length)
		return err_set(
		    err, ERR_IO, "what was to be sent ended too early");
	return 0;
}

static int
send_body(struct streaming *st, struct err *err)
{
	static const char last[] = "0\r\n\r\n";
	struct iovec iov = { (void *)last, sizeof(last) - 1 };
	struct extent e;

	if (st->framing != HTTP_BY_CHUNKS && source_extent(st->s->src, &e) &&
	    e.length == st->s->length)
		return send_extent(st, e, err);
	if (send_copied(st, err) < 0)
		return -1;
	if (st->framing == HTTP_BY_CHUNKS)
		return write_all(st->x, &iov, 1, false, err);
	return 0;
}

int
http_send_stream(
    struct http_exchange *x, const struct http_stream *s, struct err *err)
{
	struct streaming st = { .x = x, .s = s, .slice = COPY_FIRST };
	struct err local = ERR_INIT;
	bool has_body;
	int rc;

	assert(!x->on_loop);
	if (s->length != HTTP_LENGTH_UNKNOWN)
		st.framing = HTTP_BY_LENGTH;
	else
		st.framing = x->req.minor > 0 ? HTTP_BY_CHUNKS : HTTP_BY_CLOSE;
	http_reply_head(x, st.framing, s->length);
	has_body = x->req.method != HTTP_HEAD && s->length != 0;
	rc = write_head(x, has_body, &local);
	if (rc == 0 && has_body)
		rc = send_body(&st, &local);
	source_close(s->src);
	if (rc < 0) {
		http_exchange_cut(x, &local);
		if (err != NULL)
			*err = local;
	}
	http_delivery_start(x, s, rc == 0);
	return rc;
}
