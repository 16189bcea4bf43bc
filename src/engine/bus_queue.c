/* SPDX-License-Identifier: MIT */

/* What waits for a subscriber. */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/bus_priv.h"
#include "proto/limits.h"

#define QUEUE_FIRST 8u /* entries; so many are kept for reuse */

static void
append(struct bus_queue *q, const struct bus_entry *e)
{
	if (q->len == q->cap && q->at > q->cap / 2) {
		memmove(q->entries, q->entries + q->at,
		    (q->len - q->at) * sizeof(*q->entries));
		q->len -= q->at;
		q->at = 0;
	}
	if (q->len == q->cap) {
		q->cap = q->cap == 0 ? QUEUE_FIRST : q->cap * 2;
		q->entries =
		    mem_realloc(q->entries, q->cap * sizeof(*q->entries));
	}
	q->entries[q->len++] = *e;
}

/* An idle subscriber holds no memory to speak of. */
static void
shrink(struct bus_queue *q)
{
	if (q->at < q->len)
		return;
	q->at = q->len = 0;
	if (q->cap <= QUEUE_FIRST)
		return;
	free(q->entries);
	memset(q, 0, sizeof(*q));
}

/* Progress of the same transfer, which what comes now is newer than.  There is
 * one at most, and of those that move there are few. */
static void
drop_older(
    struct bus_subscriber *s, const struct bus_message *m, enum bus_kind kind)
{
	struct bus_queue *q = &s->progress;

	for (size_t i = q->at; i < q->len; i++) {
		struct bus_message *old = q->entries[i].message;

		if (q->entries[i].kind != kind ||
		    strcmp(old->transfer, m->transfer) != 0)
			continue;
		s->bytes -= old->n;
		bus_message_unref(old);
		memmove(q->entries + i, q->entries + i + 1,
		    (q->len - i - 1) * sizeof(*q->entries));
		q->len--;
		break;
	}
	shrink(q);
}

static bool
is_empty(const struct bus_subscriber *s)
{
	return s->states.at == s->states.len &&
	       s->progress.at == s->progress.len;
}

static const struct err slow = { ERR_TOO_SLOW, 0,
	"this client does not take its events fast enough; subscribe again for "
	"the present state" };

void
bus_queue_push(
    struct bus_subscriber *s, struct bus_message *m, enum bus_kind kind)
{
	const struct bus_entry e = { m, kind };
	bool was_empty = is_empty(s);

	if (bus_closed(s) != NULL)
		return;
	drop_older(s, m, kind);
	if (s->bytes + m->n > LIMIT_SUBSCRIBER_QUEUE) {
		if (m->is_progress)
			return;
		atomic_fetch_add(&s->bus->n_slow, 1);
		bus_close(s, &slow);
		return;
	}
	(void)bus_message_ref(m);
	s->bytes += m->n;
	append(m->is_progress ? &s->progress : &s->states, &e);
	if (!was_empty || !list_is_empty(&s->waking))
		return;
	list_push_back(&s->bus->to_wake, &s->waking);
	atomic_fetch_add(&s->bus->n_to_wake, 1);
}

static void
empty(struct bus_queue *q)
{
	for (size_t i = q->at; i < q->len; i++)
		bus_message_unref(q->entries[i].message);
	free(q->entries);
	memset(q, 0, sizeof(*q));
}

void
bus_queue_fini(struct bus_subscriber *s)
{
	empty(&s->states);
	empty(&s->progress);
	s->bytes = 0;
}

void
bus_queue_unlist(struct bus_subscriber *s)
{
	if (list_is_empty(&s->waking))
		return;
	list_remove(&s->waking);
	atomic_fetch_sub(&s->bus->n_to_wake, 1);
}

void
bus_close(struct bus_subscriber *s, const struct err *why)
{
	if (bus_closed(s) != NULL)
		return;
	atomic_store(&s->closed, why);
	bus_queue_fini(s);
	s->wake(s->arg);
}

/* The queue whose front is older; NULL: both are empty. */
static struct bus_queue *
older(struct bus_subscriber *s)
{
	struct bus_queue *a = &s->states, *b = &s->progress;

	if (is_empty(s))
		return NULL;
	if (a->at == a->len)
		return b;
	if (b->at == b->len)
		return a;
	return a->entries[a->at].message->id <= b->entries[b->at].message->id
	           ? a
	           : b;
}

size_t
bus_take(struct bus_subscriber *s, struct bus_entry *ret, size_t max)
{
	struct bus_queue *q;
	size_t n = 0;

	pthread_mutex_lock(&s->bus->lock);
	while (n < max && (q = older(s)) != NULL) {
		ret[n] = q->entries[q->at++];
		s->bytes -= ret[n++].message->n;
		shrink(q);
	}
	pthread_mutex_unlock(&s->bus->lock);
	return n;
}

bool
bus_has_some(struct bus_subscriber *s)
{
	bool has;

	pthread_mutex_lock(&s->bus->lock);
	has = !is_empty(s) || bus_closed(s) != NULL;
	pthread_mutex_unlock(&s->bus->lock);
	return has;
}

const struct err *
bus_closed(const struct bus_subscriber *s)
{
	return atomic_load(&s->closed);
}
