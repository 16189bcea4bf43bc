/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SESSION_COUNT_H
#define ENGINE_SESSION_COUNT_H

/*
 * How many uploads a client has begun and not ended.  One that began millions
 * of them would need no bytes to take all inodes, and the memory in which their
 * chunks are noted.
 *
 * A client is an address here: its own name for itself costs it nothing.
 * Locks itself, and is taken last.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct session_counts;
/* One that is counted; begins as zeros. */
struct session_count {
	struct session_peer *peer; /* NULL: it is not */
	uint64_t chunks;
};

struct session_counts *session_counts_new(void);
void session_counts_free(struct session_counts *all); /* NULL is fine */

/* ${client}: its address, up to the first space; NULL: nobody knows.
 * ERR_TOO_MANY_REQUESTS, and it is not counted, unless ${must}. */
int session_count_in(struct session_counts *all, const char *client, bool must,
    struct session_count *c, struct err *err);
/* Fine for one that is not counted. */
void session_count_out(struct session_counts *all, struct session_count *c);

#endif
