/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PINS_H
#define ENGINE_PINS_H

/*
 * Blobs that somebody is working with.  Neither the reaper nor recovery
 * touches a pinned blob (rules 2 and 3): a reader pins what it is about to
 * open, an upload what it has not recorded yet.  Any thread.
 */

#include <stdbool.h>

struct pins;

struct pins *pins_new(void);
void pins_free(struct pins *p);
/* Counts; each take needs its drop. */
void pins_take(struct pins *p, const char *blob_id);
void pins_drop(struct pins *p, const char *blob_id);
bool pins_holds(struct pins *p, const char *blob_id);
/* Calls ${fn} while nobody can pin ${blob_id}; false (and no call) when it
 * is pinned. */
bool pins_unless(struct pins *p, const char *blob_id,
    void (*fn)(void *arg, const char *blob_id), void *arg);

#endif
