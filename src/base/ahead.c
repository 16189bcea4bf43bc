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

/* One read: the helper's from when it is asked for until it is done. */
struct read {
	struct source *src;
	struct iovec to;
	ssize_t result;
	struct err err;
};

/*
 * Reads from number ${done} to before ${asked} are the helper's, those from
 * ${finished} on before them wait for the owner; number n is reads[n % MAX].
 */
struct ahead {
	struct jobs *jobs;
	struct job job;
	struct read reads[AHEAD_MAX];
	unsigned finished; /* the owner's */
	unsigned first;    /* since when some were under way all the time */
	_Atomic unsigned asked, done;
	atomic_bool leave;
	pthread_mutex_t lock; /* over the next three, and to change those */
	pthread_cond_t changed;
	bool is_present; /* there is a helper */
	bool is_awaited; /* the owner sleeps */
};

struct ahead *
ahead_new(struct jobs *jobs)
{
	struct ahead *a = mem_calloc(1, sizeof(*a));

	a->jobs = jobs;
	atomic_init(&a->asked, 0);
	atomic_init(&a->done, 0);
	atomic_init(&a->leave, false);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

static bool
is_asked(struct ahead *a)
{
	return atomic_load(&a->asked) != atomic_load(&a->done);
}

static bool
is_done(struct ahead *a)
{
	return atomic_load(&a->done) != a->finished;
}

static bool
is_alone(struct ahead *a)
{
	return !a->is_present;
}

/* For the helper: something to do, or to leave. */
static bool
is_wanted(struct ahead *a)
{
	return is_asked(a) || atomic_load(&a->leave);
}

/* Until it is so, but not for long.  Lets others have the processor
 * meanwhile. */
static void
look_out(struct ahead *a, bool (*is_so)(struct ahead *a))
{
	int64_t end_ns = clock_mono_ns(clock_system()) + LOOK_OUT_NS;

	while (!is_so(a) && clock_mono_ns(clock_system()) < end_ns)
		(void)sched_yield();
}

/* The owner; under the lock. */
static void
sleep_until(struct ahead *a, bool (*is_so)(struct ahead *a))
{
	a->is_awaited = true;
	while (!is_so(a))
		pthread_cond_wait(&a->changed, &a->lock);
	a->is_awaited = false;
}

/* The helper; under the lock. */
static void
tell(struct ahead *a)
{
	if (a->is_awaited)
		pthread_cond_signal(&a->changed);
}

/* A source is not read on after its end or a failure. */
static void
run(struct ahead *a, unsigned number)
{
	const struct read *before = &a->reads[(number - 1) % AHEAD_MAX];
	struct read *r = &a->reads[number % AHEAD_MAX];

	if (number != a->first && before->result <= 0) {
		r->result = before->result;
		r->err = before->err;
		return;
	}
	err_clear(&r->err);
	r->result = source_read(r->src, r->to.iov_base, r->to.iov_len, &r->err);
}

static void
help(struct job *job)
{
	struct ahead *a = CONTAINER_OF(job, struct ahead, job);

	pthread_mutex_lock(&a->lock);
	while (is_asked(a)) {
		pthread_mutex_unlock(&a->lock);
		run(a, atomic_load(&a->done));
		pthread_mutex_lock(&a->lock);
		atomic_fetch_add(&a->done, 1);
		tell(a);
		pthread_mutex_unlock(&a->lock);
		look_out(a, is_wanted);
		pthread_mutex_lock(&a->lock);
	}
	a->is_present = false;
	tell(a);
	/* It may be freed as soon as the lock is. */
	pthread_mutex_unlock(&a->lock);
}

unsigned
ahead_count(const struct ahead *a)
{
	return atomic_load(&a->asked) - a->finished;
}

bool
ahead_start(struct ahead *a, struct source *src, struct iovec to)
{
	bool started = true;
	unsigned asked = atomic_load(&a->asked);

	if (a->jobs == NULL || ahead_count(a) == AHEAD_MAX)
		return false;
	pthread_mutex_lock(&a->lock);
	if (ahead_count(a) == 0)
		a->first = asked;
	a->reads[asked % AHEAD_MAX].src = src;
	a->reads[asked % AHEAD_MAX].to = to;
	atomic_fetch_add(&a->asked, 1);
	if (!a->is_present) {
		a->job.run = help;
		a->is_present = started = jobs_add(a->jobs, &a->job);
		if (!started)
			atomic_fetch_sub(&a->asked, 1);
	}
	pthread_mutex_unlock(&a->lock);
	return started;
}

ssize_t
ahead_finish(struct ahead *a, struct err *err)
{
	const struct read *r = &a->reads[a->finished % AHEAD_MAX];
	ssize_t n;

	assert(ahead_count(a) > 0);
	look_out(a, is_done);
	pthread_mutex_lock(&a->lock);
	sleep_until(a, is_done);
	pthread_mutex_unlock(&a->lock);
	n = r->result;
	if (n < 0 && err != NULL)
		*err = r->err;
	a->finished++;
	return n;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
		return;
	assert(ahead_count(a) == 0);
	pthread_mutex_lock(&a->lock);
	atomic_store(&a->leave, true);
	sleep_until(a, is_alone);
	pthread_mutex_unlock(&a->lock);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
