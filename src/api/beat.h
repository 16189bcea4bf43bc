/* SPDX-License-Identifier: MIT */
#ifndef API_BEAT_H
#define API_BEAT_H

/*
 * Something that is due now and then for each of many connections, whichever
 * loop, or none, they are on: heartbeats.  One thread for all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/heap.h"

struct beats;

struct beat {
	struct heap_node node;
	int64_t at_ms; /* monotonic */
	/* Milliseconds until it is due again; 0: not any more.  On the thread,
	 * under its lock: must not block, nor call the functions below. */
	int64_t (*due)(void *arg);
	void *arg;
};

int beats_new(struct beats **ret_beats, struct err *err);
void beats_free(struct beats *bs); /* NULL is fine */

void beat_start(struct beats *bs, struct beat *b, int64_t after_ms);
void beat_init(struct beat *b, int64_t (*due)(void *arg), void *arg);
/* It is not due any more when this returns.  Was it still to be? */
bool beat_cancel(struct beats *bs, struct beat *b);

#endif
