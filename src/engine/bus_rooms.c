/* SPDX-License-Identifier: MIT */

/* Who is in which room. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/bus_priv.h"
#include "proto/limits.h"

static _Atomic size_t *
counter_of(struct bus *b, enum bus_kind kind)
{
	return kind == BUS_STATS ? &b->n_stats_seats : &b->n_transfer_seats;
}

struct bus_room *
bus_find_room(struct bus *b, enum bus_kind kind, const char *filename)
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
	struct bus_room *r = bus_find_room(b, place->kind, place->filename);

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

bool
bus_knows(const struct bus_subscriber *s, const char *filename)
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
	seat->is_blind =
	    place->kind == BUS_FILE && !bus_knows(s, place->filename);
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
	r = bus_find_room(b, place->kind, place->filename);
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
	r = bus_find_room(s->bus, place->kind, place->filename);
	if (r != NULL)
		seat = seat_of(s, r);
	if (seat != NULL)
		free_seat(s->bus, seat);
	pthread_mutex_unlock(&s->bus->lock);
}

void
bus_give_up_seats(struct bus_subscriber *s)
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
	bus_give_up_seats(s);
	pthread_mutex_unlock(&s->bus->lock);
}
