/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

/*
 * Closing with unread bytes resets the connection, and the reset may
 * overtake our answer and destroy it.  So our side is shut first, and what
 * still comes is discarded within bounds, until the client has shut its side
 * (RFC 9112 9.6).
 */

void
http_linger_start(struct http_conn *hc)
{
	hc->linger_left = hc->lp->server->cf.linger_bytes;
	hc->mark = hc->conn.ops->unsent(&hc->conn);
	hc->is_shut = hc->conn.ops->shutdown(&hc->conn);
	buf_fini(&hc->in);
	hc->in_at = 0;
	http_conn_enter(hc, HTTP_STATE_LINGER);
	if (!hc->is_shut)
		http_conn_watch(hc, EPOLLIN | EPOLLOUT);
}

void
http_linger_read(struct http_conn *hc)
{
	size_t n = HTTP_SLICE;
	ssize_t done;

	if (!hc->is_shut && (hc->seen & EPOLLOUT) != 0) {
		hc->is_shut = hc->conn.ops->shutdown(&hc->conn);
		if (hc->is_shut)
			http_conn_watch(hc, EPOLLIN);
	}
	if (n > hc->linger_left)
		n = (size_t)hc->linger_left;
	done = n == 0 ? 0 : hc->conn.ops->discard(&hc->conn, n, NULL);
	if (done > 0)
		hc->linger_left -= (uint64_t)done;
	else if (done != CONN_AGAIN)
		http_conn_close(hc);
}

void
http_linger_expire(struct http_conn *hc)
{
	/* A download's rest still goes out, and somebody wants to know. */
	if (!list_is_empty(&hc->deliveries) && !hc->lp->is_closing &&
	    http_conn_advances(&hc->conn, &hc->mark))
		http_conn_enter(hc, HTTP_STATE_LINGER);
	else
		http_conn_close(hc);
}
