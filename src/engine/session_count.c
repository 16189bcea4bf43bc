/* SPDX-License-Identifier: MIT */
#include "engine/session_count.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/slice.h"
#include "proto/limits.h"

struct sums {
	uint64_t sessions;
	uint64_t chunks;
};

struct session_peer {
	struct sums has;
	size_t n;
	char ip[];
};

struct session_counts {
	pthread_mutex_t lock;
	struct map *peers; /* by address: who has any */
	struct sums has;
};

struct session_counts *
session_counts_new(void)
{
	struct session_counts *all = mem_calloc(1, sizeof(*all));

	pthread_mutex_init(&all->lock, NULL);
	all->peers = map_new();
	return all;
}

void
session_counts_free(struct session_counts *all)
{
	struct session_peer *p;
	size_t pos = 0;

	if (all == NULL)
		return;
	while ((p = map_next(all->peers, &pos, NULL)) != NULL)
		free(p);
	map_free(all->peers);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static struct session_peer *
find(struct session_counts *all, struct slice ip)
{
	struct session_peer *p = map_get(all->peers, ip);

	if (p != NULL)
		return p;
	p = mem_calloc(1, sizeof(*p) + ip.n);
	p->n = ip.n;
	memcpy(p->ip, ip.p, ip.n);
	(void)map_put(all->peers, ip, p);
	return p;
}

static void
forget_if_none(struct session_counts *all, struct session_peer *p)
{
	if (p->has.sessions > 0)
		return;
	(void)map_remove(all->peers, (struct slice){ p->ip, p->n });
	free(p);
}

static void
add(struct sums *s, uint64_t sessions, uint64_t chunks)
{
	s->sessions += sessions;
	s->chunks += chunks;
}

static bool
fits(const struct sums *has, uint64_t chunks, const struct sums *most)
{
	return has->sessions < most->sessions &&
	       chunks <= most->chunks - has->chunks;
}

/* What was there at the start may be more than the limits of this run. */
static bool
is_allowed(const struct session_counts *all, const struct session_peer *p,
    uint64_t chunks)
{
	static const struct sums of_all = { LIMIT_SESSIONS,
		LIMIT_SESSION_CHUNKS };
	static const struct sums of_one = { LIMIT_SESSIONS_OF_CLIENT,
		LIMIT_SESSION_CHUNKS_OF_CLIENT };

	if (all->has.chunks > of_all.chunks || p->has.chunks > of_one.chunks)
		return false;
	return fits(&all->has, chunks, &of_all) &&
	       fits(&p->has, chunks, &of_one);
}

int
session_count_in(struct session_counts *all, const char *client, bool must,
    struct session_count *c, struct err *err)
{
	const char *who = client == NULL ? "" : client;
	const struct slice ip = { who, strcspn(who, " ") };
	struct session_peer *p;
	int rc = 0;

	pthread_mutex_lock(&all->lock);
	p = find(all, ip);
	if (must || is_allowed(all, p, c->chunks)) {
		add(&all->has, 1, c->chunks);
		add(&p->has, 1, c->chunks);
		c->peer = p;
	} else {
		forget_if_none(all, p);
		rc = -1;
	}
	pthread_mutex_unlock(&all->lock);
	if (rc < 0)
		return err_set(err, ERR_TOO_MANY_REQUESTS,
		    "too many uploads were begun and not ended: complete or "
		    "cancel some of them first");
	return 0;
}

void
session_count_out(struct session_counts *all, struct session_count *c)
{
	pthread_mutex_lock(&all->lock);
	if (c->peer != NULL) {
		all->has.sessions--;
		all->has.chunks -= c->chunks;
		c->peer->has.sessions--;
		c->peer->has.chunks -= c->chunks;
		forget_if_none(all, c->peer);
		c->peer = NULL;
	}
	pthread_mutex_unlock(&all->lock);
}
