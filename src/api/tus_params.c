/* SPDX-License-Identifier: MIT */
#include "api/tus_params.h"

#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "base/mem.h"
#include "base/num.h"
#include "proto/filename.h"
#include "proto/limits.h"

void
tus_params_init(struct tus_params *p)
{
	memset(p, 0, sizeof(*p));
}

void
tus_params_fini(struct tus_params *p)
{
	for (size_t i = 0; i < p->url_count; i++)
		free(p->ids[i]);
	free(p->ids);
	free(p->filename);
	free(p->metadata);
	free(p->client_id);
	memset(p, 0, sizeof(*p));
}

uint64_t
tus_body_length(const struct http_request *req)
{
	return req->content_length == HTTP_LENGTH_UNKNOWN ? REC_SIZE_UNKNOWN
	                                                  : req->content_length;
}

/* --- fields --------------------------------------------------------------- */

/* 1, 0 when the field is not there, -1. */
static int
number(const struct http_request *req, const char *name, uint64_t *ret,
    struct err *err)
{
	struct slice value = http_field(req, name);

	if (value.p == NULL)
		return 0;
	if (num_uint(value, INT64_MAX, ret))
		return 1;
	return err_set(err, ERR_INVALID_PARAMETER,
	    "the field %s must be a whole number", name);
}

static int
read_checksum(
    const struct http_request *req, struct tus_checksum *ret, struct err *err)
{
	struct slice field = http_field(req, "upload-checksum");
	struct tus_sum sum;

	memset(ret, 0, sizeof(*ret));
	if (field.p == NULL)
		return 0;
	if (tus_checksum(field, &sum, err) < 0)
		return -1;
	ret->kind = checksum_of_name(sum.name);
	if (ret->kind == CHECKSUM_NONE)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the checksum algorithm is not one of " TUS_ALGORITHMS);
	if (sum.n != checksum_size(ret->kind))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the checksum has not as many bytes as its algorithm "
		    "makes");
	memcpy(ret->sum, sum.sum, sum.n);
	return 0;
}

static int
check_type(const struct http_request *req, struct err *err)
{
	struct slice type = http_field(req, "content-type");

	if (slice_eq_nocase(type, TUS_CONTENT_TYPE))
		return 0;
	return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE,
	    "the Content-Type of bytes must be " TUS_CONTENT_TYPE);
}

/* --- PATCH ---------------------------------------------------------------- */

int
tus_params_patch(const struct http_request *req, struct append_request *ret,
    struct tus_checksum *ret_sum, struct err *err)
{
	int found;

	if (check_type(req, err) < 0)
		return -1;
	found = number(req, "upload-offset", &ret->offset, err);
	if (found == 0)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the field Upload-Offset is missing");
	if (found < 0)
		return -1;
	ret->length = REC_SIZE_UNKNOWN;
	if (number(req, "upload-length", &ret->length, err) < 0)
		return -1;
	return read_checksum(req, ret_sum, err);
}

/* --- Upload-Metadata ------------------------------------------------------ */

static int
take_filename(struct tus_params *p, struct slice v, struct err *err)
{
	return filename_normalise(v, &p->filename, err);
}

static int
take_encryption(struct tus_params *p, struct slice v, struct err *err)
{
	p->request.has_encryption = true;
	if (num_bool(v, &p->request.encryption))
		return 0;
	return err_set(
	    err, ERR_INVALID_PARAMETER, "'encryption' must be true or false");
}

static int
take_priority(struct tus_params *p, struct slice v, struct err *err)
{
	uint64_t n;

	if (!num_uint(v, LIMIT_PRIORITY, &n))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'priority' must be a whole number from 0 to 10");
	p->request.priority = (int)n;
	return 0;
}

static int
take_client_id(struct tus_params *p, struct slice v, struct err *err)
{
	if (call_check_client_id(v, err) < 0)
		return -1;
	if (v.n > 0)
		p->client_id = slice_dup(v);
	return 0;
}

static int
take_if_exists(struct tus_params *p, struct slice v, struct err *err)
{
	bool may_replace;

	if (params_if_exists(v, &may_replace, err) < 0)
		return -1;
	p->request.keep_existing = !may_replace;
	return 0;
}

