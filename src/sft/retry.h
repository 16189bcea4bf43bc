/* SPDX-License-Identifier: MIT */
#ifndef SFT_RETRY_H
#define SFT_RETRY_H

/*
 * Whether and when what failed is tried again: broken connections, time-outs
 * and the statuses 408, 429, 500, 502, 503 and 504; not what would fail again
 * (other 4xx, 507, damage).  The waits double from RETRY_FIRST_MS up to
 * RETRY_MAX_MS, each a random part of that (full jitter), and are no shorter
 * than what the server asks for (Retry-After).
 *
 * A server that was never reached is not waited for unless that was asked for.
 *
 * One thread's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sft/cli.h"

#define RETRY_DEFAULT 5u
#define RETRY_LIMIT 1000u /* of --retry */
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 30000
/* A server that asks for more is not waited for. */
#define RETRY_AFTER_MAX_S 300

struct retry_options {
	uint64_t times; /* how often at most */
	bool is_given;  /* by --retry */
};
#define RETRY_OPTIONS_INIT                                                     \
	{                                                                      \
		RETRY_DEFAULT, false                                           \
	}

struct retry {
	struct cli *cli;
	const struct retry_options *options;
	unsigned tried;
	bool was_reached; /* the server, in this run of the program */
};

void retry_init(
    struct retry *r, struct cli *cli, const struct retry_options *options);
/* It went well, or some of it did: the count begins anew. */
void retry_reset(struct retry *r);
/* ${err} is what http_do() on ${h} gave.  True after the wait, when it is to be
 * tried again; else ${err} stays as it is, or is ERR_INTERRUPTED. */
bool retry_wait(struct retry *r, const struct http *h, struct err *err);

/* --- pure ----------------------------------------------------------------- */

/* Might it go better another time? */
bool retry_may(const struct err *err, const struct http_failure *f);
/* The wait before try ${n} (from 1), ${random} being a random number. */
int64_t retry_delay_ms(unsigned n, uint64_t random);

#endif
