/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

struct seen {
	bool all_blocked;
	char name[32];
	size_t stack;
};

static void *
look(void *arg)
{
	struct seen *seen = arg;
	pthread_attr_t attr;
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	seen->all_blocked = sigismember(&set, SIGTERM) == 1 &&
	                    sigismember(&set, SIGCHLD) == 1 &&
	                    sigismember(&set, SIGPIPE) == 1;
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstacksize(&attr, &seen->stack);
		pthread_attr_destroy(&attr);
	}
	return arg;
}

TEST(test_base_thread__starts_with_signals_blocked)
{
	struct seen seen = { 0 };
	struct err err = ERR_INIT;
	sigset_t before, after;
	pthread_t thread;
	void *ret;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(
	    thread_start(&(struct thread_options){ .name = "look" }, look,
	        &seen, &thread, &err),
	    0);
	pthread_join(thread, &ret);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_ptr_equal(ret, &seen);
	assert_true(seen.all_blocked);
	assert_int_equal(
	    sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

TEST(test_base_thread__has_the_stack_asked_for)
{
	struct seen seen = { 0 };
	pthread_t thread;

	assert_int_equal(thread_start(&(struct thread_options){ .name = "look",
	                                  .stack = 300 * 1024 + 1 },
	                     look, &seen, &thread, NULL),
	    0);
	pthread_join(thread, NULL);
	/* sanitizers want more */
	assert_in_range(seen.stack, 300 * 1024, 1024 * 1024);
	/* too small is made large enough */
	assert_int_equal(
	    thread_start(&(struct thread_options){ .name = "look", .stack = 1 },
	        look, &seen, &thread, NULL),
	    0);
	pthread_join(thread, NULL);
}

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_open;
};

static void *
wait_at_gate(void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	while (!g->is_open)
		pthread_cond_wait(&g->cond, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

TEST(test_base_thread__name_is_cut)
{
	struct gate g = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;
	char name[32];

	thread_cond_init(&g.cond);
	assert_int_equal(
	    thread_start(
	        &(struct thread_options){ .name = "much-too-long-a-name" },
	        wait_at_gate, &g, &thread, NULL),
	    0);
	assert_int_equal(pthread_getname_np(thread, name, sizeof(name)), 0);
	pthread_mutex_lock(&g.lock);
	g.is_open = true;
	pthread_cond_signal(&g.cond);
	pthread_mutex_unlock(&g.lock);
	pthread_join(thread, NULL);
	assert_string_equal(name, "much-too-long-a");
	pthread_cond_destroy(&g.cond);
}

TEST(test_base_thread__condition_times_out)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const struct clock *c = clock_system();
	pthread_cond_t cond;
	int64_t deadline;

	thread_cond_init(&cond);
	pthread_mutex_lock(&lock);
	assert_false(thread_cond_wait_until(&cond, &lock, -5));
	deadline = clock_mono_ns(c) + 3000000;
	while (thread_cond_wait_until(&cond, &lock, deadline))
		continue;
	assert_true(clock_mono_ns(c) >= deadline);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&cond);
}

static void *
open_gate(void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	g->is_open = true;
	pthread_cond_signal(&g->cond);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

TEST(test_base_thread__condition_is_signalled)
{
	struct gate g = { .lock = PTHREAD_MUTEX_INITIALIZER };
	bool in_time = true;
	pthread_t thread;

	thread_cond_init(&g.cond);
	pthread_mutex_lock(&g.lock);
	assert_int_equal(
	    thread_start(&(struct thread_options){ .name = "open" }, open_gate,
	        &g, &thread, NULL),
	    0);
	while (!g.is_open && in_time)
		in_time = thread_cond_wait_until(&g.cond, &g.lock, INT64_MAX);
	pthread_mutex_unlock(&g.lock);
	pthread_join(thread, NULL);
	assert_true(g.is_open);
	assert_true(in_time);
	pthread_cond_destroy(&g.cond);
}

static int
is_raised(const struct wake *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return poll(&p, 1, 0);
}

TEST(test_base_thread__wake_raises_once)
{
	struct err err = ERR_INIT;
	struct wake w;

	assert_int_equal(wake_init(&w, &err), 0);
	assert_int_equal(is_raised(&w), 0);
	wake_clear(&w);
	wake_raise(&w);
	wake_raise(&w);
	assert_int_equal(is_raised(&w), 1);
	wake_clear(&w);
	assert_int_equal(is_raised(&w), 0);
	wake_raise(&w);
	assert_int_equal(is_raised(&w), 1);
	wake_fini(&w);
	wake_fini(&w);
}

static void *
raise_it(void *arg)
{
	wake_raise(arg);
	return NULL;
}

TEST(test_base_thread__wake_reaches_a_poll)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t thread;
	struct wake w;

	assert_int_equal(wake_init(&w, NULL), 0);
	p.fd = w.fd;
	assert_int_equal(
	    thread_start(&(struct thread_options){ .name = "raise" }, raise_it,
	        &w, &thread, NULL),
	    0);
	assert_int_equal(poll(&p, 1, -1), 1);
	pthread_join(thread, NULL);
	wake_fini(&w);
}
