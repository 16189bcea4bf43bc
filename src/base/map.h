/* SPDX-License-Identifier: MIT */
#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * String keys to pointers: open addressing, seeded hash (so that peers
 * cannot choose collisions).  Keys are copied, values are not owned.  Not
 * locked: whoever holds the map's lock uses it.
 */

#include <stddef.h>

#include "base/slice.h"

struct map;

struct map *map_new(void);
void map_free(struct map *m); /* values are the caller's */
void *map_get(const struct map *m, struct slice key); /* NULL: not there */
/* Stores ${value} (not NULL) and returns the value it replaced, or NULL. */
void *map_put(struct map *m, struct slice key, void *value);
void *map_remove(struct map *m, struct slice key); /* what was there */
size_t map_count(const struct map *m);
/* Walks all entries; start with *${pos} = 0; NULL at the end.  No put or
 * remove in between.  ${ret_key} may be NULL. */
void *map_next(const struct map *m, size_t *pos, struct slice *ret_key);

#endif
