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
#include "base/mem.h"
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

/* A POST on its way; what came with it may have to wait for its turn. */
struct creation {
	struct tus_params params;
	struct append_state state;
	bool is_begun;
};

static int
run_append(struct call *c, struct append_request *req, struct append_state *ret,
    struct err *err)
{
	if (turn_asker(c, req->body_length, &req->turn, err) < 0)
		return -1;
	return append_run(c->app->engine, req, turn_body(c), ret, err);
}

/* What came with the request that made it. */
static int
append_first(struct call *c, struct creation *cr, struct err *err)
{
	struct append_request req = {
		.who = &c->who,
		.url = cr->state.url,
		.length = REC_SIZE_UNKNOWN,
		.body_length = tus_body_length(http_request(c->x)),
		.checksum = cr->params.checksum.kind,
		.mover = &c->mover,
	};
	struct append_state after;
	int rc;

	memcpy(req.sum, cr->params.checksum.sum, sizeof(req.sum));
	rc = run_append(c, &req, &after, err);
	if (rc > 0)
		return rc;
	if (rc < 0) {
		/* Without its URL nobody could go on with it, unless the
		 * client is told; and it is not when this fails. */
		(void)append_remove(
		    c->app->engine, &c->who, cr->state.url, NULL);
		return -1;
	}
	append_state_fini(&cr->state);
	cr->state = after;
	return 0;
}

static int
begin(struct call *c, struct creation *cr, struct err *err)
{
	struct tus_params *p = &cr->params;
	int rc;

	if (check_version(c, err) < 0 || tus_params_read(p, c, err) < 0)
		return -1;
	rc = p->concat == TUS_FINAL
	         ? join(c, p, &cr->state, err)
	         : append_begin(c->app->engine, &p->request, &cr->state, err);
	cr->is_begun = rc == 0;
	return rc;
}

/* 1: it waits for its turn, and this is to be called again. */
static int
create(struct call *c, struct creation *cr, struct err *err)
{
	if (!cr->is_begun && begin(c, cr, err) < 0)
		return -1;
	return cr->params.has_body && cr->params.concat != TUS_FINAL
	           ? append_first(c, cr, err)
	           : 0;
}

static void
reply_created(struct call *c, const struct creation *cr)
{
	const struct append_state *st = &cr->state;

	log_completed(c, st);
	reply_begin(c->app, c->x, 201);
	http_header(c->x, "Location", "/tus/%s", st->url);
	if (cr->params.has_body || st->is_complete)
		add_offset(c, st);
	else
		add_expiry(c, st);
	http_send(c->x, "", 0);
}

static void
creation_free(void *creation)
{
	struct creation *cr = creation;

	if (cr->is_begun)
		append_state_fini(&cr->state);
	tus_params_fini(&cr->params);
	free(cr);
}

static void
go_on(struct call *c)
{
	struct creation *cr = c->state;
	struct err e = ERR_INIT;
	int rc = create(c, cr, &e);

	if (rc < 0)
		reply_error(c->app, c->x, &e, NULL);
	else if (rc == 0)
		reply_created(c, cr);
	if (rc <= 0)
		call_drop_state(c);
}

void
h_tus_create(struct call *c)
{
	struct creation *cr = mem_calloc(1, sizeof(*cr));

	tus_params_init(&cr->params);
	c->state = cr;
	c->free_state = creation_free;
	c->again = go_on;
	go_on(c);
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
	return run_append(c, &req, ret, err);
}

void
h_tus_append(struct call *c)
{
	struct append_state st;
	struct err e = ERR_INIT;
	int rc = check_version(c, &e);

	if (rc == 0)
		rc = append_more(c, &st, &e);
	if (rc < 0)
		reply_error(c->app, c->x, &e, NULL);
	if (rc != 0)
		return;
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
