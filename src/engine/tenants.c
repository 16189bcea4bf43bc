/* SPDX-License-Identifier: MIT */
#include "engine/tenants.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tenants {
	pthread_mutex_t lock;
	struct list all; /* under the lock */
};

struct tenants *
tenants_new(void)
{
	struct tenants *ts = mem_calloc(1, sizeof(*ts));

	pthread_mutex_init(&ts->lock, NULL);
	list_init(&ts->all);
	return ts;
}

void
tenants_free(struct tenants *ts)
{
	if (ts == NULL)
		return;
	assert(list_is_empty(&ts->all));
	pthread_mutex_destroy(&ts->lock);
	free(ts);
}

void
tenant_init(struct tenant *t, void (*evict)(void *arg), void *arg)
{
	list_init(&t->link);
	t->among = NULL;
	t->who = NULL;
	t->evict = evict;
	t->arg = arg;
}

void
tenant_enrol(struct tenant *t, struct tenants *ts, const struct principal *who)
{
	/* The first admin key has no id, and no end. */
	if (t->among != NULL || who->key_id[0] == '\0')
		return;
	t->among = ts;
	t->who = who;
	pthread_mutex_lock(&ts->lock);
	list_push_back(&ts->all, &t->link);
	pthread_mutex_unlock(&ts->lock);
}

void
tenant_leave(struct tenant *t)
{
	if (t->among == NULL)
		return;
	pthread_mutex_lock(&t->among->lock);
	list_remove(&t->link);
	pthread_mutex_unlock(&t->among->lock);
	t->among = NULL;
}

static bool
has_key(const struct principal *who, const char *key_id, int64_t wall_ms)
{
	if (key_id != NULL)
		return strcmp(who->key_id, key_id) == 0;
	return who->expires_ms != 0 && who->expires_ms <= wall_ms;
}

static void
evict(struct tenants *ts, const char *key_id, int64_t wall_ms)
{
	struct list *it, *tmp;

	pthread_mutex_lock(&ts->lock);
	LIST_FOREACH(&ts->all, it, tmp)
	{
		struct tenant *t = CONTAINER_OF(it, struct tenant, link);

		if (!has_key(t->who, key_id, wall_ms))
			continue;
		/* It leaves when it has ended; there is nothing more to say. */
		list_remove(&t->link);
		t->evict(t->arg);
	}
	pthread_mutex_unlock(&ts->lock);
}

void
tenants_evict_key(struct tenants *ts, const char *key_id)
{
	evict(ts, key_id, 0);
}

void
tenants_evict_expired(struct tenants *ts, int64_t wall_ms)
{
	evict(ts, NULL, wall_ms);
}
