/* SPDX-License-Identifier: MIT */

/* GET /metadata/<filename> */

#include "api/call.h"
#include "api/handlers.h"
#include "api/metadata_json.h"
#include "api/reply.h"
#include "engine/metadata.h"

void
h_metadata(struct call *c)
{
	struct err e = ERR_INIT;
	struct rec_file f;

	if (metadata_get(c->app->engine, &c->who, c->name, &f, &e) < 0)
		reply_error(c->app, c->x, &e, NULL);
	else
		reply_json(c->app, c->x, 200, metadata_json(&f));
	rec_file_fini(&f);
}
