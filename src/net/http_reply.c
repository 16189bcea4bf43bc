/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define STRICT "Strict-Transport-Security: max-age=15552000\r\n" /* 180 d */
#define COPIED_BODY ((size_t)16 * 1024) /* sent in one piece with the head */

void
http_status(struct http_exchange *x, int status)
{
	x->status = status;
}

void
http_close_after(struct http_exchange *x)
{
	x->closes = true;
}

/* A reply's head is sized by us: there is memory for it, or none at all. */
static void
put(struct buf *b, const void *p, size_t n)
{
	if (buf_append(b, p, n) < 0)
		mem_exhausted();
}

static void
put_str(struct buf *b, const char *s)
{
	put(b, s, strlen(s));
}

#define PUT_LIT(b, s) put((b), (s), sizeof(s) - 1)

static void
put_uint(struct buf *b, uint64_t v)
{
	if (buf_append_uint(b, v) < 0)
		mem_exhausted();
}

/* What a peer sent must never begin a field of its own. */
static bool
is_one_line(const char *p, size_t n)
{
	return memchr(p, '\r', n) == NULL && memchr(p, '\n', n) == NULL &&
	       memchr(p, '\0', n) == NULL;
}

void
http_header(struct http_exchange *x, const char *name, const char *fmt, ...)
{
	struct buf *b = &x->fields;
	size_t begin;
	va_list ap;

	put_str(b, name);
	PUT_LIT(b, ": ");
	begin = b->len;
	va_start(ap, fmt);
	if (strchr(fmt, '%') == NULL)
		put_str(b, fmt);
	else if (strcmp(fmt, "%s") == 0)
		put_str(b, va_arg(ap, const char *));
	else if (buf_vprintf(b, fmt, ap) < 0)
		mem_exhausted();
	va_end(ap);
	assert(is_one_line(b->p + begin, b->len - begin));
	PUT_LIT(b, "\r\n");
}

static void
put_date(struct http_exchange *x, struct buf *b)
{
	char date[HTTP_DATE_SIZE];

	PUT_LIT(b, "\r\nDate: ");
	if (x->on_loop) {
		put_str(b, http_loop_date(x->hc->lp));
	} else {
		http_date(clock_wall_ms(x->server->cf.clock) / 1000, date);
		put_str(b, date);
	}
	PUT_LIT(b, "\r\n");
}

static void
put_framing(struct buf *b, enum http_framing framing, uint64_t length)
{
	if (framing == HTTP_BY_CHUNKS)
		PUT_LIT(b, "Transfer-Encoding: chunked\r\n");
	if (framing != HTTP_BY_LENGTH)
		return;
	PUT_LIT(b, "Content-Length: ");
	put_uint(b, length);
	PUT_LIT(b, "\r\n");
}

void
http_reply_head(
    struct http_exchange *x, enum http_framing framing, uint64_t length)
{
	struct buf *b = &x->wire;

	assert(!x->is_replied);
	x->is_replied = true;
	if (!http_body_ended(x) || framing == HTTP_BY_CLOSE ||
	    atomic_load_explicit(&x->server->is_draining, memory_order_relaxed))
		x->closes = true;
	x->until_close = framing == HTTP_BY_CLOSE;

	buf_clear(b);
	PUT_LIT(b, "HTTP/1.1 ");
	put_uint(b, (uint64_t)x->status);
	PUT_LIT(b, " ");
	put_str(b, http_status_text(x->status));
	put_date(x, b);
	put(b, x->fields.p, x->fields.len);
	/* Of the whole host: only where plain HTTP is known to point here. */
	if (x->server->cf.redirect_fd > 0 && conn_is_tls(&x->hc->conn))
		PUT_LIT(b, STRICT);
	put_framing(b, framing, length);
	if (x->closes)
		PUT_LIT(b, "Connection: close\r\n");
	else if (x->req.minor == 0)
		PUT_LIT(b, "Connection: keep-alive\r\n");
	PUT_LIT(b, "\r\n");
}

void
http_reply_send(struct http_exchange *x, const struct iovec *iov, int n_iov)
{
	struct err err = ERR_INIT;
	size_t sent;
	ssize_t done;
	int i;

	done = http_conn_write(x->hc, iov, n_iov, false, &err);
	if (done == -1) {
		http_exchange_cut(x, &err);
		return;
	}
	sent = done == CONN_AGAIN ? 0 : (size_t)done;
	for (i = 0; i < n_iov; i++) {
		if (sent >= iov[i].iov_len) {
			sent -= iov[i].iov_len;
			continue;
		}
		if (buf_append(&x->hc->out, (char *)iov[i].iov_base + sent,
		        iov[i].iov_len - sent) < 0) {
			(void)err_set(&err, ERR_UNAVAILABLE, "out of memory");
			http_exchange_cut(x, &err);
			return;
		}
		sent = 0;
	}
}

static bool
has_no_body(int status)
{
	return status == 204 || status == 304 || status < 200;
}

void
http_send(struct http_exchange *x, const void *body, size_t n)
{
	struct iovec iov[2];
	int n_iov = 1;

	if (has_no_body(x->status))
		http_reply_head(x, HTTP_NONE, 0);
	else
		http_reply_head(x, HTTP_BY_LENGTH, n);
	if (has_no_body(x->status) || x->req.method == HTTP_HEAD)
		n = 0;
	x->body_sent = n;
	if (n <= COPIED_BODY) {
		put(&x->wire, body, n);
		n = 0;
	}
	iov[0] = (struct iovec){ x->wire.p, x->wire.len };
	if (n > 0)
		iov[n_iov++] = (struct iovec){ (void *)body, n };
	http_reply_send(x, iov, n_iov);
}

void
http_send_empty(struct http_exchange *x)
{
	http_send(x, NULL, 0);
}
