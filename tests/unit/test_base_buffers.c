/* SPDX-License-Identifier: MIT */
#include "base/buffers.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/thread.h"
#include "unit.h"

#define SIZE ((size_t)16 * 1024)

static struct buffers *
make(size_t count, size_t keep)
{
	struct buffers_config cf = { SIZE, count, keep };

	return buffers_new(&cf);
}

/* Whether ${p} is mapped, without touching it. */
static bool
is_mapped(void *p)
{
	unsigned char in_core[SIZE / 4096];

	return mincore(p, SIZE, in_core) == 0;
}

TEST(test_base_buffers__gives_no_more_than_the_budget)
{
	struct buffers *b = make(3, 1);
	char *p[3];
	size_t i;

	assert_int_equal(buffers_size(b), SIZE);
	for (i = 0; i < 3; i++) {
		p[i] = i == 1 ? buffers_try(b) : buffers_take(b);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 4096, 0);
		memset(p[i], (int)i, SIZE);
		assert_int_equal(buffers_taken(b), i + 1);
	}
	assert_null(buffers_try(b));
	for (i = 0; i < 3; i++)
		assert_int_equal(p[i][SIZE - 1], (char)i);
	buffers_give(b, p[1]);
	buffers_give(b, NULL);
	assert_int_equal(buffers_taken(b), 2);
	p[1] = buffers_try(b);
	assert_non_null(p[1]);
	for (i = 0; i < 3; i++)
		buffers_give(b, p[i]);
	assert_int_equal(buffers_taken(b), 0);
	buffers_free(b);
	buffers_free(NULL);
}

TEST(test_base_buffers__keeps_a_few_and_gives_back_the_rest)
{
	struct buffers *b = make(4, 2);
	void *p[4];
	size_t i;

	for (i = 0; i < 4; i++)
		p[i] = buffers_take(b);
	for (i = 0; i < 4; i++)
		buffers_give(b, p[i]);
	assert_true(is_mapped(p[0]));
	assert_true(is_mapped(p[1]));
	assert_false(is_mapped(p[2]));
	assert_false(is_mapped(p[3]));
	/* the one given last is the warmest */
	assert_ptr_equal(buffers_take(b), p[1]);
	assert_ptr_equal(buffers_take(b), p[0]);
	buffers_give(b, p[0]);
	buffers_give(b, p[1]);
	buffers_free(b);
	assert_false(is_mapped(p[0]));
}

struct user {
	pthread_t thread;
	struct buffers *b;
	atomic_int *n_out;
	atomic_int *most;
	unsigned char mark;
	bool is_spoiled;
};

static void *
use(void *arg)
{
	struct user *u = arg;
	unsigned char *p;
	int i, out;

	for (i = 0; i < 500; i++) {
		p = buffers_take(u->b);
		out = atomic_fetch_add(u->n_out, 1) + 1;
		if (out > atomic_load(u->most))
			atomic_store(u->most, out);
		memset(p, u->mark, 64);
		if (p[0] != u->mark || p[63] != u->mark)
			u->is_spoiled = true;
		atomic_fetch_sub(u->n_out, 1);
		buffers_give(u->b, p);
	}
	return NULL;
}

TEST(test_base_buffers__threads_wait_for_each_other)
{
	struct buffers *b = make(2, 1);
	atomic_int n_out = 0, most = 0;
	struct user users[5];
	unsigned char i;

	for (i = 0; i < 5; i++) {
		users[i] = (struct user){ .b = b,
			.n_out = &n_out,
			.most = &most,
			.mark = (unsigned char)(i + 1) };
		assert_int_equal(
		    thread_start(&(struct thread_options){ .name = "user" },
		        use, &users[i], &users[i].thread, NULL),
		    0);
	}
	for (i = 0; i < 5; i++) {
		pthread_join(users[i].thread, NULL);
		assert_false(users[i].is_spoiled);
	}
	assert_true(atomic_load(&most) <= 2);
	buffers_free(b);
}

static void *
take_and_give(void *arg)
{
	buffers_give(arg, buffers_take(arg));
	return NULL;
}

TEST(test_base_buffers__one_given_back_wakes_who_waits)
{
	struct buffers *b = make(1, 0);
	void *p = buffers_take(b);
	pthread_t thread;

	assert_int_equal(
	    thread_start(&(struct thread_options){ .name = "wait" },
	        take_and_give, b, &thread, NULL),
	    0);
	buffers_give(b, p);
	pthread_join(thread, NULL);
	assert_int_equal(buffers_taken(b), 0);
	buffers_free(b);
}
