/* SPDX-License-Identifier: MIT */

/* GET /stats and GET /clients. */

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "engine/stats.h"

void
h_stats(struct call *c)
{
	struct engine *engine = c->app->engine;
	struct err e = ERR_INIT;
	struct stats s;

	engine_settle(engine);
	if (stats_get(engine, &c->who, &s, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_json(c->app, c->x, 200,
	    stats_json(&s,
	        (uint64_t)(clock_mono_ms(engine->clock) - c->app->started_ms) /
	            1000));
	stats_fini(&s);
}

static json_t *
client_json(const struct stats_client *one)
{
	const struct rec_client *r = &one->rec;
	json_t *files = json_array();

	for (size_t i = 0; i < one->file_count; i++)
		json_array_append_new(files, json_str_or_null(one->files[i]));
	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:I}", "ip",
	    json_str_or_null(r->ip), "files", files, "total_uploads",
	    (json_int_t)r->uploads, "total_downloads", (json_int_t)r->downloads,
	    "last_activity", json_time(r->last_ms), "client_agent",
	    json_str_or_null(r->agent), "client_id", json_str_or_null(r->id),
	    "total_bytes", (json_int_t)r->bytes);
}

void
h_clients(struct call *c)
{
	struct stats_clients all;
	struct err e = ERR_INIT;
	json_t *list;

	engine_settle(c->app->engine);
	if (stats_get_clients(c->app->engine, &c->who, &all, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < all.count; i++)
		json_array_append_new(list, client_json(&all.list[i]));
	reply_json(c->app, c->x, 200, json_pack("{s:o}", "clients", list));
	stats_clients_fini(&all);
}
