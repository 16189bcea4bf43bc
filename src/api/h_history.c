/* SPDX-License-Identifier: MIT */

/* GET /history */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "base/num.h"
#include "engine/history.h"
#include "engine/view_json.h"
#include "net/addr.h"
#include "proto/filename.h"
#include "proto/limits.h"

#define DAY_MS (24LL * 3600 * 1000)

/* A query with the strings that it owns. */
struct asked {
	struct rec_history_query query;
	char *filename;
	char *client;
};

static void
asked_fini(struct asked *a)
{
	free(a->filename);
	free(a->client);
}

/* --- filters -------------------------------------------------------------- */

static bool
is_date(const char *s)
{
	static const char shape[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof(shape); i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9'
		                    : s[i] != shape[i])
			return false;
	return true;
}

static int
number_at(const char *s, size_t n)
{
	uint64_t v = 0;

	(void)num_uint((struct slice){ s, n }, 9999, &v);
	return (int)v;
}

/* "2026-11-26" as its first millisecond; false when there is no such day. */
static bool
parse_date(const char *s, int64_t *ret_ms)
{
	struct tm tm = { .tm_isdst = 0 };
	struct tm again;
	time_t t;

	if (!is_date(s))
		return false;
	tm.tm_year = number_at(s, 4) - 1900;
	tm.tm_mon = number_at(s + 5, 2) - 1;
	tm.tm_mday = number_at(s + 8, 2);
	again = tm;
	t = timegm(&again);
	if (again.tm_year != tm.tm_year || again.tm_mon != tm.tm_mon ||
	    again.tm_mday != tm.tm_mday)
		return false;
	*ret_ms = (int64_t)t * 1000;
	return true;
}

static int
take_date(const struct http_request *req, const char *name, int64_t *ret_ms,
    struct err *err)
{
	char *value;
	int found = params_query_text(req, name, &value, err);

	if (found > 0 && !parse_date(value, ret_ms))
		found = err_set(err, ERR_INVALID_PARAMETER,
		    "'%s' must be a day as 2026-11-26", name);
	free(value);
	return found;
}

static int
take_dates(const struct http_request *req, struct asked *a, struct err *err)
{
	int found;

	if (take_date(req, "from", &a->query.from_ms, err) < 0)
		return -1;
	found = take_date(req, "to", &a->query.before_ms, err);
	/* that day included */
	if (found > 0)
		a->query.before_ms += DAY_MS;
	return found < 0 ? -1 : 0;
}

static int
take_status(const struct http_request *req, struct asked *a, struct err *err)
{
	enum rec_status status = REC_QUEUED;
	char *value;
	int found = params_query_text(req, "status", &value, err);

	if (found > 0) {
		if (rec_status_of_name(value, &status))
			a->query.status = (int)status;
		else
			found = err_set(err, ERR_INVALID_PARAMETER,
			    "'status' must be queued, uploading, downloading, "
			    "completed, failed, cancelled or interrupted");
	}
	free(value);
	return found < 0 ? -1 : 0;
}

static int
take_direction(const struct http_request *req, struct asked *a, struct err *err)
{
	char *value;
	int found = params_query_text(req, "direction", &value, err);

	if (found > 0) {
		if (strcmp(value, "upload") == 0)
			a->query.direction = REC_UPLOAD;
		else if (strcmp(value, "download") == 0)
			a->query.direction = REC_DOWNLOAD;
		else
			found = err_set(err, ERR_INVALID_PARAMETER,
			    "'direction' must be upload or download");
	}
	free(value);
	return found < 0 ? -1 : 0;
}

static int
take_filename(const struct http_request *req, struct asked *a, struct err *err)
{
	char *value;
	int found = params_query_text(req, "filename", &value, err);

	if (found > 0)
		found = filename_normalise(slice_str(value), &a->filename, err);
	free(value);
	a->query.filename = a->filename;
	return found < 0 ? -1 : 0;
}

/* An address, or else a client_id. */
static int
take_client(const struct http_request *req, struct asked *a, struct err *err)
{
	if (params_query_text(req, "client", &a->client, err) < 0)
		return -1;
	if (a->client == NULL)
		return 0;
	if (addr_is_ip(a->client))
		a->query.client_ip = a->client;
	else
		a->query.client_id = a->client;
	return 0;
}

static int
take_page(const struct http_request *req, struct asked *a, struct err *err)
{
	static const struct params_uint limit = { "limit", 1, LIMIT_HISTORY_MAX,
		LIMIT_HISTORY_DEFAULT };
	static const struct params_uint offset = { "offset", 0, INT32_MAX, 0 };
	uint64_t n;

	if (params_query_uint(req, &limit, &n, err) < 0 ||
	    params_query_uint(req, &offset, &a->query.offset, err) < 0)
		return -1;
	a->query.limit = (unsigned)n;
	return 0;
}

static int
read_query(const struct http_request *req, struct asked *a, struct err *err)
{
	static int (*const takers[])(const struct http_request *req,
	    struct asked *a, struct err *err) = { take_page, take_dates,
		take_status, take_direction, take_filename, take_client };

	a->query.status = a->query.direction = -1;
	a->query.before_ms = INT64_MAX;
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
		if (takers[i](req, a, err) < 0)
			return -1;
	return 0;
}

/* --- the answer ----------------------------------------------------------- */

static json_t *
answer(const struct asked *a, const struct status_list *l)
{
	json_t *by_name = json_object(), *entries = json_array();

	for (size_t i = 0; i < l->count; i++) {
		const char *name = l->views[i].rec.filename;
		json_t *one = view_json(&l->views[i]);

		/* The first of a name is its newest. */
		if (json_object_get(by_name, name) == NULL)
			json_object_set(by_name, name, one);
		json_array_append_new(entries, one);
	}
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I}", "transfers", by_name,
	    "entries", entries, "total_count", (json_int_t)l->total,
	    "returned_count", (json_int_t)l->count, "offset",
	    (json_int_t)a->query.offset, "limit", (json_int_t)a->query.limit);
}

void
h_history(struct call *c)
{
	struct asked a = { .filename = NULL };
	struct status_list l = { 0 };
	struct err e = ERR_INIT;

	if (read_query(http_request(c->x), &a, &e) < 0 ||
	    history_get(c->app->engine, &c->who, &a.query, &l, &e) < 0)
		reply_error(c->app, c->x, &e, NULL);
	else
		reply_json(c->app, c->x, 200, answer(&a, &l));
	status_list_fini(&l);
	asked_fini(&a);
}
