/* SPDX-License-Identifier: MIT */
#ifndef SFT_EVENTS_H
#define SFT_EVENTS_H

/*
 * Listens to GET /events.  When a connection ends, events_listen() again goes
 * on after the last event that came (Last-Event-ID).  One thread's.
 */

#include "base/err.h"
#include "base/json.h"
#include "sft/http.h"
#include "sft/sse.h"

/* Each may end the listening: -1 with err set. */
struct events_listener {
	/* The server answered, and events will come. */
	int (*begun)(void *arg, struct err *err);
	/* ${name}: "transfer_update" ... */
	int (*event)(void *arg, const char *name, const json_t *document,
	    struct err *err);
	/* Every 200 ms or more often; may be NULL. */
	int (*tick)(void *arg, struct err *err);
	void *arg;
};

struct events {
	struct http *http;
	const char *target; /* "/events?file=..." */
	const struct events_listener *listener;
	struct sse sse;
};

/* All that is given stays the caller's, and is needed until events_fini(). */
void events_init(struct events *e, struct http *http, const char *target,
    const struct events_listener *listener);
void events_fini(struct events *e);

/*
 * Listens until it ends, which is always an error: of the listener's; of
 * http_do(); what the server said when it ended the stream (its code, or
 * ERR_CLOSED); ERR_TIMEOUT when nothing, not even a sign of life, came for a
 * minute; ERR_IO when what answers knows no events.
 */
int events_listen(struct events *e, struct err *err);

#endif
