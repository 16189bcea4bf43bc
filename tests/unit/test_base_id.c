/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define THREADS 4
#define EACH 2000

TEST(test_base_id__carries_the_time)
{
	/* far ahead, as ids made before must not count */
	int64_t wall = INT64_C(4000000000000);
	char id[ID_SIZE];

	id_new(wall, id);
	assert_true(id_is_valid(id));
	assert_true(id_wall_ms(id) >= wall);
	assert_true(id_wall_ms(id) < wall + 1000);
}

TEST(test_base_id__sorts_in_the_order_of_making)
{
	char id[ID_SIZE], last[ID_SIZE];
	int64_t wall = INT64_C(4000000001000);
	int i;

	id_new(wall, last);
	/* also while the clock stands and when it goes back */
	for (i = 0; i < 70000; i++) {
		id_new(wall - i / 7, id);
		assert_true(strcmp(last, id) < 0);
		memcpy(last, id, sizeof(last));
	}
}

struct maker {
	pthread_t thread;
	char (*ids)[ID_SIZE];
	bool is_sorted;
};

static void *
make(void *arg)
{
	struct maker *m = arg;
	int i;

	m->is_sorted = true;
	for (i = 0; i < EACH; i++) {
		id_new(1, m->ids[i]);
		if (i > 0 && strcmp(m->ids[i - 1], m->ids[i]) >= 0)
			m->is_sorted = false;
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

TEST(test_base_id__threads_make_no_twins)
{
	static char all[THREADS * EACH][ID_SIZE];
	struct maker makers[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		makers[i].ids = all + i * EACH;
		assert_int_equal(
		    pthread_create(&makers[i].thread, NULL, make, &makers[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(makers[i].thread, NULL);
		assert_true(makers[i].is_sorted);
	}
	qsort(all, THREADS * EACH, ID_SIZE, compare);
	/* time and sequence alone are different: 16 digits */
	for (i = 1; i < THREADS * EACH; i++)
		assert_true(strncmp(all[i - 1], all[i], 16) < 0);
}

TEST(test_base_id__validates)
{
	assert_true(id_is_valid("0123456789abcdef0123456789abcdef"));
	assert_false(id_is_valid(""));
	assert_false(id_is_valid("0123456789abcdef0123456789abcde"));
	assert_false(id_is_valid("0123456789abcdef0123456789abcdef0"));
	assert_false(id_is_valid("0123456789ABCDEF0123456789abcdef"));
	assert_false(id_is_valid("../456789abcdef0123456789abcdef0"));
}
