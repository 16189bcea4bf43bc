/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BUS_H
#define ENGINE_BUS_H

/*
 * Who gets which event.
 *
 *	feed ── bus_publish ──▶ rooms ──▶ a queue per subscriber ── bus_take ──▶
 *
 * A room is what one can subscribe to: one file's transfers, all transfers, or
 * the statistics.  A message is encoded once and shared by all who get it.
 * Publishing puts a reference into each subscriber's queue, and bus_tell()
 *wakes those that had nothing: once for all that was published since, so that
 *each sends it in one go.  Neither waits for anybody.
 *
 * A queue keeps every state (began, ended, priority changed) in order, and of
 * each transfer's progress only the newest.  It has a limit of bytes: progress
 * beyond it is dropped, a state beyond it closes the subscriber, with a reason.
 *
 * A new subscription first gets the present state: until bus_present() brings
 * it, the room's messages pass it by, so that nothing old follows it.
 *
 * What a key may not see never enters its queue (rule 26).
 *
 * The bus locks itself.  A subscriber lies with its owner; wake() is called
 * under the bus's lock, on any thread.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/json.h"
#include "base/list.h"
#include "engine/auth.h"

enum bus_kind { BUS_FILE, BUS_ALL, BUS_STATS, BUS_KINDS };

/* The name of a kind's events: "status_update" ... */
const char *bus_event_name(enum bus_kind kind);

/* How a message goes over the wire. */
enum bus_form { BUS_WS, BUS_SSE, BUS_FORMS };

struct bus_text {
	size_t n;
	char p[];
};

struct bus_message {
	_Atomic unsigned refs;
	uint64_t id; /* grows, over restarts too */
	bool is_progress;
	char transfer[ID_SIZE]; /* "": of none */
	const char *filename;   /* "": of none */
	size_t n;               /* of the JSON text */
	const char *json;
	/* See bus_entry_text(). */
	_Atomic(struct bus_text *) texts[BUS_FORMS * BUS_KINDS];
};
struct bus_message *bus_message_ref(struct bus_message *m);
void bus_message_unref(struct bus_message *m); /* NULL is fine */

struct bus;
struct bus *bus_new(int64_t wall_ms);
void bus_free(struct bus *b); /* after the last subscriber left */

/* A new one with a reference; ${v} gives transfer, filename and progress and
 * is NULL for statistics.  ${json} is copied. */
struct transfer_view;
struct bus_message *bus_message_new(
    struct bus *b, const struct transfer_view *v, const char *json, size_t n);
/* The same from an object, whose reference it takes; NULL: its text is longer
 * than BUS_JSON_MAX, which none is that the server tells. */
#define BUS_JSON_MAX (64u * 1024)
struct bus_message *bus_message_of(
    struct bus *b, const struct transfer_view *v, json_t *j);

/* --- subscribers ---------------------------------------------------------- */

struct bus_entry {
	struct bus_message *message;
	enum bus_kind kind; /* as what the subscriber gets it */
};

/* Returns what mem_alloc() gave; it may be called on any thread. */
typedef struct bus_text *bus_text_fn(const struct bus_entry *e);
/*
 * The entry in that form: made by the first who asks, the message's from then
 * on and valid as long as it.  ${make} is the same for a form each time.  Any
 * thread that holds a reference.
 */
const struct bus_text *bus_entry_text(
    const struct bus_entry *e, enum bus_form form, bus_text_fn *make);

/* Entries in the order of their ids. */
struct bus_queue {
	struct bus_entry *entries;
	size_t at, len, cap; /* those from ${at} to ${len} wait */
};

struct bus_subscriber {
	struct list link;   /* in bus->subscribers */
	struct list seats;  /* its places in rooms */
	struct list waking; /* in bus->to_wake */
	unsigned n_seats;
	struct bus *bus;         /* NULL: it has not joined, or left */
	void (*wake)(void *arg); /* must not block, nor call the bus */
	void *arg;
	char key_id[ID_SIZE]; /* "" : none */
	bool has_key;
	int64_t expires_ms; /* of the key; 0: never */
	char *prefix;       /* that names must begin with; NULL: any */
	struct bus_queue states;
	struct bus_queue progress;
	size_t bytes; /* of what waits */
	/* Static; NULL: it is open. */
	_Atomic(const struct err *) closed;
};

