/* SPDX-License-Identifier: MIT */
#ifndef BASE_AHEAD_H
#define BASE_AHEAD_H

/*
 * Reads of a source that another thread does meanwhile, so that making the
 * next bytes (reading, decrypting) goes on while the last are sent.
 *
 *   ahead_start -> ahead_finish, again and again
 *
 * Up to AHEAD_MAX may be under way, so that the helper has another when it
 * ends one; they are of one source, and finished in their order.  The source
 * is the helper's while there are any.  A helper that has nothing to
 * do stays a moment, looking out for the next read: to wake a thread takes as
 * long as sending some hundred KiB.  A struct ahead is used by one thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/jobs.h"
#include "base/source.h"

#define AHEAD_MAX 2

struct ahead;

/* ${jobs}: whose threads help, may be NULL; borrowed. */
struct ahead *ahead_new(struct jobs *jobs);
/* Nothing is under way.  Sends the helper away.  NULL is fine. */
void ahead_free(struct ahead *a);
/* Begins source_read(src, to); false when no thread is free, or AHEAD_MAX are
 * under way: nothing was begun. */
bool ahead_start(struct ahead *a, struct source *src, struct iovec to);
/* How many are under way, or done and not finished. */
unsigned ahead_count(const struct ahead *a);
/* Waits for the first: what source_read() returned.  After 0 or -1 the ones
 * behind it read nothing and return the same. */
ssize_t ahead_finish(struct ahead *a, struct err *err);

#endif
