/* SPDX-License-Identifier: MIT */
#include "api/turn.h"

#include "api/call.h"
#include "proto/limits.h"

static void
granted(void *x)
{
	http_unpark(x);
}

static struct turn *
turn_of(struct source *s)
{
	return CONTAINER_OF(s, struct turn, body);
}

/* --- bytes ---------------------------------------------------------------- */

static bool
waits(void *arg)
{
	struct turn *t = arg;

	return ticket_waited(&t->ticket,
	    (int64_t)(http_waited_ns(t->x) / 1000000), http_still_ms(t->x));
}

static void
moved(struct turn *t, uint64_t n)
{
	int64_t waited_ms = (int64_t)(http_waited_ns(t->x) / 1000000);

	t->allowed -= n < t->allowed ? n : t->allowed;
	if (t->ticket.lane != NULL && ticket_moved(&t->ticket, n, waited_ms))
		http_watch_waits(t->x, waits, t);
}

/* Until it may move something, for so long at most (-1: for ever).  1: *n says
 * how much, 0: not yet. */
static int
allow(struct turn *t, uint64_t *n, int timeout_ms, struct err *err)
{
	uint64_t wanted = *n;

	if (t->ticket.lane == NULL)
		return 1;
	if (t->is_limited && t->allowed > 0) {
		*n = wanted < t->allowed ? wanted : t->allowed;
		return 1;
	}
	for (;;) {
		unsigned ms;

		*n = wanted;
		ms = ticket_next(&t->ticket, n);
		if (ms == 0)
			break;
		if (timeout_ms >= 0 && ms > (unsigned)timeout_ms)
			return 0;
		if (http_pause(t->x, (int)ms, err) < 0)
			return -1;
		if (timeout_ms > 0)
			timeout_ms -= (int)ms;
	}
	/* What is not used is there for the next. */
	t->allowed = *n;
	return 1;
}

static int
body_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct turn *t = turn_of(s);
	int rc = source_wait(http_body(t->x), timeout_ms, err);
	uint64_t n = RATE_SLICE;

	return rc <= 0 ? rc : allow(t, &n, timeout_ms, err);
}

static ssize_t
body_read(struct source *s, void *p, size_t n, struct err *err)
{
	struct turn *t = turn_of(s);
	uint64_t may = n;
	ssize_t done;

	if (t->is_limited && allow(t, &may, -1, err) < 0)
		return -1;
	done = source_read(http_body(t->x), p, (size_t)may, err);
	if (done > 0)
		moved(t, (uint64_t)done);
	return done;
}

static void
body_close(struct source *s)
{
	(void)s;
}

struct source *
turn_body(struct call *c)
{
	return &c->turn.body;
}

int
turn_allow(struct call *c, uint64_t *n, struct err *err)
{
	return allow(&c->turn, n, -1, err) < 0 ? -1 : 0;
}

void
turn_moved(struct call *c, uint64_t n)
{
	moved(&c->turn, n);
}

/* --- asking --------------------------------------------------------------- */

/* It may move; or, false, it waits: its handler has to return. */
static bool
ask(void *arg, struct lane *lane)
{
	struct turn *t = arg;

	if (!ticket_is_in(&t->ticket)) {
		http_park(t->x);
		if (!ticket_ask(&t->ticket, lane) || !http_park_undo(t->x))
			return false;
	}
	http_watch_waits(t->x, waits, t);
	return true;
}

/* --- its life ------------------------------------------------------------- */

void
turn_init(struct call *c)
{
	struct turn *t = &c->turn;

	t->x = c->x;
	t->is_limited = sched_is_limited(c->app->engine->sched);
	ticket_init(&t->ticket, granted, c->x);
	t->asker = (struct ticket_asker){ ask, t };
	t->body = (struct source){
		.read = body_read,
		.wait = body_wait,
		.close = body_close,
	};
}

static void
end_transfer(struct turn *t, const struct err *why)
{
	struct rec_transfer row = { 0 };

	if (t->transfer == NULL)
		return;
	transfer_final(t->transfer, transfer_status_of(why), why, &row);
	transfer_end(t->transfer, &row);
	t->transfer = NULL;
	rec_transfer_fini(&row);
}

void
turn_fini(struct call *c)
{
	struct err gone = ERR_INIT;

	ticket_leave(&c->turn.ticket);
	(void)err_set(&gone, ERR_CLOSED, "the client went while it waited");
	end_transfer(&c->turn, &gone);
}

void
turn_fail(struct call *c, const struct err *why)
{
	end_transfer(&c->turn, why);
}

void
turn_drop(struct call *c)
{
	if (c->turn.transfer != NULL)
		transfer_drop(c->turn.transfer);
	c->turn.transfer = NULL;
}

/* --- asking for a transfer -------------------------------------------------
 */

static int
check(struct call *c, struct err *err)
{
	/* It may have waited for days, and its key be gone. */
	if (http_check(c->x, err) == 0)
		return 0;
	ticket_leave(&c->turn.ticket);
	end_transfer(&c->turn, err);
	return -1;
}

/* It waits: everybody may see it. */
static int
begin_waiting(struct call *c, const struct turn_wanted *w, struct lane *lane,
    struct err *err)
{
	struct transfer_start start;

	if (w->check != NULL && w->check(w->arg, err) < 0) {
		ticket_leave(&c->turn.ticket);
		return http_park_undo(c->x) ? -1 : 1;
	}
	if (w->start == NULL)
		return 1;
	start = *w->start;
	start.lane = lane;
	c->turn.transfer = transfer_begin(c->app->engine->transfers, &start);
	return 1;
}

int
turn_take(struct call *c, const struct turn_wanted *w, struct lane **ret_lane,
    struct err *err)
{
	struct turn *t = &c->turn;
	struct lane *lane;
	int rc = 0;

	*ret_lane = NULL;
	if (check(c, err) < 0)
		return -1;
	if (w->size <= LIMIT_SMALL_BODY)
		return 0;
	lane = t->ticket.lane != NULL
	           ? lane_ref(t->ticket.lane)
	           : lane_new(c->app->engine->sched,
	                 w->start == NULL ? 0 : w->start->priority);
	*ret_lane = lane;
	if (!ask(t, lane))
		rc = ticket_is_in(&t->ticket) ? 1
		                              : begin_waiting(c, w, lane, err);
	/* Its ticket has one, too. */
	lane_unref(lane);
	return rc;
}

int
turn_asker(struct call *c, uint64_t size, const struct ticket_asker **ret,
    struct err *err)
{
	*ret = NULL;
	if (check(c, err) < 0)
		return -1;
	/* Who waited heard of a cancel so; who moves is told anew. */
	mover_fini(&c->mover);
	if (size > LIMIT_SMALL_BODY)
		*ret = &c->turn.asker;
	return 0;
}
