/* SPDX-License-Identifier: MIT */
#include "base/jobs.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"
#include "unit.h"

/* A door that holds jobs until it opens, and counts who came to it. */
struct door {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_open;
	int n_inside; /* waiting in front of it */
	int n_done;
	int order[8];
};

struct held {
	struct job job;
	struct door *door;
	int number;
};

static void
door_init(struct door *d)
{
	*d = (struct door){ .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_cond_init(&d->cond, NULL);
}

static void
run_held(struct job *job)
{
	struct held *h = CONTAINER_OF(job, struct held, job);
	struct door *d = h->door;

	pthread_mutex_lock(&d->lock);
	d->n_inside++;
	pthread_cond_broadcast(&d->cond);
	while (!d->is_open)
		pthread_cond_wait(&d->cond, &d->lock);
	d->order[d->n_done++ % 8] = h->number;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->lock);
}

static void
door_wait_inside(struct door *d, int n)
{
	pthread_mutex_lock(&d->lock);
	while (d->n_inside < n)
		pthread_cond_wait(&d->cond, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

static void
door_wait_done(struct door *d, int n)
{
	pthread_mutex_lock(&d->lock);
	while (d->n_done < n)
		pthread_cond_wait(&d->cond, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

static void
door_open(struct door *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_open = true;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->lock);
}

static void
held_init(struct held *h, size_t n, struct door *d)
{
	size_t i;

	for (i = 0; i < n; i++) {
		h[i].job.run = run_held;
		h[i].door = d;
		h[i].number = (int)i;
	}
}

TEST(test_base_jobs__bounds_threads_and_queue)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.max = 3,
		.max_waiting = 2,
	};
	struct err err = ERR_INIT;
	struct held held[6];
	struct jobs *jobs;
	struct door door;
	int i;

	door_init(&door);
	held_init(held, 6, &door);
	assert_int_equal(jobs_new(&cf, &jobs, &err), 0);
	assert_int_equal(jobs_busy(jobs), 0);
	for (i = 0; i < 5; i++)
		assert_true(jobs_add(jobs, &held[i].job));
	/* three in hand, two waiting, no place for the sixth */
	door_wait_inside(&door, 3);
	assert_int_equal(jobs_busy(jobs), 5);
	assert_false(jobs_add(jobs, &held[5].job));
	assert_int_equal(jobs_busy(jobs), 5);
	assert_int_equal(door.n_inside, 3);
	door_open(&door);
	jobs_free(jobs);
	assert_int_equal(door.n_done, 5);
}

TEST(test_base_jobs__nobody_waits_when_none_may)
{
	static const struct jobs_config cf = { .name = "unit", .max = 1 };
	struct held held[2];
	struct jobs *jobs;
	struct door door;

	door_init(&door);
	held_init(held, 2, &door);
	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	assert_true(jobs_add(jobs, &held[0].job));
	assert_false(jobs_add(jobs, &held[1].job));
	door_open(&door);
	jobs_free(jobs);
	assert_int_equal(door.n_done, 1);
}

TEST(test_base_jobs__first_come_first_served)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.min = 1,
		.max = 1,
		.max_waiting = 8,
	};
	struct held held[8];
	struct jobs *jobs;
	struct door door;
	int i;

	door_init(&door);
	held_init(held, 8, &door);
	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	for (i = 0; i < 8; i++)
		assert_true(jobs_add(jobs, &held[i].job));
	door_open(&door);
	/* what waits is run, not dropped */
	jobs_free(jobs);
	assert_int_equal(door.n_done, 8);
	for (i = 0; i < 8; i++)
		assert_int_equal(door.order[i], i);
}

/* Those of the process that have this name, which no other test uses: the
 * kernel takes a moment to forget the threads of the test before. */
static size_t
count_threads(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	char path[300], comm[32];
	size_t n = 0;
	FILE *f;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
		    entry->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fgets(comm, sizeof(comm), f) != NULL)
			n += strcspn(comm, "\n") == strlen(name) &&
			     memcmp(comm, name, strlen(name)) == 0;
		fclose(f);
	}
	closedir(dir);
	return n;
}

/* unit.h ends the test when the number is never reached. */
static void
await_threads(const char *name, size_t n)
{
	struct timespec ts = { 0, 1000000 };

	while (count_threads(name) != n)
		nanosleep(&ts, NULL);
}

TEST(test_base_jobs__idle_threads_end_but_the_minimum)
{
	static const struct jobs_config cf = {
		.name = "unit-idle",
		.min = 1,
		.max = 4,
		.idle_ms = 5,
	};
	struct held held[4];
	struct jobs *jobs;
	struct door door;
	int i, round;

	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	await_threads(cf.name, 1);
	for (round = 0; round < 3; round++) {
		door_init(&door);
		held_init(held, 4, &door);
		for (i = 0; i < 4; i++) {
			/* the one left may be on its way from its last job */
			while (!jobs_add(jobs, &held[i].job))
				continue;
		}
		door_wait_inside(&door, 4);
		assert_int_equal(count_threads(cf.name), 4);
		door_open(&door);
		door_wait_done(&door, 4);
		await_threads(cf.name, 1);
	}
	jobs_free(jobs);
	await_threads(cf.name, 0);
}

