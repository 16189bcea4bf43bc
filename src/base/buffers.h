/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUFFERS_H
#define BASE_BUFFERS_H

/*
 * A budget of big I/O buffers, all of one size: whoever moves bytes borrows
 * one and gives it back before it waits for a peer, so a thousand slow
 * clients cost no more than the fast ones among them.  When all are taken,
 * the next one waits: memory is bounded by waiting, not by failing.
 *
 * A thread that holds one must not wait for a second with buffers_take():
 * many such threads would wait for each other for ever.  It uses
 * buffers_try(), and goes on with one when there is none.
 *
 * Memory is asked from the system at the first use.  A few buffers that are
 * given back stay warm for the next; the others go back to the system, so a
 * server at rest is small.  Any thread.
 */

#include <stddef.h>

/* With half of it the hand-over to the hashing thread shows in throughput. */
#define BUFFERS_SIZE ((size_t)512 * 1024)

struct buffers;

struct buffers_config {
	size_t size;  /* bytes of each, a multiple of the page size */
	size_t count; /* that exist at once, at least 1 */
	size_t keep;  /* that stay in memory while nobody uses them */
};

struct buffers *buffers_new(const struct buffers_config *cf);
/* All must have been given back.  NULL is fine. */
void buffers_free(struct buffers *b);

/* A buffer, page-aligned, its content undefined; waits until one is free. */
void *buffers_take(struct buffers *b);
/* The same; NULL instead of waiting. */
void *buffers_try(struct buffers *b);
/* NULL is fine. */
void buffers_give(struct buffers *b, void *p);

size_t buffers_size(const struct buffers *b);
/* How many are taken now. */
size_t buffers_taken(struct buffers *b);

#endif
