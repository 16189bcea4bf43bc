/* SPDX-License-Identifier: MIT */
#include "api/beat.h"

#include <pthread.h>
#include <stdbool.h>

#include "unit.h"

struct heart {
	struct beat beat;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int left; /* until it stops */
	int count;
};

static int64_t
due(void *arg)
{
	struct heart *h = arg;
	int64_t again;

	pthread_mutex_lock(&h->lock);
	h->count++;
	again = --h->left > 0 ? 1 : 0;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	return again;
}

static void
heart_init(struct heart *h, int left)
{
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	h->left = left;
	h->count = 0;
	beat_init(&h->beat, due, h);
}

static void
wait_for(struct heart *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->left > 0)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

TEST(test_api_beat__is_due_again_until_it_says_otherwise)
{
	struct heart long_one, short_one;
	struct beats *bs;

	assert_int_equal(beats_new(&bs, NULL), 0);
	heart_init(&long_one, 5);
	heart_init(&short_one, 1);
	beat_start(bs, &long_one.beat, 1);
	beat_start(bs, &short_one.beat, 0);
	wait_for(&long_one);
	wait_for(&short_one);
	assert_int_equal(long_one.count, 5);
	assert_int_equal(short_one.count, 1);
	assert_false(beat_cancel(bs, &long_one.beat));
	beats_free(bs);
}

TEST(test_api_beat__an_earlier_one_does_not_wait_for_a_later)
{
	struct heart late, early;
	struct beats *bs;

	assert_int_equal(beats_new(&bs, NULL), 0);
	heart_init(&late, 1);
	heart_init(&early, 1);
	beat_start(bs, &late.beat, 3600000);
	beat_start(bs, &early.beat, 1);
	wait_for(&early);
	assert_true(beat_cancel(bs, &late.beat));
	assert_false(beat_cancel(bs, &late.beat));
	assert_int_equal(late.count, 0);
	beats_free(bs);
}
