/* SPDX-License-Identifier: MIT */

/* POST and GET /download_batch: files as one ZIP archive. */

#include <inttypes.h>
#include <stdlib.h>

#include "api/archive_params.h"
#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/validators.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/archive.h"
#include "net/http_fields.h"
#include "proto/limits.h"

/* --- the head ------------------------------------------------------------- */

static bool
is_get(const struct call *c)
{
	return http_request(c->x)->method != HTTP_POST;
}

static void
describe(struct call *c, const void *of)
{
	const struct archive *a = of;

	if (!a->is_packed) {
		http_header(c->x, "ETag", "\"%s\"", a->tag);
		if (is_get(c))
			http_header(c->x, "Accept-Ranges", "bytes");
	}
	http_header(c->x, "Cache-Control", "private, no-cache");
}

static void
begin_reply(struct call *c, const struct archive *a, const struct part *part)
{
	struct buf b;

	reply_begin_kept(c->app, c->x, part->whole ? 200 : 206);
	describe(c, a);
	http_header(c->x, "Content-Type", "application/zip");
	buf_init(&b, LIMIT_FORM_FIELD);
	if (http_disposition_attachment(ARCHIVE_NAME, &b) == 0)
		http_header(c->x, "Content-Disposition", "%s", buf_str(&b));
	buf_fini(&b);
	if (!part->whole)
		http_header(c->x, "Content-Range",
		    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first,
		    part->first + part->length - 1, a->size);
}

/* --- sending -------------------------------------------------------------- */

/* One under way, until it is delivered; the call is there until it is sent. */
struct sending {
	struct call *c;
	struct archive *a;
	uint64_t sent;
};

static int
progress(void *arg, uint64_t sent, struct err *err)
{
	struct sending *s = arg;

	(void)err;
	turn_moved(s->c, sent - s->sent);
	s->sent = sent;
	return 0;
}

static int
allow(void *arg, uint64_t *n, struct err *err)
{
	struct sending *s = arg;

	return turn_allow(s->c, n, err);
}

/* Rule 19: only what reached the other side counts. */
static void
arrived(void *arg, uint64_t bytes)
{
	struct sending *s = arg;

	transfer_moved(s->a->transfer, bytes);
}

static void
delivered(void *arg, uint64_t bytes, bool complete)
{
	struct sending *s = arg;
	struct err cut = ERR_INIT;

	if (!complete)
		err_set(&cut, ERR_CLOSED, "the connection was closed");
	archive_end(s->a, bytes, complete ? NULL : &cut);
	archive_close(s->a);
	free(s);
}

/* What moves, as far as that is known. */
static uint64_t
total(const struct archive *a, const struct part *part)
{
	return a->is_packed ? REC_SIZE_UNKNOWN : part->length;
}

/* 0: it may be sent, 1: it waits for its turn, -1. */
static int
take_turn(struct call *c, const struct archive *a, struct archive_part *wanted,
    struct err *err)
{
	const struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = a->name,
		.total = wanted->length,
		.encryption = a->encryption,
		.client = wanted->client,
		.mover = wanted->mover,
	};
	const struct turn_wanted turn = {
		.start = &start,
		.size = wanted->length,
	};
	int rc = turn_take(c, &turn, &wanted->lane, err);

	wanted->transfer = c->turn.transfer;
	return rc;
}

