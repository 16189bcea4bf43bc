/* SPDX-License-Identifier: MIT */

/* GET /events: what happens, as Server-Sent Events. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/beat.h"
#include "api/call.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/socket.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/feed.h"
#include "net/http_live.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* A comment now and then keeps what stands between us and the client awake, and
 * finds clients that are gone. */
#define BEAT_MS 15000
#define HEAD_MAX 128
#define BATCH 32 /* events sent at once */
/* What is unsent at so many beats in a row has stalled. */
#define STALLED_BEATS 3

struct stream {
	struct beats *beats;
	struct http_live *live;
	struct guard_place place; /* its client's */
	struct bus_subscriber subscriber;
	struct beat beat;
	atomic_bool is_due; /* a comment */
	bool has_begun;
	unsigned stalled;
};

/* --- on the loop
 * ---------------------------------------------------------------- */

static void
send_text(struct stream *st, struct slice text)
{
	struct iovec iov = { (void *)text.p, text.n };

	http_live_send(st->live, &iov, 1);
}

/* An event as lines, one text for all who get it so. */
static struct bus_text *
make_lines(const struct bus_entry *e)
{
	const struct bus_message *m = e->message;
	struct bus_text *t = mem_alloc(sizeof(*t) + HEAD_MAX + m->n + 3);
	int head = snprintf(t->p, HEAD_MAX,
	    "id: %llu\nevent: %s\ndata: ", (unsigned long long)m->id,
	    bus_event_name(e->kind));

	t->n = (size_t)head + m->n + 2;
	memcpy(t->p + head, m->json, m->n);
	memcpy(t->p + t->n - 2, "\n\n", 2);
	return t;
}

/* False: there were no more than these. */
static bool
send_events(struct stream *st)
{
	struct bus_entry entries[BATCH];
	struct iovec iov[BATCH];
	size_t n = bus_take(&st->subscriber, entries, BATCH);

	for (size_t i = 0; i < n; i++) {
		const struct bus_text *t =
		    bus_entry_text(&entries[i], BUS_SSE, make_lines);

		iov[i] = (struct iovec){ (void *)t->p, t->n };
	}
	if (n > 0)
		http_live_send(st->live, iov, (int)n);
	for (size_t i = 0; i < n; i++)
		bus_message_unref(entries[i].message);
	return n == BATCH;
}

/* The last that it hears. */
static void
send_end(struct stream *st, const struct err *why)
{
	json_t *j = reply_error_json(why);
	struct buf b;

	buf_init(&b, 4096);
	(void)buf_append_str(&b, "event: error\ndata: ");
	(void)json_write(j, &b, NULL);
	(void)buf_append_str(&b, "\n\n");
	send_text(st, buf_slice(&b));
	buf_fini(&b);
	json_decref(j);
	http_live_end(st->live);
}

static void
beat(struct stream *st)
{
	if (!atomic_exchange(&st->is_due, false))
		return;
	if (http_live_unsent(st->live) == 0) {
		st->stalled = 0;
		send_text(st, SLICE_LIT(":\n\n"));
	} else if (++st->stalled == STALLED_BEATS) {
		http_live_abort(st->live);
	}
}

static void
on_ready(void *arg)
{
	struct stream *st = arg;
	const struct err *why = bus_closed(&st->subscriber);

	if (!st->has_begun)
		send_text(st, SLICE_LIT("retry: 2000\n\n"));
	st->has_begun = true;
	if (why != NULL) {
		send_end(st, why);
		return;
	}
	beat(st);
	while (http_live_unsent(st->live) == 0)
		if (!send_events(st))
			break;
}

/* Nothing is expected. */
static void
on_input(void *arg, const char *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
}

static void
on_draining(void *arg)
{
	struct stream *st = arg;

	http_live_end(st->live);
}

static void
on_closed(void *arg)
{
	struct stream *st = arg;

	(void)beat_cancel(st->beats, &st->beat);
	bus_leave(&st->subscriber);
	guard_leave(&st->place);
	free(st);
}

static const struct http_live_ops ops = {
	.input = on_input,
	.ready = on_ready,
	.draining = on_draining,
	.closed = on_closed,
};

/* --- from elsewhere
 * ------------------------------------------------------------- */

static void
woken(void *arg)
{
	struct stream *st = arg;

	http_live_wake(st->live);
}

static int64_t
due(void *arg)
{
	struct stream *st = arg;

	atomic_store(&st->is_due, true);
	http_live_wake(st->live);
	return BEAT_MS;
}

/* --- the request
 * ---------------------------------------------------------------- */

struct wanted {
	char *filename; /* NULL: none; owned */
	bool stats;
	uint64_t seen;
};

static int
take_file(const struct http_request *req, struct wanted *w, struct err *err)
{
	struct buf b;
	int found, rc = 0;

	buf_init(&b, LIMIT_REQUEST_LINE);
	found = params_query(req, "file", &b);
	if (found < 0)
		rc = err_set(err, ERR_INVALID_PARAMETER,
		    "'file' is not properly encoded");
	else if (found > 0)
		rc = filename_normalise(buf_slice(&b), &w->filename, err);
	buf_fini(&b);
	return rc;
}

static int
take_wanted(struct call *c, struct wanted *w, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct slice last = http_field(req, "last-event-id");

	if (take_file(req, w, err) < 0 ||
	    params_query_bool(req, "stats", false, &w->stats, err) < 0)
		return -1;
	/* Of another server's making: then it has seen nothing. */
	if (!num_uint(last, UINT64_MAX, &w->seen))
		w->seen = 0;
	if (w->stats && c->who.prefix[0] != '\0')
		return err_set(err, ERR_FORBIDDEN,
		    "this key knows only some names, and sums are of all");
	return 0;
}

static void
enter(struct engine *e, struct stream *st, enum bus_kind kind,
    const struct wanted *w)
{
	const struct bus_place place = {
		.kind = kind,
		.filename = kind == BUS_FILE ? w->filename : NULL,
		.seen = kind == BUS_STATS ? 0 : w->seen,
	};

	/* It was checked that it may, and it has room. */
	(void)bus_subscribe(&st->subscriber, &place, NULL);
	feed_present(e->feed, kind, place.filename);
}

static void
begin(struct call *c, const struct wanted *w)
{
	struct engine *e = c->app->engine;
	struct stream *st = mem_calloc(1, sizeof(*st));

	st->beats = sockets_beats(c->app->sockets);
	guard_move(&c->place, &st->place);
	st->live = http_live(c->x, &ops, st);
	bus_join(e->bus, &st->subscriber, &c->who, woken, st);
	guard_confirm(c->app->guard, e->bus, &c->who);
	if (w->filename != NULL)
		enter(e, st, BUS_FILE, w);
	if (w->stats)
		enter(e, st, BUS_STATS, w);
	if (w->filename == NULL && !w->stats)
		enter(e, st, BUS_ALL, w);
	beat_init(&st->beat, due, st);
	beat_start(st->beats, &st->beat, BEAT_MS);
	/* Last, for whoever has the head misses nothing from then on. */
	http_live_begin(st->live);
}

void
h_events(struct call *c)
{
	struct wanted w = { .filename = NULL };
	struct err e = ERR_INIT;

	if (take_wanted(c, &w, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		goto out;
	}
	reply_begin(c->app, c->x, 200);
	http_header(c->x, "Content-Type", "text/event-stream");
	/* nginx would hold events back */
	http_header(c->x, "X-Accel-Buffering", "no");
	if (http_request(c->x)->method == HTTP_HEAD)
		http_send(c->x, NULL, 0);
	else
		begin(c, &w);
out:
	free(w.filename);
}
