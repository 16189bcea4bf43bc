/* SPDX-License-Identifier: MIT */
#include "api/beat.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/thread.h"

struct beats {
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock; /* over the following */
	pthread_cond_t earlier;
	struct heap heap;
	bool is_stopping;
};

static int64_t
now(void)
{
	return clock_mono_ms(clock_system());
}

static bool
is_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct beat, node)->at_ms <
	       CONTAINER_OF(b, const struct beat, node)->at_ms;
}

/* Under the lock. */
static void
run_due(struct beats *bs)
{
	int64_t now_ms = now();
	struct heap_node *node;
	struct beat *b;
	int64_t after_ms;

	while ((node = heap_min(&bs->heap)) != NULL) {
		b = CONTAINER_OF(node, struct beat, node);
		if (b->at_ms > now_ms)
			return;
		heap_remove(&bs->heap, node);
		/* From here on it may be gone, unless it is due again. */
		after_ms = b->due(b->arg);
		if (after_ms == 0)
			continue;
		b->at_ms = now_ms + after_ms;
		heap_push(&bs->heap, &b->node);
	}
}

static void *
run(void *arg)
{
	struct beats *bs = arg;
	const struct heap_node *node;

	pthread_mutex_lock(&bs->lock);
	while (!bs->is_stopping) {
		run_due(bs);
		node = heap_min(&bs->heap);
		if (node == NULL)
			(void)pthread_cond_wait(&bs->earlier, &bs->lock);
		else
			(void)thread_cond_wait_until(&bs->earlier, &bs->lock,
			    CONTAINER_OF(node, const struct beat, node)->at_ms *
			        1000000);
	}
	pthread_mutex_unlock(&bs->lock);
	return NULL;
}

int
beats_new(struct beats **ret_beats, struct err *err)
{
	const struct thread_options options = { .name = "beats" };
	struct beats *bs = mem_calloc(1, sizeof(*bs));

	pthread_mutex_init(&bs->lock, NULL);
	thread_cond_init(&bs->earlier);
	heap_init(&bs->heap, is_before);
	if (thread_start(&options, run, bs, &bs->thread, err) < 0) {
		beats_free(bs);
		return -1;
	}
	bs->is_started = true;
	*ret_beats = bs;
	return 0;
}

void
beats_free(struct beats *bs)
{
	if (bs == NULL)
		return;
	pthread_mutex_lock(&bs->lock);
	bs->is_stopping = true;
	pthread_cond_signal(&bs->earlier);
	pthread_mutex_unlock(&bs->lock);
	if (bs->is_started)
		pthread_join(bs->thread, NULL);
	heap_fini(&bs->heap);
	pthread_cond_destroy(&bs->earlier);
	pthread_mutex_destroy(&bs->lock);
	free(bs);
}

void
beat_init(struct beat *b, int64_t (*due)(void *arg), void *arg)
{
	heap_node_init(&b->node);
	b->due = due;
	b->arg = arg;
}

void
beat_start(struct beats *bs, struct beat *b, int64_t after_ms)
{
	pthread_mutex_lock(&bs->lock);
	b->at_ms = now() + after_ms;
	heap_push(&bs->heap, &b->node);
	if (heap_min(&bs->heap) == &b->node)
		pthread_cond_signal(&bs->earlier);
	pthread_mutex_unlock(&bs->lock);
}

bool
beat_cancel(struct beats *bs, struct beat *b)
{
	bool was_due;

	pthread_mutex_lock(&bs->lock);
	was_due = b->node.at != HEAP_NOWHERE;
	heap_remove(&bs->heap, &b->node);
	pthread_mutex_unlock(&bs->lock);
	return was_due;
}
