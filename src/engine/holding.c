/* SPDX-License-Identifier: MIT */
#include "engine/holding.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

struct holding {
	size_t max;
	_Atomic size_t held;
};

struct holding *
holding_new(size_t max_bytes)
{
	struct holding *h = mem_calloc(1, sizeof(*h));

	h->max = max_bytes;
	return h;
}

void
holding_free(struct holding *h)
{
	if (h == NULL)
		return;
	assert(atomic_load(&h->held) == 0);
	free(h);
}

bool
holding_try(struct holding *h, size_t n)
{
	size_t held = atomic_load(&h->held);

	do {
		if (n > h->max || held > h->max - n)
			return false;
	} while (!atomic_compare_exchange_weak(&h->held, &held, held + n));
	return true;
}

void
holding_give(struct holding *h, size_t n)
{
	size_t before = atomic_fetch_sub(&h->held, n);

	assert(before >= n);
	(void)before;
}
