/* SPDX-License-Identifier: MIT */

/* GET /resume_info/<filename>: which chunks need not be sent again. */

#include <inttypes.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/buf.h"
#include "engine/chunk.h"

/*
 * Of an upload of a million chunks: as text, these take an eighth of what they
 * would as values.
 */

static int
add_numbers(struct buf *b, const struct chunk_state *st)
{
	const char *between = "";

	for (size_t i = 0; i < st->range_count; i++)
		for (uint64_t n = st->ranges[i].first; n <= st->ranges[i].last;
		     n++) {
			if (buf_append_str(b, between) < 0 ||
			    buf_append_uint(b, n) < 0)
				return -1;
			between = ",";
		}
	return 0;
}

static int
add_ranges(struct buf *b, const struct chunk_state *st)
{
	for (size_t i = 0; i < st->range_count; i++)
		if (buf_printf(b, "%s[%" PRIu64 ",%" PRIu64 "]",
		        i == 0 ? "" : ",", st->ranges[i].first,
		        st->ranges[i].last) < 0)
			return -1;
	return 0;
}

static int
describe(const struct chunk_state *st, struct buf *b)
{
	if (!st->is_open)
		return buf_append_str(
		    b, "{\"received_chunks\":[],\"can_resume\":false}");
	if (buf_append_str(b, "{\"received_chunks\":[") < 0 ||
	    add_numbers(b, st) < 0 ||
	    buf_printf(b,
	        "],\"can_resume\":true,\"total_chunks\":%" PRIu64
	        ",\"chunks_received\":%" PRIu64 ",\"received_ranges\":[",
	        st->total, st->received) < 0 ||
	    add_ranges(b, st) < 0 || buf_append_char(b, ']') < 0)
		return -1;
	if (st->grid > 0 &&
	    buf_printf(b, ",\"chunk_size\":%" PRIu64, st->grid) < 0)
		return -1;
	return buf_append_char(b, '}');
}

void
h_resume_info(struct call *c)
{
	struct chunk_state st;
	struct err e = ERR_INIT;
	struct buf b;

	if (chunk_resume(c->app->engine, &c->who, c->name, &st, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	buf_init(&b, SIZE_MAX);
	if (describe(&st, &b) == 0) {
		reply_json_text(c->app, c->x, 200, buf_slice(&b));
	} else {
		(void)err_set(&e, ERR_UNAVAILABLE, "out of memory");
		reply_error(c->app, c->x, &e, NULL);
	}
	buf_fini(&b);
	chunk_state_fini(&st);
}
