/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/thread.h"
#include "engine/transfer_priv.h"

/* --- movers --------------------------------------------------------------- */

void
mover_init(struct mover *m, void (*interrupt)(void *arg, enum err_code code),
    void *arg)
{
	list_init(&m->link);
	m->transfers = NULL;
	m->interrupt = interrupt;
	m->arg = arg;
}

void
transfer_attach(struct transfer *t, struct mover *m)
{
	m->transfers = t->ts;
	pthread_mutex_lock(&t->ts->lock);
	list_push_back(&t->movers, &m->link);
	if (t->is_cancelled)
		m->interrupt(m->arg, ERR_CANCELLED);
	pthread_mutex_unlock(&t->ts->lock);
}

void
mover_fini(struct mover *m)
{
	if (m->transfers == NULL)
		return;
	pthread_mutex_lock(&m->transfers->lock);
	list_remove(&m->link);
	pthread_mutex_unlock(&m->transfers->lock);
	m->transfers = NULL;
}

/* Under the lock. */
static void
interrupt_all(struct transfer *t, enum err_code code)
{
	struct list *it, *tmp;

	LIST_FOREACH(&t->movers, it, tmp)
	{
		struct mover *m = CONTAINER_OF(it, struct mover, link);

		m->interrupt(m->arg, code);
	}
}

void
transfer_interrupt(struct transfer *t, enum err_code code)
{
	pthread_mutex_lock(&t->ts->lock);
	interrupt_all(t, code);
	pthread_mutex_unlock(&t->ts->lock);
}

/* --- cancelling ----------------------------------------------------------- */

bool
transfer_is_cancelled(struct transfer *t, struct err *err)
{
	bool is_cancelled;

	pthread_mutex_lock(&t->ts->lock);
	is_cancelled = t->is_cancelled;
	pthread_mutex_unlock(&t->ts->lock);
	if (is_cancelled)
		err_set(err, ERR_CANCELLED, "the transfer was cancelled");
	return is_cancelled;
}

void
transfer_settle(struct transfer *t, enum rec_status status)
{
	struct transfer_cancel *c = t->cancel;

	while (list_pop_front(&t->movers) != NULL)
		continue;
	if (c == NULL)
		return;
	t->cancel = NULL;
	if (status != REC_COMPLETED)
		c->cancelled++;
	if (--c->pending == 0)
		pthread_cond_signal(&c->ended);
}

/* Under the lock, as the next. */
static void
cancel_all(
    struct transfers *ts, const char *filename, struct transfer_cancel *c)
{
	struct list *it, *tmp;

	LIST_FOREACH(&ts->live, it, tmp)
	{
		struct transfer *t = CONTAINER_OF(it, struct transfer, link);

		if (t->ended || t->is_cancelled ||
		    strcmp(t->rec.filename, filename) != 0)
			continue;
		t->is_cancelled = true;
		t->cancel = c;
		c->pending++;
		interrupt_all(t, ERR_CANCELLED);
	}
}

/* Nobody waits any more. */
static void
let_go(struct transfers *ts, struct transfer_cancel *c)
{
	struct list *it, *tmp;

	LIST_FOREACH(&ts->live, it, tmp)
	{
		struct transfer *t = CONTAINER_OF(it, struct transfer, link);

		if (t->cancel == c)
			t->cancel = NULL;
	}
}

unsigned
transfers_cancel(struct transfers *ts, const char *filename)
{
	struct transfer_cancel c = { .pending = 0 };
	int64_t until_ns = clock_mono_ns(clock_system()) +
	                   TRANSFER_CANCEL_MS * (int64_t)1000000;

	thread_cond_init(&c.ended);
	pthread_mutex_lock(&ts->lock);
	cancel_all(ts, filename, &c);
	while (c.pending > 0)
		if (!thread_cond_wait_until(&c.ended, &ts->lock, until_ns))
			break;
	/* They will end, if later. */
	c.cancelled += c.pending;
	let_go(ts, &c);
	pthread_mutex_unlock(&ts->lock);
	pthread_cond_destroy(&c.ended);
	return c.cancelled;
}
