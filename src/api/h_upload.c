/* SPDX-License-Identifier: MIT */

/* PUT /upload/<filename>: the body is the file. */

#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/upload_reply.h"
#include "api/upload_turn.h"
#include "engine/upload.h"
#include "net/http_fields.h"
#include "proto/limits.h"

/* 1, 0: there is none of SHA-256, -1: it is malformed. */
static int
read_digest(const struct http_request *req, const char *name,
    unsigned char ret[SHA256_SIZE])
{
	struct slice value;
	struct buf b;
	int found = 0;

	buf_init(&b, LIMIT_HEAD);
	value = http_field_list(req, name, &b);
	if (value.n > 0)
		found = http_digest(value, "sha-256", ret, SHA256_SIZE);
	buf_fini(&b);
	return found;
}

/* The expected digest from Repr-Digest or Content-Digest (RFC 9530): for a
 * whole body both say the same. */
static int
take_digest(
    const struct http_request *req, struct upload_options *o, struct err *err)
{
	static const char *const names[] = { "repr-digest", "content-digest" };
	unsigned char digest[SHA256_SIZE];

	for (size_t i = 0; i < 2; i++) {
		int found = read_digest(req, names[i], digest);

		if (found < 0)
			return err_set(err, ERR_INVALID_PARAMETER,
			    "the field %s is malformed", names[i]);
		if (found == 0)
			continue;
		if (o->has_sha256 &&
		    memcmp(o->sha256, digest, SHA256_SIZE) != 0)
			return err_set(err, ERR_HASH_MISMATCH,
			    "two different SHA-256 digests were announced; "
			    "nothing was kept");
		memcpy(o->sha256, digest, SHA256_SIZE);
		o->has_sha256 = true;
	}
	return 0;
}

/* What would make the stored bytes something else than the body. */
static int
check_fields(const struct http_request *req, struct err *err)
{
	struct slice coding = http_field(req, "content-encoding");

	if (http_field(req, "content-range").p != NULL)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "a PUT is a whole file: Content-Range is not taken");
	if (coding.n > 0 && !slice_eq_nocase(coding, "identity"))
		return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "files are stored as they are: Content-Encoding is not "
		    "taken");
	return 0;
}

/* 1: it waits for its turn. */
static int
store(struct call *c, struct params_upload *p, struct upload_result *ret,
    struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct upload_request ur = {
		.who = &c->who,
		.client = &c->client,
		.options = &p->options,
		.total = req->content_length == HTTP_LENGTH_UNKNOWN
		             ? REC_SIZE_UNKNOWN
		             : req->content_length,
		.mover = &c->mover,
	};
	struct upload *up;
	int rc;

	p->options.is_decided = true; /* nothing comes after the body */
	rc = upload_turn(c, &ur, err);
	if (rc != 0)
		return rc;
	if (upload_turn_begin(c, &ur, &up, err) < 0)
		return -1;
	if (upload_fill(up, turn_body(c), err) < 0 ||
	    upload_finish(up, &p->options, ret, err) < 0) {
		upload_abort(up, err);
		return -1;
	}
	return 0;
}

void
h_upload_raw(struct call *c)
{
	const struct http_request *req = http_request(c->x);
	struct upload_result r = { 0 };
	struct params_upload p;
	struct err e = ERR_INIT;
	int rc = -1;

	params_upload_init(&p);
	p.options.filename = c->name;
	p.options.client_id = c->client.id;
	if (check_fields(req, &e) == 0 &&
	    params_upload_query(&p, req, false, &e) == 0 &&
	    take_digest(req, &p.options, &e) == 0)
		rc = store(c, &p, &r, &e);
	if (rc < 0)
		reply_error(c->app, c->x, &e, NULL);
	else if (rc == 0)
		upload_reply(c, r.is_new ? 201 : 200, &p.options, &r);
	upload_result_fini(&r);
	params_upload_fini(&p);
}
