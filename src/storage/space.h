/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_SPACE_H
#define STORAGE_SPACE_H

/*
 * Who may write how much (rule 6).  Uploads that were let in have their bytes
 * reserved here, in memory, so that many at once do not all count on the same
 * free space.
 *
 *   free space - what is held and not yet written >= MIN_FREE_SPACE
 *
 * The storage is asked for its free space at most every 100 ms, or after 64
 * MiB were written, or before somebody is refused.  Any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "storage/storage.h"

struct space;

/* ${min_free} stays free; 0: nothing is counted and nobody is refused. */
struct space *space_new(
    struct storage *st, uint64_t min_free, const struct clock *clock);
void space_free(struct space *sp); /* NULL is fine */

/* What one upload holds.  Used by one thread at a time. */
struct space_hold {
	struct space *space;
	uint64_t held;     /* reserved and not yet written */
	bool is_known;     /* the size: nothing more is reserved */
	bool goes_at_once; /* blob_new() takes it off the free space */
};

/* Before blob_new(): reserves ${size}, or nothing yet when that is
 * STORAGE_SIZE_UNKNOWN.  ERR_STORAGE_FULL. */
int space_hold_init(
    struct space_hold *h, struct space *sp, uint64_t size, struct err *err);
/* After blob_new(), before ${n} bytes are written.  Of an unknown size more
 * is reserved, in steps: ERR_STORAGE_FULL. */
int space_hold_take(struct space_hold *h, uint64_t n, struct err *err);
/* Gives back what was not written. */
void space_hold_fini(struct space_hold *h);

#endif
