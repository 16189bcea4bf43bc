/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

/*
 * Uploads that can be gone on with.  A session has a record
 * (db/rec_session.h), a blob that was begun and stays in temp/ until it is a
 * whole file, and while bytes move a live transfer.
 *
 *   chunks   pieces in any order, many at once: engine/chunk.h
 *   tus      bytes in order: engine/append.h
 *
 * What its client was told to be there is synced and on record.  A session
 * outlives the process; at the start each is there again, as interrupted.
 *
 * The front of a session is what lies in its place without a gap.  A job hashes
 * it on as it grows, so that little is left to be read at the end.
 *
 * The registry (struct sessions) locks itself; any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/engine.h"

/* No byte for so long: it counts as interrupted, gives up its transfer, and
 * one with other ideas about the file may take its place. */
#define SESSION_IDLE_MS 60000
/* How long a cancelled or failed one answers for itself. */
#define SESSION_ENDED_MS 60000
/* The same for one that takes chunks and is complete. */
#define SESSION_COMPLETED_MS (10 * 60 * 1000)

struct sessions;

/* Reads the records; before storage's clean_temp(). */
int sessions_new(
    struct engine *e, struct sessions **ret_sessions, struct err *err);
/* Is ${id} a blob of a session?  For clean_temp(); ${sessions} is one. */
bool sessions_keeps(void *sessions, const char *id);
/* After the last request: what was live is interrupted. */
void sessions_stop(struct sessions *all);
/* After the database's end. */
void sessions_free(struct sessions *all); /* NULL is fine */
/* Now and then: idle ones, expired ones, complete ones whose end was missed. */
void sessions_tick(struct sessions *all);
/* The priority of those of ${filename} whose clients are away, on record. */
int sessions_set_priority(struct sessions *all, const char *filename,
    int priority, unsigned *ret_count, struct err *err);
/* Their transfers' ids, of all names.  ${fn} must not block. */
void sessions_each_idle(
    struct sessions *all, void (*fn)(void *arg, const char *id), void *arg);
/* Cancels those of ${filename}, idle ones as well: how many. */
unsigned sessions_cancel(struct sessions *all, const char *filename);

#endif
