/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NAME_MAX_LEN 15 /* pthread_setname_np(3) */

/* The pthread calls return their error number. */
static int
fail(struct err *err, int error)
{
	errno = error;
	return err_set_errno(err, ERR_UNAVAILABLE, "cannot start a thread");
}

static size_t
stack_size(size_t wanted)
{
	size_t min = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (wanted < min)
		wanted = min;
	return (wanted + page - 1) / page * page;
}

/* All signals are the main thread's, so a thread is born with none. */
static int
start_blocked(pthread_t *ret_thread, const pthread_attr_t *attr,
    void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	error = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (error != 0)
		return error;
	error = pthread_create(ret_thread, attr, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int
thread_start(const struct thread_options *options, void *(*run)(void *arg),
    void *arg, pthread_t *ret_thread, struct err *err)
{
	char cut[NAME_MAX_LEN + 1];
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	error = pthread_attr_init(&attr);
	if (error != 0)
		return fail(err, error);
	if (options->stack > 0)
		error = pthread_attr_setstacksize(
		    &attr, stack_size(options->stack));
	if (error == 0)
		error = start_blocked(&thread, &attr, run, arg);
	(void)pthread_attr_destroy(&attr);
	if (error != 0)
		return fail(err, error);
	(void)snprintf(cut, sizeof(cut), "%s", options->name);
	/* A thread without its name runs as well. */
	(void)pthread_setname_np(thread, cut);
	*ret_thread = thread;
	return 0;
}

void
thread_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	/* None of these can fail on Linux; without the clock, though, every
	 * deadline would be wrong. */
	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(cond, &attr) != 0)
		abort();
	(void)pthread_condattr_destroy(&attr);
}

bool
thread_cond_wait_until(
    pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns)
{
	struct timespec at = { 0, 0 };

	if (deadline_ns > 0) {
		at.tv_sec = deadline_ns / 1000000000;
		at.tv_nsec = deadline_ns % 1000000000;
	}
	return pthread_cond_timedwait(cond, lock, &at) != ETIMEDOUT;
}

int
wake_init(struct wake *w, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return err_set_errno(
		    err, ERR_UNAVAILABLE, "cannot make an event descriptor");
	w->fd = fd;
	return 0;
}

void
wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void
wake_raise(struct wake *w)
{
	uint64_t one = 1;
	ssize_t n;

	/* A full counter means that it is raised already. */
	n = write(w->fd, &one, sizeof(one));
	(void)n;
}

void
wake_clear(struct wake *w)
{
	uint64_t count;
	ssize_t n;

	/* Fails when it was not raised, which is as good. */
	n = read(w->fd, &count, sizeof(count));
	(void)n;
}
