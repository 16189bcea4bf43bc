/* SPDX-License-Identifier: MIT */

/* POST /ping: how good the client's network is, and how it had best send. */

#include "api/call.h"
#include "api/handlers.h"
#include "api/quality.h"
#include "api/reply.h"
#include "proto/limits.h"

/* The client's clock in milliseconds: 1, 0 when it was not said, -1. */
static int
read_timestamp(struct call *c, double *ret_ms, struct err *err)
{
	char body[LIMIT_SMALL_BODY];
	ssize_t n = source_read_full(http_body(c->x), body, sizeof(body), err);
	const json_t *timestamp;
	json_t *j;
	int found = 0;

	if (n <= 0)
		return (int)n;
	j = json_parse(body, (size_t)n, err);
	if (j == NULL)
		return -1;
	timestamp = json_object_get(j, "timestamp");
	if (json_is_number(timestamp)) {
		*ret_ms = json_number_value(timestamp) * 1000;
		found = 1;
	} else if (!json_is_object(j) ||
	           (timestamp != NULL && !json_is_null(timestamp))) {
		found = err_set(err, ERR_INVALID_PARAMETER,
		    "'timestamp' must be a number of unix seconds");
	}
	json_decref(j);
	return found;
}

static int
gather(struct call *c, struct health_evidence *ret, struct err *err)
{
	quality_evidence(c, ret);
	return health_rate(c->app->engine, &c->client, &ret->rate_bps, err);
}

void
h_ping(struct call *c)
{
	double now_ms = (double)clock_wall_ms(c->app->engine->clock);
	struct health_evidence evidence;
	struct health_advice advice;
	struct err e = ERR_INIT;
	double theirs_ms = 0, latency_ms;
	int said = read_timestamp(c, &theirs_ms, &e);

	if (said < 0 || gather(c, &evidence, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	advice = health_judge(&evidence);
	quality_note(c, advice.quality, &evidence);
	latency_ms =
	    said > 0 ? now_ms - theirs_ms : (double)evidence.rtt_us / 2000;
	reply_json(c->app, c->x, 200,
	    json_pack("{s:f, s:f, s:s, s:I, s:i, s:f, s:I}", "server_timestamp",
	        now_ms / 1000, "latency_ms", latency_ms > 0 ? latency_ms : 0.0,
	        "network_quality", health_quality_name(advice.quality),
	        "recommended_chunk_size", (json_int_t)advice.chunk_size,
	        "recommended_parallel", (int)advice.parallel, "rtt_ms",
	        (double)evidence.rtt_us / 1000, "retransmits",
	        (json_int_t)evidence.retransmits));
}
