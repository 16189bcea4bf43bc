/* SPDX-License-Identifier: MIT */

/* /tus/: the tus resumable upload protocol 1.0.0. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/tus_params.h"
#include "base/log.h"
#include "engine/append.h"
#include "net/http_date.h"
#include "proto/tus.h"

/* --- replies -------------------------------------------------------------- */

static int
check_version(struct call *c, struct err *err)
{
	struct slice version = http_field(http_request(c->x), "tus-resumable");

	if (slice_eq_str(version, TUS_VERSION))
		return 0;
	http_header(c->x, "Tus-Version", TUS_VERSION);
	return err_set(err, ERR_TUS_VERSION,
	    "the field Tus-Resumable must be there and say " TUS_VERSION);
}

static void
add_expiry(struct call *c, const struct append_state *st)
{
	char date[HTTP_DATE_SIZE];

	http_date(st->expires_ms / 1000, date);
	http_header(c->x, "Upload-Expires", "%s", date);
}

static void
add_offset(struct call *c, const struct append_state *st)
{
	http_header(c->x, "Upload-Offset", "%" PRIu64, st->offset);
	if (!st->is_complete)
		add_expiry(c, st);
}

static void
log_completed(struct call *c, const struct append_state *st)
{
	if (st->is_complete)
		log_info("upload completed", LOG_STR("id", st->id),
		    LOG_UINT("size", st->offset),
		    LOG_STR("client", c->client.ip), LOG_END);
}

/* --- OPTIONS -------------------------------------------------------------- */

void
h_tus_options(struct call *c)
{
	char allow[ROUTES_ALLOW_SIZE];

	routes_allow(
	    c->name == NULL ? SLICE_LIT("/tus/") : SLICE_LIT("/tus/x"), allow);
	reply_begin(c->app, c->x, 204);
	http_header(c->x, "Allow", "%s", allow);
	http_header(c->x, "Tus-Version", TUS_VERSION);
	http_header(c->x, "Tus-Extension", TUS_EXTENSIONS);
	http_header(c->x, "Tus-Checksum-Algorithm", TUS_ALGORITHMS);
	http_header(c->x, "Tus-Max-Size", "%" PRIu64,
	    c->app->engine->settings->max_file_size);
	cors_preflight_headers(c->app->cors, c->x, allow);
	http_send_empty(c->x);
}

/* --- POST: a new upload --------------------------------------------------- */

static int
join(struct call *c, struct tus_params *p, struct append_state *ret,
    struct err *err)
{
	const char **urls = tus_params_urls(p);
	const struct append_parts from = { urls, p->url_count, &c->mover };
	int rc = append_join(c->app->engine, &p->request, &from, ret, err);

	free(urls);
	return rc;
}

/* What came with the request that made it. */
static int
append_first(struct call *c, const struct tus_params *p,
    struct append_state *st, struct err *err)
{
	const struct append_request req = {
		.who = &c->who,
		.url = st->url,
		.length = REC_SIZE_UNKNOWN,
		.body_length = tus_body_length(http_request(c->x)),
		.checksum = p->checksum.kind,
		.sum = { 0 },
		.mover = &c->mover,
	};
	struct append_request with_sum = req;
	struct append_state after;

	memcpy(with_sum.sum, p->checksum.sum, sizeof(with_sum.sum));
	if (append_run(
	        c->app->engine, &with_sum, http_body(c->x), &after, err) < 0) {
		/* Without its URL nobody could go on with it, unless the
		 * client is told; and it is not when this fails. */
		(void)append_remove(c->app->engine, &c->who, st->url, NULL);
		return -1;
	}
	append_state_fini(st);
	*st = after;
	return 0;
}

static int
create(struct call *c, struct tus_params *p, struct append_state *ret,
    struct err *err)
{
	if (tus_params_read(p, c, err) < 0)
		return -1;
	if (p->concat == TUS_FINAL)
		return join(c, p, ret, err);
	if (append_begin(c->app->engine, &p->request, ret, err) < 0)
		return -1;
	if (p->has_body && append_first(c, p, ret, err) < 0) {
		append_state_fini(ret);
		return -1;
	}
	return 0;
}

void
h_tus_create(struct call *c)
{
	struct append_state st;
	struct tus_params p;
	struct err e = ERR_INIT;

	tus_params_init(&p);
	if (check_version(c, &e) < 0 || create(c, &p, &st, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
	} else {
		log_completed(c, &st);
		reply_begin(c->app, c->x, 201);
		http_header(c->x, "Location", "/tus/%s", st.url);
		if (p.has_body || st.is_complete)
			add_offset(c, &st);
		else
			add_expiry(c, &st);
		http_send(c->x, "", 0);
		append_state_fini(&st);
	}
	tus_params_fini(&p);
}

/* --- HEAD: where it is ---------------------------------------------------- */

void
h_tus_head(struct call *c)
{
	struct append_state st;
	struct err e = ERR_INIT;

	if (check_version(c, &e) < 0 ||
	    append_look(c->app->engine, &c->who, c->name, &st, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_begin(c->app, c->x, 200);
	http_header(c->x, "Cache-Control", "no-store");
	add_offset(c, &st);
	if (st.length == REC_SIZE_UNKNOWN)
		http_header(c->x, "Upload-Defer-Length", "1");
	else
		http_header(c->x, "Upload-Length", "%" PRIu64, st.length);
	if (st.metadata != NULL)
		http_header(c->x, "Upload-Metadata", "%s", st.metadata);
	if (st.concat != NULL)
		http_header(c->x, "Upload-Concat", "%s", st.concat);
	http_send(c->x, "", 0);
	append_state_fini(&st);
}

/* --- PATCH: more of it ---------------------------------------------------- */

static int
append_more(struct call *c, struct append_state *ret, struct err *err)
{
	struct append_request req = {
		.who = &c->who,
		.url = c->name,
		.body_length = tus_body_length(http_request(c->x)),
		.mover = &c->mover,
	};
	struct tus_checksum sum;

	if (tus_params_patch(http_request(c->x), &req, &sum, err) < 0)
		return -1;
	req.checksum = sum.kind;
	memcpy(req.sum, sum.sum, sizeof(req.sum));
	return append_run(c->app->engine, &req, http_body(c->x), ret, err);
}

void
h_tus_append(struct call *c)
{
	struct append_state st;
	struct err e = ERR_INIT;

	if (check_version(c, &e) < 0 || append_more(c, &st, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	log_completed(c, &st);
	reply_begin(c->app, c->x, 204);
	add_offset(c, &st);
	http_send_empty(c->x);
	append_state_fini(&st);
}

/* --- DELETE --------------------------------------------------------------- */

void
h_tus_remove(struct call *c)
{
	struct err e = ERR_INIT;

	if (check_version(c, &e) < 0 ||
	    append_remove(c->app->engine, &c->who, c->name, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_begin(c->app, c->x, 204);
	http_send_empty(c->x);
}