static const struct {
	const char *key;
	int (*take)(struct tus_params *p, struct slice v, struct err *err);
} keys[] = {
	{ "filename", take_filename },
	{ "encryption", take_encryption },
	{ "priority", take_priority },
	{ "client_id", take_client_id },
	{ "if_exists", take_if_exists },
};

static int
read_metadata(
    struct tus_params *p, const struct http_request *req, struct err *err)
{
	struct slice field;
	struct buf joined, value;
	int rc;

	buf_init(&joined, LIMIT_HEAD);
	field = http_field_list(req, "upload-metadata", &joined);
	if (field.n == 0) {
		buf_fini(&joined);
		return 0;
	}
	buf_init(&value, LIMIT_HEAD);
	rc = tus_metadata_check(field, err);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && rc == 0; i++) {
		buf_clear(&value);
		if (tus_metadata_get(field, keys[i].key, &value) > 0)
			rc = keys[i].take(p, buf_slice(&value), err);
	}
	if (rc == 0)
		p->metadata = slice_dup(field);
	buf_fini(&value);
	buf_fini(&joined);
	return rc;
}

/* --- POST ----------------------------------------------------------------- */

static int
read_query(
    struct tus_params *p, const struct http_request *req, struct err *err)
{
	char *text;
	int rc = params_query_text(req, "if_exists", &text, err);

	if (rc > 0)
		rc = take_if_exists(p, slice_str(text), err);
	free(text);
	return rc;
}

static int
read_length(
    struct tus_params *p, const struct http_request *req, struct err *err)
{
	struct slice defer = http_field(req, "upload-defer-length");
	int found;

	p->request.length = REC_SIZE_UNKNOWN;
	found = number(req, "upload-length", &p->request.length, err);
	if (found < 0)
		return -1;
	if (p->concat == TUS_FINAL)
		return found == 0 && defer.p == NULL
		           ? 0
		           : err_set(err, ERR_INVALID_PARAMETER,
		                 "a final upload has the length of its parts: "
		                 "leave Upload-Length out");
	if (defer.p != NULL && !slice_eq_str(defer, "1"))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the field Upload-Defer-Length must be 1");
	if ((found > 0) == (defer.p != NULL))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "there must be one of the fields Upload-Length and "
		    "Upload-Defer-Length: 1");
	return 0;
}

static int
read_urls(struct tus_params *p, struct err *err)
{
	struct slice rest = p->urls;
	struct slice id;

	p->ids = mem_calloc(TUS_PARTS_MAX, sizeof(char *));
	while (tus_next_part(&rest, &id)) {
		if (p->url_count == TUS_PARTS_MAX)
			return err_set(err, ERR_INVALID_PARAMETER,
			    "a file can be made of %u partial uploads at most",
			    TUS_PARTS_MAX);
		p->ids[p->url_count++] = slice_dup(id);
	}
	if (p->url_count == 0)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "Upload-Concat names no partial upload");
	return 0;
}

const char **
tus_params_urls(const struct tus_params *p)
{
	const char **urls = mem_calloc(p->url_count, sizeof(char *));

	for (size_t i = 0; i < p->url_count; i++)
		urls[i] = p->ids[i];
	return urls;
}

static int
read_body(struct tus_params *p, const struct http_request *req, struct err *err)
{
	p->has_body =
	    slice_eq_nocase(http_field(req, "content-type"), TUS_CONTENT_TYPE);
	if (!req->has_body)
		return 0;
	if (p->concat == TUS_FINAL)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "a final upload has no bytes of its own");
	return check_type(req, err);
}

int
tus_params_read(struct tus_params *p, struct call *c, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct append_new *r = &p->request;

	if (tus_concat(http_field(req, "upload-concat"), &p->concat, &p->urls,
	        err) < 0 ||
	    read_length(p, req, err) < 0 || read_metadata(p, req, err) < 0 ||
	    read_query(p, req, err) < 0 ||
	    read_checksum(req, &p->checksum, err) < 0 ||
	    read_body(p, req, err) < 0)
		return -1;
	if (p->concat == TUS_FINAL && read_urls(p, err) < 0)
		return -1;
	p->client = c->client;
	if (p->client_id != NULL)
		p->client.id = p->client_id;
	r->who = &c->who;
	r->client = &p->client;
	r->filename = p->filename;
	r->metadata = p->metadata;
	r->is_partial = p->concat == TUS_PARTIAL;
	return 0;
}
