/* SPDX-License-Identifier: MIT */

/* GET /resume_info/<filename>: which chunks need not be sent again. */

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "engine/chunk.h"

static json_t *
numbers(const struct chunk_state *st)
{
	json_t *list = json_array();

	for (size_t i = 0; i < st->range_count; i++)
		for (uint64_t n = st->ranges[i].first; n <= st->ranges[i].last;
		     n++)
			json_array_append_new(
			    list, json_integer((json_int_t)n));
	return list;
}

static json_t *
ranges(const struct chunk_state *st)
{
	json_t *list = json_array();

	for (size_t i = 0; i < st->range_count; i++)
		json_array_append_new(
		    list, json_pack("[I, I]", (json_int_t)st->ranges[i].first,
		              (json_int_t)st->ranges[i].last));
	return list;
}

static json_t *
describe(const struct chunk_state *st)
{
	json_t *j;

	if (!st->is_open)
		return json_pack(
		    "{s:[], s:b}", "received_chunks", "can_resume", 0);
	j = json_pack("{s:o, s:b, s:I, s:I, s:o}", "received_chunks",
	    numbers(st), "can_resume", 1, "total_chunks", (json_int_t)st->total,
	    "chunks_received", (json_int_t)st->received, "received_ranges",
	    ranges(st));
	if (st->grid > 0)
		json_object_set_new(
		    j, "chunk_size", json_integer((json_int_t)st->grid));
	return j;
}

void
h_resume_info(struct call *c)
{
	struct chunk_state st;
	struct err e = ERR_INIT;

	if (chunk_resume(c->app->engine, &c->who, c->name, &st, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_json(c->app, c->x, 200, describe(&st));
	chunk_state_fini(&st);
}
