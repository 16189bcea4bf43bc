/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

/* Counts stand as the map's values. */
struct http_peers {
	pthread_mutex_t lock; /* over counts */
	struct map *counts;
};

struct http_peers *
http_peers_new(void)
{
	struct http_peers *p = mem_calloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->counts = map_new();
	return p;
}

void
http_peers_free(struct http_peers *p)
{
	if (p == NULL)
		return;
	map_free(p->counts);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Under the lock. */
static void
set(struct http_peers *p, struct slice client, uintptr_t n)
{
	if (n == 0)
		(void)map_remove(p->counts, client);
	else
		(void)map_put(p->counts, client, (void *)n);
}

bool
http_peers_add(struct http_peers *p, const struct addr *a, size_t max)
{
	struct slice client = addr_client_bytes(a);
	uintptr_t n;

	pthread_mutex_lock(&p->lock);
	n = (uintptr_t)map_get(p->counts, client);
	if (n < max)
		set(p, client, n + 1);
	pthread_mutex_unlock(&p->lock);
	return n < max;
}

void
http_peers_remove(struct http_peers *p, const struct addr *a)
{
	struct slice client = addr_client_bytes(a);

	pthread_mutex_lock(&p->lock);
	set(p, client, (uintptr_t)map_get(p->counts, client) - 1);
	pthread_mutex_unlock(&p->lock);
}
