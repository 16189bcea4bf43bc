/* SPDX-License-Identifier: MIT */
#ifndef BASE_JOBS_H
#define BASE_JOBS_H

/*
 * A pool of threads that run jobs first come, first served.  ${min} threads
 * are started at once and stay; more are started when a job finds none idle,
 * up to ${max}, and end after ${idle_ms} without work (0: never).
 *
 * A job is embedded in its owner's struct and belongs to the pool from
 * jobs_add() until its run() is called; run() may free it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"

struct job {
	struct list link;
	void (*run)(struct job *job);
};

struct jobs;

struct jobs_config {
	const char *name; /* of its threads, at most 12 bytes; must outlive
	                   * the pool */
	size_t min;
	size_t max;         /* at least 1 */
	size_t max_waiting; /* jobs that may wait for a thread; 0: none may */
	size_t stack;       /* bytes; 0: the default */
	int idle_ms;
};

int jobs_new(
    const struct jobs_config *cf, struct jobs **ret_jobs, struct err *err);
/* Hands ${job} over; false (and the job stays the caller's) when all
 * threads are busy and max_waiting jobs wait, or the pool is stopping.  Any
 * thread, a job of the pool too; never waits. */
bool jobs_add(struct jobs *jobs, struct job *job);
/* Jobs running and waiting now. */
size_t jobs_busy(const struct jobs *jobs);
/* Runs what waits, joins all threads, frees the pool.  Not from one of its
 * jobs.  NULL is fine. */
void jobs_free(struct jobs *jobs);

#endif