/* ${who} is copied as far as it is needed. */
void bus_join(struct bus *b, struct bus_subscriber *s,
    const struct principal *who, void (*wake)(void *arg), void *arg);
/* It is known by another key from now on, and keeps nothing of the old. */
void bus_identify(struct bus_subscriber *s, const struct principal *who);
/* Nothing wakes it any more.  No-op for one that has not joined. */
void bus_leave(struct bus_subscriber *s);

struct bus_place {
	enum bus_kind kind;
	const char *filename; /* of BUS_FILE */
	/* It has seen what came up to this id; 0: nothing. */
	uint64_t seen;
};
/*
 * Into a room; once more for the present state once more.  The caller
 * then asks for it (feed_present()).  ERR_FORBIDDEN for what the key may not
 * see at all; ERR_TOO_MANY_REQUESTS past LIMIT_ROOMS.
 */
int bus_subscribe(
    struct bus_subscriber *s, const struct bus_place *place, struct err *err);
/* Out of it; what already waits still comes.  Not in it: no-op. */
void bus_unsubscribe(struct bus_subscriber *s, const struct bus_place *place);
void bus_unsubscribe_all(struct bus_subscriber *s);

/* The oldest ${max} that wait, or as many as there are; their messages are the
 * caller's to unref. */
size_t bus_take(struct bus_subscriber *s, struct bus_entry *ret, size_t max);
bool bus_has_some(struct bus_subscriber *s);
/* Why it is closed (static); NULL: it is open.  Takes no lock. */
const struct err *bus_closed(const struct bus_subscriber *s);

/* --- for those who publish ------------------------------------------------ */

/* Is anybody in a room of transfers (was, a moment ago), or of statistics? */
bool bus_wants_transfers(struct bus *b);
bool bus_wants_stats(struct bus *b);
/* Is anybody in that room? */
bool bus_has_listener(struct bus *b, enum bus_kind kind, const char *filename);

/* A transfer's, to the room of its file and to that of all.  Nobody is woken
 * before bus_tell(). */
void bus_publish(struct bus *b, struct bus_message *m);

/* Statistics come to a listener no sooner after those before. */
#define BUS_STATS_MS 1000

struct bus_told {
	int64_t next_ms; /* nobody may be told before; 0: nobody is there */
	bool is_late;    /* somebody has other numbers and must wait */
};
/*
 * Statistics, to those in their room who wait for their present state, and to
 * those who were told other ones, BUS_STATS_MS ago or more.  ${number} tells
 * one state of them from the next; ${now_ms} is monotonic.  As with
 * bus_publish(), bus_tell() wakes them.
 */
struct bus_told bus_publish_stats(
    struct bus *b, struct bus_message *m, uint64_t number, int64_t now_ms);
/* So many have something, had nothing, and do not know yet.  Takes no lock. */
size_t bus_untold(struct bus *b);
/* Wakes them. */
void bus_tell(struct bus *b);

/*
 * The present state of a room of transfers, for those who wait for it:
 * ${messages}, after what they missed since they saw ${seen}, as far as that is
 * kept.  As with bus_publish(), bus_tell() wakes them.
 */
struct bus_present {
	enum bus_kind kind;
	const char *filename;
	struct bus_message **messages;
	size_t count;
};
void bus_present(struct bus *b, const struct bus_present *p);

/* --- ends ----------------------------------------------------------------- */

/* Closes the subscribers whose key is no longer good. */
void bus_close_key(struct bus *b, const char *key_id);
void bus_close_expired(struct bus *b, int64_t wall_ms);
/* All of them: the feed could not keep up.  ${why} is static. */
void bus_close_all(struct bus *b, const struct err *why);
/* So many were closed because they were too slow since this was asked last.
 * Takes no lock. */
size_t bus_take_slow(struct bus *b);
size_t bus_subscribers(struct bus *b);

#endif
