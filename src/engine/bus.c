/* SPDX-License-Identifier: MIT */
#include "engine/bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/bus_priv.h"

/* --- life ------------------------------------------------------------------
 */

struct bus *
bus_new(int64_t wall_ms)
{
	struct bus *b = mem_calloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	list_init(&b->subscribers);
	list_init(&b->to_wake);
	b->files = map_new();
	b->all.kind = BUS_ALL;
	list_init(&b->all.seats);
	b->stats.kind = BUS_STATS;
	list_init(&b->stats.seats);
	/* Above all ids of the runs before, and exact in JavaScript. */
	atomic_init(&b->last_id, (uint64_t)wall_ms * 1000);
	return b;
}

void
bus_free(struct bus *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n_kept; i++)
		bus_message_unref(b->kept[(b->kept_at + i) % BUS_KEPT]);
	map_free(b->files);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* --- subscribers -----------------------------------------------------------
 */

static void
set_identity(struct bus_subscriber *s, const struct principal *who)
{
	free(s->prefix);
	s->prefix = who->prefix[0] == '\0' ? NULL : mem_strdup(who->prefix);
	s->has_key = who->has_key;
	s->expires_ms = who->expires_ms;
	memcpy(s->key_id, who->key_id, ID_SIZE);
}

void
bus_join(struct bus *b, struct bus_subscriber *s, const struct principal *who,
    void (*wake)(void *arg), void *arg)
{
	memset(s, 0, sizeof(*s));
	list_init(&s->link);
	list_init(&s->seats);
	list_init(&s->waking);
	s->bus = b;
	s->wake = wake;
	s->arg = arg;
	set_identity(s, who);
	pthread_mutex_lock(&b->lock);
	list_push_back(&b->subscribers, &s->link);
	b->n_subscribers++;
	pthread_mutex_unlock(&b->lock);
}

void
bus_identify(struct bus_subscriber *s, const struct principal *who)
{
	pthread_mutex_lock(&s->bus->lock);
	bus_give_up_seats(s);
	bus_queue_fini(s);
	set_identity(s, who);
	pthread_mutex_unlock(&s->bus->lock);
}

void
bus_leave(struct bus_subscriber *s)
{
	struct bus *b = s->bus;

	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	bus_give_up_seats(s);
	bus_queue_fini(s);
	bus_queue_unlist(s);
	list_remove(&s->link);
	b->n_subscribers--;
	pthread_mutex_unlock(&b->lock);
	free(s->prefix);
	s->prefix = NULL;
	s->bus = NULL;
}

size_t
bus_subscribers(struct bus *b)
{
	size_t n;

	pthread_mutex_lock(&b->lock);
	n = b->n_subscribers;
	pthread_mutex_unlock(&b->lock);
	return n;
}

/* --- publishing ------------------------------------------------------------
 */

bool
bus_wants_transfers(struct bus *b)
{
	if (atomic_load_explicit(&b->n_transfer_seats, memory_order_relaxed) >
	    0)
		return true;
	return atomic_load_explicit(&b->keep_until_ms, memory_order_relaxed) >
	           0 &&
	       atomic_load(&b->keep_until_ms) > clock_mono_ms(clock_system());
}

bool
bus_wants_stats(struct bus *b)
{
	return atomic_load_explicit(&b->n_stats_seats, memory_order_relaxed) >
	       0;
}

bool
bus_has_listener(struct bus *b, enum bus_kind kind, const char *filename)
{
	const struct bus_room *r;
	bool has;

	pthread_mutex_lock(&b->lock);
	r = bus_find_room(b, kind, filename);
	has = r != NULL && !list_is_empty(&r->seats);
	pthread_mutex_unlock(&b->lock);
	return has;
}

static void
give(const struct bus_seat *seat, struct bus_message *m)
{
	if (!seat->is_blind && bus_knows(seat->subscriber, m->filename))
		bus_queue_push(seat->subscriber, m, seat->room->kind);
}

static void
give_room(const struct bus_room *r, struct bus_message *m)
{
	struct list *it, *tmp;

	LIST_FOREACH(&r->seats, it, tmp)
	{
		struct bus_seat *seat =
		    CONTAINER_OF(it, struct bus_seat, in_room);

		if (!seat->awaits_present)
			give(seat, m);
	}
}

/* For who comes back. */
static void
keep(struct bus *b, struct bus_message *m)
{
	while (b->n_kept == BUS_KEPT ||
	       (b->n_kept > 0 && b->kept_bytes + m->n > BUS_KEPT_BYTES)) {
		b->kept_bytes -= b->kept[b->kept_at]->n;
		bus_message_unref(b->kept[b->kept_at]);
		b->kept_at = (b->kept_at + 1) % BUS_KEPT;
		b->n_kept--;
	}
	b->kept[(b->kept_at + b->n_kept++) % BUS_KEPT] = bus_message_ref(m);
	b->kept_bytes += m->n;
}

