/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define KEYS 3000

TEST(test_base_map__puts_gets_removes)
{
	struct map *m = map_new();
	int a, b;

	assert_null(map_get(m, SLICE_LIT("x")));
	assert_null(map_remove(m, SLICE_LIT("x")));
	assert_null(map_put(m, SLICE_LIT("x"), &a));
	assert_ptr_equal(map_get(m, SLICE_LIT("x")), &a);
	assert_ptr_equal(map_put(m, SLICE_LIT("x"), &b), &a);
	assert_ptr_equal(map_get(m, SLICE_LIT("x")), &b);
	assert_int_equal(map_count(m), 1);
	assert_ptr_equal(map_remove(m, SLICE_LIT("x")), &b);
	assert_null(map_get(m, SLICE_LIT("x")));
	assert_int_equal(map_count(m), 0);
	map_free(m);
	map_free(NULL);
}

TEST(test_base_map__keys_are_bytes_and_copied)
{
	struct map *m = map_new();
	char key[] = "a\0b";
	int x, y, z;

	map_put(m, (struct slice){ key, 3 }, &x);
	map_put(m, SLICE_LIT("a"), &y);
	map_put(m, SLICE_LIT(""), &z);
	memset(key, 'q', 3);
	assert_ptr_equal(map_get(m, SLICE_LIT("a\0b")), &x);
	assert_ptr_equal(map_get(m, SLICE_LIT("a")), &y);
	assert_ptr_equal(map_get(m, SLICE_NULL), &z);
	assert_null(map_get(m, (struct slice){ key, 3 }));
	map_free(m);
}

/* Against a plain array, with a sequence that is the same in each run. */
TEST(test_base_map__agrees_with_an_array)
{
	static int values[KEYS];
	static int *model[KEYS];
	struct map *m = map_new();
	unsigned r = 12345;
	size_t count = 0;
	char key[16];
	int step;
	size_t k;

	memset(model, 0, sizeof(model));
	for (step = 0; step < 60000; step++) {
		r = r * 1103515245 + 12345;
		k = r / 65536 % KEYS;
		snprintf(key, sizeof(key), "key%zu", k);
		assert_ptr_equal(map_get(m, slice_str(key)), model[k]);
		/* it grows for the first half and shrinks for the second */
		if ((r >> 8 & 7) < (step < 30000 ? 6U : 2U)) {
			assert_ptr_equal(
			    map_put(m, slice_str(key), &values[k]), model[k]);
			count += model[k] == NULL;
			model[k] = &values[k];
		} else {
			assert_ptr_equal(
			    map_remove(m, slice_str(key)), model[k]);
			count -= model[k] != NULL;
			model[k] = NULL;
		}
		assert_int_equal(map_count(m), count);
	}
	for (k = 0; k < KEYS; k++) {
		snprintf(key, sizeof(key), "key%zu", k);
		assert_ptr_equal(map_remove(m, slice_str(key)), model[k]);
	}
	assert_int_equal(map_count(m), 0);
	map_free(m);
}

TEST(test_base_map__walks_each_entry_once)
{
	struct map *m = map_new();
	int seen[100] = { 0 };
	struct slice name;
	size_t pos = 0;
	char key[16];
	int *value;
	int i;

	assert_null(map_next(m, &pos, &name));
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		map_put(m, slice_str(key), &seen[i]);
	}
	pos = 0;
	while ((value = map_next(m, &pos, &name)) != NULL) {
		snprintf(key, sizeof(key), "%d", (int)(value - seen));
		assert_true(slice_eq_str(name, key));
		++*value;
	}
	for (i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	pos = 0;
	assert_non_null(map_next(m, &pos, NULL));
	map_free(m);
}
