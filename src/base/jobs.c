/* SPDX-License-Identifier: MIT */
#include "base/jobs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

/*
 * Idle threads stand on a stack, so the one that ran last is taken first:
 * its memory is warm, and those at the bottom get old enough to end.  A job
 * is given straight to a thread; the queue holds only what found none.
 */
struct worker {
	struct list link; /* in jobs->idle or jobs->ended */
	pthread_t thread;
	pthread_cond_t wake;
	struct job *job; /* given, not yet begun */
	struct jobs *jobs;
};

struct jobs {
	struct jobs_config cf;
	atomic_size_t busy;   /* jobs added and not yet done */
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t gone;  /* a thread has ended */
	struct list idle;     /* workers, the youngest first */
	struct list ended;    /* workers to be joined */
	struct list queue;    /* jobs, the oldest first */
	size_t n_queue;
	size_t n_threads;
	bool is_stopping;
};

/* Is there one thread more than must stay? */
static bool
may_end(const struct jobs *jobs)
{
	return jobs->cf.idle_ms > 0 && jobs->n_threads > jobs->cf.min;
}

/* Stands idle until a job is given, or the thread is to end. */
static void
stand_idle(struct worker *w)
{
	struct jobs *jobs = w->jobs;
	bool timed_out = false;
	int64_t deadline;

	deadline =
	    clock_mono_ns(clock_system()) + (int64_t)jobs->cf.idle_ms * 1000000;
	if (list_is_empty(&w->link))
		list_push_front(&jobs->idle, &w->link);
	while (w->job == NULL && !jobs->is_stopping) {
		if (!may_end(jobs))
			pthread_cond_wait(&w->wake, &jobs->lock);
		else if (timed_out)
			break;
		else
			timed_out = !thread_cond_wait_until(
			    &w->wake, &jobs->lock, deadline);
	}
	/* Off the stack already when a job was given. */
	list_remove(&w->link);
}

/* The next job for ${w}, NULL when its thread is to end. */
static struct job *
take_job(struct worker *w)
{
	struct jobs *jobs = w->jobs;
	struct list *node;
	struct job *job;

	if (w->job == NULL) {
		node = list_pop_front(&jobs->queue);
		if (node != NULL) {
			jobs->n_queue--;
			return CONTAINER_OF(node, struct job, link);
		}
		stand_idle(w);
	}
	job = w->job;
	w->job = NULL;
	return job;
}

static void *
run_worker(void *arg)
{
	struct worker *w = arg;
	struct jobs *jobs = w->jobs;
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	while ((job = take_job(w)) != NULL) {
		pthread_mutex_unlock(&jobs->lock);
		job->run(job);
		atomic_fetch_sub(&jobs->busy, 1);
		pthread_mutex_lock(&jobs->lock);
	}
	jobs->n_threads--;
	list_push_back(&jobs->ended, &w->link);
	pthread_cond_signal(&jobs->gone);
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

/* Starts a thread with ${job} in hand; without one it counts as idle before
 * it has come so far.  Under the lock: so w->thread is set before anybody
 * looks for it. */
static int
start_worker(struct jobs *jobs, struct job *job, struct err *err)
{
	struct thread_options options = {
		.name = jobs->cf.name,
		.stack = jobs->cf.stack,
	};
	struct worker *w = mem_calloc(1, sizeof(*w));

	list_init(&w->link);
	thread_cond_init(&w->wake);
	w->job = job;
	w->jobs = jobs;
	if (thread_start(&options, run_worker, w, &w->thread, err) < 0) {
		pthread_cond_destroy(&w->wake);
		free(w);
		return -1;
	}
	jobs->n_threads++;
	if (job == NULL)
		list_push_front(&jobs->idle, &w->link);
	return 0;
}

/* Joins what has ended (it is past its last use of the lock, or about to
 * be: the lock must not be held). */
static void
join_ended(struct list *ended)
{
	struct worker *w;
	struct list *node;

	while ((node = list_pop_front(ended)) != NULL) {
		w = CONTAINER_OF(node, struct worker, link);
		pthread_join(w->thread, NULL);
		pthread_cond_destroy(&w->wake);
		free(w);
	}
}

int
jobs_new(const struct jobs_config *cf, struct jobs **ret_jobs, struct err *err)
{
	struct jobs *jobs = mem_calloc(1, sizeof(*jobs));
	int rc = 0;

	jobs->cf = *cf;
	if (jobs->cf.max == 0)
		jobs->cf.max = 1;
	if (jobs->cf.min > jobs->cf.max)
		jobs->cf.min = jobs->cf.max;
	atomic_init(&jobs->busy, 0);
	pthread_mutex_init(&jobs->lock, NULL);
	thread_cond_init(&jobs->gone);
	list_init(&jobs->idle);
	list_init(&jobs->ended);
	list_init(&jobs->queue);

	pthread_mutex_lock(&jobs->lock);
	while (rc == 0 && jobs->n_threads < jobs->cf.min)
		rc = start_worker(jobs, NULL, err);
	pthread_mutex_unlock(&jobs->lock);
	if (rc < 0) {
		jobs_free(jobs);
		return -1;
	}
	*ret_jobs = jobs;
	return 0;
}

/* Under the lock. */
static bool
place_job(struct jobs *jobs, struct job *job)
{
	struct worker *w;
	struct list *node;

	if (jobs->is_stopping)
		return false;
	node = list_pop_front(&jobs->idle);
	if (node != NULL) {
		w = CONTAINER_OF(node, struct worker, link);
		w->job = job;
		pthread_cond_signal(&w->wake);
		return true;
	}
	if (jobs->n_threads < jobs->cf.max &&
	    start_worker(jobs, job, NULL) == 0)
		return true;
	if (jobs->n_threads == 0 || jobs->n_queue >= jobs->cf.max_waiting)
		return false;
	list_push_back(&jobs->queue, &job->link);
	jobs->n_queue++;
	return true;
}

bool
jobs_add(struct jobs *jobs, struct job *job)
{
	struct list ended;
	bool placed;

	list_init(&ended);
	list_init(&job->link);
	/* First, or a quick job would be done before it counts. */
	atomic_fetch_add(&jobs->busy, 1);
	pthread_mutex_lock(&jobs->lock);
	placed = place_job(jobs, job);
	list_move_all(&ended, &jobs->ended);
	pthread_mutex_unlock(&jobs->lock);
	if (!placed)
		atomic_fetch_sub(&jobs->busy, 1);
	join_ended(&ended);
	return placed;
}

size_t
jobs_busy(const struct jobs *jobs)
{
	return atomic_load(&jobs->busy);
}

void
jobs_free(struct jobs *jobs)
{
	struct list *node, *tmp;

	if (jobs == NULL)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->is_stopping = true;
	LIST_FOREACH(&jobs->idle, node, tmp)
	pthread_cond_signal(&CONTAINER_OF(node, struct worker, link)->wake);
	while (jobs->n_threads > 0)
		pthread_cond_wait(&jobs->gone, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	join_ended(&jobs->ended);
	pthread_cond_destroy(&jobs->gone);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}
