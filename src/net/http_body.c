/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <string.h>

/* Of a chunked body less is read at once: what follows its end in the
 * buffer has to be kept. */
#define CHUNKED_SLICE ((size_t)256 * 1024)

static struct http_exchange *
exchange_of(struct source *s)
{
	return CONTAINER_OF(s, struct http_exchange, body.source);
}

bool
http_body_ended(const struct http_exchange *x)
{
	if (!x->req.has_body || x->body.is_gathered)
		return true;
	if (x->req.chunked)
		return http_chunked_ended(&x->body.chunked);
	return x->body.left == 0;
}

static size_t
kept(const struct http_conn *hc)
{
	return hc->in.len - hc->in_at;
}

/* The first ${n} of the bytes that came before are used. */
static void
drop_kept(struct http_conn *hc, size_t n)
{
	hc->in_at += n;
	if (hc->in_at == hc->in.len) {
		buf_fini(&hc->in);
		hc->in_at = 0;
	}
}

/* Copies up to ${n} of them to ${p}. */
static size_t
copy_kept(const struct http_conn *hc, void *p, size_t n)
{
	if (n > kept(hc))
		n = kept(hc);
	memcpy(p, hc->in.p + hc->in_at, n);
	return n;
}

/* From the socket; as conn's read(), but its end is an error. */
static ssize_t
receive(struct http_exchange *x, void *p, size_t n, struct err *err)
{
	struct conn *c = &x->hc->conn;
	ssize_t done = c->ops->read(c, p, n, err);

	if (done == 0)
		return err_set(
		    err, ERR_CLOSED, "the client broke off its request");
	if (done > 0)
		http_wait_moved(x);
	return done;
}

static ssize_t
take_by_length(struct http_exchange *x, void *p, size_t n, struct err *err)
{
	ssize_t done;

	if (n > HTTP_SLICE)
		n = HTTP_SLICE;
	if (n > x->body.left)
		n = (size_t)x->body.left;
	if (kept(x->hc) > 0) {
		done = (ssize_t)copy_kept(x->hc, p, n);
		drop_kept(x->hc, (size_t)done);
	} else {
		done = receive(x, p, n, err);
	}
	if (done > 0)
		x->body.left -= (uint64_t)done;
	return done;
}

/* CONN_AGAIN also when nothing but framing came. */
static ssize_t
take_by_chunks(struct http_exchange *x, void *p, size_t n, struct err *err)
{
	struct http_chunked *c = &x->body.chunked;
	bool was_kept = kept(x->hc) > 0;
	ssize_t done;
	size_t used;

	if (n > CHUNKED_SLICE)
		n = CHUNKED_SLICE;
	done =
	    was_kept ? (ssize_t)copy_kept(x->hc, p, n) : receive(x, p, n, err);
	if (done < 0)
		return done;
	n = (size_t)done;
	done = http_chunked_decode(c, p, n, &used, err);
	if (done < 0)
		return -1;
	if (was_kept)
		drop_kept(x->hc, used);
	else if (used < n) /* the next request came with it */
		http_conn_keep(x->hc, (char *)p + used, n - used);
	return done == 0 && !http_chunked_ended(c) ? CONN_AGAIN : done;
}

int
http_body_continue(struct http_exchange *x, struct err *err)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec iov = { (void *)line, sizeof(line) - 1 };
	ssize_t done;

	/* Not when the body came unasked (RFC 9110 10.1.1). */
	if (!x->body.awaits_100 || kept(x->hc) > 0 || x->is_replied)
		return 0;
	x->body.awaits_100 = false;
	done = http_conn_write(x->hc, &iov, 1, false, err);
	if (done == (ssize_t)iov.iov_len)
		return 0;
	/* Not even this fits into an empty socket? */
	return done == -1
	           ? -1
	           : err_set(err, ERR_CLOSED, "the client takes nothing");
}

static ssize_t
read_gathered(struct http_exchange *x, void *buf, size_t n)
{
	struct http_body *b = &x->body;

	if (n > b->mem.len - b->mem_at)
		n = b->mem.len - b->mem_at;
	if (n == 0)
		return 0;
	memcpy(buf, b->mem.p + b->mem_at, n);
	b->mem_at += n;
	return (ssize_t)n;
}

