/* SPDX-License-Identifier: MIT */
#ifndef BASE_ID_H
#define BASE_ID_H

/*
 * 128-bit ids, ordered by time: 48 bits of unix milliseconds, then a
 * sequence that grows within a process, then random bits, as 32 lower-case
 * hex digits.  Ids that one process makes sort in the order of making.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SIZE 33 /* with the NUL */

void id_new(int64_t wall_ms, char ret[ID_SIZE]); /* any thread */
bool id_is_valid(const char *s);
int64_t id_wall_ms(const char *id);

/* Random bytes from the kernel; ends the process if there are none. */
void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);

#endif
