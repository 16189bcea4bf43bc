/* SPDX-License-Identifier: MIT */

/*
 * To be preloaded into sftd: while the first byte of the file SFT_FAIL_SWITCH
 * is not 0, every nth call of the function that SFT_FAIL_CALL names, and takes
 * one from that byte
 *
 *	name:error:n     fails with that errno
 *	name:short:n     moves one byte, or half of what it was asked to
 *	name:slow:n      takes SLOW_S longer
 *
 * And clock_gettime:seconds:1 tells another time of day: so many seconds later
 * while that byte is 1, and earlier while it is 2.
 *
 * SQLite's calls are counted as ours are.
 */

/* What is replaced has names of its own for its parameters. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

#define SLOW_S 1

static struct {
	char name[32];
	int error; /* 0: it is cut short, or slow */
	bool is_slow;
	unsigned every;
	_Atomic unsigned char *left;
	atomic_uint calls;
} plan;

static unsigned
number(const char **text)
{
	unsigned n = 0;

	for (; **text >= '0' && **text <= '9'; ++*text)
		n = n * 10 + (unsigned)(**text - '0');
	return n;
}

static void __attribute__((constructor)) read_plan(void)
{
	const char *text = getenv("SFT_FAIL_CALL");
	const char *path = getenv("SFT_FAIL_SWITCH");
	const char *colon = text == NULL ? NULL : strchr(text, ':');
	void *page;
	int fd;

	if (colon == NULL || path == NULL ||
	    (size_t)(colon - text) >= sizeof(plan.name))
		return;
	memcpy(plan.name, text, (size_t)(colon - text));
	text = colon + 1;
	plan.is_slow = strncmp(text, "slow", 4) == 0;
	if (strncmp(text, "short", 5) == 0)
		text += 5;
	else if (plan.is_slow)
		text += 4;
	else
		plan.error = (int)number(&text);
	text++;
	plan.every = number(&text);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (page != MAP_FAILED)
		plan.left = page;
}

static bool
is_hit(const char *name)
{
	unsigned char left = plan.left == NULL ? 0 : atomic_load(plan.left);

	if (left == 0 || plan.every == 0 || strcmp(name, plan.name) != 0 ||
	    atomic_fetch_add(&plan.calls, 1) % plan.every != 0)
		return false;
	while (left > 0 &&
	       !atomic_compare_exchange_weak(plan.left, &left, left - 1))
		continue;
	return left > 0;
}

/* True: the call of ${name} fails, with errno.  What it is asked to move may
 * become less. */
static bool
fails(const char *name, size_t *n)
{
	if (!is_hit(name))
		return false;
	if (plan.error != 0) {
		errno = plan.error;
		return true;
	}
	if (plan.is_slow)
		(void)nanosleep(&(struct timespec){ SLOW_S, 0 }, NULL);
	else if (n != NULL && *n > 1)
		*n /= 2;
	return false;
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return fails("pwrite64", &n) ? -1 : REAL(pwrite64)(fd, p, n, at);
}

ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
	return fails("pread64", &n) ? -1 : REAL(pread64)(fd, p, n, at);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	return fails("recv", &n) ? -1 : REAL(recv)(fd, p, n, flags);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	return fails("send", &n) ? -1 : REAL(send)(fd, p, n, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	return fails("sendmsg", NULL) ? -1 : REAL(sendmsg)(fd, m, flags);
}

ssize_t
sendfile64(int out, int in, off64_t *at, size_t n)
{
	return fails("sendfile64", &n) ? -1 : REAL(sendfile64)(out, in, at, n);
}

int
fdatasync(int fd)
{
	return fails("fdatasync", NULL) ? -1 : REAL(fdatasync)(fd);
}

int
fsync(int fd)
{
	return fails("fsync", NULL) ? -1 : REAL(fsync)(fd);
}

int
fallocate64(int fd, int mode, off64_t at, off64_t n)
{
	return fails("fallocate64", NULL) ? -1
	                                  : REAL(fallocate64)(fd, mode, at, n);
}

int
renameat(int from, const char *old, int to, const char *new)
{
	return fails("renameat", NULL) ? -1
	                               : REAL(renameat)(from, old, to, new);
}

int
renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return fails("renameat2", NULL)
	           ? -1
	           : REAL(renameat2)(from, old, to, new, flags);
}

int
accept4(int fd, __SOCKADDR_ARG sa, socklen_t *n, int flags)
{
	return fails("accept4", NULL) ? -1 : REAL(accept4)(fd, sa, n, flags);
}

int
openat64(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails("openat64", NULL) ? -1
	                               : REAL(openat64)(dir, path, flags, mode);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = REAL(clock_gettime)(id, ts);
	unsigned char way;

	if (rc < 0 || id != CLOCK_REALTIME || plan.left == NULL ||
	    strcmp(plan.name, "clock_gettime") != 0)
		return rc;
	way = atomic_load(plan.left);
	if (way != 0)
		ts->tv_sec += way == 1 ? plan.error : -plan.error;
	return rc;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
