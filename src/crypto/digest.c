/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libdeflate.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/thread.h"

/* Handing over costs two switches of context: below this, hashing at once
 * is cheaper. */
#define WORTH_HANDING_OVER (32 * 1024)
/* How long a pool's thread stays with a digest that has nothing for it. */
#define LINGER_NS (1000 * 1000)
#define IDLE_MS 10000
#define STACK (64 * 1024)

struct digest_pool {
	struct jobs *jobs; /* NULL: no thread to spare, all inline */
};

struct run {
	const unsigned char *p;
	size_t n;
};

/*
 * While is_pipelined, a thread of the pool owns ${sha}; else the caller.
 * Runs are hashed in the order of the ring, each staying in it until it is
 * done.
 */
struct digest {
	struct digest_pool *pool;
	struct sha256 sha;
	uint32_t crc;
	uint64_t size;
	bool has_no_crc;

	struct job job;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t work;  /* a run was added, or there will be none */
	pthread_cond_t done;  /* a run is done, or the thread has left */
	struct run ring[DIGEST_DEPTH];
	size_t first;
	size_t count;
	bool is_pipelined;
	bool is_awaited; /* the caller waits for done */
	bool is_ending;
};

/* Cores that this process may use. */
static size_t
cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (size_t)CPU_COUNT(&set);
}

struct digest_pool *
digest_pool_new(size_t threads)
{
	struct digest_pool *pool = mem_calloc(1, sizeof(*pool));
	struct jobs_config cf = {
		.name = "sft-hash",
		.stack = STACK,
		.idle_ms = IDLE_MS,
	};

	cf.max = threads > 0 ? threads : cores() - 1;
	/* Without a pool all is hashed inline: slower, and right. */
	if (cf.max > 0 && jobs_new(&cf, &pool->jobs, NULL) < 0)
		pool->jobs = NULL;
	return pool;
}

void
digest_pool_free(struct digest_pool *pool)
{
	if (pool == NULL)
		return;
	jobs_free(pool->jobs);
	free(pool);
}

struct digest *
digest_new(struct digest_pool *pool)
{
	struct digest *d = mem_calloc(1, sizeof(*d));

	d->pool = pool;
	sha256_init(&d->sha);
	pthread_mutex_init(&d->lock, NULL);
	thread_cond_init(&d->work);
	thread_cond_init(&d->done);
	return d;
}

void
digest_skip_crc(struct digest *d)
{
	d->has_no_crc = true;
}

void
digest_state_init(struct digest_state *st)
{
	*st = (struct digest_state){ .crc32 = 0 };
	sha256_init(&st->sha);
}

struct digest *
digest_resume(struct digest_pool *pool, const struct digest_state *st)
{
	struct digest *d = digest_new(pool);

	d->sha = st->sha;
	d->crc = st->crc32;
	d->size = st->size;
	return d;
}

/* In a thread of the pool: waits a moment for the next run. */
static bool
wait_for_work(struct digest *d)
{
	int64_t deadline = 0;

	while (d->count == 0 && !d->is_ending) {
		if (deadline == 0)
			deadline = clock_mono_ns(clock_system()) + LINGER_NS;
		if (!thread_cond_wait_until(&d->work, &d->lock, deadline))
			break;
	}
	return d->count > 0;
}

static void
run_pipeline(struct job *job)
{
	struct digest *d = CONTAINER_OF(job, struct digest, job);
	struct run run;

	pthread_mutex_lock(&d->lock);
	while (wait_for_work(d)) {
		run = d->ring[d->first];
		pthread_mutex_unlock(&d->lock);
		sha256_update(&d->sha, run.p, run.n);
		pthread_mutex_lock(&d->lock);
		d->first = (d->first + 1) % DIGEST_DEPTH;
		d->count--;
		if (d->is_awaited)
			pthread_cond_signal(&d->done);
	}
	d->is_pipelined = false;
	pthread_cond_signal(&d->done);
	/* The digest may be freed as soon as the lock is. */
	pthread_mutex_unlock(&d->lock);
}

/* Under the lock. */
static void
wait_for_done(struct digest *d)
{
	d->is_awaited = true;
	pthread_cond_wait(&d->done, &d->lock);
	d->is_awaited = false;
}

/* Under the lock, with room in the ring. */
static void
push(struct digest *d, const void *p, size_t n)
{
	d->ring[(d->first + d->count) % DIGEST_DEPTH] = (struct run){ p, n };
	if (d->count++ == 0)
		pthread_cond_signal(&d->work);
}

/* Gives the run to a thread of the pool; false: it is the caller's. */
static bool
hand_over(struct digest *d, const void *p, size_t n)
{
	bool handed = false;

	if (d->pool == NULL || d->pool->jobs == NULL || d->size < DIGEST_INLINE)
		return false;
	pthread_mutex_lock(&d->lock);
	/* Whoever waits long enough finds the ring empty and the thread gone:
	 * it does not linger for ever. */
	while (d->is_pipelined && d->count == DIGEST_DEPTH)
		wait_for_done(d);
	if (d->is_pipelined) {
		push(d, p, n);
		handed = true;
	} else if (n >= WORTH_HANDING_OVER) {
		d->job.run = run_pipeline;
		d->is_pipelined = true;
		push(d, p, n);
		handed = jobs_add(d->pool->jobs, &d->job);
		if (!handed) {
			d->is_pipelined = false;
			d->count = 0;
		}
	}
	pthread_mutex_unlock(&d->lock);
	return handed;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (!hand_over(d, p, n))
		sha256_update(&d->sha, p, n);
	if (!d->has_no_crc)
		d->crc = libdeflate_crc32(d->crc, p, n);
	d->size += n;
}

/* Under the lock. */
static bool
is_in_flight(const struct digest *d, const unsigned char *p, size_t n)
{
	const struct run *run;
	size_t i;

	for (i = 0; i < d->count; i++) {
		run = &d->ring[(d->first + i) % DIGEST_DEPTH];
		if (run->p < p + n && p < run->p + run->n)
			return true;
	}
	return false;
}

void
digest_release(struct digest *d, const void *p, size_t n)
{
	pthread_mutex_lock(&d->lock);
	while (is_in_flight(d, p, n))
		wait_for_done(d);
	pthread_mutex_unlock(&d->lock);
}

/* Sends the pool's thread away, after what is in flight. */
static void
end_pipeline(struct digest *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_ending = true;
	pthread_cond_signal(&d->work);
	while (d->is_pipelined)
		wait_for_done(d);
	d->is_ending = false;
	pthread_mutex_unlock(&d->lock);
}

void
digest_save(struct digest *d, struct digest_state *ret)
{
	end_pipeline(d);
	ret->sha = d->sha;
	ret->crc32 = d->crc;
	ret->size = d->size;
}

void
digest_final(struct digest *d, struct digest_result *ret)
{
	end_pipeline(d);
	sha256_final(&d->sha, ret->sha256);
	ret->crc32 = d->crc;
	ret->size = d->size;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	end_pipeline(d);
	pthread_cond_destroy(&d->done);
	pthread_cond_destroy(&d->work);
	pthread_mutex_destroy(&d->lock);
	mem_wipe(d, sizeof(*d));
	free(d);
}
