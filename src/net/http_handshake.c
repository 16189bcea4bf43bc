/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

/*
 * TLS begins.  Who says nothing costs nothing but a descriptor: memory for TLS
 * is taken with the first byte.  All have the same time in all, and there are
 * only so many at once: the oldest gives way, since those who mean it are done
 * soon.
 */

static size_t
most(const struct http_server *s)
{
	size_t n = s->cf.tls_handshakes_max / s->n_loops;

	return n > 0 ? n : 1;
}

static void
make_room(struct http_loop *lp)
{
	struct list *list = &lp->lists[HTTP_STATE_HANDSHAKE];

	if (lp->server->cf.tls_handshakes_max == 0)
		return;
	while (
	    atomic_load(&lp->counts[HTTP_STATE_HANDSHAKE]) > most(lp->server))
		http_conn_close(
		    CONTAINER_OF(list->next, struct http_conn, link));
}

void
http_handshake_start(struct http_conn *hc)
{
	if (hc->lp->is_draining) {
		http_conn_close(hc);
		return;
	}
	http_conn_enter(hc, HTTP_STATE_HANDSHAKE);
	make_room(hc->lp);
}

/* The client does not speak TLS: it is told in its own language. */
static void
refuse_plain(struct http_conn *hc)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_MALFORMED_REQUEST,
	    "this port speaks HTTPS only: use an address that begins with "
	    "https://");
	http_refuse(hc, &err);
}

void
http_handshake_go(struct http_conn *hc)
{
	struct tls *tls = hc->lp->server->cf.tls;
	int rc;

	if (!conn_is_tls(&hc->conn)) {
		if (conn_tls_is_plain(&hc->conn)) {
			refuse_plain(hc);
			return;
		}
		if (conn_tls_init(&hc->conn, tls, NULL) < 0) {
			http_conn_close(hc);
			return;
		}
	}
	rc = conn_tls_handshake(&hc->conn, NULL);
	if (rc == CONN_AGAIN)
		return;
	if (rc < 0) {
		http_conn_close(hc);
		return;
	}
	http_conn_enter(hc, HTTP_STATE_HEAD);
	http_conn_begin(hc);
	/* The request may have come with the last of it. */
	if (hc->state == HTTP_STATE_HEAD)
		http_head_read(hc);
}
