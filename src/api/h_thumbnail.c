/* SPDX-License-Identifier: MIT */

/* GET and HEAD /thumbnail/<filename>. */

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/validators.h"
#include "base/hex.h"
#include "engine/preview.h"
#include "net/http_date.h"

static int
check(void *x, struct err *err)
{
	return http_check(x, err);
}

/* The fields that 200 and 304 have alike.  The name may stand for another
 * image from now on, so caches have to ask. */
static void
describe(struct call *c, const void *of)
{
	const struct preview *p = of;
	char date[HTTP_DATE_SIZE];
	char digest[BASE64_SIZE(SHA256_SIZE)];
	unsigned char raw[SHA256_SIZE];

	http_date(p->modified_ms / 1000, date);
	http_header(c->x, "ETag", "\"%s\"", p->sha256);
	http_header(c->x, "Last-Modified", "%s", date);
	if (hex_decode(slice_str(p->sha256), raw, sizeof(raw))) {
		base64_encode(raw, sizeof(raw), digest);
		http_header(c->x, "Repr-Digest", "sha-256=:%s:", digest);
	}
	http_header(
	    c->x, "Cache-Control", "private, max-age=0, must-revalidate");
}

static void
answer(struct call *c, const struct preview *p)
{
	const struct validators v = {
		.what = "preview",
		.tag = p->sha256,
		.has_date = true,
		.modified_ms = p->modified_ms,
		.size = p->jpeg.len,
		.is_whole = true,
		.describe = describe,
		.of = p,
	};
	struct part part;

	if (!validators_pass(c, &v, &part))
		return;
	reply_begin_kept(c->app, c->x, 200);
	describe(c, p);
	http_header(c->x, "Content-Type", "image/jpeg");
	http_send(c->x, p->jpeg.p, p->jpeg.len);
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
