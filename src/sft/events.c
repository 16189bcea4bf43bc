/* SPDX-License-Identifier: MIT */
#include "sft/events.h"

#include <string.h>

#include "sft/out.h"

/* The server sends something every 15 s. */
#define SILENCE_MS 60000
#define EVENT_STREAM "text/event-stream"

/* The server ends the stream, and says why. */
static int
complain(const json_t *why, struct err *err)
{
	enum err_code code = err_code_of_name(out_str(why, "code"));

	return err_set(err, code == ERR_NONE ? ERR_CLOSED : code, "%.200s",
	    out_str(why, "error"));
}

static int
take(void *arg, const char *name, struct slice data, struct err *err)
{
	const struct events *e = arg;
	json_t *j = json_parse(data.p, data.n, err);
	int rc;

	if (j == NULL)
		return -1;
	if (strcmp(name, "error") == 0)
		rc = complain(j, err);
	else
		rc = e->listener->event(e->listener->arg, name, j, err);
	json_decref(j);
	return rc;
}

void
events_init(struct events *e, struct http *http, const char *target,
    const struct events_listener *listener)
{
	*e = (struct events){
		.http = http,
		.target = target,
		.listener = listener,
	};
	sse_init(&e->sse, take, e);
}

void
events_fini(struct events *e)
{
	sse_fini(&e->sse);
}

static int
do_head(void *arg, const struct http_head *head, struct err *err)
{
	struct events *e = arg;

	if (strncmp(head->type, EVENT_STREAM, strlen(EVENT_STREAM)) != 0)
		return err_set(err, ERR_IO,
		    "the server answered something other than events: is it "
		    "an sftd?");
	sse_begin(&e->sse);
	return e->listener->begun(e->listener->arg, err);
}

static int
do_write(void *arg, const void *p, size_t n, struct err *err)
{
	struct events *e = arg;

	return sse_feed(&e->sse, p, n, err);
}

int
events_listen(struct events *e, struct err *err)
{
	const struct http_sink sink = { do_head, do_write, e };
	const struct http_request req = {
		.method = "GET",
		.target = e->target,
		.sink = &sink,
		.last_event_id = e->sse.id[0] != '\0' ? e->sse.id : NULL,
		.timeout_ms = SILENCE_MS,
		.tick = e->listener->tick,
		.tick_arg = e->listener->arg,
	};
	int status;

	if (http_do(e->http, &req, NULL, err) == 0)
		return err_set(
		    err, ERR_CLOSED, "the server ended the connection");
	status = http_failure(e->http)->status;
	if (status == 404 || status == 405)
		return err_set(err, ERR_IO,
		    "the server has no live events (GET /events): is it an "
		    "sftd of this version?");
	return -1;
}
