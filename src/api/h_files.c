/* SPDX-License-Identifier: MIT */

/* GET /files, DELETE /files/<filename> */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "engine/files.h"
#include "engine/preview.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* A cursor: the hex digits of "<order><key>:<name>". */
#define CURSOR_MAX (FILENAME_MAX_BYTES + 32u)

static const struct {
	const char *name;
	enum rec_file_order order;
	char letter; /* in cursors */
} orders[] = {
	{ "name", REC_FILE_BY_NAME, 'n' },
	{ "newest", REC_FILE_NEWEST, 't' },
	{ "size", REC_FILE_LARGEST, 's' },
};

/* A query with the strings that it owns. */
struct asked {
	struct rec_file_query query;
	char letter;
	char *begins;
	char *after;
};

static void
asked_fini(struct asked *a)
{
	free(a->begins);
	free(a->after);
}

/* --- what is asked for ---------------------------------------------------- */

static int
take_order(const struct http_request *req, struct asked *a, struct err *err)
{
	char *value;
	bool known = false;

	if (params_query_text(req, "sort", &value, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (value != NULL ? strcmp(value, orders[i].name) != 0 : i > 0)
			continue;
		a->query.order = orders[i].order;
		a->letter = orders[i].letter;
		known = true;
	}
	free(value);
	return known ? 0
	             : err_set(err, ERR_INVALID_PARAMETER,
	                   "'sort' must be name, newest or size");
}

/* What it begins need not be a name itself: "a/", or "." of ".profile". */
static int
normalise_beginning(const char *value, char **ret, struct err *err)
{
	struct err e = ERR_INIT;
	char *longer;
	int rc;

	if (filename_normalise(slice_str(value), ret, &e) == 0)
		return 0;
	longer = mem_printf("%sx", value);
	rc = filename_normalise(slice_str(longer), ret, err);
	free(longer);
	if (rc == 0)
		(*ret)[strlen(*ret) - 1] = '\0';
	return rc;
}

static int
take_prefix(const struct http_request *req, struct asked *a, struct err *err)
{
	char *value;
	int rc = params_query_text(req, "prefix", &value, err);

	if (rc > 0)
		rc = normalise_beginning(value, &a->begins, err);
	free(value);
	a->query.begins = a->begins == NULL ? "" : a->begins;
	return rc < 0 ? -1 : 0;
}

static bool
parse_cursor(const char *text, struct asked *a)
{
	size_t n = strlen(text) / 2;
	char raw[CURSOR_MAX];
	struct slice rest, key;
	uint64_t v;

	if (n > sizeof(raw) || !hex_decode(slice_str(text), raw, n))
		return false;
	rest = (struct slice){ raw, n };
	if (n == 0 || raw[0] != a->letter || memchr(raw, '\0', n) != NULL ||
	    !utf8_is_valid(rest))
		return false;
	rest = (struct slice){ raw + 1, n - 1 };
	if (!slice_next(&rest, ':', &key) || !num_uint(key, INT64_MAX, &v) ||
	    rest.n == 0)
		return false;
	a->query.after_key = (int64_t)v;
	a->after = slice_dup(rest);
	a->query.after = a->after;
	return true;
}

static int
take_cursor(const struct http_request *req, struct asked *a, struct err *err)
{
	char *value;
	int rc = params_query_text(req, "cursor", &value, err);

	if (rc > 0 && !parse_cursor(value, a))
		rc = err_set(err, ERR_INVALID_PARAMETER,
		    "'cursor' must be a next_cursor of an earlier answer with "
		    "the same 'sort'");
	free(value);
	return rc < 0 ? -1 : 0;
}

static int
read_query(const struct http_request *req, struct asked *a, struct err *err)
{
	static const struct params_uint limit = { "limit", 1, LIMIT_FILES_MAX,
		LIMIT_FILES_DEFAULT };
	uint64_t n;

	if (params_query_uint(req, &limit, &n, err) < 0)
		return -1;
	a->query.limit = (unsigned)n;
	if (take_order(req, a, err) < 0 || take_prefix(req, a, err) < 0)
		return -1;
	return take_cursor(req, a, err);
}

/* --- the answer ----------------------------------------------------------- */

static json_t *
file_json(const struct rec_file *f)
{
	char *preview = preview_name(f->filename, f->mime_type);
	json_t *j;

	j = json_pack("{s:o, s:I, s:s, s:o, s:b, s:o, s:o, s:o}", "filename",
	    json_str_or_null(f->filename), "size", (json_int_t)f->size, "hash",
	    f->sha256, "mime_type", json_str_or_null(f->mime_type),
	    "encryption", (int)f->encryption, "created",
	    json_time(f->created_ms), "modified", json_time(f->modified_ms),
	    "thumbnail", json_str_or_null(preview));
	free(preview);
	return j;
}

static json_t *
cursor_json(const struct asked *a, const struct rec_file *last)
{
	char *text = mem_printf("%c%" PRId64 ":%s", a->letter,
	    rec_file_order_key(a->query.order, last), last->filename);
	size_t n = strlen(text);
	char *digits = mem_alloc(2 * n + 1);
	json_t *j;

	hex_encode(text, n, digits);
	j = json_string(digits);
	free(digits);
	free(text);
	return j;
}

static json_t *
answer(const struct asked *a, const struct files_page *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->count; i++)
		(void)json_array_append_new(list, file_json(&p->files[i]));
	return json_pack("{s:o, s:o}", "files", list, "next_cursor",
	    p->has_more ? cursor_json(a, &p->files[p->count - 1])
	                : json_null());
}

void
h_files_list(struct call *c)
{
	struct asked a = { .after = NULL };
	struct files_page p = { 0 };
	struct err e = ERR_INIT;

	if (read_query(http_request(c->x), &a, &e) < 0 ||
	    files_list(c->app->engine, &c->who, &a.query, &p, &e) < 0)
		reply_error(c->app, c->x, &e, NULL);
	else
		reply_json(c->app, c->x, 200, answer(&a, &p));
	files_page_fini(&p);
	asked_fini(&a);
}

void
h_files_remove(struct call *c)
{
	struct err e = ERR_INIT;

	if (files_remove(c->app->engine, &c->who, c->name, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	log_info("file removed", LOG_STR("file", c->name),
	    LOG_STR("client", c->client.ip), LOG_END);
	reply_begin(c->app, c->x, 204);
	http_send_empty(c->x);
}