/* Owns ${a}. */
static void
send_part(struct call *c, struct archive *a, const struct part *part)
{
	struct http_stream s = {
		.length = a->is_packed ? HTTP_LENGTH_UNKNOWN : part->length,
		.progress = progress,
		.allow = allow,
		.is_limited = sched_is_limited(c->app->engine->sched),
		.delivered = delivered,
		.arrived = arrived,
	};
	struct archive_part wanted = {
		.client = &c->client,
		.offset = part->first,
		.length = total(a, part),
		.mover = &c->mover,
	};
	struct sending *sending;
	struct err e = ERR_INIT;
	int rc = take_turn(c, a, &wanted, &e);

	if (rc < 0) {
		turn_fail(c, &e);
		reply_error(c->app, c->x, &e, NULL);
	}
	/* When its turn comes the files may be others. */
	if (rc != 0) {
		archive_close(a);
		return;
	}
	s.src = archive_start(a, &wanted);
	c->turn.transfer = NULL;
	sending = mem_calloc(1, sizeof(*sending));
	*sending = (struct sending){ c, a, 0 };
	s.arg = sending;
	begin_reply(c, a, part);
	if (http_send_stream(c->x, &s, &e) < 0 && e.code != ERR_CLOSED)
		log_warning("archive cut short", LOG_ERR(&e), LOG_END);
}

/* Its length is known, its bytes are not wanted.  Owns ${a}. */
static void
send_head(struct call *c, struct archive *a, const struct part *part)
{
	struct http_stream s = {
		.length = a->is_packed ? HTTP_LENGTH_UNKNOWN : part->length,
		.src = source_mem("", 0),
	};

	begin_reply(c, a, part);
	(void)http_send_stream(c->x, &s, NULL);
	archive_close(a);
}

/* --- answering ------------------------------------------------------------ */

/* Owns ${a}. */
static void
answer(struct call *c, struct archive *a)
{
	const struct validators v = {
		.what = "archive",
		.tag = a->tag,
		.size = a->size,
		.describe = describe,
		.of = a,
	};
	struct part part = { 0, a->size, true };

	if (is_get(c) && !a->is_packed && !validators_pass(c, &v, &part))
		archive_close(a);
	else if (http_request(c->x)->method == HTTP_HEAD)
		send_head(c, a, &part);
	else
		send_part(c, a, &part);
}

static json_t *
missing_json(const struct archive_params *p, const bool *missing)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->count; i++)
		if (missing[i])
			(void)json_array_append_new(
			    list, json_str_or_null(p->names[i]));
	return json_pack("{s:o}", "missing", list);
}

/* Once more, when it had to wait for its turn. */
static void
make(struct call *c)
{
	const struct archive_params *p = c->state;
	const struct archive_request req = {
		.who = &c->who,
		.names = p->names,
		.count = p->count,
		.is_packed = p->compress,
	};
	bool *missing = mem_calloc(p->count, sizeof(*missing));
	struct err e = ERR_INIT;
	struct archive *a;

	if (archive_open(c->app->engine, &req, &a, missing, &e) == 0) {
		answer(c, a);
	} else {
		turn_fail(c, &e);
		reply_error(c->app, c->x, &e,
		    e.code == ERR_FILE_NOT_FOUND ? missing_json(p, missing)
		                                 : NULL);
	}
	free(missing);
}

static void
free_params(void *state)
{
	archive_params_fini(state);
	free(state);
}

static struct archive_params *
new_params(struct call *c)
{
	struct archive_params *p = mem_alloc(sizeof(*p));

	archive_params_init(p);
	c->state = p;
	c->free_state = free_params;
	c->again = make;
	return p;
}

void
h_archive_get(struct call *c)
{
	struct archive_params *p = new_params(c);
	struct err e = ERR_INIT;

	if (archive_params_query(p, http_request(c->x), &e) < 0)
		reply_error(c->app, c->x, &e, NULL);
	else
		make(c);
}

void
h_archive_post(struct call *c)
{
	const struct archive_body body = { c->x, &c->app->lists };
	struct archive_params *p = new_params(c);
	struct err e = ERR_INIT;

	if (archive_params_body(p, &body, &e) < 0)
		reply_error(c->app, c->x, &e,
		    e.code == ERR_BODY_TOO_LARGE
		        ? json_pack("{s:i}", "max_body_size", LIMIT_BATCH_BODY)
		        : NULL);
	else
		make(c);
}
