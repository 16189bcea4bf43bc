/* SPDX-License-Identifier: MIT */
#include "api/upload_reply.h"

#include "api/reply.h"
#include "base/json.h"
#include "base/log.h"

void
upload_reply(struct call *c, int status, const struct upload_options *o,
    const struct upload_result *r)
{
	json_t *j = json_pack("{s:b, s:s, s:s, s:s, s:b, s:I, s:i, s:s, s:s}",
	    "success", 1, "filename", r->filename, "hash", r->sha256, "status",
	    "completed", "encryption", o->encryption, "size",
	    (json_int_t)r->size, "priority", o->priority, "id", r->id,
	    "mime_type", r->mime_type);

	log_info("upload completed", LOG_STR("file", r->filename),
	    LOG_UINT("size", r->size), LOG_STR("client", c->client.ip),
	    LOG_STR("id", r->id), LOG_END);
	reply_json(c->app, c->x, status, j);
}
