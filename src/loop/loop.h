/* SPDX-License-Identifier: MIT */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

/*
 * An event loop: readiness of descriptors (epoll), timers, and tasks posted
 * by other threads.  One thread runs a loop and owns everything in it; only
 * loop_post() and loop_stop() may be called from other threads, and
 * everything before loop_run() from the one that will run it or makes it.
 *
 * Watches, timers and tasks are embedded in their owner's struct; nothing
 * is allocated for them.  A watch is known to the kernel by (slot,
 * generation), so an event that was fetched before its descriptor was closed
 * and reused never reaches the new owner (rule 14).
 *
 * A turn: wait, events, tasks, timers.  loop_stop() ends it after the
 * tasks that were posted before.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

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

struct loop_watch {
	/* ${events}: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. */
	void (*ready)(struct loop_watch *watch, uint32_t events);
	int fd;
	uint32_t slot; /* LOOP_NO_SLOT while not watched */
};

#define LOOP_NO_SLOT UINT32_MAX

int loop_new(struct loop **ret_loop, struct err *err);
void loop_free(struct loop *loop); /* not while it runs; NULL is fine */
void loop_run(struct loop *loop);  /* until loop_stop() */
void loop_stop(struct loop *loop); /* any thread */
/* Runs ${task} on the loop's thread; any thread; never fails. */
void loop_post(struct loop *loop, struct loop_task *task);
/* The monotonic time at which this turn began. */
int64_t loop_now_ms(const struct loop *loop);

void loop_watch_init(struct loop_watch *watch, int fd,
    void (*ready)(struct loop_watch *watch, uint32_t events));
/* Level-triggered interest; ${events} may add EPOLLEXCLUSIVE (then there is
 * no loop_watch_set()). */
int loop_watch_start(struct loop *loop, struct loop_watch *watch,
    uint32_t events, struct err *err);
/*
 * Changes what is watched for; it cannot fail for a started watch.  0 is
 * silence: not even a hang-up is reported (more than once), until the next
 * loop_watch_set().
 */
void loop_watch_set(
    struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Before the descriptor is closed.  Not started is fine. */
void loop_watch_cancel(struct loop *loop, struct loop_watch *watch);
bool loop_watch_is_started(const struct loop_watch *watch);

void loop_timer_init(
    struct loop_timer *timer, void (*fire)(struct loop_timer *timer));
/* A running timer is moved. */
void loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);

#endif
