/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

/* Bytes at once of what is in memory between extents. */
#define BETWEEN ((size_t)64 * 1024)

int
http_stream_report(struct http_streaming *st, uint64_t n, struct err *err)
{
	st->x->body_sent += n;
	if (n == 0)
		return 0;
	http_delivery_tell(st->x);
	if (st->s->progress == NULL)
		return 0;
	return st->s->progress(st->s->arg, st->x->body_sent, err) == 0 ? 0 : -1;
}

int
http_stream_allow(struct http_streaming *st, uint64_t *n, struct err *err)
{
	return st->s->allow == NULL ? 0 : st->s->allow(st->s->arg, n, err);
}

/* Sends all, waiting for the client. */
static int
write_all(struct http_exchange *x, struct iovec iov, bool more, struct err *err)
{
	ssize_t done;

	while (iov.iov_len > 0) {
		if (http_wait_check(x, err) < 0)
			return -1;
		done = http_conn_write(x->hc, &iov, 1, more, err);
		if (done == -1)
			return -1;
		if (done == CONN_AGAIN) {
			if (http_wait(x, CONN_WRITE, -1, err) < 0)
				return -1;
			continue;
		}
		http_wait_moved(x);
		iov.iov_base = (char *)iov.iov_base + done;
		iov.iov_len -= (size_t)done;
	}
	return 0;
}

int
http_stream_write_all(
    struct http_exchange *x, const struct iovec *iov, struct err *err)
{
	return write_all(x, *iov, false, err);
}

static int
write_head(struct http_exchange *x, bool more, struct err *err)
{
	return write_all(
	    x, (struct iovec){ x->wire.p, x->wire.len }, more, err);
}

/* The file goes from the page cache to the socket. */
static int
send_extent(struct http_streaming *st, struct extent e, struct err *err)
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
		if (http_stream_allow(st, &slice.length, err) < 0)
			return -1;
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
		if (http_stream_report(st, (uint64_t)done, err) < 0)
			return -1;
	}
	return 0;
}

/* What is no extent between two that are. */
static int
send_between(
    struct http_streaming *st, char *buf, uint64_t left, struct err *err)
{
	uint64_t n = left < BETWEEN ? left : BETWEEN;
	ssize_t got;

	if (http_stream_allow(st, &n, err) < 0)
		return -1;
	got = source_read(st->s->src, buf, (size_t)n, err);
	if (got == 0)
		return err_set(
		    err, ERR_IO, "what was to be sent ended too early");
	if (got < 0 || write_all(st->x, (struct iovec){ buf, (size_t)got },
	                   (uint64_t)got < left, err) < 0)
		return -1;
	return http_stream_report(st, (uint64_t)got, err);
}

static int
send_parts(struct http_streaming *st, struct err *err)
{
	struct source *src = st->s->src;
	uint64_t length = st->s->length;
	char *buf = mem_alloc(BETWEEN);
	struct extent e;
	int rc = 0;

	while (rc == 0 && st->x->body_sent < length)
		rc =
		    src->take_extent(src, &e)
		        ? send_extent(st, e, err)
		        : send_between(st, buf, length - st->x->body_sent, err);
	free(buf);
	return rc;
}

static int
send_body(struct http_streaming *st, struct err *err)
{
	static const char last[] = "0\r\n\r\n";
	struct iovec iov = { (void *)last, sizeof(last) - 1 };
	struct extent e;

	if (st->framing != HTTP_BY_CHUNKS && source_extent(st->s->src, &e) &&
	    e.length == st->s->length)
		return send_extent(st, e, err);
	if (st->framing == HTTP_BY_LENGTH && st->s->src->take_extent != NULL)
		return send_parts(st, err);
	if (http_copy(st, err) < 0)
		return -1;
	if (st->framing == HTTP_BY_CHUNKS)
		return write_all(st->x, iov, false, err);
	return 0;
}

int
http_send_stream(
    struct http_exchange *x, const struct http_stream *s, struct err *err)
{
	struct http_streaming st = { .x = x, .s = s };
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
	x->body_begin = atomic_load(&x->hc->written);
	x->told = 0;
	x->stream = s;
	if (rc == 0 && has_body)
		rc = send_body(&st, &local);
	x->stream = NULL;
	source_close(s->src);
	if (rc < 0) {
		http_exchange_cut(x, &local);
		if (err != NULL)
			*err = local;
	}
	http_delivery_start(x, s, rc == 0);
	return rc;
}
