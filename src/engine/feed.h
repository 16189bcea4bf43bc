/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

/*
 * Makes events of what happens to transfers, on a thread of its own:
 *
 *	transfers ── observer ──▶ feed's queue ── encoded once ──▶ bus
 *
 * Whoever moves bytes puts a snapshot into the queue and goes on.  A newer one
 * takes the place of a transfer's progress that still waits there.  With nobody
 * to hear it, nothing is put there at all.
 *
 * The feed also reads the present state for new subscriptions, publishes
 * the statistics at most once a second while they change, and closes
 * subscribers whose keys expire.
 */

#include "engine/bus.h"
#include "engine/engine.h"

/* Observes e->transfers and publishes on e->bus.  Starts its thread. */
int feed_new(struct engine *e, struct feed **ret_feed, struct err *err);
/* Before what it reads is closed.  NULL is fine. */
void feed_free(struct feed *f);

/* Brings the present state to whoever awaits it in this room; any thread. */
void feed_present(struct feed *f, enum bus_kind kind, const char *filename);
/* Returns when all has been published that was put in before (tests). */
void feed_settle(struct feed *f);

#endif
