/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "sft/grid.h"

static bool
resume(struct grid *g, const char *text)
{
	json_t *info = json_parse(text, strlen(text), NULL);
	bool is_resumed;

	assert_non_null(info);
	is_resumed = grid_resume(g, info);
	json_decref(info);
	return is_resumed;
}

/* All that is handed out, as "0 3 4". */
static const char *
rest(struct grid *g)
{
	static char text[256];
	size_t n = 0;
	uint64_t chunk;

	text[0] = '\0';
	while (grid_next(g, &chunk))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u",
		    n == 0 ? "" : " ", (unsigned)chunk);
	assert_int_equal(g->missing, 0);
	return text;
}

TEST(test_sft_grid__cuts)
{
	static const struct {
		uint64_t size, chunk_size, count, last;
	} cases[] = {
		{ 0, 1024, 1, 0 },
		{ 1, 1024, 1, 1 },
		{ 1024, 1024, 1, 1024 },
		{ 1025, 1024, 2, 1 },
		{ 10 * 1024, 1024, 10, 1024 },
	};
	struct grid g;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		grid_init(&g, cases[i].size, cases[i].chunk_size);
		assert_int_equal(g.count, cases[i].count);
		assert_int_equal(g.missing, cases[i].count);
		assert_int_equal(
		    grid_chunk_bytes(&g, g.count - 1), cases[i].last);
		assert_int_equal(grid_there(&g), 0);
		grid_fini(&g);
	}
}

TEST(test_sft_grid__has_a_million_chunks_at_most)
{
	struct grid g;

	grid_init(&g, GRID_COUNT_MAX * 1024, 1024);
	assert_int_equal(g.count, GRID_COUNT_MAX);
	grid_fini(&g);
	grid_init(&g, GRID_COUNT_MAX * 1024 + 1, 1024);
	assert_int_equal(g.chunk_size, 65536);
	assert_true(g.count <= GRID_COUNT_MAX);
	grid_fini(&g);
}

TEST(test_sft_grid__hands_out_what_is_missing)
{
	struct grid g;

	grid_init(&g, 8 * 1024 - 5, 1024);
	assert_true(
	    resume(&g, "{\"can_resume\": true, \"total_chunks\": 8,"
	               " \"received_ranges\": [[1, 2], [2, 2], [7, 7]]}"));
	assert_int_equal(g.missing, 5);
	assert_int_equal(grid_there(&g), 3 * 1024 - 5);
	assert_string_equal(rest(&g), "0 3 4 5 6");
	grid_fini(&g);
}

TEST(test_sft_grid__ranges_that_are_none)
{
	struct grid g;

	grid_init(&g, 4096, 1024);
	assert_true(resume(&g,
	    "{\"can_resume\": true, \"total_chunks\": 4, \"received_ranges\":"
	    " [[-3, 0], [2, 1], [3, 99], [9, 9], 7, [\"0\", \"1\"], []]}"));
	assert_string_equal(rest(&g), "0 1 2");
	grid_fini(&g);
}

TEST(test_sft_grid__takes_the_size_that_was_begun_with)
{
	static const struct {
		const char *info;
		uint64_t chunk_size; /* 0: it cannot be gone on with */
	} cases[] = {
		{ "{\"can_resume\": true, \"total_chunks\": 10}", 1000 },
		/* a power of two, a share, and what the server says */
		{ "{\"can_resume\": true, \"total_chunks\": 5}", 2048 },
		{ "{\"can_resume\": true, \"total_chunks\": 3}", 4096 },
		{ "{\"can_resume\": true, \"total_chunks\": 9}", 1112 },
		{ "{\"can_resume\": true, \"total_chunks\": 5,"
		  " \"chunk_size\": 2001}",
		    2001 },
		/* not of a file of 10,000 bytes */
		{ "{\"can_resume\": true, \"total_chunks\": 5,"
		  " \"chunk_size\": 1000}",
		    0 },
		{ "{\"can_resume\": true, \"total_chunks\": 10001}", 0 },
		{ "{\"can_resume\": true, \"total_chunks\": 1000001}", 0 },
		{ "{\"can_resume\": true, \"total_chunks\": 0}", 0 },
		{ "{\"can_resume\": true}", 0 },
		{ "{\"can_resume\": false, \"total_chunks\": 10}", 0 },
		{ "{}", 0 },
	};
	struct grid g;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		grid_init(&g, 10000, 1000);
		assert_int_equal(
		    resume(&g, cases[i].info), cases[i].chunk_size != 0);
		assert_int_equal(g.chunk_size,
		    cases[i].chunk_size != 0 ? cases[i].chunk_size : 1000);
		grid_fini(&g);
	}
}
