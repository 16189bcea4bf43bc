/* SPDX-License-Identifier: MIT */
#include "base/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

/* How long one looks out for the other before it sleeps, or leaves. */
#define LOOK_OUT_NS 100000

enum state { NOTHING, ASKED, DONE, LEAVE };

struct ahead {
	struct jobs *jobs;
	struct job job;
	pthread_mutex_t lock; /* over the next three, to change them */
	pthread_cond_t changed;
	_Atomic int state; /* read without the lock to look out */
	bool is_present;   /* there is a helper */
	bool is_awaited;   /* the owner sleeps */
	/* The helper's while ASKED, else the owner's. */
	struct source *src;
	struct iovec to;
	ssize_t result;
	struct err err;
};

struct ahead *
ahead_new(struct jobs *jobs)
{
	struct ahead *a = mem_calloc(1, sizeof(*a));

	a->jobs = jobs;
	atomic_init(&a->state, NOTHING);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

/* Until the state is another than ${than}, but not for long.  Lets others have
 * the processor meanwhile. */
static void
look_out(struct ahead *a, int than)
{
	int64_t end_ns = clock_mono_ns(clock_system()) + LOOK_OUT_NS;

	while (atomic_load(&a->state) == than &&
	       clock_mono_ns(clock_system()) < end_ns)
		(void)sched_yield();
}

/* Under the lock. */
static void
set_state(struct ahead *a, int state)
{
	atomic_store(&a->state, state);
	if (a->is_awaited)
		pthread_cond_signal(&a->changed);
}

/* Under the lock. */
static void
sleep_until(struct ahead *a, bool (*is_so)(const struct ahead *a))
{
	a->is_awaited = true;
	while (!is_so(a))
		pthread_cond_wait(&a->changed, &a->lock);
	a->is_awaited = false;
}

static bool
is_done(const struct ahead *a)
{
	return atomic_load(&a->state) == DONE;
}

static bool
is_alone(const struct ahead *a)
{
	return !a->is_present;
}

static void
help(struct job *job)
{
	struct ahead *a = CONTAINER_OF(job, struct ahead, job);

	pthread_mutex_lock(&a->lock);
	while (atomic_load(&a->state) == ASKED) {
		pthread_mutex_unlock(&a->lock);
		a->result =
		    source_read(a->src, a->to.iov_base, a->to.iov_len, &a->err);
		pthread_mutex_lock(&a->lock);
		set_state(a, DONE);
		pthread_mutex_unlock(&a->lock);
		/* The owner takes it, and asks again. */
		look_out(a, DONE);
		look_out(a, NOTHING);
		pthread_mutex_lock(&a->lock);
	}
	a->is_present = false;
	if (a->is_awaited)
		pthread_cond_signal(&a->changed);
	/* It may be freed as soon as the lock is. */
	pthread_mutex_unlock(&a->lock);
}

bool
ahead_start(struct ahead *a, struct source *src, struct iovec to)
{
	bool started = true;

	if (a->jobs == NULL)
		return false;
	assert(atomic_load(&a->state) == NOTHING);
	pthread_mutex_lock(&a->lock);
	a->src = src;
	a->to = to;
	err_clear(&a->err);
	set_state(a, ASKED);
	if (!a->is_present) {
		a->job.run = help;
		a->is_present = started = jobs_add(a->jobs, &a->job);
		if (!started)
			set_state(a, NOTHING);
	}
	pthread_mutex_unlock(&a->lock);
	return started;
}

ssize_t
ahead_finish(struct ahead *a, struct err *err)
{
	ssize_t n;

	look_out(a, ASKED);
	pthread_mutex_lock(&a->lock);
	assert(atomic_load(&a->state) != NOTHING);
	sleep_until(a, is_done);
	n = a->result;
	if (n < 0 && err != NULL)
		*err = a->err;
	set_state(a, NOTHING);
	pthread_mutex_unlock(&a->lock);
	return n;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	assert(atomic_load(&a->state) == NOTHING);
	set_state(a, LEAVE);
	sleep_until(a, is_alone);
	pthread_mutex_unlock(&a->lock);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
