/* SPDX-License-Identifier: MIT */
#include "engine/bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/bus_priv.h"
#include "engine/transfer.h"
#include "proto/limits.h"

static const char *const event_names[BUS_KINDS] = {
	[BUS_FILE] = "status_update",
	[BUS_ALL] = "transfer_update",
	[BUS_STATS] = "stats_update",
};

const char *
bus_event_name(enum bus_kind kind)
{
	return event_names[kind];
}

/* --- messages --------------------------------------------------------------
 */

struct bus_message *
bus_message_new(
    struct bus *b, const struct transfer_view *v, const char *json, size_t n)
{
	const char *name = v == NULL ? "" : v->rec.filename;
	size_t name_n = strlen(name) + 1;
	struct bus_message *m = mem_alloc(sizeof(*m) + name_n + n);
	char *tail = (char *)(m + 1);

	memset(m, 0, sizeof(*m));
	memcpy(tail, name, name_n);
	memcpy(tail + name_n, json, n);
	atomic_init(&m->refs, 1);
	m->id = atomic_fetch_add(&b->last_id, 1) + 1;
	m->filename = tail;
	m->json = tail + name_n;
	m->n = n;
	m->is_progress = true; /* of statistics, too, the newest will do */
	if (v != NULL) {
		memcpy(m->transfer, v->rec.id, ID_SIZE);
		m->is_progress = v->is_progress;
	}
	return m;
}

