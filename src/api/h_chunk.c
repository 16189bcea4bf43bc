/* SPDX-License-Identifier: MIT */

/*
 * POST /upload_chunk: a form with one chunk, its parts in any order.
 *
 * When the fields that name the chunk have come before it, its bytes go
 * straight to their place, and what follows in the form is looked at before
 * they count; else they wait (engine/loose.h).
 */

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/chunk_params.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/chunk.h"
#include "engine/loose.h"
#include "net/multipart.h"
#include "proto/limits.h"

/* One form while it is read, by one thread at a time. */
struct form {
	struct call *c;
	struct multipart *mp;
	struct chunk_params params;
	struct chunk_result result;
	struct loose *loose; /* NULL: none */
	bool has_chunk;
	bool is_taken; /* it went straight to its place */
	bool waits;    /* at the chunk, for its turn */
};

static int take_rest(void *arg, struct err *err);

static void
ready_request(struct form *f)
{
	struct chunk_request *req = &f->params.request;

	req->who = &f->c->who;
	req->client = &f->c->client;
	req->mover = &f->c->mover;
}

static int
take_straight(struct form *f, struct err *err)
{
	struct chunk_request *req = &f->params.request;
	int rc;

	ready_request(f);
	if (turn_asker(f->c, http_request(f->c->x)->content_length, &req->turn,
	        err) < 0)
		return -1;
	req->expected =
	    multipart_expected(f->mp, http_request(f->c->x)->content_length);
	req->rest = take_rest;
	req->arg = f;
	f->is_taken = true;
	rc = chunk_take(
	    f->c->app->engine, req, multipart_body(f->mp), &f->result, err);
	f->is_taken = rc <= 0;
	return rc;
}

/* A place of its own: its upload may not have begun. */
static int
take_aside(struct form *f, struct err *err)
{
	const struct chunk_request *req = &f->params.request;
	const struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = f->params.filename,
		.total = req->total_size,
		.priority = req->priority,
		.client = &f->c->client,
		.mover = &f->c->mover,
		.is_provisional = true,
	};
	const struct turn_wanted wanted = {
		.start = start.filename == NULL ? NULL : &start,
		.size = http_request(f->c->x)->content_length,
	};
	struct lane *lane;
	int rc = turn_take(f->c, &wanted, &lane, err);

	if (rc != 0)
		return rc;
	turn_drop(f->c);
	if (loose_new(f->c->app->engine, &f->loose, err) < 0)
		return -1;
	return loose_fill(f->loose, multipart_body(f->mp), err);
}

/* 1: it waits for its turn, and this is to be called again. */
static int
place_chunk(struct form *f, struct err *err)
{
	int rc;

	if (chunk_params_are_complete(&f->params) &&
	    chunk_is_decided(f->c->app->engine, &f->params.request))
		rc = take_straight(f, err);
	else
		rc = take_aside(f, err);
	f->waits = rc > 0;
	return rc;
}

static bool
is_chunk(const char *name)
{
	return strcmp(name, "chunk") == 0;
}

static int
take_chunk(void *arg, const struct multipart_part *part, struct err *err)
{
	struct form *f = arg;
	int rc;

	(void)part;
	if (f->has_chunk)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the form has two parts named 'chunk': send each in a "
		    "form of its own");
	f->has_chunk = true;
	rc = place_chunk(f, err);
	return rc == 0 && f->is_taken ? FORM_ENDS : rc;
}

static int
take_field(void *arg, const char *name, struct err *err)
{
	struct form *f = arg;
	struct buf value;
	int rc;

	/* What we do not know is skipped, however long it is. */
	if (!chunk_params_knows(name))
		return 0;
	buf_init(&value, LIMIT_FORM_FIELD);
	rc = multipart_value(f->mp, &value, err);
	if (rc == 0)
		rc = chunk_params_set(&f->params, name, buf_slice(&value), err);
	buf_fini(&value);
	/* A client_id among the fields says who it is. */
	if (rc == 0 && f->params.client_id != NULL)
		f->c->client.id = f->params.client_id;
	return rc;
}

static const struct form_kind kind = {
	.holds = "chunk",
	.part = "chunk",
	.parts_max = LIMIT_FORM_PARTS,
	.is_bytes = is_chunk,
	.take_bytes = take_chunk,
	.take_field = take_field,
};

/* After the chunk: what is left of the form. */
static int
take_rest(void *arg, struct err *err)
{
	struct form *f = arg;

	return form_read(&kind, f->mp, f, err);
}

static int
take_loose(struct form *f, struct err *err)
{
	struct chunk_request *req = &f->params.request;
	struct source *src;
	int rc;

	if (chunk_params_check(&f->params, err) < 0)
		return -1;
	ready_request(f);
	req->expected = loose_size(f->loose);
	if (loose_open(f->loose, &src, err) < 0)
		return -1;
	rc = chunk_take(f->c->app->engine, req, src, &f->result, err);
	source_close(src);
	return rc;
}

/* From where it stopped to wait for its turn, or from the beginning. */
static int
read_form(struct form *f, struct err *err)
{
	if (f->waits) {
		int rc = place_chunk(f, err);

		return rc != 0 || f->is_taken ? rc : take_rest(f, err);
	}
	if (chunk_params_query(&f->params, http_request(f->c->x), err) < 0 ||
	    form_open(f->c, &kind, turn_body(f->c), &f->mp, err) < 0)
		return -1;
	return take_rest(f, err);
}

/* 1: it waits for its turn. */
static int
run(struct form *f, struct err *err)
{
	int rc = read_form(f, err);

	if (rc != 0)
		return rc;
	if (!f->has_chunk)
		return form_lacks(&kind, err);
	return f->is_taken ? 0 : take_loose(f, err);
}

static void
reply(struct call *c, const struct chunk_result *r)
{
	json_t *j =
	    json_pack("{s:b, s:I, s:I, s:s}", "success", 1, "chunks_received",
	        (json_int_t)r->received, "total_chunks", (json_int_t)r->total,
	        "status", r->is_completed ? "completed" : "uploading");

	if (r->is_completed) {
		json_object_set_new(j, "hash", json_string(r->sha256));
		json_object_set_new(
		    j, "size", json_integer((json_int_t)r->size));
		json_object_set_new(j, "filename", json_string(r->filename));
		json_object_set_new(j, "id", json_string(r->id));
		json_object_set_new(j, "mime_type", json_string(r->mime_type));
		json_object_set_new(
		    j, "encryption", json_boolean(r->encryption));
		log_info("upload completed", LOG_STR("file", r->filename),
		    LOG_UINT("size", r->size), LOG_STR("client", c->client.ip),
		    LOG_STR("id", r->id), LOG_END);
	}
	reply_json(c->app, c->x, 200, j);
}

static void
form_free(void *form)
{
	struct form *f = form;

	f->c->client.id = f->c->client_id; /* it may have been the form's */
	chunk_result_fini(&f->result);
	loose_free(f->loose);
	multipart_free(f->mp);
	chunk_params_fini(&f->params);
	free(f);
}

static void
go_on(struct call *c)
{
	struct form *f = c->state;
	struct err e = ERR_INIT;
	int rc = run(f, &e);

	if (rc < 0)
		reply_error(c->app, c->x, &e, NULL);
	else if (rc == 0)
		reply(c, &f->result);
	if (rc <= 0)
		call_drop_state(c);
}

void
h_upload_chunk(struct call *c)
{
	struct form *f = mem_calloc(1, sizeof(*f));

	f->c = c;
	chunk_params_init(&f->params);
	c->state = f;
	c->free_state = form_free;
	c->again = go_on;
	go_on(c);
}
