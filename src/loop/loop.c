/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define BATCH 128           /* events fetched at once */
#define WAKE_KEY UINT64_MAX /* the event data of our own wake-up */

/*
 * Free slots form a chain through ${next}.  The generation grows each time
 * that a slot is given up; event data is (generation << 32 | slot).
 */
struct slot {
	struct loop_watch *watch; /* NULL: free */
	uint32_t generation;
	uint32_t next;
};

struct loop {
	int epoll_fd;
	struct wake wake;
	int64_t now_ms;
	atomic_bool stopping;
	struct slot *slots;
	uint32_t n_slots;
	uint32_t first_free;
	struct heap timers;
	pthread_mutex_t lock; /* over tasks */
	struct list tasks;
};

static int64_t
read_clock(void)
{
	return clock_mono_ms(clock_system());
}

static bool
fires_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct loop_timer, node)->at_ms <
	       CONTAINER_OF(b, const struct loop_timer, node)->at_ms;
}

int
loop_new(struct loop **ret_loop, struct err *err)
{
	struct loop *loop = mem_calloc(1, sizeof(*loop));
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = WAKE_KEY };

	loop->epoll_fd = -1;
	loop->wake.fd = -1;
	loop->first_free = LOOP_NO_SLOT;
	loop->now_ms = read_clock();
	atomic_init(&loop->stopping, false);
	heap_init(&loop->timers, fires_before);
	list_init(&loop->tasks);
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		err_set_errno(err, ERR_UNAVAILABLE, "cannot make an epoll");
		goto fail;
	}
	if (wake_init(&loop->wake, err) < 0)
		goto fail;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake.fd, &ev) < 0) {
		err_set_errno(err, ERR_UNAVAILABLE, "cannot watch a wake-up");
		goto fail;
	}
	*ret_loop = loop;
	return 0;
fail:
	loop_free(loop);
	return -1;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	wake_fini(&loop->wake);
	heap_fini(&loop->timers);
	pthread_mutex_destroy(&loop->lock);
	free(loop->slots);
	free(loop);
}

void
loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	wake_raise(&loop->wake);
}

void
loop_post(struct loop *loop, struct loop_task *task)
{
	bool was_empty;

	pthread_mutex_lock(&loop->lock);
	was_empty = list_is_empty(&loop->tasks);
	list_push_back(&loop->tasks, &task->link);
	pthread_mutex_unlock(&loop->lock);
	/* Else it has been raised already and not been answered yet. */
	if (was_empty)
		wake_raise(&loop->wake);
}

int64_t
loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

static void
dispatch(struct loop *loop, const struct epoll_event *ev)
{
	uint64_t key = ev->data.u64;
	struct slot *slot;

	if (key == WAKE_KEY) {
		wake_clear(&loop->wake);
		return;
	}
	slot = &loop->slots[(uint32_t)key];
	if (slot->watch != NULL && slot->generation == key >> 32)
		slot->watch->ready(slot->watch, ev->events);
}

static void
run_tasks(struct loop *loop)
{
	struct loop_task *task;
	struct list *node;
	struct list todo;

	list_init(&todo);
	pthread_mutex_lock(&loop->lock);
	list_move_all(&todo, &loop->tasks);
	pthread_mutex_unlock(&loop->lock);
	while ((node = list_pop_front(&todo)) != NULL) {
		task = CONTAINER_OF(node, struct loop_task, link);
		task->run(task);
	}
}

static void
run_timers(struct loop *loop)
{
	struct loop_timer *timer;
	struct heap_node *node;

	while ((node = heap_min(&loop->timers)) != NULL) {
		timer = CONTAINER_OF(node, struct loop_timer, node);
		if (timer->at_ms > loop->now_ms)
			break;
		heap_remove(&loop->timers, node);
		timer->fire(timer);
	}
}

