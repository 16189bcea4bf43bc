/* SPDX-License-Identifier: MIT */
#ifndef NET_CONN_H
#define NET_CONN_H

/*
 * A connection as a table of operations, so that those who move bytes do
 * not know what is below: TCP (conn_tcp.c), or TLS on it (conn_tls.c).
 *
 * The socket is non-blocking and only wait() waits.  One thread at a time
 * uses a connection (rule 14), unsent() excepted.  A peer that went away is
 * ERR_CLOSED.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/source.h"

#define CONN_AGAIN (-2) /* it would have to wait */

enum conn_want { CONN_READ, CONN_WRITE };
enum conn_event { CONN_READY, CONN_WOKEN, CONN_TIMEOUT };

struct conn;

/* What the system knows of the way to the peer. */
struct conn_path {
	uint32_t rtt_us; /* smoothed round trip */
	uint32_t rttvar_us;
	uint32_t retransmits; /* segments sent again, */
	uint32_t segments;    /* of so many */
};

struct conn_ops {
	/* The bytes read, 0 when the peer has shut its side, CONN_AGAIN, -1. */
	ssize_t (*read)(struct conn *c, void *p, size_t n, struct err *err);
	/* Reads up to ${n} bytes and throws them away; returns as read(). */
	ssize_t (*discard)(struct conn *c, size_t n, struct err *err);
	/* The bytes written, CONN_AGAIN, -1.  ${more}: others follow at once,
	 * and may share a packet. */
	ssize_t (*write)(struct conn *c, const struct iovec *iov, int n_iov,
	    bool more, struct err *err);
	/* The front of ${e} without passing through memory; as write(), and 0
	 * when the file ends before it should. */
	ssize_t (*send_extent)(
	    struct conn *c, const struct extent *e, struct err *err);
	/*
	 * Waits until what is wanted can be tried again, ${wake_fd} is
	 * readable (CONN_WOKEN; not cleared), or ${timeout_ms} ran out.
	 */
	enum conn_event (*wait)(
	    struct conn *c, enum conn_want want, int wake_fd, int timeout_ms);
	/* Bytes are here that the descriptor's readiness does not show. */
	bool (*pending)(const struct conn *c);
	/* Bytes written that the peer's system has not confirmed.  Any
	 * thread, while the descriptor is open. */
	uint64_t (*unsent)(const struct conn *c);
	/* Bytes that came and were not read. */
	uint64_t (*available)(const struct conn *c);
	/* False when nothing is known. */
	bool (*path)(const struct conn *c, struct conn_path *ret);
	/* Half-close: no more from us.  False: the peer has to take something
	 * before; to be tried again when it can be written. */
	bool (*shutdown)(struct conn *c);
	/* The close() that follows is one that the peer cannot take for
	 * an orderly end. */
	void (*reset)(struct conn *c);
	void (*close)(struct conn *c);
};

struct conn {
	const struct conn_ops *ops;
	int fd; /* for readiness only */
	/* What CONN_AGAIN waits for: a read may have to write, and the other
	 * way round. */
	enum conn_want read_wants;
	enum conn_want write_wants;
	/* The rest is conn_tls.c's. */
	struct ssl_st *ssl;
	size_t blocked;        /* of a record that is half written */
	_Atomic uint32_t tail; /* bytes sent that carry nothing, at the end */
	bool is_broken;        /* nothing can be said in it any more */
	bool is_shut;          /* we said that it is over */
};

struct tls;

/* Takes over a connected, non-blocking socket. */
void conn_tcp_init(struct conn *c, int fd);
extern const struct conn_ops conn_tcp_ops;

/*
 * Whether what the peer of a fresh TCP connection has sent so far begins like
 * plain HTTP.  It stays to be read.
 */
bool conn_tls_is_plain(const struct conn *c);
/* Makes TLS of a TCP connection, with the certificate that ${tls} has now; the
 * handshake is to follow.  ERR_UNAVAILABLE leaves it as it was.  Who uses it
 * has SIGPIPE blocked or ignored: the library writes with write(2). */
int conn_tls_init(struct conn *c, struct tls *tls, struct err *err);
/* Goes on with the handshake: 1 when it is done, CONN_AGAIN (see read_wants),
 * -1.  The server's side; never blocks. */
int conn_tls_handshake(struct conn *c, struct err *err);
bool conn_is_tls(const struct conn *c);
/* By the kernel, so that a file's bytes need not come to us. */
bool conn_tls_is_in_kernel(const struct conn *c);
/* For conn_tcp.c. */
bool conn_tcp_path(const struct conn *c, struct conn_path *ret);

#endif
