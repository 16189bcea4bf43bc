/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <inttypes.h>

#include "api/call.h"
#include "api/cors.h"
#include "api/handlers.h"

/* On the loop, and asked often: no JSON tree, no allocation. */
void
h_health(struct call *c)
{
	const struct clock *clock = c->app->engine->clock;
	char now[CLOCK_RFC3339_SIZE];
	char body[192];
	int n;

	clock_rfc3339(clock_wall_ms(clock), now);
	n = snprintf(body, sizeof(body),
	    "{\"status\":\"ok\",\"timestamp\":\"%s\",\"version\":\"%s\","
	    "\"uptime_seconds\":%" PRId64 "}",
	    now, SFT_VERSION,
	    (clock_mono_ms(clock) - c->app->started_ms) / 1000);
	http_status(c->x, 200);
	cors_headers(c->app->cors, c->x);
	http_header(c->x, "Content-Type", "application/json");
	http_header(c->x, "Cache-Control", "no-store");
	http_send(c->x, body, (size_t)n);
}
