/* SPDX-License-Identifier: MIT */
#include "api/validators.h"

#include <inttypes.h>
#include <string.h>

#include "api/reply.h"
#include "net/http_date.h"
#include "net/http_fields.h"
#include "net/http_range.h"
#include "proto/limits.h"

/* 1: one of the tags that the fields ${name} list is ours, 0: none, -1: there
 * is no such field. */
static int
lists_tag(const struct http_request *req, const char *name,
    const struct validators *v, bool is_weak)
{
	struct slice tags;
	struct buf b;
	int rc = -1;

	buf_init(&b, LIMIT_HEAD);
	tags = http_field_list(req, name, &b);
	if (tags.p != NULL)
		rc = http_etag_matches(tags, v->tag, is_weak);
	buf_fini(&b);
	return rc;
}

/* RFC 9110 13.2.2: If-None-Match goes before If-Modified-Since. */
static bool
is_not_modified(const struct http_request *req, const struct validators *v)
{
	struct slice since = http_field(req, "if-modified-since");
	int found = lists_tag(req, "if-none-match", v, true);
	int64_t when;

	if (found >= 0)
		return found > 0;
	return since.p != NULL && v->has_date &&
	       http_date_parse(since, &when) && v->modified_ms / 1000 <= when;
}

/* RFC 9110 13.1.1 and 13.1.4. */
static bool
is_precondition_failed(
    const struct http_request *req, const struct validators *v)
{
	struct slice since = http_field(req, "if-unmodified-since");
	int found = lists_tag(req, "if-match", v, false);
	int64_t when;

	if (found >= 0)
		return found == 0;
	return since.p != NULL && v->has_date &&
	       http_date_parse(since, &when) && v->modified_ms / 1000 > when;
}

/* RFC 9110 13.1.5: a strong tag, or exactly our date. */
static bool
if_range_holds(const struct http_request *req, const struct validators *v)
{
	struct slice value = http_field(req, "if-range");
	int64_t when;

	if (value.p == NULL)
		return true;
	/* one strong tag, not a list of them */
	if (value.n > 0 && value.p[0] == '"')
		return value.n == strlen(v->tag) + 2 &&
		       http_etag_matches(value, v->tag, false);
	return v->has_date && http_date_parse(value, &when) &&
	       v->modified_ms / 1000 == when;
}

enum answer {
	SEND, /* the part */
	NOT_MODIFIED,
	FAILED,        /* If-Match, If-Unmodified-Since */
	UNSATISFIABLE, /* the range */
};

/* In the order that the header names. */
static enum answer
ask(const struct http_request *req, const struct validators *v,
    struct part *ret_part)
{
	struct slice value = http_field(req, "range");
	uint64_t first, last;

	*ret_part = (struct part){ 0, v->size, true };
	if (is_precondition_failed(req, v))
		return FAILED;
	if (is_not_modified(req, v))
		return NOT_MODIFIED;
	/* RFC 9110 14.2: Range is for GET only. */
	if (value.p == NULL || v->is_whole || req->method != HTTP_GET ||
	    !if_range_holds(req, v))
		return SEND;
	switch (http_range(value, v->size, &first, &last)) {
	case HTTP_RANGE_UNSATISFIABLE:
		return UNSATISFIABLE;
	case HTTP_RANGE_PART:
		*ret_part = (struct part){ first, last - first + 1, false };
		break;
	default:
		break;
	}
	return SEND;
}

static void
reply_not_modified(struct call *c, const struct validators *v)
{
	reply_begin_kept(c->app, c->x, 304);
	v->describe(c, v->of);
	http_send_empty(c->x);
}

static void
reply_failed(struct call *c, const struct validators *v)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_PRECONDITION_FAILED,
	    "the %s is not the one that the condition names", v->what);
	reply_error(c->app, c->x, &e, NULL);
}

static void
reply_unsatisfiable(struct call *c, const struct validators *v)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_RANGE_NOT_SATISFIABLE,
	    "the %s has %" PRIu64 " bytes; none of them is in that range",
	    v->what, v->size);
	http_header(c->x, "Content-Range", "bytes */%" PRIu64, v->size);
	reply_error(c->app, c->x, &e, NULL);
}

bool
validators_pass(
    struct call *c, const struct validators *v, struct part *ret_part)
{
	switch (ask(http_request(c->x), v, ret_part)) {
	case NOT_MODIFIED:
		reply_not_modified(c, v);
		return false;
	case FAILED:
		reply_failed(c, v);
		return false;
	case UNSATISFIABLE:
		reply_unsatisfiable(c, v);
		return false;
	case SEND:
		break;
	}
	return true;
}