void
bus_publish(struct bus *b, struct bus_message *m)
{
	const struct bus_room *file;

	pthread_mutex_lock(&b->lock);
	file = map_get(b->files, slice_str(m->filename));
	if (file != NULL)
		give_room(file, m);
	give_room(&b->all, m);
	if (!m->is_progress)
		keep(b, m);
	pthread_mutex_unlock(&b->lock);
}

struct bus_told
bus_publish_stats(
    struct bus *b, struct bus_message *m, uint64_t number, int64_t now_ms)
{
	struct bus_told ret = { 0 };
	struct list *it, *tmp;

	pthread_mutex_lock(&b->lock);
	LIST_FOREACH(&b->stats.seats, it, tmp)
	{
		struct bus_seat *seat =
		    CONTAINER_OF(it, struct bus_seat, in_room);
		bool is_news =
		    seat->awaits_present || seat->told_number != number;
		bool is_due = seat->awaits_present ||
		              now_ms >= seat->told_ms + BUS_STATS_MS;

		if (is_news && is_due) {
			give(seat, m);
			seat->awaits_present = false;
			seat->told_number = number;
			seat->told_ms = now_ms;
		} else if (is_news) {
			ret.is_late = true;
		}
		if (ret.next_ms == 0 ||
		    seat->told_ms + BUS_STATS_MS < ret.next_ms)
			ret.next_ms = seat->told_ms + BUS_STATS_MS;
	}
	pthread_mutex_unlock(&b->lock);
	return ret;
}

size_t
bus_untold(struct bus *b)
{
	return atomic_load(&b->n_to_wake);
}

void
bus_tell(struct bus *b)
{
	struct list *node;

	pthread_mutex_lock(&b->lock);
	while ((node = list_pop_front(&b->to_wake)) != NULL) {
		struct bus_subscriber *s =
		    CONTAINER_OF(node, struct bus_subscriber, waking);

		s->wake(s->arg);
	}
	atomic_store(&b->n_to_wake, 0);
	pthread_mutex_unlock(&b->lock);
}

/* What it missed; the present state, which comes next, holds no ends that it
 * did not see. */
static void
give_missed(const struct bus *b, struct bus_seat *seat)
{
	const char *only = seat->room->filename;

	for (size_t i = 0; seat->seen > 0 && i < b->n_kept; i++) {
		struct bus_message *m = b->kept[(b->kept_at + i) % BUS_KEPT];

		if (m->id > seat->seen &&
		    (only == NULL || strcmp(only, m->filename) == 0))
			give(seat, m);
	}
	seat->seen = 0;
}

void
bus_present(struct bus *b, const struct bus_present *p)
{
	const struct bus_room *r;
	struct list *it, *tmp;

	pthread_mutex_lock(&b->lock);
	r = bus_find_room(b, p->kind, p->filename);
	if (r == NULL)
		goto out;
	LIST_FOREACH(&r->seats, it, tmp)
	{
		struct bus_seat *seat =
		    CONTAINER_OF(it, struct bus_seat, in_room);

		if (!seat->awaits_present)
			continue;
		seat->awaits_present = false;
		give_missed(b, seat);
		for (size_t i = 0; i < p->count; i++)
			give(seat, p->messages[i]);
	}
out:
	pthread_mutex_unlock(&b->lock);
}

/* --- ends ------------------------------------------------------------------
 */

struct ending {
	const char *key_id; /* NULL: any */
	int64_t expired_ms; /* 0: whether expired or not */
	const struct err *why;
};

static void
close_some(struct bus *b, const struct ending *e)
{
	struct list *it, *tmp;

	pthread_mutex_lock(&b->lock);
	LIST_FOREACH(&b->subscribers, it, tmp)
	{
		struct bus_subscriber *s =
		    CONTAINER_OF(it, struct bus_subscriber, link);

		if (e->key_id != NULL && strcmp(s->key_id, e->key_id) != 0)
			continue;
		if (e->expired_ms > 0 &&
		    (s->expires_ms == 0 || s->expires_ms > e->expired_ms))
			continue;
		bus_close(s, e->why);
	}
	pthread_mutex_unlock(&b->lock);
}

static const struct err key_gone = { ERR_INVALID_API_KEY, 0,
	"the API key is unknown, expired or revoked" };

void
bus_close_key(struct bus *b, const char *key_id)
{
	const struct ending e = { .key_id = key_id, .why = &key_gone };

	close_some(b, &e);
}

void
bus_close_expired(struct bus *b, int64_t wall_ms)
{
	const struct ending e = { .expired_ms = wall_ms, .why = &key_gone };

	close_some(b, &e);
}

void
bus_close_all(struct bus *b, const struct err *why)
{
	const struct ending e = { .why = why };

	close_some(b, &e);
}

size_t
bus_take_slow(struct bus *b)
{
	return atomic_exchange(&b->n_slow, 0);
}
