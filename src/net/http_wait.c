/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* So often somebody hears that a client is waited for. */
#define WATCH_MS 250
/* Of one whose download stalls: many may. */
#define WATCH_SELDOM_MS 2000

/*
 * Who waits first shows where to wake it and then looks whether it has been
 * interrupted; who interrupts first leaves the code and then looks whom to
 * wake.  So one of them sees the other.
 */

static int
interrupted(enum err_code code, struct err *err)
{
	switch (code) {
	case ERR_CANCELLED:
		return err_set(err, code, "the transfer was cancelled");
	case ERR_SHUTTING_DOWN:
		return err_set(err, code, "the server is shutting down");
	case ERR_INVALID_API_KEY:
		return err_set(
		    err, code, "the API key was revoked or has expired");
	default:
		return err_set(err, code, "the transfer was interrupted");
	}
}

int
http_wait_check(struct http_exchange *x, struct err *err)
{
	int code = atomic_load(&x->interrupt);

	return code == 0 ? 0 : interrupted((enum err_code)code, err);
}

void
http_interrupt(struct http_exchange *x, enum err_code code)
{
	struct http_wake *wake;
	int none = 0;

	/* The first reason stays. */
	(void)atomic_compare_exchange_strong(&x->interrupt, &none, (int)code);
	wake = atomic_load(&x->wake);
	if (wake != NULL)
		wake_raise(&wake->wake);
	http_unpark(x);
}

static struct http_wake *
pop_wake(struct http_server *s)
{
	struct http_wake *wake;

	pthread_mutex_lock(&s->lock);
	wake = s->wakes;
	if (wake != NULL)
		s->wakes = wake->next;
	pthread_mutex_unlock(&s->lock);
	return wake;
}

static void
push_wake(struct http_server *s, struct http_wake *wake)
{
	pthread_mutex_lock(&s->lock);
	wake->next = s->wakes;
	s->wakes = wake;
	pthread_mutex_unlock(&s->lock);
}

/* Borrows a wake-up for the rest of the exchange, if it has none. */
static int
take_wake(struct http_exchange *x, struct err *err)
{
	struct http_wake *wake = atomic_load(&x->wake);

	if (wake != NULL)
		return 0;
	wake = pop_wake(x->server);
	if (wake == NULL) {
		wake = mem_calloc(1, sizeof(*wake));
		if (wake_init(&wake->wake, err) < 0) {
			free(wake);
			return -1;
		}
	}
	atomic_store(&x->wake, wake);
	return 0;
}

void
http_wait_end(struct http_exchange *x)
{
	struct http_wake *wake = atomic_exchange(&x->wake, NULL);

	if (wake != NULL)
		push_wake(x->server, wake);
}

void
http_wait_fini(struct http_server *s)
{
	struct http_wake *wake;

	while ((wake = pop_wake(s)) != NULL) {
		wake_fini(&wake->wake);
		free(wake);
	}
}

void
http_wait_moved(struct http_exchange *x)
{
	x->waited_ms = 0;
}

/* When somebody wants to hear of it next; of one that has been waited for for
 * long, seldom. */
static int64_t
watch_ms(const struct http_exchange *x)
{
	if (x->waits != NULL)
		return WATCH_MS;
	if (x->stream == NULL || x->stream->arrived == NULL)
		return INT64_MAX;
	return x->waited_ms < WATCH_SELDOM_MS ? WATCH_MS : WATCH_SELDOM_MS;
}

/* For how long this wait may last: until the caller's time or the client's
 * has run out, or somebody wants to hear of it. */
static int
bound_ms(const struct http_exchange *x, int64_t left_ms)
{
	int64_t stall = x->server->cf.stall_timeout_ms - x->waited_ms;

	if (left_ms >= 0 && left_ms < stall)
		stall = left_ms;
	if (stall > watch_ms(x))
		stall = watch_ms(x);
	if (stall < 0)
		stall = 0;
	return stall < INT_MAX ? (int)stall : INT_MAX;
}

/* The client's time has run out, or has it?  A slow reader may take bytes
 * for long before the socket has room again. */
static int
judge_stall(struct http_exchange *x, enum conn_want want, struct err *err)
{
	if (x->waited_ms < x->server->cf.stall_timeout_ms)
		return 0;
	if (want == CONN_WRITE && http_conn_advances(&x->hc->conn, &x->mark)) {
		x->waited_ms = 0;
		return 0;
	}
	return err_set(err, ERR_TIMEOUT, "the client stalled");
}

void
http_watch_waits(struct http_exchange *x, bool (*waits)(void *arg), void *arg)
{
	x->waits = waits;
	x->waits_arg = arg;
}

uint64_t
http_waited_ns(const struct http_exchange *x)
{
	return x->waited_ns;
}

int64_t
http_still_ms(const struct http_exchange *x)
{
	return x->waited_ms;
}

int
http_check(struct http_exchange *x, struct err *err)
{
	return http_wait_check(x, err);
}

int
http_pause(struct http_exchange *x, int ms, struct err *err)
{
	struct pollfd fd = { .events = POLLIN };

	assert(!x->on_loop);
	if (take_wake(x, err) < 0 || http_wait_check(x, err) < 0)
		return -1;
	fd.fd = x->wake->wake.fd;
	if (poll(&fd, 1, ms) > 0)
		wake_clear(&x->wake->wake);
	return http_wait_check(x, err);
}

/* The client was waited for; bytes that a slow reader's system took count as
 * bytes that moved. */
static void
note_wait(struct http_exchange *x, enum conn_want want, int64_t took_ns)
{
	x->waited_ns += (uint64_t)took_ns;
	x->waited_ms += took_ns / 1000000;
	if (want == CONN_WRITE)
		http_delivery_tell(x);
	if (x->waits == NULL)
		return;
	if (want == CONN_WRITE && x->waited_ms >= WATCH_MS &&
	    http_conn_advances(&x->hc->conn, &x->mark))
		x->waited_ms = 0;
	if (!x->waits(x->waits_arg))
		x->waits = NULL;
}

int
http_wait(struct http_exchange *x, enum conn_want want, int timeout_ms,
    struct err *err)
{
	struct conn *c = &x->hc->conn;
	int64_t left_ms = timeout_ms;
	int64_t begin, took;
	enum conn_event event;

	assert(!x->on_loop);
	if (take_wake(x, err) < 0)
		return -1;
	if (x->waited_ms == 0)
		x->mark = c->ops->unsent(c);
	for (;;) {
		if (http_wait_check(x, err) < 0)
			return -1;
		begin = clock_mono_ns(clock_system());
		event = c->ops->wait(
		    c, want, x->wake->wake.fd, bound_ms(x, left_ms));
		took = clock_mono_ns(clock_system()) - begin;
		note_wait(x, want, took);
		if (event == CONN_READY)
			return 1;
		if (event == CONN_WOKEN)
			wake_clear(&x->wake->wake);
		if (judge_stall(x, want, err) < 0)
			return -1;
		if (timeout_ms < 0)
			continue;
		left_ms -= took / 1000000;
		if (left_ms <= 0)
			return 0;
	}
}
