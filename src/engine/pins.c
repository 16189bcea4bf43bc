/* SPDX-License-Identifier: MIT */
#include "engine/pins.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct pins {
	pthread_mutex_t lock;
	struct map *counts; /* blob id -> its count, as a pointer's value */
};

struct pins *
pins_new(void)
{
	struct pins *p = mem_calloc(1, sizeof(*p));

	p->counts = map_new();
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void
pins_free(struct pins *p)
{
	if (p == NULL)
		return;
	map_free(p->counts);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
pins_take(struct pins *p, const char *blob_id)
{
	struct slice key = slice_str(blob_id);
	uintptr_t n;

	pthread_mutex_lock(&p->lock);
	n = (uintptr_t)map_get(p->counts, key);
	(void)map_put(p->counts, key, (void *)(n + 1));
	pthread_mutex_unlock(&p->lock);
}

void
pins_drop(struct pins *p, const char *blob_id)
{
	struct slice key = slice_str(blob_id);
	uintptr_t n;

	pthread_mutex_lock(&p->lock);
	n = (uintptr_t)map_get(p->counts, key);
	assert(n > 0);
	if (n == 1)
		(void)map_remove(p->counts, key);
	else
		(void)map_put(p->counts, key, (void *)(n - 1));
	pthread_mutex_unlock(&p->lock);
}

bool
pins_holds(struct pins *p, const char *blob_id)
{
	bool held;

	pthread_mutex_lock(&p->lock);
	held = map_get(p->counts, slice_str(blob_id)) != NULL;
	pthread_mutex_unlock(&p->lock);
	return held;
}

bool
pins_unless(struct pins *p, const char *blob_id,
    void (*fn)(void *arg, const char *blob_id), void *arg)
{
	bool held;

	pthread_mutex_lock(&p->lock);
	held = map_get(p->counts, slice_str(blob_id)) != NULL;
	if (!held)
		fn(arg, blob_id);
	pthread_mutex_unlock(&p->lock);
	return !held;
}
