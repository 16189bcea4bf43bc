/* SPDX-License-Identifier: MIT */

/* GET /status, GET and PATCH /status/<filename>. */

#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "base/log.h"
#include "engine/priority.h"
#include "engine/status.h"
#include "engine/view_json.h"
#include "proto/limits.h"

void
h_status_one(struct call *c)
{
	struct transfer_view v;
	struct err e = ERR_INIT;

	if (status_of(c->app->engine, &c->who, c->name, &v, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_json(c->app, c->x, 200, view_json(&v));
	transfer_view_fini(&v);
}

/* --- PATCH: another turn ---------------------------------------------------
 */

static int
read_priority(struct call *c, int *ret, struct err *err)
{
	char body[LIMIT_FORM_FIELD];
	ssize_t n = source_read_full(http_body(c->x), body, sizeof(body), err);
	json_int_t priority = -1;
	const json_t *value;
	json_t *j;

	if (n < 0)
		return -1;
	if (n == (ssize_t)sizeof(body))
		return err_set(err, ERR_INVALID_JSON,
		    "the body must be {\"priority\": 0-10}");
	j = json_parse(body, (size_t)n, err);
	if (j == NULL)
		return -1;
	value = json_object_get(j, "priority");
	if (json_is_integer(value))
		priority = json_integer_value(value);
	json_decref(j);
	if (priority < 0 || priority > LIMIT_PRIORITY)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'priority' must be a whole number from 0 to %d",
		    LIMIT_PRIORITY);
	*ret = (int)priority;
	return 0;
}

void
h_status_change(struct call *c)
{
	struct engine *engine = c->app->engine;
	struct err e = ERR_INIT;
	int priority;

	if (read_priority(c, &priority, &e) < 0 ||
	    priority_set(engine, &c->who, c->name, priority, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	log_info("priority changed", LOG_STR("file", c->name),
	    LOG_INT("priority", priority), LOG_STR("client", c->client.ip),
	    LOG_END);
	h_status_one(c);
}

/* --- GET: all of them ------------------------------------------------------
 */

static int
take_cursor(const struct http_request *req, char ret[ID_SIZE], struct err *err)
{
	struct buf b;
	int found;

	ret[0] = '\0';
	buf_init(&b, ID_SIZE);
	found = params_query(req, "cursor", &b);
	if (found > 0 && id_is_valid(buf_str(&b)))
		memcpy(ret, buf_str(&b), ID_SIZE);
	else if (found != 0)
		err_set(err, ERR_INVALID_PARAMETER,
		    "'cursor' must be a next_cursor of an earlier answer");
	buf_fini(&b);
	return err->code == ERR_NONE ? 0 : -1;
}

static json_t *
answer(const struct status_list *newest, const struct status_list *queue)
{
	json_t *transfers = json_array();

	for (size_t i = 0; i < newest->count; i++)
		(void)json_array_append_new(
		    transfers, view_json(&newest->views[i]));
	return json_pack("{s:o, s:o, s:{s:I, s:o, s:I, s:o}}", "transfers",
	    transfers, "queue", view_json_queue(queue), "metadata",
	    "total_transfers", (json_int_t)newest->total, "last_updated",
	    newest->last_updated == 0 ? json_null()
	                              : json_time(newest->last_updated),
	    "returned", (json_int_t)newest->count, "next_cursor",
	    newest->next[0] == '\0' ? json_null() : json_string(newest->next));
}

void
h_status_all(struct call *c)
{
	const struct http_request *req = http_request(c->x);
	struct engine *engine = c->app->engine;
	struct status_list newest = { 0 }, queue = { 0 };
	static const struct params_uint wanted = { "limit", 1, LIMIT_STATUS_MAX,
		LIMIT_STATUS_DEFAULT };
	char cursor[ID_SIZE];
	struct status_page page = { .cursor = cursor };
	struct err e = ERR_INIT;
	uint64_t limit;

	if (params_query_uint(req, &wanted, &limit, &e) < 0 ||
	    take_cursor(req, cursor, &e) < 0)
		goto out;
	page.limit = (unsigned)limit;
	if (status_newest(engine, &c->who, &page, &newest, &e) < 0)
		goto out;
	if (status_queue(engine, &c->who, &queue, &e) < 0)
		goto out;
	reply_json(c->app, c->x, 200, answer(&newest, &queue));
out:
	if (e.code != ERR_NONE)
		reply_error(c->app, c->x, &e, NULL);
	status_list_fini(&newest);
	status_list_fini(&queue);
}
