/* SPDX-License-Identifier: MIT */

/*
 * To be preloaded into unit_tests: the SFT_FAIL_ALLOC-th allocation of a test,
 * whoever asks for it, fails as if there were no memory.  With 0 none does.
 * At the end of each test the number of allocations goes to standard error.
 */

/* What is replaced has names of its own for its parameters. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own names, which nobody replaces. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

/* As in fail_alloc.h, but here they are. */
void fail_alloc_arm(void);
void fail_alloc_disarm(void);

static atomic_bool is_armed;
static atomic_ulong count;
static unsigned long wanted;

void
fail_alloc_arm(void)
{
	const char *text = getenv("SFT_FAIL_ALLOC");

	wanted = 0;
	for (; text != NULL && *text >= '0' && *text <= '9'; text++)
		wanted = wanted * 10 + (unsigned long)(*text - '0');
	atomic_store(&count, 0);
	atomic_store(&is_armed, true);
}

void
fail_alloc_disarm(void)
{
	char line[64];
	int n;

	if (!atomic_exchange(&is_armed, false))
		return;
	n = snprintf(line, sizeof(line), "allocations: %lu\n",
	    (unsigned long)atomic_load(&count));
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		abort();
}

static bool
fails(void)
{
	if (!atomic_load(&is_armed) ||
	    atomic_fetch_add(&count, 1) + 1 != wanted)
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *
memalign(size_t alignment, size_t n)
{
	return fails() ? NULL : __libc_memalign(alignment, n);
}

void *
aligned_alloc(size_t alignment, size_t n)
{
	return memalign(alignment, n);
}

int
posix_memalign(void **ret, size_t alignment, size_t n)
{
	void *p = memalign(alignment, n);

	if (p == NULL)
		return ENOMEM;
	*ret = p;
	return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
