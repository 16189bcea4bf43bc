/* SPDX-License-Identifier: MIT */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

/*
 * An event loop: readiness of descriptors (epoll), timers, and tasks posted
 * by other threads.  One thread runs a loop and owns everything in it; only
 * loop_post() and loop_stop() may be called from other threads.
 *
 * A watch is (slot, generation), so an event that was fetched before its
 * descriptor was closed and reused never reaches the new owner (rule 14).
 */

#include <stdint.h>

#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"

struct loop;

/* A task belongs to the loop from loop_post() until run() is called. */
struct loop_task {
	struct list link;
	void (*run)(struct loop_task *task);
};

struct loop_timer {
	struct heap_node node;
	int64_t at_ms; /* monotonic */
	void (*fire)(struct loop_timer *timer);
};

typedef uint64_t loop_watch; /* 0: none */
/* ${events} are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. */
typedef void (*loop_ready_fn)(void *arg, uint32_t events);

int loop_new(struct loop **ret_loop, struct err *err);
void loop_free(struct loop *loop); /* not while it runs */
void loop_run(struct loop *loop); /* until loop_stop() */
void loop_stop(struct loop *loop); /* any thread */
/* Runs ${task} on the loop's thread; any thread; never fails. */
void loop_post(struct loop *loop, struct loop_task *task);
/* The monotonic time at which this turn began. */
int64_t loop_now_ms(const struct loop *loop);

/* Level-triggered interest; ${flags} may add EPOLLEXCLUSIVE. */
int loop_watch_add(struct loop *loop, int fd, uint32_t events,
    loop_ready_fn ready, void *arg, loop_watch *ret_watch, struct err *err);
int loop_watch_set(struct loop *loop, loop_watch watch, uint32_t events,
    struct err *err);
/* Before the descriptor is closed. 0 is fine. */
void loop_watch_remove(struct loop *loop, loop_watch watch);

void loop_timer_init(
    struct loop_timer *timer, void (*fire)(struct loop_timer *timer));
void loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

#endif
