/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PARTS_H
#define ENGINE_PARTS_H

/*
 * Downloads in parts: what one client (address and client_id) asks of one file
 * by ranges, each within PARTS_TOGETHER_MS of the one before, is one transfer
 * with one place.
 *
 * Its total is what has been asked for so far.  It ends when none of its parts
 * is under way, as completed when all of them that ran together were delivered,
 * and goes on when another part comes in time, and before HISTORY_KEEP is over,
 * since its row may be gone by then.  One that was cancelled does not go on;
 * another begins.
 *
 * Any thread; a lock of its own, which goes before that of the transfers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"
#include "engine/transfer.h"

#define PARTS_TOGETHER_MS 60000
/* So many that rest are remembered. */
#define PARTS_RESTING 1024

struct parts;
struct parted; /* one download, whose parts are under way or have been */

/* Rows are kept for ${keep_ms}; 0: for ever. */
struct parts *parts_new(struct transfers *ts, struct sched *sched,
    const struct clock *clock, int64_t keep_ms);
void parts_free(struct parts *ps); /* after the last left; NULL is fine */

struct parts_wanted {
	const struct client *client;
	const char *filename;
	const char *blob_id;
	const char *sha256;
	bool encryption;
	bool is_raw; /* its container */
	uint64_t length;
};
/* One part more; parts_leave() must follow. */
struct parted *parts_join(struct parts *ps, const struct parts_wanted *w);
/* Its place; borrowed. */
struct lane *parts_lane(struct parted *p);
/* ${m} is told when it is cancelled. */
void parts_attach(struct parted *p, struct mover *m);
/* The turn of one of them has come. */
void parts_go(struct parted *p);
/* Its parts moved so much in all: ${delta} more, or less, when not all that was
 * sent arrived. */
void parts_moved(struct parted *p, int64_t delta);
/* A part has ended; ${why} NULL: it was delivered. */
void parts_leave(struct parted *p, const struct err *why);

#endif