/* Who takes an upload over wants all that had arrived by then to count: it is
 * not sent again.  True: there is more of it, and ${err} is no reason to stop.
 */
static bool
is_still_wanted(struct http_exchange *x, struct err *err)
{
	struct http_body *b = &x->body;
	struct conn *c = &x->hc->conn;

	if (err->code != ERR_UPLOAD_TAKEN_OVER)
		return false;
	if (!b->is_ending)
		b->arrived = kept(x->hc) + c->ops->available(c);
	b->is_ending = true;
	if (b->arrived == 0)
		return false;
	err_clear(err);
	return true;
}

static ssize_t
took(struct http_exchange *x, ssize_t done)
{
	struct http_body *b = &x->body;

	if (done > 0 && b->is_ending)
		b->arrived -=
		    (uint64_t)done < b->arrived ? (uint64_t)done : b->arrived;
	return done;
}

static ssize_t
body_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct http_exchange *x = exchange_of(s);
	ssize_t done;

	if (x->body.is_gathered)
		return read_gathered(x, buf, n);
	if (http_body_ended(x) || n == 0)
		return 0;
	if (http_wait_check(x, err) < 0 && !is_still_wanted(x, err))
		return -1;
	if (http_body_continue(x, err) < 0)
		return -1;
	for (;;) {
		done = x->req.chunked ? take_by_chunks(x, buf, n, err)
		                      : take_by_length(x, buf, n, err);
		if (done != CONN_AGAIN)
			return took(x, done);
		/* What was counted and is framing does not come as data. */
		if (x->body.is_ending && kept(x->hc) == 0)
			x->body.arrived = 0;
		if (kept(x->hc) == 0 && http_wait(x, CONN_READ, -1, err) < 0 &&
		    !is_still_wanted(x, err))
			return -1;
	}
}

/* Takes the framing off the kept bytes; true when read() has something to
 * say: data, the end, or what is wrong. */
static bool
skip_framing(struct http_exchange *x)
{
	struct http_chunked *c = &x->body.chunked;
	struct http_conn *hc = x->hc;
	ptrdiff_t done;

	if (!x->req.chunked)
		return kept(hc) > 0;
	if (kept(hc) == 0)
		return http_chunked_ended(c);
	done = http_chunked_skip(c, hc->in.p + hc->in_at, kept(hc), NULL);
	if (done < 0)
		return true;
	drop_kept(hc, (size_t)done);
	return kept(hc) > 0 || http_chunked_ended(c);
}

/* Reads so little that it is framing rather than data: 1 when read() has
 * something to say, 0 when more is needed. */
static int
fetch_framing(struct http_exchange *x, struct err *err)
{
	char some[128];
	ssize_t done;

	done = receive(x, some, sizeof(some), err);
	if (done <= 0)
		return done == CONN_AGAIN ? 0 : -1;
	http_conn_keep(x->hc, some, (size_t)done);
	return skip_framing(x) ? 1 : 0;
}

static int
body_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct http_exchange *x = exchange_of(s);
	int rc;

	if (x->body.is_gathered || http_body_ended(x) || skip_framing(x))
		return 1;
	if (http_body_continue(x, err) < 0)
		return -1;
	for (;;) {
		rc = http_wait(x, CONN_READ, timeout_ms, err);
		if (rc < 0 && is_still_wanted(x, err))
			return 1;
		if (rc <= 0 || !x->req.chunked ||
		    http_chunked_in_data(&x->body.chunked))
			return rc;
		rc = fetch_framing(x, err);
		if (rc != 0)
			return rc;
	}
}

static void
body_close(struct source *s)
{
	(void)s;
}

void
http_body_init(struct http_exchange *x)
{
	struct http_body *b = &x->body;

	b->source = (struct source){
		.read = body_read,
		.wait = body_wait,
		.close = body_close,
	};
	buf_clear(&b->mem);
	b->mem_at = 0;
	b->is_gathered = false;
	b->is_ending = false;
	b->arrived = 0;
	b->awaits_100 = x->req.expects_continue;
	b->left = x->req.chunked ? 0 : x->req.content_length;
	http_chunked_init(&b->chunked);
}

struct source *
http_body(struct http_exchange *x)
{
	return &x->body.source;
}
