/* SPDX-License-Identifier: MIT */
#include "crypto/vault.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

#define SLAB_SIZE (64u * 1024)

/* A cell that nobody has, on the list of those. */
struct cell {
	struct cell *next;
};

/* All of it under the lock.  Slabs are never unmapped: their number follows
 * from the most keys that were ever in use at once. */
static struct {
	pthread_mutex_t lock;
	struct cell *unused;
} vault = { PTHREAD_MUTEX_INITIALIZER, NULL };

/* Under the lock. */
static void
add_slab(void)
{
	unsigned char *slab = mmap(NULL, SLAB_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slab == MAP_FAILED)
		mem_exhausted();
	/* Where RLIMIT_MEMLOCK is too small, keys could be swapped out; a
	 * server that does not start would help nobody. */
	(void)mlock2(slab, SLAB_SIZE, 0);
	(void)madvise(slab, SLAB_SIZE, MADV_DONTDUMP);
	/* A child finds zeroes. */
	(void)madvise(slab, SLAB_SIZE, MADV_WIPEONFORK);
	for (size_t i = SLAB_SIZE; i > 0; i -= VAULT_CELL) {
		struct cell *c = (void *)(slab + i - VAULT_CELL);

		c->next = vault.unused;
		vault.unused = c;
	}
}

void *
vault_take(size_t n)
{
	struct cell *c;

	assert(n <= VAULT_CELL);
	pthread_mutex_lock(&vault.lock);
	if (vault.unused == NULL)
		add_slab();
	c = vault.unused;
	vault.unused = c->next;
	pthread_mutex_unlock(&vault.lock);
	c->next = NULL;
	return c;
}

void
vault_give(void *p)
{
	struct cell *c = p;

	if (c == NULL)
		return;
	mem_wipe(p, VAULT_CELL);
	pthread_mutex_lock(&vault.lock);
	c->next = vault.unused;
	vault.unused = c;
	pthread_mutex_unlock(&vault.lock);
}
