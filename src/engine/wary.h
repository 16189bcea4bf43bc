/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_WARY_H
#define ENGINE_WARY_H

/*
 * Which clients have an unstable connection, so that the log says when it
 * turns so and when it recovers, once each: poor twice in a row makes it
 * unstable (a new connection's first round trips are no trend), good or better
 * ends that, fair changes nothing.
 *
 * Only those are kept, WARY_MAX of them, by their addresses; one more takes
 * the place of the one that was heard of least recently, which is then told
 * anew.
 *
 * Locked by itself; any thread.
 */

#include "engine/health.h"

#define WARY_MAX 256u

enum wary_change { WARY_SAME, WARY_UNSTABLE, WARY_RECOVERED };

struct wary;
struct wary *wary_new(void);
void wary_free(struct wary *w); /* NULL is fine */

/* The connection of the client at ${ip} is of this quality. */
enum wary_change wary_note(
    struct wary *w, const char *ip, enum health_quality quality);

#endif