/* How long the next turn may wait for events; -1: for ever. */
static int
wait_ms(const struct loop *loop)
{
	const struct heap_node *node = heap_min(&loop->timers);
	int64_t left;

	if (node == NULL)
		return -1;
	left = CONTAINER_OF(node, const struct loop_timer, node)->at_ms -
	       read_clock();
	if (left < 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

void
loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];
	int i, n;

	while (!atomic_load(&loop->stopping)) {
		n = epoll_wait(loop->epoll_fd, events, BATCH, wait_ms(loop));
		loop->now_ms = read_clock();
		/* n < 0: a signal came between; nothing is lost. */
		for (i = 0; i < n; i++)
			dispatch(loop, &events[i]);
		run_tasks(loop);
		run_timers(loop);
	}
	/* Those that came between the last look and the order to stop. */
	run_tasks(loop);
}

void
loop_watch_init(struct loop_watch *watch, int fd,
    void (*ready)(struct loop_watch *watch, uint32_t events))
{
	watch->ready = ready;
	watch->fd = fd;
	watch->slot = LOOP_NO_SLOT;
}

/* Adds slots, chained as free; those that are there may move. */
static void
grow_slots(struct loop *loop)
{
	uint32_t i, n = loop->n_slots == 0 ? 64 : loop->n_slots * 2;

	loop->slots = mem_realloc(loop->slots, n * sizeof(loop->slots[0]));
	for (i = loop->n_slots; i < n; i++) {
		loop->slots[i] = (struct slot){
			.next = i + 1 < n ? i + 1 : LOOP_NO_SLOT,
		};
	}
	loop->first_free = loop->n_slots;
	loop->n_slots = n;
}

static void
release_slot(struct loop *loop, struct loop_watch *watch)
{
	struct slot *slot = &loop->slots[watch->slot];

	slot->watch = NULL;
	slot->generation++;
	slot->next = loop->first_free;
	loop->first_free = watch->slot;
	watch->slot = LOOP_NO_SLOT;
}

static int
control(const struct loop *loop, int op, const struct loop_watch *watch,
    uint32_t events)
{
	uint64_t generation = loop->slots[watch->slot].generation;
	struct epoll_event ev = {
		.events = events,
		.data.u64 = generation << 32 | watch->slot,
	};

	return epoll_ctl(loop->epoll_fd, op, watch->fd, &ev);
}

int
loop_watch_start(struct loop *loop, struct loop_watch *watch, uint32_t events,
    struct err *err)
{
	struct slot *slot;

	assert(watch->slot == LOOP_NO_SLOT);
	if (loop->first_free == LOOP_NO_SLOT)
		grow_slots(loop);
	watch->slot = loop->first_free;
	slot = &loop->slots[watch->slot];
	loop->first_free = slot->next;
	slot->watch = watch;
	if (control(loop, EPOLL_CTL_ADD, watch, events) < 0) {
		release_slot(loop, watch);
		return err_set_errno(
		    err, ERR_UNAVAILABLE, "cannot watch a descriptor");
	}
	return 0;
}

void
loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	assert(watch->slot != LOOP_NO_SLOT);
	/* The kernel always adds errors and hang-ups; edge-triggered, they
	 * come once and not at every turn. */
	if (events == 0)
		events = EPOLLET;
	if (control(loop, EPOLL_CTL_MOD, watch, events) < 0)
		abort();
}

void
loop_watch_cancel(struct loop *loop, struct loop_watch *watch)
{
	if (watch->slot == LOOP_NO_SLOT)
		return;
	/* Fails only when the descriptor is closed, which ended it too. */
	(void)control(loop, EPOLL_CTL_DEL, watch, 0);
	release_slot(loop, watch);
}

bool
loop_watch_is_started(const struct loop_watch *watch)
{
	return watch->slot != LOOP_NO_SLOT;
}

void
loop_timer_init(
    struct loop_timer *timer, void (*fire)(struct loop_timer *timer))
{
	heap_node_init(&timer->node);
	timer->at_ms = 0;
	timer->fire = fire;
}

void
loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t after_ms)
{
	timer->at_ms = read_clock() + (after_ms > 0 ? after_ms : 0);
	if (loop_timer_is_running(timer))
		heap_update(&loop->timers, &timer->node);
	else
		heap_push(&loop->timers, &timer->node);
}

void
loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	heap_remove(&loop->timers, &timer->node);
}

bool
loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->node.at != HEAP_NOWHERE;
}
