/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

#define SPARES_MAX 16

static const struct http_request nothing = { .method = HTTP_OTHER, .minor = 1 };

static struct http_exchange *
take_spare(struct http_loop *lp)
{
	struct list *node = list_pop_front(&lp->spares);
	struct http_exchange *x;

	if (node != NULL) {
		lp->n_spares--;
		return CONTAINER_OF(node, struct http_exchange, link);
	}
	x = mem_calloc(1, sizeof(*x));
	list_init(&x->link);
	buf_init(&x->fields, SIZE_MAX);
	buf_init(&x->wire, SIZE_MAX);
	buf_init(&x->body.mem, lp->server->cf.small_body_max);
	return x;
}

/* The head's own copy: fields first, then bytes. */
static void
copy_head(
    struct http_exchange *x, const struct http_parse *parse, const char *head)
{
	size_t n_fields = parse->n_fields * sizeof(struct http_field);
	size_t n = n_fields + parse->line;
	char *bytes;

	if (n > x->head_cap) {
		free(x->head);
		x->head = mem_alloc(n);
		x->head_cap = n;
	}
	bytes = (char *)x->head + n_fields;
	memcpy(bytes, head, parse->line);
	http_parse_request(parse, bytes, x->head, &x->req);
}

struct http_exchange *
http_exchange_start(
    struct http_conn *hc, const struct http_parse *parse, const char *head)
{
	struct http_exchange *x = take_spare(hc->lp);

	x->hc = hc;
	x->server = hc->lp->server;
	x->on_loop = true;
	x->status = 200;
	x->is_replied = false;
	x->is_told = false;
	x->is_cut = false;
	x->until_close = false;
	x->body_sent = 0;
	x->delivery = NULL;
	x->id[0] = '\0';
	x->user = NULL;
	x->fini = NULL;
	x->waited_ms = 0;
	x->waited_ns = 0;
	x->waits = NULL;
	x->is_due = false;
	x->live = NULL;
	atomic_store_explicit(&x->park, 0, memory_order_relaxed);
	atomic_store_explicit(&x->wake, NULL, memory_order_relaxed);
	atomic_store_explicit(&x->interrupt, 0, memory_order_relaxed);
	if (parse == NULL)
		x->req = nothing;
	else
		copy_head(x, parse, head);
	x->closes = !x->req.keep_alive;
	http_body_init(x);
	return x;
}

struct http_exchange *
http_exchange_start_refused(
    struct http_conn *hc, const struct http_parse *parse, const char *head)
{
	struct http_exchange *x = http_exchange_start(hc, NULL, NULL);

	if (parse->n_fields == 0)
		return x;
	copy_head(x, parse, head);
	x->req.content_length = 0;
	x->req.has_body = false;
	x->req.chunked = false;
	x->req.expects_continue = false;
	return x;
}

void
http_exchange_cut(struct http_exchange *x, const struct err *why)
{
	if (!x->is_cut)
		x->why = *why;
	x->is_cut = true;
	x->closes = true;
}

void
http_exchange_tell(struct http_exchange *x)
{
	const struct http_app *app = &x->server->cf.app;

	if (x->is_told)
		return;
	x->is_told = true;
	app->ended(x, x->is_cut ? &x->why : NULL, app->arg);
	if (x->fini != NULL)
		x->fini(x->user);
	x->user = NULL;
	x->fini = NULL;
}

/* Memory that one large request needed is not kept for the small ones. */
static void
shrink(struct buf *b)
{
	if (b->cap > HTTP_KEEP)
		buf_fini(b);
	buf_clear(b);
}

void
http_exchange_end(struct http_exchange *x)
{
	struct http_conn *hc = x->hc;
	struct http_loop *lp = hc->lp;

	hc->x = NULL;
	x->hc = NULL;
	http_gather_release(x);
	if (lp->n_spares == SPARES_MAX) {
		http_exchange_free(x);
		return;
	}
	shrink(&x->fields);
	shrink(&x->wire);
	if (x->head_cap > HTTP_KEEP) {
		free(x->head);
		x->head = NULL;
		x->head_cap = 0;
	}
	list_push_front(&lp->spares, &x->link);
	lp->n_spares++;
}

void
http_exchange_free(struct http_exchange *x)
{
	buf_fini(&x->fields);
	buf_fini(&x->wire);
	buf_fini(&x->body.mem);
	free(x->head);
	free(x);
}

const struct http_request *
http_request(const struct http_exchange *x)
{
	return &x->req;
}

const struct addr *
http_peer(const struct http_exchange *x)
{
	return &x->hc->peer;
}

/* What a proxy or a client calls this request, where that may stand in a log
 * and in a field. */
static bool
is_sane_id(struct slice id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return id.n > 0 && id.n <= HTTP_REQUEST_ID_MAX;
}

/*
 * A keyed hash of a counter is as good as random bytes to whom does not know
 * the keys, and costs no system call.
 */
const char *
http_request_id(struct http_exchange *x)
{
	struct http_server *s = x->server;
	struct slice came;
	uint64_t words[2];
	uint64_t n;

	if (x->id[0] != '\0')
		return x->id;
	came = http_field(&x->req, "x-request-id");
	if (is_sane_id(came)) {
		memcpy(x->id, came.p, came.n);
		x->id[came.n] = '\0';
		return x->id;
	}
	n = atomic_fetch_add_explicit(&s->n_ids, 1, memory_order_relaxed);
	words[0] = siphash_24(&s->id_keys[0], &n, sizeof(n));
	words[1] = siphash_24(&s->id_keys[1], &n, sizeof(n));
	hex_encode(words, sizeof(words), x->id);
	return x->id;
}

void
http_set_user(struct http_exchange *x, void *user, void (*fini)(void *user))
{
	x->user = user;
	x->fini = fini;
}

void *
http_user(const struct http_exchange *x)
{
	return x->user;
}

bool
http_is_replied(const struct http_exchange *x)
{
	return x->is_replied;
}

int
http_status_sent(const struct http_exchange *x)
{
	return x->is_replied ? x->status : 0;
}

uint64_t
http_bytes_sent(const struct http_exchange *x)
{
	return x->body_sent;
}

bool
http_path(const struct http_exchange *x, struct http_path *ret)
{
	const struct conn *c = &x->hc->conn;
	struct conn_path p;

	if (!c->ops->path(c, &p))
		return false;
	*ret = (struct http_path){
		.rtt_us = p.rtt_us,
		.rttvar_us = p.rttvar_us,
		.retransmits = p.retransmits,
		.segments = p.segments,
	};
	return true;
}