struct bus_message *
bus_message_ref(struct bus_message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void
bus_message_unref(struct bus_message *m)
{
	if (m != NULL && atomic_fetch_sub(&m->refs, 1) == 1)
		free(m);
}

/* --- life ------------------------------------------------------------------
 */

struct bus *
bus_new(int64_t wall_ms)
{
	struct bus *b = mem_calloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	list_init(&b->subscribers);
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

/* --- rooms -----------------------------------------------------------------
 */

static _Atomic size_t *
counter_of(struct bus *b, enum bus_kind kind)
{
	return kind == BUS_STATS ? &b->n_stats_seats : &b->n_transfer_seats;
}

/* NULL: nobody is in it. */
static struct bus_room *
find_room(struct bus *b, enum bus_kind kind, const char *filename)
{
	if (kind == BUS_ALL)
		return &b->all;
	if (kind == BUS_STATS)
		return &b->stats;
	return map_get(b->files, slice_str(filename));
}

static struct bus_room *
enter_room(struct bus *b, const struct bus_place *place)
{
	struct bus_room *r = find_room(b, place->kind, place->filename);

	if (r != NULL)
		return r;
	r = mem_calloc(1, sizeof(*r));
	r->kind = BUS_FILE;
	r->filename = mem_strdup(place->filename);
	list_init(&r->seats);
	(void)map_put(b->files, slice_str(r->filename), r);
	return r;
}

static void
free_seat(struct bus *b, struct bus_seat *seat)
{
	struct bus_room *r = seat->room;

	list_remove(&seat->in_room);
	list_remove(&seat->of_subscriber);
	seat->subscriber->n_seats--;
	if (atomic_fetch_sub(counter_of(b, r->kind), 1) == 1 &&
	    r->kind != BUS_STATS)
		atomic_store(&b->keep_until_ms,
		    clock_mono_ms(clock_system()) + BUS_KEEP_MS);
	free(seat);
	if (r->kind != BUS_FILE || !list_is_empty(&r->seats))
		return;
	(void)map_remove(b->files, slice_str(r->filename));
	free(r->filename);
	free(r);
}

static struct bus_seat *
seat_of(struct bus_subscriber *s, const struct bus_room *r)
{
	struct list *it, *tmp;

	LIST_FOREACH(&s->seats, it, tmp)
	{
		struct bus_seat *seat =
		    CONTAINER_OF(it, struct bus_seat, of_subscriber);

		if (seat->room == r)
			return seat;
	}
	return NULL;
}

static bool
knows(const struct bus_subscriber *s, const char *filename)
{
	return s->prefix == NULL ||
	       strncmp(filename, s->prefix, strlen(s->prefix)) == 0;
}

static struct bus_seat *
take_seat(
    struct bus *b, struct bus_subscriber *s, const struct bus_place *place)
{
	struct bus_seat *seat = mem_calloc(1, sizeof(*seat));

	list_init(&seat->in_room);
	list_init(&seat->of_subscriber);
	seat->subscriber = s;
	seat->room = enter_room(b, place);
	seat->is_blind = place->kind == BUS_FILE && !knows(s, place->filename);
	list_push_back(&seat->room->seats, &seat->in_room);
	list_push_back(&s->seats, &seat->of_subscriber);
	s->n_seats++;
	atomic_fetch_add(counter_of(b, place->kind), 1);
	return seat;
}

int
bus_subscribe(
    struct bus_subscriber *s, const struct bus_place *place, struct err *err)
{
	struct bus *b = s->bus;
	struct bus_seat *seat = NULL;
	struct bus_room *r;
	int rc = 0;

	pthread_mutex_lock(&b->lock);
	r = find_room(b, place->kind, place->filename);
	if (r != NULL)
		seat = seat_of(s, r);
	if (place->kind == BUS_STATS && s->prefix != NULL)
		rc = err_set(err, ERR_FORBIDDEN,
		    "this key knows only some names, and sums are of all");
	else if (seat == NULL && s->n_seats == LIMIT_ROOMS)
		rc = err_set(err, ERR_TOO_MANY_REQUESTS,
		    "one client can subscribe to %u things; subscribe to all "
		    "instead",
		    LIMIT_ROOMS);
	else if (seat == NULL)
		seat = take_seat(b, s, place);
	if (rc == 0) {
		seat->awaits_present = true;
		seat->seen = place->seen;
	}
	pthread_mutex_unlock(&b->lock);
	return rc;
}

void
bus_unsubscribe(struct bus_subscriber *s, const struct bus_place *place)
{
	struct bus_seat *seat = NULL;
	struct bus_room *r;

	pthread_mutex_lock(&s->bus->lock);
	r = find_room(s->bus, place->kind, place->filename);
	if (r != NULL)
		seat = seat_of(s, r);
	if (seat != NULL)
		free_seat(s->bus, seat);
	pthread_mutex_unlock(&s->bus->lock);
}

/* Under the lock. */
static void
give_up_seats(struct bus_subscriber *s)
{
	struct list *node;

	while ((node = list_pop_front(&s->seats)) != NULL)
		free_seat(
		    s->bus, CONTAINER_OF(node, struct bus_seat, of_subscriber));
}

void
bus_unsubscribe_all(struct bus_subscriber *s)
{
	pthread_mutex_lock(&s->bus->lock);
	give_up_seats(s);
	pthread_mutex_unlock(&s->bus->lock);
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
	give_up_seats(s);
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
	give_up_seats(s);
	bus_queue_fini(s);
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

static void
give(const struct bus_seat *seat, struct bus_message *m)
{
	if (!seat->is_blind && knows(seat->subscriber, m->filename))
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
	if (m->transfer[0] == '\0') {
		give_room(&b->stats, m);
	} else {
		file = map_get(b->files, slice_str(m->filename));
		if (file != NULL)
			give_room(file, m);
		give_room(&b->all, m);
		if (!m->is_progress)
			keep(b, m);
	}
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
	r = find_room(b, p->kind, p->filename);
	if (r == NULL)
		goto out;
	LIST_FOREACH(&r->seats, it, tmp)
	{
		struct bus_seat *seat =
		    CONTAINER_OF(it, struct bus_seat, in_room);

		if (!seat->awaits_present)
			continue;
		seat->awaits_present = false;
		if (p->kind != BUS_STATS)
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
