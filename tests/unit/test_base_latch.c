/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <pthread.h>

#include "base/latch.h"
#include "base/thread.h"

#define ROUNDS 2000

/* A latch and what must be visible behind it. */
struct handed {
	struct latch latch;
	int value;
};

struct relay {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct handed *next;
};

static void *
open_each(void *arg)
{
	struct relay *r = arg;
	struct handed *h;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&r->lock);
		while (r->next == NULL)
			pthread_cond_wait(&r->cond, &r->lock);
		h = r->next;
		r->next = NULL;
		pthread_mutex_unlock(&r->lock);
		h->value = i;
		latch_open(&h->latch);
	}
	return NULL;
}

TEST(test_base_latch__opened_before_the_wait)
{
	struct latch l;

	latch_init(&l);
	latch_open(&l);
	latch_wait(&l);
	assert_true(atomic_load(&l.state) != 0);
}

/* Each round's latch is gone as soon as the wait is over. */
TEST(test_base_latch__hands_over_between_threads)
{
	struct relay r = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
		NULL };
	struct thread_options cf = { .name = "opener" };
	pthread_t thread;
	int i;

	assert_int_equal(thread_start(&cf, open_each, &r, &thread, NULL), 0);
	for (i = 0; i < ROUNDS; i++) {
		struct handed h = { .value = -1 };

		latch_init(&h.latch);
		pthread_mutex_lock(&r.lock);
		r.next = &h;
		pthread_cond_signal(&r.cond);
		pthread_mutex_unlock(&r.lock);
		latch_wait(&h.latch);
		assert_int_equal(h.value, i);
	}
	pthread_join(thread, NULL);
}
