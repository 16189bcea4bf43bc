/* SPDX-License-Identifier: MIT */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/*
 * Threads and what they wait on.  Locks and conditions are pthread's own
 * types (pthread_mutex_t, pthread_cond_t) used directly; this module adds
 * what all layers want the same way.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct thread_options {
	const char *name; /* what debuggers and ps show; cut to 15 bytes */
	size_t stack;     /* bytes; 0: the default */
};

/* Starts a joinable thread with all signals blocked. */
int thread_start(const struct thread_options *options, void *(*run)(void *arg),
    void *arg, pthread_t *ret_thread, struct err *err);

/* A condition on the monotonic clock. */
void thread_cond_init(pthread_cond_t *cond);
/* Waits until signalled or ${deadline_ns} (monotonic); false on time-out. */
bool thread_cond_wait_until(
    pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);

/*
 * A wake-up that a thread can poll beside a socket: an eventfd.  Raising it
 * twice is raising it once.  Any thread may raise.
 */
struct wake {
	int fd;
};
int wake_init(struct wake *w, struct err *err);
void wake_fini(struct wake *w);
void wake_raise(struct wake *w);
void wake_clear(struct wake *w);

#endif
