/* SPDX-License-Identifier: MIT */
#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"

/* On the loop, and asked often: no JSON tree, no printf. */
void
h_health(struct call *c)
{
	const struct clock *clock = c->app->engine->clock;
	int64_t up_ms = clock_mono_ms(clock) - c->app->started_ms;
	char now[CLOCK_RFC3339_SIZE];
	struct buf b;

	buf_init(&b, 256);
	clock_rfc3339(clock_wall_ms(clock), now);
	(void)buf_append_str(&b, "{\"status\":\"ok\",\"timestamp\":\"");
	(void)buf_append_str(&b, now);
	(void)buf_append_str(
	    &b, "\",\"version\":\"" SFT_VERSION "\",\"uptime_seconds\":");
	(void)buf_append_uint(&b, (uint64_t)up_ms / 1000);
	(void)buf_append_str(&b, "}");
	reply_begin(c->app, c->x, 200);
	http_header(c->x, "Content-Type", "application/json");
	http_send(c->x, b.p, b.len);
	buf_fini(&b);
}
