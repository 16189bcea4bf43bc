/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RATE_H
#define ENGINE_RATE_H

/*
 * One rate for the whole server, shared by weight (BANDWIDTH_LIMIT).
 *
 * A bucket fills at the rate; who may take from it next is decided by
 * start-time fair queueing (Goyal, Vin, Cheng 1997): each flow's requests have
 * tags that advance by bytes / weight, and the lowest goes first.  What one
 * flow does not ask for goes to those that do, so the rate is used as long as
 * anybody wants it.
 *
 * Nobody waits in here: rate_ask() says for how long to sleep before asking
 * again, so that whoever sleeps can be woken for other reasons.
 *
 * Locked by itself; any thread.  Time is passed in, in microseconds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* A request gets so many bytes at most, and no more than this time of its
 * flow's share. */
#define RATE_SLICE ((uint64_t)256 * 1024)
#define RATE_SLICE_US 50000
/* Unused, so much time of the rate is kept for those who woke up late. */
#define RATE_BURST_US 50000
/* The longest sleep. */
#define RATE_SLEEP_US 25000

struct rate;

/* Who takes part: a transfer.  Under the rate's lock. */
struct rate_flow {
	unsigned weight; /* at least 1; rate_weigh() changes it */
	double finish;   /* the tag after its last request */
};

/* Somebody who asks, for itself or beside others of its flow. */
struct rate_ask {
	struct list link;
	struct rate_flow *flow;
	double start;
	uint64_t bytes;
};

/* ${bytes_per_s} at least 1. */
struct rate *rate_new(uint64_t bytes_per_s);
void rate_free(struct rate *r);

void rate_flow_init(struct rate_flow *f, unsigned weight);
void rate_weigh(struct rate *r, struct rate_flow *f, unsigned weight);

void rate_ask_init(struct rate_ask *a, struct rate_flow *f);
/*
 * ${a} wants *n bytes (at least 1).  0: it may take *n, which may be less; else
 * microseconds after which it should ask again.  Who gives up calls
 * rate_ask_fini().
 */
uint64_t rate_ask(
    struct rate *r, struct rate_ask *a, int64_t now_us, uint64_t *n);
void rate_ask_fini(struct rate *r, struct rate_ask *a);

#endif
