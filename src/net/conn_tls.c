/* SPDX-License-Identifier: MIT */

/*
 * TLS on a TCP connection.  Where the kernel can, it encrypts itself from the
 * handshake on (kTLS), and files go out by its sendfile.
 *
 * A read never leaves decrypted bytes behind when there was room for a whole
 * record: then the descriptor's readiness says all there is to say.  With less
 * room it may, and pending() tells.
 */

#include "net/conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"

#define RECORD ((size_t)SSL3_RT_MAX_PLAIN_LENGTH) /* 16 KiB */

/* What a call that did not succeed means: CONN_AGAIN or -1. */
static int
judge(struct conn *c, int rc, enum conn_want *ret_wants, struct err *err)
{
	const char *why;

	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		*ret_wants = CONN_READ;
		return CONN_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*ret_wants = CONN_WRITE;
		return CONN_AGAIN;
	default:
		break;
	}
	/* Also an end that was not announced: it may be somebody else's. */
	c->is_broken = true;
	why = ERR_reason_error_string(ERR_peek_error());
	(void)err_set(err, ERR_CLOSED, "the connection broke%s%s",
	    why == NULL ? "" : ": ", why == NULL ? "" : why);
	ERR_clear_error();
	return -1;
}

/* The size of a record with an alert. */
static uint32_t
alert_size(const SSL *ssl)
{
	const uint32_t head = 5, alert = 2, tag = 16;
	bool is_13 = SSL_version(ssl) >= TLS1_3_VERSION;
	bool is_chacha = SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(
	                     ssl)) == NID_chacha20_poly1305;

	if (is_13)
		return head + alert + 1 + tag;
	return head + (is_chacha ? 0 : 8) + alert + tag;
}

/* The last record is one that says that it is over: when it arrives is of no
 * interest, and a peer that has gone never confirms it. */
static void
note_last_word(struct conn *c)
{
	atomic_store(&c->tail, alert_size(c->ssl));
}

/* Whether a call that gave ${rc} was the last that can go well. */
static bool
is_fatal(const struct conn *c, int rc)
{
	int why = SSL_get_error(c->ssl, rc);

	return why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL;
}

static ssize_t
tls_read(struct conn *c, void *p, size_t n, struct err *err)
{
	uint64_t written = BIO_number_written(SSL_get_wbio(c->ssl));
	size_t done = 0, one;
	int rc;

	c->read_wants = CONN_READ;
	do {
		ERR_clear_error();
		rc = SSL_read_ex(c->ssl, (char *)p + done, n - done, &one);
		if (rc != 1)
			break;
		done += one;
	} while (n - done >= RECORD);
	/* The library tells the peer what is wrong by itself. */
	if (rc != 1 && is_fatal(c, rc) &&
	    BIO_number_written(SSL_get_wbio(c->ssl)) != written)
		note_last_word(c);
	/* What is wrong is found once more by the next read. */
	if (done > 0)
		return (ssize_t)done;
	if (SSL_get_error(c->ssl, rc) == SSL_ERROR_ZERO_RETURN)
		return 0;
	return judge(c, rc, &c->read_wants, err);
}

/* Nobody wants to know what it was, so it need not be decrypted. */
static ssize_t
tls_discard(struct conn *c, size_t n, struct err *err)
{
	char waste[RECORD];

	if (!BIO_get_ktls_recv(SSL_get_rbio(c->ssl)))
		return conn_tcp_ops.discard(c, n, err);
	return tls_read(c, waste, n < sizeof(waste) ? n : sizeof(waste), err);
}

/*
 * Writes ${n} bytes as far as the socket takes them.  A record that is half
 * written has to be offered again, from its beginning: so its bytes count as
 * not written, and callers offer what is left in any case.
 */
static ssize_t
write_piece(struct conn *c, const void *p, size_t n, struct err *err)
{
	size_t done = 0, one;
	int rc;

	while (done < n) {
		ERR_clear_error();
		rc = SSL_write_ex(
		    c->ssl, (const char *)p + done, n - done, &one);
		if (rc == 1) {
			done += one;
			c->blocked = 0;
			continue;
		}
		rc = judge(c, rc, &c->write_wants, err);
		if (rc == CONN_AGAIN)
			c->blocked = n - done < RECORD ? n - done : RECORD;
		if (done == 0)
			return rc;
		break;
	}
	return (ssize_t)done;
}

/* Where one is in a list of pieces. */
struct at {
	const struct iovec *iov;
	int left;     /* pieces, with this one */
	size_t begin; /* in this one */
};

/* Up to a record's bytes of the front, if need be gathered in ${space}. */
static struct iovec
front(const struct at *at, char *space)
{
	struct iovec whole = { (char *)at->iov->iov_base + at->begin,
		at->iov->iov_len - at->begin };
	size_t n = 0, one, begin = at->begin;

	if (at->left == 1 || whole.iov_len >= RECORD)
		return whole;
	for (int i = 0; i < at->left && n < RECORD; i++, begin = 0) {
		one = at->iov[i].iov_len - begin;
		if (one > RECORD - n)
			one = RECORD - n;
		memcpy(space + n, (char *)at->iov[i].iov_base + begin, one);
		n += one;
	}
	return (struct iovec){ space, n };
}

static void
advance(struct at *at, size_t n)
{
	at->begin += n;
	while (at->left > 0 && at->begin >= at->iov->iov_len) {
		at->begin -= at->iov->iov_len;
		at->iov++;
		at->left--;
	}
}

static ssize_t
tls_write(struct conn *c, const struct iovec *iov, int n_iov, bool more,
    struct err *err)
{
	struct at at = { iov, n_iov, 0 };
	char space[RECORD];
	struct iovec piece;
	size_t sum = 0;
	ssize_t done;

