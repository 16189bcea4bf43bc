/* SPDX-License-Identifier: MIT */
#include "engine/view_json.h"

#include <string.h>

static void
set(json_t *o, const char *name, json_t *value)
{
	(void)json_object_set_new(o, name, value);
}

static json_t *
number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *
size_or_null(uint64_t v)
{
	return v == REC_SIZE_UNKNOWN ? json_null() : number(v);
}

json_t *
view_json(const struct transfer_view *v)
{
	const struct rec_transfer *r = &v->rec;
	json_t *o = json_object();

	set(o, "filename", json_str_or_null(r->filename));
	set(o, "status", json_string(rec_status_name(r->status)));
	set(o, "checksum",
	    r->sha256[0] == '\0' ? json_null() : json_string(r->sha256));
	set(o, "encryption", json_boolean(r->encryption));
	set(o, "priority", json_integer(r->priority));
	set(o, "progress", json_integer(v->progress));
	set(o, "speed", number(v->speed_bps));
	set(o, "eta", v->eta_s < 0 ? json_null() : json_integer(v->eta_s));
	set(o, "transferred_bytes", number(r->transferred));
	set(o, "total_bytes", size_or_null(r->total));
	set(o, "client_ip", json_str_or_null(r->client_ip));
	set(o, "client_id", json_str_or_null(r->client_id));
	set(o, "retry_count", json_integer(r->retry_count));
	set(o, "created_at", json_time(r->created_ms));
	set(o, "updated_at", json_time(r->updated_ms));
	set(o, "id", json_string(r->id));
	set(o, "direction",
	    json_string(r->direction == REC_UPLOAD ? "upload" : "download"));
	set(o, "error", json_str_or_null(r->error));
	return o;
}

json_t *
view_json_queue(const struct status_list *queue)
{
	json_t *list = json_array();

	for (size_t i = 0; i < queue->count; i++) {
		const struct rec_transfer *r = &queue->views[i].rec;
		json_t *o = json_object();

		set(o, "filename", json_str_or_null(r->filename));
		set(o, "priority", json_integer(r->priority));
		set(o, "status", json_string(rec_status_name(r->status)));
		set(o, "id", json_string(r->id));
		set(o, "position",
		    r->status == REC_QUEUED
		        ? json_integer((json_int_t)queue->views[i].position)
		        : json_null());
		(void)json_array_append_new(list, o);
	}
	return list;
}
