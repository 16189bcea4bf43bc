/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

TEST(test_base_mem__nothing_is_something)
{
	void *p[] = { mem_alloc(0), mem_calloc(0, 8), mem_dup(NULL, 0),
		mem_try_alloc(0) };
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
	assert_null(mem_strdup(NULL));
}

TEST(test_base_mem__clears_and_copies)
{
	char *zero = mem_calloc(4, 4);
	char *copy = mem_dup("ab\0c", 4);
	char *text = mem_strdup("text");
	char *made = mem_printf("%d-%s", 7, "x");
	static const char zeroes[16];

	assert_memory_equal(zero, zeroes, 16);
	assert_memory_equal(copy, "ab\0c", 4);
	assert_string_equal(text, "text");
	assert_string_equal(made, "7-x");
	text = mem_realloc(text, 100);
	assert_string_equal(text, "text");
	free(zero);
	free(copy);
	free(text);
	free(made);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(test_base_mem__try_fails_and_keeps)
{
	/* volatile, or the compiler knows better */
	volatile size_t huge = SIZE_MAX / 4;
	char *p = mem_strdup("kept");

	assert_null(mem_try_alloc(huge));
	assert_null(mem_try_realloc(p, huge));
	assert_string_equal(p, "kept");
	free(p);
}
#endif

TEST(test_base_mem__wipes)
{
	char secret[] = "secret";

	mem_wipe(secret, 3);
	assert_memory_equal(secret, "\0\0\0ret", 7);
	mem_wipe(NULL, 0);
}