	(void)more;
	c->write_wants = CONN_WRITE;
	advance(&at, 0);
	while (at.left > 0) {
		piece = front(&at, space);
		done = write_piece(c, piece.iov_base, piece.iov_len, err);
		if (done < 0)
			return sum > 0 ? (ssize_t)sum : done;
		sum += (size_t)done;
		if ((size_t)done < piece.iov_len)
			break;
		advance(&at, (size_t)done);
	}
	return (ssize_t)sum;
}

static int
file_error(struct err *err)
{
	return err_set_errno(err, ERR_IO, "cannot read a file");
}

static ssize_t
send_by_kernel(struct conn *c, const struct extent *e, struct err *err)
{
	ossl_ssize_t done;

	ERR_clear_error();
	errno = 0;
	done =
	    SSL_sendfile(c->ssl, e->fd, (off_t)e->offset, (size_t)e->length, 0);
	if (done >= 0)
		return done;
	if (errno == EAGAIN || errno == EINTR || errno == EBUSY)
		return CONN_AGAIN;
	ERR_clear_error();
	if (errno == EIO || errno == EINVAL || errno == EOVERFLOW ||
	    errno == ENOMEM)
		return file_error(err);
	c->is_broken = true;
	return err_set_errno(err, ERR_CLOSED, "the connection broke");
}

static ssize_t
send_by_copy(struct conn *c, const struct extent *e, struct err *err)
{
	char buf[2 * RECORD];
	/* A record that is half written is offered again as a whole, also when
	 * less is asked for now. */
	size_t n = e->length < c->blocked ? c->blocked : (size_t)e->length;
	size_t sum = 0, ask;
	ssize_t got, done;

	while (sum < n) {
		ask = n - sum < sizeof(buf) ? n - sum : sizeof(buf);
		got = pread(e->fd, buf, ask, (off_t)(e->offset + sum));
		if (got < 0 && sum == 0)
			return file_error(err);
		if (got <= 0)
			break;
		done = write_piece(c, buf, (size_t)got, err);
		if (done < 0)
			return sum > 0 ? (ssize_t)sum : done;
		sum += (size_t)done;
		if (done < got)
			break;
	}
	return (ssize_t)sum;
}

static ssize_t
tls_send_extent(struct conn *c, const struct extent *e, struct err *err)
{
	c->write_wants = CONN_WRITE;
	return conn_tls_is_in_kernel(c) ? send_by_kernel(c, e, err)
	                                : send_by_copy(c, e, err);
}

static bool
tls_pending(const struct conn *c)
{
	return SSL_pending(c->ssl) > 0;
}

static enum conn_event
tls_wait(struct conn *c, enum conn_want want, int wake_fd, int timeout_ms)
{
	if (want == CONN_READ && tls_pending(c))
		return CONN_READY;
	return conn_tcp_ops.wait(c,
	    want == CONN_READ ? c->read_wants : c->write_wants, wake_fd,
	    timeout_ms);
}

static uint64_t
tls_unsent(const struct conn *c)
{
	uint64_t unsent = conn_tcp_ops.unsent(c);
	uint64_t tail = atomic_load(&c->tail);

	return unsent > tail ? unsent - tail : 0;
}

static uint64_t
tls_available(const struct conn *c)
{
	return conn_tcp_ops.available(c) + (uint64_t)SSL_pending(c->ssl);
}

/* False when the socket takes nothing now. */
static bool
say_end(struct conn *c)
{
	int rc;

	if (c->is_broken || c->is_shut || !SSL_is_init_finished(c->ssl))
		return true;
	ERR_clear_error();
	rc = SSL_shutdown(c->ssl);
	if (rc < 0 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_WRITE)
		return false;
	ERR_clear_error();
	c->is_shut = true;
	if (rc >= 0)
		note_last_word(c);
	return true;
}

static bool
tls_shutdown(struct conn *c)
{
	return say_end(c) && conn_tcp_ops.shutdown(c);
}

static void
tls_reset(struct conn *c)
{
	c->is_broken = true;
	conn_tcp_ops.reset(c);
}

static void
tls_close(struct conn *c)
{
	(void)say_end(c);
	SSL_free(c->ssl);
	c->ssl = NULL;
	conn_tcp_ops.close(c);
}

static const struct conn_ops conn_tls_ops = {
	.read = tls_read,
	.discard = tls_discard,
	.write = tls_write,
	.send_extent = tls_send_extent,
	.wait = tls_wait,
	.pending = tls_pending,
	.unsent = tls_unsent,
	.available = tls_available,
	.path = conn_tcp_path,
	.shutdown = tls_shutdown,
	.reset = tls_reset,
	.close = tls_close,
};

bool
conn_is_tls(const struct conn *c)
{
	return c->ops == &conn_tls_ops;
}

bool
conn_tls_is_in_kernel(const struct conn *c)
{
	return BIO_get_ktls_send(SSL_get_wbio(c->ssl));
}

bool
conn_tls_is_plain(const struct conn *c)
{
	char first;

	/* A method; what TLS begins with is no letter. */
	return recv(c->fd, &first, 1, MSG_PEEK) == 1 && first >= 'A' &&
	       first <= 'Z';
}

int
conn_tls_init(struct conn *c, struct tls *tls, struct err *err)
{
	SSL *ssl = tls_accept(tls, c->fd);

	if (ssl == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	c->ops = &conn_tls_ops;
	c->ssl = ssl;
	return 0;
}

int
conn_tls_handshake(struct conn *c, struct err *err)
{
	int rc;

	c->read_wants = CONN_READ;
	ERR_clear_error();
	rc = SSL_accept(c->ssl);
	return rc == 1 ? 1 : judge(c, rc, &c->read_wants, err);
}
