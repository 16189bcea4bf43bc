/* SPDX-License-Identifier: MIT */

/* GET and HEAD /thumbnail/<filename>. */

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/hex.h"
#include "engine/preview.h"
#include "net/http_date.h"
#include "net/http_fields.h"

/* As with downloads: what came from others must not act as ours. */

static int
check(void *x, struct err *err)
{
	return http_check(x, err);
}

/* The fields that 200 and 304 have alike.  The name may stand for another
 * image from now on, so caches have to ask. */
static void
describe(struct call *c, int status, const struct preview *p)
{
	char date[HTTP_DATE_SIZE];
	char digest[BASE64_SIZE(SHA256_SIZE)];
	unsigned char raw[SHA256_SIZE];

	http_date(p->modified_ms / 1000, date);
	reply_begin_kept(c->app, c->x, status);
	http_header(c->x, "ETag", "\"%s\"", p->sha256);
	http_header(c->x, "Last-Modified", "%s", date);
	if (hex_decode(slice_str(p->sha256), raw, sizeof(raw))) {
		base64_encode(raw, sizeof(raw), digest);
		http_header(c->x, "Repr-Digest", "sha-256=:%s:", digest);
	}
	http_header(
	    c->x, "Cache-Control", "private, max-age=0, must-revalidate");
}

/* RFC 9110 13.1: If-None-Match goes before If-Modified-Since. */
static bool
is_not_modified(const struct http_request *req, const struct preview *p)
{
	struct slice tags = http_field(req, "if-none-match");
	struct slice since = http_field(req, "if-modified-since");
	int64_t when;

	if (tags.p != NULL)
		return http_etag_matches(tags, p->sha256, true);
	return since.p != NULL && http_date_parse(since, &when) &&
	       p->modified_ms / 1000 <= when;
}

static bool
is_precondition_failed(const struct http_request *req, const struct preview *p)
{
	struct slice tags = http_field(req, "if-match");
	struct slice since = http_field(req, "if-unmodified-since");
	int64_t when;

	if (tags.p != NULL)
		return !http_etag_matches(tags, p->sha256, false);
	return since.p != NULL && http_date_parse(since, &when) &&
	       p->modified_ms / 1000 > when;
}

static void
refuse(struct call *c)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_PRECONDITION_FAILED,
	    "the preview is not the one that the condition names");
	reply_error(c->app, c->x, &e, NULL);
}

static void
answer(struct call *c, const struct preview *p)
{
	const struct http_request *req = http_request(c->x);

	if (is_precondition_failed(req, p)) {
		refuse(c);
	} else if (is_not_modified(req, p)) {
		describe(c, 304, p);
		http_send_empty(c->x);
	} else {
		describe(c, 200, p);
		http_header(c->x, "Content-Type", "image/jpeg");
		http_send(c->x, p->jpeg.p, p->jpeg.len);
	}
}

void
h_thumbnail(struct call *c)
{
	const struct preview_request req = {
		.who = &c->who,
		.filename = c->name,
		.wait = { check, c->x },
	};
	struct err e = ERR_INIT;
	struct preview p;

	if (preview_open(c->app->engine, &req, &p, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	answer(c, &p);
	preview_fini(&p);
}
