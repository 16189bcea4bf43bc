/* SPDX-License-Identifier: MIT */

/* GET and HEAD /download/<filename>: RFC 9110 8, 13 (conditions), 14
 * (ranges). */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/validators.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/download.h"
#include "net/http_date.h"
#include "net/http_fields.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* Files of others must not run in a browser as ours. */

/* A rotation of keys changes a container and leaves the file's times. */
static bool
has_date(const struct download *d)
{
	return !d->is_raw;
}

/* The fields that 200, 206, 304 and HEAD have alike. */
static void
describe(struct call *c, const void *of)
{
	const struct download *d = of;
	const struct rec_file *f = &d->file;
	char date[HTTP_DATE_SIZE];
	char digest[BASE64_SIZE(SHA256_SIZE)];
	unsigned char raw[SHA256_SIZE];

	http_header(c->x, "ETag", "\"%s\"", d->tag);
	http_header(c->x, "Accept-Ranges", "bytes");
	http_header(c->x, "Cache-Control", "private, no-cache");
	if (has_date(d)) {
		http_date(f->modified_ms / 1000, date);
		http_header(c->x, "Last-Modified", "%s", date);
	}
	if (!d->is_raw && hex_decode(slice_str(f->sha256), raw, sizeof(raw))) {
		base64_encode(raw, sizeof(raw), digest);
		http_header(c->x, "Repr-Digest", "sha-256=:%s:", digest);
	}
}

static void
describe_content(struct call *c, const struct download *d)
{
	const struct rec_file *f = &d->file;
	struct buf b;

	buf_init(&b, LIMIT_FORM_FIELD);
	if (http_disposition_attachment(filename_last(f->filename), &b) == 0)
		http_header(c->x, "Content-Disposition", "%s", buf_str(&b));
	http_header(c->x, "Content-Type", "%s",
	    d->is_raw ? "application/octet-stream" : f->mime_type);
	buf_fini(&b);
}

/* --- sending ------------------------------------------------------------- */

/* A download under way, until it is delivered; the call is there until it is
 * sent.  While it waits for its turn it is the call's state. */
struct sending {
	struct call *c;
	struct download *d;
	struct part part;
	uint64_t sent;
};

static void
end_sending(struct sending *s, uint64_t bytes, const struct err *why)
{
	download_end(s->d, bytes, why);
	download_close(s->d);
	free(s);
}

/* It waited in vain. */
static void
free_waiting(void *sending)
{
	struct err gone = ERR_INIT;

	err_set(&gone, ERR_CLOSED, "the client went while it waited");
	end_sending(sending, 0, &gone);
}

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

	download_moved(s->d, bytes);
}

static void
delivered(void *arg, uint64_t bytes, bool complete)
{
	struct err cut = ERR_INIT;

	if (!complete)
		err_set(&cut, ERR_CLOSED, "the connection was closed");
	end_sending(arg, bytes, complete ? NULL : &cut);
}

static void
begin_reply(struct call *c, const struct download *d, const struct part *part)
{
	reply_begin_kept(c->app, c->x, part->whole ? 200 : 206);
	describe(c, d);
	describe_content(c, d);
	if (!part->whole)
		http_header(c->x, "Content-Range",
		    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first,
		    part->first + part->length - 1, d->size);
}

/* 0: it may be sent, 1: it waits for its turn, -1. */
static int
take_turn(struct sending *s, struct download_part *wanted, struct err *err)
{
	const struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = s->d->file.filename,
		.total = wanted->range.length,
		.encryption = s->d->file.encryption,
		.client = wanted->client,
		.mover = wanted->mover,
	};
	const struct turn_wanted turn = {
		.start = &start,
		.size = wanted->range.length,
	};
	int rc = turn_take(s->c, &turn, &wanted->lane, err);

	wanted->transfer = s->c->turn.transfer;
	return rc;
}

/* The same for a part: on the lane that it has with others. */
static int
take_turn_of_part(
    struct sending *s, const struct download_part *wanted, struct err *err)
{
	const struct ticket_asker *asker;
	struct lane *lane;

	if (turn_asker(s->c, wanted->range.length, &asker, err) < 0)
		return -1;
	lane = download_join(s->d, wanted->client, wanted->range.length);
	if (asker == NULL || asker->ask(asker->arg, lane))
		return 0;
	download_wait(s->d, wanted->mover);
	return 1;
}

/* Owns ${s}. */
static void
stream(struct call *c, struct sending *s, struct source *src)
{
	const struct http_stream stream = {
		.length = s->part.length,
		.src = src,
		.progress = progress,
		.allow = allow,
		.is_limited = sched_is_limited(c->app->engine->sched),
		.delivered = delivered,
		.arrived = arrived,
		.arg = s,
	};
	struct err e = ERR_INIT;

	begin_reply(c, s->d, &s->part);
	if (http_send_stream(c->x, &stream, &e) < 0 && e.code != ERR_CLOSED)
		log_warning("download cut short", LOG_STR("file", c->name),
		    LOG_ERR(&e), LOG_END);
}

/* Also when its turn has come: of what was asked for, whatever the name stands
 * for by then. */
static void
go_on(struct call *c)
{
	struct sending *s = c->state;
	struct download_part wanted = {
		.client = &c->client,
		.range = { s->part.first, s->part.length },
		.mover = &c->mover,
	};
	struct err e = ERR_INIT;
	struct source *src;
	int rc = s->part.whole ? take_turn(s, &wanted, &e)
	                       : take_turn_of_part(s, &wanted, &e);

	if (rc > 0)
		return;
	call_keep_state(c);
	if (rc == 0)
		rc = download_start(s->d, &wanted, &src, &e);
	if (rc < 0) {
		turn_fail(c, &e);
		reply_error(c->app, c->x, &e, NULL);
		end_sending(s, 0, &e);
		return;
	}
	c->turn.transfer = NULL;
	stream(c, s, src);
}

/* Owns ${d}. */
static void
send_part(struct call *c, struct download *d, const struct part *part)
{
	struct sending *s = mem_calloc(1, sizeof(*s));

	*s = (struct sending){ c, d, *part, 0 };
	c->state = s;
	c->free_state = free_waiting;
	c->again = go_on;
	go_on(c);
}

/* Its length is known, its bytes are not wanted. */
static void
send_head(struct call *c, struct download *d, const struct part *part)
{
	struct http_stream s = {
		.length = part->length,
		.src = source_mem("", 0),
	};

	begin_reply(c, d, part);
	(void)http_send_stream(c->x, &s, NULL);
	download_close(d);
}

/* Owns ${d}. */
static void
answer(struct call *c, struct download *d)
{
	const struct validators v = {
		.what = "file",
		.tag = d->tag,
		.has_date = has_date(d),
		.modified_ms = d->file.modified_ms,
		.size = d->size,
		.describe = describe,
		.of = d,
	};
	struct part part;

	if (!validators_pass(c, &v, &part))
		download_close(d);
	else if (http_request(c->x)->method == HTTP_HEAD)
		send_head(c, d, &part);
	else
		send_part(c, d, &part);
}

void
h_download(struct call *c)
{
	struct download_request wanted = {
		.who = &c->who,
		.filename = c->name,
	};
	struct err e = ERR_INIT;
	struct download *d;
	bool decrypt;

	if (params_query_bool(
	        http_request(c->x), "decrypt", true, &decrypt, &e) < 0)
		goto failed;
	wanted.raw = !decrypt;
	if (download_open(c->app->engine, &wanted, &d, &e) < 0)
		goto failed;
	answer(c, d);
	return;
failed:
	reply_error(c->app, c->x, &e, NULL);
}
