/* SPDX-License-Identifier: MIT */
#include "base/throttle.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/siphash.h"

#define NS_PER_MS INT64_C(1000000)
#define PERIOD_NS (THROTTLE_PERIOD_MS * NS_PER_MS)

struct slot {
	uint64_t who; /* its hash; 0: nobody's */
	/* When it is as if it had never been: the window's end, or the time at
	 * which the bucket is full again. */
	int64_t until_ns;
	uint64_t count; /* of a window */
};

struct throttle {
	enum throttle_kind kind;
	uint64_t per_minute;
	const struct clock *clock;
	struct siphash_key key;
	pthread_mutex_t lock; /* over slots */
	struct slot slots[THROTTLE_SLOTS];
};

struct throttle *
throttle_new(
    enum throttle_kind kind, uint64_t per_minute, const struct clock *clock)
{
	struct throttle *t = mem_calloc(1, sizeof(*t));

	t->kind = kind;
	t->per_minute = per_minute;
	t->clock = clock;
	rand_bytes(&t->key, sizeof(t->key));
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Its own, or one that becomes it. */
static struct slot *
find(struct throttle *t, uint64_t who, int64_t now_ns)
{
	struct slot *set =
	    &t->slots[who % (THROTTLE_SLOTS / THROTTLE_WAYS) * THROTTLE_WAYS];
	struct slot *oldest = set;

	for (size_t i = 0; i < THROTTLE_WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].until_ns < oldest->until_ns)
			oldest = &set[i];
	}
	*oldest = (struct slot){ who, now_ns, 0 };
	return oldest;
}

static int64_t
take_of_window(const struct throttle *t, struct slot *s, int64_t now_ns)
{
	if (now_ns >= s->until_ns) {
		s->until_ns = now_ns + PERIOD_NS;
		s->count = 0;
	}
	if (s->count >= t->per_minute)
		return s->until_ns - now_ns;
	s->count++;
	return 0;
}

/* The generic cell rate algorithm: a bucket kept as one point in time. */
static int64_t
take_of_bucket(const struct throttle *t, struct slot *s, int64_t now_ns)
{
	int64_t each_ns = PERIOD_NS / (int64_t)t->per_minute;
	int64_t from_ns = s->until_ns > now_ns ? s->until_ns : now_ns;

	if (from_ns + each_ns > now_ns + PERIOD_NS)
		return from_ns + each_ns - now_ns - PERIOD_NS;
	s->until_ns = from_ns + each_ns;
	return 0;
}

int64_t
throttle_take(struct throttle *t, struct slice who)
{
	uint64_t hash = siphash_13(&t->key, who.p, who.n);
	int64_t now_ns = clock_mono_ns(t->clock);
	struct slot *s;
	int64_t wait_ns;

	pthread_mutex_lock(&t->lock);
	s = find(t, hash == 0 ? 1 : hash, now_ns);
	wait_ns = t->kind == THROTTLE_WINDOW ? take_of_window(t, s, now_ns)
	                                     : take_of_bucket(t, s, now_ns);
	pthread_mutex_unlock(&t->lock);
	return (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
}
