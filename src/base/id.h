/* SPDX-License-Identifier: MIT */
#ifndef BASE_ID_H
#define BASE_ID_H

/*
 * 128-bit ids, ordered by time: 48 bits of unix milliseconds, then a
 * sequence that grows within a process, then random bits, as 32 lower-case
 * hex digits.  Ids that one process makes sort in the order of making, also
 * when the wall clock goes back (then the time in them stands still).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"

#define ID_SIZE 33 /* with the NUL */

void id_new(int64_t wall_ms, char ret[ID_SIZE]); /* any thread */
/* One of that moment, whatever ids there are: among those of one millisecond
 * their order is by chance. */
void id_at(int64_t wall_ms, char ret[ID_SIZE]);
bool id_is_valid(const char *s);    /* 32 lower-case hex digits, no more */
int64_t id_wall_ms(const char *id); /* of a valid id */

#endif
