/* SPDX-License-Identifier: MIT */

/* POST /cancel/<filename> */

#include <stdlib.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/cancel.h"

void
h_cancel(struct call *c)
{
	struct err e = ERR_INIT;
	unsigned count;
	char *message;

	if (cancel_name(c->app->engine, &c->who, c->name, &count, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	log_info("cancelled", LOG_STR("file", c->name),
	    LOG_UINT("transfers", count), LOG_STR("client", c->client.ip),
	    LOG_END);
	message = mem_printf("%s cancelled", c->name);
	reply_json(c->app, c->x, 200,
	    json_pack("{s:b, s:s, s:i}", "success", 1, "message", message,
	        "cancelled", (int)count));
	free(message);
}
