/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "loop/loop.h"

struct fixture {
	struct loop *loop;
	struct loop_watch watch;
	struct loop_watch other;
	struct loop_timer timer;
	struct loop_timer early;
	struct loop_task task;
	struct loop_task second;
	int pair[2];
	int other_pair[2];
	int ran; /* how often a callback ran */
	int order[8];
};

static void
open_fixture(struct fixture *f)
{
	*f = (struct fixture){ .ran = 0 };
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->pair), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->other_pair),
	    0);
}

static void
close_fixture(struct fixture *f)
{
	loop_free(f->loop);
	close(f->pair[0]);
	close(f->pair[1]);
	close(f->other_pair[0]);
	close(f->other_pair[1]);
}

static void
stop_by_timer(struct loop_timer *timer)
{
	struct fixture *f = CONTAINER_OF(timer, struct fixture, timer);

	f->order[f->ran++] = 1;
	loop_stop(f->loop);
}

static void
note_early(struct loop_timer *timer)
{
	struct fixture *f = CONTAINER_OF(timer, struct fixture, early);

	f->order[f->ran++] = 2;
}

TEST(test_loop_loop__fires_timers_in_order)
{
	struct fixture f;

	open_fixture(&f);
	loop_timer_init(&f.timer, stop_by_timer);
	loop_timer_init(&f.early, note_early);
	loop_timer_start(f.loop, &f.timer, 1);
	loop_timer_start(f.loop, &f.early, 500);
	/* moved before the other */
	loop_timer_start(f.loop, &f.early, 0);
	loop_run(f.loop);
	assert_int_equal(f.ran, 2);
	assert_int_equal(f.order[0], 2);
	assert_int_equal(f.order[1], 1);
	assert_false(loop_timer_is_running(&f.timer));
	close_fixture(&f);
}

TEST(test_loop_loop__cancelled_timer_is_silent)
{
	struct fixture f;

	open_fixture(&f);
	loop_timer_init(&f.timer, stop_by_timer);
	loop_timer_init(&f.early, note_early);
	loop_timer_start(f.loop, &f.early, 0);
	loop_timer_cancel(f.loop, &f.early);
	loop_timer_cancel(f.loop, &f.early);
	loop_timer_start(f.loop, &f.timer, 1);
	loop_run(f.loop);
	assert_int_equal(f.ran, 1);
	close_fixture(&f);
}

static void
read_and_stop(struct loop_watch *watch, uint32_t events)
{
	struct fixture *f = CONTAINER_OF(watch, struct fixture, watch);
	char c;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(watch->fd, &c, 1), 1);
	f->ran++;
	loop_stop(f->loop);
}

TEST(test_loop_loop__reports_what_is_readable)
{
	struct fixture f;

	open_fixture(&f);
	loop_watch_init(&f.watch, f.pair[0], read_and_stop);
	assert_false(loop_watch_is_started(&f.watch));
	assert_int_equal(loop_watch_start(f.loop, &f.watch, EPOLLIN, NULL), 0);
	assert_true(loop_watch_is_started(&f.watch));
	assert_int_equal(write(f.pair[1], "x", 1), 1);
	loop_run(f.loop);
	assert_int_equal(f.ran, 1);
	loop_watch_cancel(f.loop, &f.watch);
	loop_watch_cancel(f.loop, &f.watch);
	close_fixture(&f);
}

static void
cancel_other(struct fixture *f, struct loop_watch *other)
{
	f->ran++;
	loop_watch_cancel(f->loop, other);
	/* takes the slot that was given up in this very turn */
	loop_watch_init(other, other->fd, other->ready);
	assert_int_equal(loop_watch_start(f->loop, other, 0, NULL), 0);
	loop_timer_start(f->loop, &f->timer, 0);
}

static void
first_cancels(struct loop_watch *watch, uint32_t events)
{
	struct fixture *f = CONTAINER_OF(watch, struct fixture, watch);

	(void)events;
	loop_watch_set(f->loop, watch, 0);
	cancel_other(f, &f->other);
}

static void
second_cancels(struct loop_watch *watch, uint32_t events)
{
	struct fixture *f = CONTAINER_OF(watch, struct fixture, other);

	(void)events;
	loop_watch_set(f->loop, watch, 0);
	cancel_other(f, &f->watch);
}

