/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

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

/* For how long this wait may last: until the caller's time or the client's
 * has run out. */
static int
bound_ms(const struct http_exchange *x, int64_t left_ms)
{
	int64_t stall = x->server->cf.stall_timeout_ms - x->waited_ms;

	if (left_ms >= 0 && left_ms < stall)
		stall = left_ms;
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
		begin = clock_mono_ms(clock_system());
		event = c->ops->wait(
		    c, want, x->wake->wake.fd, bound_ms(x, left_ms));
		took = clock_mono_ms(clock_system()) - begin;
		x->waited_ms += took;
		if (event == CONN_READY)
			return 1;
		if (event == CONN_WOKEN)
			wake_clear(&x->wake->wake);
		if (judge_stall(x, want, err) < 0)
			return -1;
		if (timeout_ms < 0)
			continue;
		left_ms -= took;
		if (left_ms <= 0)
			return 0;
	}
}
