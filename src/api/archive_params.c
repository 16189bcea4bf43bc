/* SPDX-License-Identifier: MIT */
#include "api/archive_params.h"

#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/url.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* Of a body, at once. */
#define STEP ((size_t)64 * 1024)
/* In a body, beside the names. */
#define OTHER_VALUES 100u

void
archive_params_init(struct archive_params *p)
{
	*p = (struct archive_params){ .seen = map_new() };
}

void
archive_params_fini(struct archive_params *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->names[i]);
	free(p->names);
	map_free(p->seen);
	*p = (struct archive_params){ .names = NULL };
}

static int
too_many(struct err *err)
{
	return err_set(err, ERR_INVALID_PARAMETER,
	    "an archive holds at most %u files; ask for several archives",
	    LIMIT_BATCH_NAMES);
}

static int
add(struct archive_params *p, struct slice name, struct err *err)
{
	char *normal;

	if (p->said == LIMIT_BATCH_NAMES)
		return too_many(err);
	p->said++;
	if (filename_normalise(name, &normal, err) < 0)
		return -1;
	if (map_get(p->seen, slice_str(normal)) != NULL) {
		free(normal);
		return 0;
	}
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 64 : 2 * p->cap;
		p->names = mem_realloc(p->names, p->cap * sizeof(*p->names));
	}
	p->names[p->count++] = normal;
	(void)map_put(p->seen, slice_str(normal), normal);
	return 0;
}

static int
check_count(const struct archive_params *p, struct err *err)
{
	return p->count > 0 ? 0
	                    : err_set(err, ERR_INVALID_PARAMETER,
	                          "name at least one file");
}

/* --- the body ------------------------------------------------------------- */

static int
too_long(struct err *err)
{
	return err_set(err, ERR_BODY_TOO_LARGE,
	    "the list of names is longer than %u bytes", LIMIT_BATCH_BODY);
}

static int
read_body(const struct archive_body *body, struct buf *b, struct err *err)
{
	uint64_t length = http_request(body->x)->content_length;
	ssize_t n;
	void *room;

	if (length != HTTP_LENGTH_UNKNOWN && length > LIMIT_BATCH_BODY)
		return too_long(err);
	for (;;) {
		size_t step = LIMIT_BATCH_BODY + 1 - b->len;

		if (step == 0)
			return too_long(err);
		if (step > STEP)
			step = STEP;
		room = buf_reserve(b, step);
		if (room == NULL)
			return err_set(
			    err, ERR_UNAVAILABLE, "no memory for a body");
		n = source_read(http_body(body->x), room, step, err);
		if (n <= 0)
			return n < 0 ? -1 : 0;
		buf_add(b, (size_t)n);
		if (atomic_fetch_add(body->all, (size_t)n) + (size_t)n >
		    LIMIT_BATCH_BODIES)
			return err_set(
			    err, ERR_SERVER_BUSY, "the server is busy");
	}
}

/* A value of some bytes takes many when it is parsed: are there no more than
 * can be meant? */
static bool
is_short_list(struct slice body)
{
	size_t values = 0;
	bool in_string = false;

	for (size_t i = 0; i < body.n; i++) {
		char c = body.p[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == ',' || c == '[' || c == '{'))
			values++;
	}
	return values <= 2 * LIMIT_BATCH_NAMES + OTHER_VALUES;
}

static int
take_names(struct archive_params *p, const json_t *list, struct err *err)
{
	const json_t *name;
	size_t i;

	if (!json_is_array(list))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'filenames' must be a list of names");
	json_array_foreach(list, i, name)
	{
		struct slice s = { json_string_value(name),
			json_string_length(name) };

		if (!json_is_string(name))
			return err_set(err, ERR_INVALID_PARAMETER,
			    "'filenames' must be a list of names");
		if (add(p, s, err) < 0)
			return -1;
	}
	return check_count(p, err);
}

static int
take_json(struct archive_params *p, const json_t *j, struct err *err)
{
	const json_t *compress = json_object_get(j, "compress");

	if (!json_is_object(j))
		return err_set(err, ERR_INVALID_JSON,
		    "the body must be {\"filenames\": [...]}");
	if (compress != NULL && !json_is_boolean(compress))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'compress' must be true or false");
	p->compress = json_is_true(compress);
	return take_names(p, json_object_get(j, "filenames"), err);
}

int
archive_params_body(
    struct archive_params *p, const struct archive_body *body, struct err *err)
{
	json_t *j = NULL;
	struct buf b;
	int rc = -1;

	buf_init(&b, LIMIT_BATCH_BODY + STEP);
	if (read_body(body, &b, err) < 0)
		goto out;
	if (!is_short_list(buf_slice(&b))) {
		(void)too_many(err);
		goto out;
	}
	j = json_parse(buf_str(&b), b.len, err);
	if (j != NULL)
		rc = take_json(p, j, err);
out:
	json_decref(j);
	atomic_fetch_sub(body->all, b.len);
	buf_fini(&b);
	return rc;
}

/* --- the query ------------------------------------------------------------ */

/* "a,b" */
static int
add_list(struct archive_params *p, struct slice list, struct err *err)
{
	struct slice name;

	while (slice_next(&list, ',', &name))
		if (add(p, name, err) < 0)
			return -1;
	return 0;
}

static int
take_parameter(struct archive_params *p, struct slice key, struct slice value,
    struct err *err)
{
	if (slice_eq_str(key, "file"))
		return add(p, value, err);
	if (slice_eq_str(key, "files") && value.n > 0)
		return add_list(p, value, err);
	return 0;
}

int
archive_params_query(
    struct archive_params *p, const struct http_request *req, struct err *err)
{
	struct slice rest = req->query;
	struct slice name, text;
	struct buf key, value;
	int rc = params_query_bool(req, "compress", false, &p->compress, err);

	buf_init(&key, LIMIT_REQUEST_LINE);
	buf_init(&value, LIMIT_REQUEST_LINE);
	while (rc == 0 && url_query_next(&rest, &name, &text)) {
		buf_clear(&key);
		buf_clear(&value);
		if (!url_decode(name, true, &key) ||
		    !url_decode(text, true, &value))
			rc = err_set(err, ERR_INVALID_PARAMETER,
			    "the query is not properly percent-encoded");
		else
			rc = take_parameter(
			    p, buf_slice(&key), buf_slice(&value), err);
	}
	buf_fini(&value);
	buf_fini(&key);
	return rc < 0 ? -1 : check_count(p, err);
}
