/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_INTAKE_PRIV_H
#define ENGINE_INTAKE_PRIV_H

/* What the ways of taking bytes in share; for src/engine/intake*.c. */

#include "engine/intake.h"

/* What a slow client's next read may bring: its bytes gather in memory of our
 * own, so that it holds no buffer. */
#define INTAKE_SLOW_READ ((size_t)16 * 1024)

struct room {
	unsigned char *p;
	size_t n; /* at least 1 */
};

/* A way of taking bytes in.  Each returns 0 or -1. */
struct intake_mode {
	/* Where the next read goes; a buffer may be borrowed for it. */
	int (*room)(struct intake *in, struct room *ret, struct err *err);
	/* ${n} bytes, hashed already, lie where room() said; ${offset} does
	 * not count them yet. */
	int (*took)(struct intake *in, size_t n, struct err *err);
	/* The client pauses: no buffer may stay borrowed. */
	int (*pause)(struct intake *in, struct err *err);
	/* The body has ended; the same holds. */
	int (*end)(struct intake *in, struct err *err);
};

extern const struct intake_mode intake_plain;
extern const struct intake_mode intake_sealed;
extern const struct intake_mode intake_undecided;

/* No hash is at work on [p, p + n) any more. */
void intake_release(struct intake *in, const void *p, size_t n);
/* Gives all buffers back, after what is in flight. */
void intake_give_back(struct intake *in);
/* Appends to the blob. */
int intake_store(struct intake *in, const void *p, size_t n, struct err *err);
/* Seals all that waits, to the end of the file, and writes it. */
int intake_seal_rest(struct intake *in, struct err *err);
/* Seals the whole segments of what waits, but for the file's possible last,
 * and writes them; what is left moves to the front of the same memory.  It is
 * our own. */
int intake_seal_own(struct intake *in, struct err *err);
/* To ${size} bytes, outside the budget of the undecided; what is in it
 * stays. */
int intake_resize_own(struct intake *in, size_t size, struct err *err);
void intake_free_own(struct intake *in);

#endif