/* Both are ready in one turn; whichever runs first cancels the other and
 * starts it anew in its old slot: the event fetched for the old generation
 * must not be delivered. */
TEST(test_loop_loop__stale_events_are_dropped)
{
	struct fixture f;

	open_fixture(&f);
	loop_timer_init(&f.timer, stop_by_timer);
	loop_watch_init(&f.watch, f.pair[0], first_cancels);
	loop_watch_init(&f.other, f.other_pair[0], second_cancels);
	assert_int_equal(loop_watch_start(f.loop, &f.watch, EPOLLIN, NULL), 0);
	assert_int_equal(loop_watch_start(f.loop, &f.other, EPOLLIN, NULL), 0);
	assert_int_equal(write(f.pair[1], "x", 1), 1);
	assert_int_equal(write(f.other_pair[1], "x", 1), 1);
	loop_run(f.loop);
	/* one event, then the timer */
	assert_int_equal(f.ran, 2);
	close_fixture(&f);
}

static void
count_events(struct loop_watch *watch, uint32_t events)
{
	struct fixture *f = CONTAINER_OF(watch, struct fixture, watch);

	(void)events;
	f->ran++;
}

static void
stop_only(struct loop_timer *timer)
{
	loop_stop(CONTAINER_OF(timer, struct fixture, timer)->loop);
}

/* Level-triggered, a hang-up would make the loop spin while a worker owns
 * the connection. */
TEST(test_loop_loop__silence_is_silent)
{
	struct fixture f;

	open_fixture(&f);
	loop_watch_init(&f.watch, f.pair[0], count_events);
	assert_int_equal(loop_watch_start(f.loop, &f.watch, EPOLLIN, NULL), 0);
	loop_watch_set(f.loop, &f.watch, 0);
	assert_int_equal(write(f.pair[1], "x", 1), 1);
	close(f.pair[1]);
	f.pair[1] = -1;
	loop_timer_init(&f.timer, stop_only);
	loop_timer_start(f.loop, &f.timer, 20);
	loop_run(f.loop);
	assert_in_range(f.ran, 0, 1);
	loop_watch_cancel(f.loop, &f.watch);
	close_fixture(&f);
}

static void
second_task(struct loop_task *task)
{
	struct fixture *f = CONTAINER_OF(task, struct fixture, second);

	f->order[f->ran++] = 2;
	loop_stop(f->loop);
}

static void
first_task(struct loop_task *task)
{
	struct fixture *f = CONTAINER_OF(task, struct fixture, task);

	f->order[f->ran++] = 1;
}

static void *
post_both(void *arg)
{
	struct fixture *f = arg;

	loop_post(f->loop, &f->task);
	loop_post(f->loop, &f->second);
	return NULL;
}

TEST(test_loop_loop__runs_posted_tasks_in_order)
{
	struct thread_options options = { "poster", 0 };
	struct fixture f;
	pthread_t thread;

	open_fixture(&f);
	f.task.run = first_task;
	f.second.run = second_task;
	assert_int_equal(
	    thread_start(&options, post_both, &f, &thread, NULL), 0);
	loop_run(f.loop);
	pthread_join(thread, NULL);
	assert_int_equal(f.ran, 2);
	assert_int_equal(f.order[0], 1);
	assert_int_equal(f.order[1], 2);
	close_fixture(&f);
}

/* More watches than slots at first, so that the table moves. */
TEST(test_loop_loop__many_watches)
{
	enum { MANY = 200 };
	struct loop_watch watches[MANY];
	struct fixture f;
	int fds[MANY];
	int i;

	open_fixture(&f);
	for (i = 0; i < MANY; i++) {
		fds[i] = dup(f.pair[0]);
		assert_true(fds[i] >= 0);
		loop_watch_init(&watches[i], fds[i], count_events);
		assert_int_equal(
		    loop_watch_start(f.loop, &watches[i], EPOLLIN, NULL), 0);
	}
	for (i = 0; i < MANY; i++) {
		loop_watch_cancel(f.loop, &watches[i]);
		close(fds[i]);
	}
	close_fixture(&f);
}
