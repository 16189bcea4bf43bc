/* SPDX-License-Identifier: MIT */
#include "base/buffers.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

/* An idle buffer's first bytes link it to the next. */
struct idle {
	struct idle *next;
};

struct buffers {
	struct buffers_config cf;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t given;
	struct idle *idle; /* the one given last is taken first: it is warm */
	size_t n_idle;
	size_t n_taken;
};

struct buffers *
buffers_new(const struct buffers_config *cf)
{
	struct buffers *b = mem_calloc(1, sizeof(*b));

	assert(cf->size >= sizeof(struct idle) && cf->count > 0);
	b->cf = *cf;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->given, NULL);
	return b;
}

void
buffers_free(struct buffers *b)
{
	struct idle *p;

	if (b == NULL)
		return;
	assert(b->n_taken == 0);
	while ((p = b->idle) != NULL) {
		b->idle = p->next;
		munmap(p, b->cf.size);
	}
	pthread_cond_destroy(&b->given);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* An idle buffer or a new one; NULL when the budget, or the system's memory,
 * is used up.  Under the lock. */
static void *
find(struct buffers *b)
{
	struct idle *p = b->idle;

	if (p != NULL) {
		b->idle = p->next;
		b->n_idle--;
		return p;
	}
	if (b->n_taken >= b->cf.count)
		return NULL;
	p = mmap(NULL, b->cf.size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void *
buffers_take(struct buffers *b)
{
	void *p;

	pthread_mutex_lock(&b->lock);
	while ((p = find(b)) == NULL) {
		/* Nobody will give one back: as mem_alloc() does. */
		if (b->n_taken == 0)
			mem_exhausted();
		pthread_cond_wait(&b->given, &b->lock);
	}
	b->n_taken++;
	pthread_mutex_unlock(&b->lock);
	return p;
}

void *
buffers_try(struct buffers *b)
{
	void *p;

	pthread_mutex_lock(&b->lock);
	p = find(b);
	if (p != NULL)
		b->n_taken++;
	pthread_mutex_unlock(&b->lock);
	return p;
}

void
buffers_give(struct buffers *b, void *p)
{
	struct idle *idle = p;
	bool is_kept;

	if (p == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	is_kept = b->n_idle < b->cf.keep;
	if (is_kept) {
		idle->next = b->idle;
		b->idle = idle;
		b->n_idle++;
	}
	b->n_taken--;
	pthread_cond_signal(&b->given);
	pthread_mutex_unlock(&b->lock);
	if (!is_kept)
		munmap(p, b->cf.size);
}

size_t
buffers_size(const struct buffers *b)
{
	return b->cf.size;
}

size_t
buffers_taken(struct buffers *b)
{
	size_t n;

	pthread_mutex_lock(&b->lock);
	n = b->n_taken;
	pthread_mutex_unlock(&b->lock);
	return n;
}
