/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BUS_PRIV_H
#define ENGINE_BUS_PRIV_H

/* For src/engine/bus*.c. */

#include <pthread.h>

#include "base/map.h"
#include "engine/bus.h"

/* States that are kept for who comes back, and their bytes. */
#define BUS_KEPT 1024u
#define BUS_KEPT_BYTES (1024u * 1024)
/* For so long after the last of transfers left, states are kept for it. */
#define BUS_KEEP_MS 60000

struct bus_room {
	enum bus_kind kind;
	char *filename;    /* NULL but for BUS_FILE */
	struct list seats; /* struct bus_seat */
};

/* A subscriber's place in a room. */
struct bus_seat {
	struct list in_room;
	struct list of_subscriber;
	struct bus_room *room;
	struct bus_subscriber *subscriber;
	bool awaits_present; /* nothing else comes before it */
	bool is_blind;       /* its key does not know the file */
	uint64_t seen;
	/* Of statistics: what it was told last, and when (monotonic). */
	uint64_t told_number;
	int64_t told_ms;
};

struct bus {
	pthread_mutex_t lock; /* over everything */
	struct list subscribers;
	size_t n_subscribers;
	struct list to_wake;      /* struct bus_subscriber.waking */
	_Atomic size_t n_to_wake; /* changed under the lock */
	_Atomic size_t n_slow;    /* closed as too slow, not yet told of */
	struct map *files;        /* name -> struct bus_room */
	struct bus_room all;
	struct bus_room stats;
	/* Rooms are asked for without the lock. */
	_Atomic size_t n_transfer_seats;
	_Atomic size_t n_stats_seats;
	_Atomic int64_t keep_until_ms; /* monotonic */
	_Atomic uint64_t last_id;
	struct bus_message *kept[BUS_KEPT]; /* a ring, oldest at kept_at */
	size_t kept_at, n_kept, kept_bytes;
};

/* bus_rooms.c, under the lock.  NULL: nobody is in it. */
struct bus_room *bus_find_room(
    struct bus *b, enum bus_kind kind, const char *filename);
/* May the subscriber's key know of that file? */
bool bus_knows(const struct bus_subscriber *s, const char *filename);
/* Out of all its rooms. */
void bus_give_up_seats(struct bus_subscriber *s);

/* bus_queue.c: a subscriber's queue.  Under the lock. */
void bus_queue_push(
    struct bus_subscriber *s, struct bus_message *m, enum bus_kind kind);
void bus_queue_fini(struct bus_subscriber *s);
/* Nobody wakes it for what waits. */
void bus_queue_unlist(struct bus_subscriber *s);
void bus_close(struct bus_subscriber *s, const struct err *why);

#endif
