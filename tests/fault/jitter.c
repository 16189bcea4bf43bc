/* SPDX-License-Identifier: MIT */

/*
 * To be preloaded into sftd and sft (script/test jitter): now and then a thread
 * comes late, for up to LATE_US, where another may come in between: when an
 * event woke it, when a condition did, after it sent, before it syncs, and
 * before it writes a line to stderr.  So what usually happens in one order
 * happens in the other, too: in the programs, and in the tests of them.
 */

/* What is replaced has names of its own for its parameters. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

#define LATE_US 40000u
#define ONE_OF 6u

static bool is_ours;
static _Thread_local uint64_t state;

static void __attribute__((constructor)) look_where(void)
{
	const char *name = program_invocation_short_name;

	is_ours = strcmp(name, "sftd") == 0 || strcmp(name, "sft") == 0;
}

/* xorshift64, from the time at which the thread first asks. */
static uint64_t
number(void)
{
	struct timespec now;

	if (state == 0) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		state = (uint64_t)now.tv_nsec * 2654435761u + 1;
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static bool
is_late(void)
{
	return is_ours && number() % ONE_OF == 0;
}

static void
be_late(void)
{
	long ns = (long)(number() % LATE_US) * 1000;
	int kept = errno;

	(void)nanosleep(&(struct timespec){ 0, ns }, NULL);
	errno = kept;
}

static void
maybe_late(void)
{
	if (is_late())
		be_late();
}

/* Where there are two versions, the first is LinuxThreads'. */
#define REAL_CONDITION(name) (*(__typeof__(name) **)&(void *){ newer(#name) })

static void *
newer(const char *name)
{
	void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

	return found != NULL ? found : dlsym(RTLD_NEXT, name);
}

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int rc = REAL(epoll_wait)(fd, events, n, timeout);

	if (rc > 0)
		maybe_late();
	return rc;
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int rc = REAL(poll)(fds, n, timeout);

	if (rc > 0)
		maybe_late();
	return rc;
}

/* A thread that was woken has the lock a little later. */
static int
woken(pthread_mutex_t *lock, int rc)
{
	if (!is_late())
		return rc;
	(void)pthread_mutex_unlock(lock);
	be_late();
	(void)pthread_mutex_lock(lock);
	return rc;
}

int
pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	return woken(lock, REAL_CONDITION(pthread_cond_wait)(cond, lock));
}

int
pthread_cond_timedwait(
    pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	return woken(
	    lock, REAL_CONDITION(pthread_cond_timedwait)(cond, lock, until));
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	ssize_t rc = REAL(send)(fd, p, n, flags);

	maybe_late();
	return rc;
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t rc = REAL(sendmsg)(fd, m, flags);

	maybe_late();
	return rc;
}

int
fdatasync(int fd)
{
	maybe_late();
	return REAL(fdatasync)(fd);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (fd == STDERR_FILENO)
		maybe_late();
	return REAL(write)(fd, p, n);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
