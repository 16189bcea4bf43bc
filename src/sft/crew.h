/* SPDX-License-Identifier: MIT */
#ifndef SFT_CREW_H
#define SFT_CREW_H

/*
 * Several threads that work through the pieces of one file, each with its own
 * connection.  The first failure ends all of it: the others are interrupted
 * at the next piece.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sft/cli.h"

#define CREW_MAX 16u

struct crew_work {
	/* The next piece; false: there is none any more.  One call at a
	 * time. */
	bool (*next)(void *arg, uint64_t *ret_piece);
	/* Does it, retries included; many at once. */
	int (*run)(void *arg, struct http *h, uint64_t piece, struct err *err);
	/* Now and then meanwhile, in the caller's thread; may be NULL. */
	void (*look)(void *arg);
	void *arg;
};

/* ${threads}: 1..CREW_MAX.  The caller's thread shows the progress meanwhile.
 * The error is the first one's. */
int crew_run(struct cli *cli, unsigned threads, const struct crew_work *work,
    struct err *err);

#endif
