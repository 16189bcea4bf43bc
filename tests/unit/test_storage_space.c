/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "storage/space.h"

#define MIB ((uint64_t)1024 * 1024)

/* 100 MiB, of which 10 are to stay free. */
static struct storage *
open_100(void)
{
	struct storage *st;

	OK(storage_open("mem:?capacity=104857600", &st, &err));
	return st;
}

TEST(test_storage_space__reservations_add_up)
{
	struct storage *st = open_100();
	struct space *sp = space_new(st, 10 * MIB, clock_system());
	struct space_hold a, b;
	struct err why = ERR_INIT;

	OK(space_hold_init(&a, sp, 60 * MIB, &err));
	FAILS(ERR_STORAGE_FULL, space_hold_init(&b, sp, 31 * MIB, &err));
	OK(space_hold_init(&b, sp, 30 * MIB, &err));
	space_hold_fini(&b);
	space_hold_fini(&a);
	space_hold_fini(&a); /* harmless */
	OK(space_hold_init(&a, sp, 90 * MIB, &err));
	space_hold_fini(&a);
	FAILS(ERR_STORAGE_FULL, space_hold_init(&a, sp, 91 * MIB, &err));
	FAILS(ERR_STORAGE_FULL,
	    space_hold_init(&a, sp, STORAGE_SIZE_UNKNOWN - 1, &err));
	assert_int_equal(space_hold_init(&a, sp, 91 * MIB, &why), -1);
	assert_non_null(strstr(why.msg, "the disk is too full"));
	space_free(sp);
	space_free(NULL);
	storage_close(st);
}

/* What a blob took is not counted a second time. */
TEST(test_storage_space__taken_is_not_counted_twice)
{
	struct storage *st = open_100();
	struct clock_manual clock;
	struct space *sp;
	struct space_hold a, b;
	struct blob *blob;
	char id[ID_SIZE];

	clock_manual_init(&clock, 0);
	sp = space_new(st, 10 * MIB, &clock.clock);
	help_new_id(id);
	OK(space_hold_init(&a, sp, 60 * MIB, &err));
	OK(st->ops->blob_new(st, id, 60 * MIB, &blob, &err));
	OK(space_hold_take(&a, 1, &err));
	/* by the last look's figure, and by a new one */
	OK(space_hold_init(&b, sp, 30 * MIB, &err));
	space_hold_fini(&b);
	FAILS(ERR_STORAGE_FULL, space_hold_init(&b, sp, 31 * MIB, &err));
	clock_manual_advance(&clock, 1000);
	OK(space_hold_init(&b, sp, 30 * MIB, &err));
	space_hold_fini(&b);
	FAILS(ERR_STORAGE_FULL, space_hold_init(&b, sp, 31 * MIB, &err));
	space_hold_fini(&a);
	st->ops->blob_abort(blob);
	space_free(sp);
	storage_close(st);
}

/* Of unknown size: in steps, to the last byte there is. */
TEST(test_storage_space__unknown_size_grows)
{
	struct storage *st = open_100();
	struct space *sp = space_new(st, 10 * MIB, clock_system());
	struct space_hold a, b;
	struct blob *blob;
	char id[ID_SIZE];
	char *p = calloc(1, MIB);
	uint64_t at;

	assert_non_null(p);
	help_new_id(id);
	OK(space_hold_init(&a, sp, STORAGE_SIZE_UNKNOWN, &err));
	OK(st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &blob, &err));
	for (at = 0; at < 90; at++) {
		OK(space_hold_take(&a, MIB, &err));
		OK(blob->ops->blob_write_at(blob, at * MIB, p, MIB, &err));
	}
	FAILS(ERR_STORAGE_FULL, space_hold_take(&a, 1, &err));
	FAILS(ERR_STORAGE_FULL, space_hold_init(&b, sp, 1, &err));
	space_hold_fini(&a);
	st->ops->blob_abort(blob);
	OK(space_hold_init(&b, sp, 90 * MIB, &err));
	space_hold_fini(&b);
	space_free(sp);
	storage_close(st);
	free(p);
}

/* The part of a step that was not written comes back. */
TEST(test_storage_space__rest_of_a_step_comes_back)
{
	struct storage *st = open_100();
	struct space *sp = space_new(st, 10 * MIB, clock_system());
	struct space_hold a, b;

	OK(space_hold_init(&a, sp, STORAGE_SIZE_UNKNOWN, &err));
	OK(space_hold_take(&a, 1, &err));
	FAILS(ERR_STORAGE_FULL, space_hold_init(&b, sp, 80 * MIB, &err));
	space_hold_fini(&a);
	OK(space_hold_init(&b, sp, 80 * MIB, &err));
	space_hold_fini(&b);
	space_free(sp);
	storage_close(st);
}

TEST(test_storage_space__zero_turns_it_off)
{
	struct storage *st = open_100();
	struct space *sp = space_new(st, 0, clock_system());
	struct space_hold a;

	OK(space_hold_init(&a, sp, 1000 * MIB, &err));
	OK(space_hold_take(&a, 1000 * MIB, &err));
	space_hold_fini(&a);
	space_free(sp);
	storage_close(st);
}

TEST(test_storage_space__no_bound_known)
{
	struct storage *st;
	struct space *sp;
	struct space_hold a;

	OK(storage_open("mem:", &st, &err));
	sp = space_new(st, 10 * MIB, clock_system());
	OK(space_hold_init(&a, sp, INT64_MAX, &err));
	space_hold_fini(&a);
	space_free(sp);
	storage_close(st);
}

#define THREADS 8
#define ROUNDS 2000

static void *
hold_and_go(void *arg)
{
	struct space_hold h;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (space_hold_init(&h, arg,
		        i % 2 == 0 ? 10 * MIB : STORAGE_SIZE_UNKNOWN, NULL) < 0)
			return arg;
		/* held only: this storage has nothing written */
		space_hold_fini(&h);
	}
	return NULL;
}

/* 8 times 10 MiB fit, and all of it is there again at the end. */
TEST(test_storage_space__many_threads)
{
	struct storage *st = open_100();
	struct space *sp = space_new(st, 10 * MIB, clock_system());
	struct space_hold a;
	pthread_t threads[THREADS];
	void *failed;
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, hold_and_go, sp), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	OK(space_hold_init(&a, sp, 90 * MIB, &err));
	space_hold_fini(&a);
	space_free(sp);
	storage_close(st);
}
