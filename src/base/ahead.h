/* SPDX-License-Identifier: MIT */
#ifndef BASE_AHEAD_H
#define BASE_AHEAD_H

/*
 * Reads of a source that another thread does meanwhile, so that making the
 * next bytes (reading, decrypting) goes on while the last are sent.
 *
 *   ahead_start -> ahead_finish, again and again
 *
 * The source is the helper's between the two.  A helper that has nothing to
 * do stays a moment, looking out for the next read: to wake a thread takes as
 * long as sending some hundred KiB.  A struct ahead is used by one thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/jobs.h"
#include "base/source.h"

struct ahead;

/* ${jobs}: whose threads help, may be NULL; borrowed. */
struct ahead *ahead_new(struct jobs *jobs);
/* Nothing is under way.  Sends the helper away.  NULL is fine. */
void ahead_free(struct ahead *a);
/* Begins source_read(src, to); false when no thread is free: nothing was
 * begun. */
bool ahead_start(struct ahead *a, struct source *src, struct iovec to);
/* Waits for it: what source_read() returned. */
ssize_t ahead_finish(struct ahead *a, struct err *err);

#endif