/* Threads that are only just starting count, too. */
TEST(test_base_jobs__has_its_minimum_at_once)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.min = 4,
		.max = 4,
	};
	struct held held[5];
	struct jobs *jobs;
	struct door door;
	int i;

	door_init(&door);
	held_init(held, 5, &door);
	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	for (i = 0; i < 4; i++)
		assert_true(jobs_add(jobs, &held[i].job));
	assert_false(jobs_add(jobs, &held[4].job));
	door_open(&door);
	jobs_free(jobs);
	assert_int_equal(door.n_done, 4);
}

struct who {
	struct job job;
	pthread_t thread;
	atomic_bool is_done;
};

static void
run_who(struct job *job)
{
	struct who *w = CONTAINER_OF(job, struct who, job);

	w->thread = pthread_self();
	atomic_store(&w->is_done, true);
}

/* So that under a light load all others get old and end. */
TEST(test_base_jobs__takes_the_thread_that_ran_last)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.min = 4,
		.max = 4,
	};
	struct timespec ts = { 0, 1000000 };
	struct who first = { .job.run = run_who };
	struct who next = { .job.run = run_who };
	struct jobs *jobs;
	int same = 0;
	int i;

	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	assert_true(jobs_add(jobs, &first.job));
	while (!atomic_load(&first.is_done) || jobs_busy(jobs) > 0)
		nanosleep(&ts, NULL);
	for (i = 0; i < 20; i++) {
		/* time to come back to its place */
		nanosleep(&ts, NULL);
		atomic_store(&next.is_done, false);
		assert_true(jobs_add(jobs, &next.job));
		while (!atomic_load(&next.is_done) || jobs_busy(jobs) > 0)
			nanosleep(&ts, NULL);
		same += pthread_equal(first.thread, next.thread) != 0;
	}
	jobs_free(jobs);
	/* by turns it would be one in four */
	assert_true(same > 10);
}

/* A job on the heap that frees itself and may add two more. */
struct seed {
	struct job job;
	struct jobs *jobs;
	atomic_int *n_run;
	int depth;
};

static void
run_seed(struct job *job)
{
	struct seed *s = CONTAINER_OF(job, struct seed, job);
	struct seed *child;
	int i;

	atomic_fetch_add(s->n_run, 1);
	for (i = 0; i < 2 && s->depth > 0; i++) {
		child = mem_dup(s, sizeof(*s));
		child->depth--;
		if (!jobs_add(s->jobs, &child->job))
			free(child);
	}
	free(s);
}

TEST(test_base_jobs__jobs_add_jobs)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.max = 4,
		.max_waiting = 100000,
		.stack = 256 * 1024,
		.idle_ms = 1,
	};
	struct timespec ts = { 0, 1000000 };
	atomic_int n_run = 0;
	struct jobs *jobs;
	struct seed *s;

	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	s = mem_calloc(1, sizeof(*s));
	*s = (struct seed){ { .run = run_seed }, jobs, &n_run, 10 };
	assert_true(jobs_add(jobs, &s->job));
	while (jobs_busy(jobs) > 0)
		nanosleep(&ts, NULL);
	assert_int_equal(atomic_load(&n_run), (1 << 11) - 1);
	jobs_free(jobs);
}

struct adder {
	pthread_t thread;
	struct jobs *jobs;
	atomic_int *n_run;
	int n_added;
};

static void *
add_many(void *arg)
{
	struct adder *a = arg;
	struct seed *s;
	int i;

	for (i = 0; i < 3000; i++) {
		s = mem_calloc(1, sizeof(*s));
		*s = (struct seed){ { .run = run_seed }, a->jobs, a->n_run, 0 };
		if (jobs_add(a->jobs, &s->job))
			a->n_added++;
		else
			free(s);
	}
	return NULL;
}

TEST(test_base_jobs__loses_none_under_many_threads)
{
	static const struct jobs_config cf = {
		.name = "unit",
		.max = 4,
		.max_waiting = 16,
		.idle_ms = 1,
	};
	atomic_int n_run = 0;
	struct adder adders[3];
	struct jobs *jobs;
	int n_added = 0;
	int i;

	assert_int_equal(jobs_new(&cf, &jobs, NULL), 0);
	for (i = 0; i < 3; i++) {
		adders[i] = (struct adder){ .jobs = jobs, .n_run = &n_run };
		assert_int_equal(
		    thread_start(&(struct thread_options){ .name = "adder" },
		        add_many, &adders[i], &adders[i].thread, NULL),
		    0);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(adders[i].thread, NULL);
		n_added += adders[i].n_added;
	}
	jobs_free(jobs);
	assert_true(n_added > 0);
	assert_int_equal(atomic_load(&n_run), n_added);
}

TEST(test_base_jobs__free_takes_null)
{
	jobs_free(NULL);
}

/* No system has stacks of so many bytes. */
TEST(test_base_jobs__without_threads_it_takes_no_job)
{
	struct jobs_config cf = {
		.name = "unit",
		.max = 2,
		.max_waiting = 5,
		.stack = (size_t)1 << 60,
	};
	struct err err = ERR_INIT;
	struct jobs *jobs = NULL;
	struct held held;
	struct door door;

	door_init(&door);
	held_init(&held, 1, &door);
	assert_int_equal(jobs_new(&cf, &jobs, &err), 0);
	assert_false(jobs_add(jobs, &held.job));
	assert_int_equal(jobs_busy(jobs), 0);
	jobs_free(jobs);
	jobs = NULL;
	cf.min = 1;
	assert_int_equal(jobs_new(&cf, &jobs, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_null(jobs);
}
