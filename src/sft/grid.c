/* SPDX-License-Identifier: MIT */
#include "sft/grid.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sft/out.h"

/* Chunks are multiples of it where there is a choice: encrypted ones go
 * straight to their places then. */
#define ALIGNMENT ((uint64_t)65536)

static uint64_t
count_of(uint64_t size, uint64_t chunk_size)
{
	return size == 0 ? 1 : (size - 1) / chunk_size + 1;
}

static uint64_t
align(uint64_t n)
{
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void
cut(struct grid *g, uint64_t chunk_size)
{
	free(g->there);
	g->chunk_size = chunk_size;
	g->count = count_of(g->size, chunk_size);
	g->there = mem_calloc((size_t)(g->count / 8 + 1), 1);
	g->missing = g->count;
	g->cursor = 0;
}

void
grid_init(struct grid *g, uint64_t size, uint64_t chunk_size)
{
	uint64_t least = (size + GRID_COUNT_MAX - 1) / GRID_COUNT_MAX;

	*g = (struct grid){ .size = size };
	cut(g, chunk_size >= least ? chunk_size : align(least));
}

void
grid_fini(struct grid *g)
{
	free(g->there);
	g->there = NULL;
}

static bool
has(const struct grid *g, uint64_t chunk)
{
	return (g->there[chunk / 8] >> (chunk % 8) & 1) != 0;
}

static void
add(struct grid *g, uint64_t chunk)
{
	if (has(g, chunk))
		return;
	g->there[chunk / 8] |= (unsigned char)(1u << (chunk % 8));
	g->missing--;
}

/*
 * The size that makes ${total} chunks; 0: there is none.  A server may not
 * say it, or not know it yet; then it is ours, or what another run may
 * have come to by halving, or else an even share.
 */
static uint64_t
size_for(const struct grid *g, uint64_t total, uint64_t said)
{
	uint64_t n;

	if (said > 0)
		return count_of(g->size, said) == total ? said : 0;
	if (total == g->count)
		return g->chunk_size;
	for (n = GRID_CHUNK_MAX; n >= GRID_CHUNK_MIN; n /= 2) {
		if (count_of(g->size, n) == total)
			return n;
	}
	n = g->size / total + (g->size % total != 0 ? 1 : 0);
	return n > 0 && count_of(g->size, n) == total ? n : 0;
}

static void
add_ranges(struct grid *g, const json_t *ranges)
{
	const json_t *one;
	json_int_t first, last;
	size_t i;

	json_array_foreach(ranges, i, one)
	{
		if (!json_is_integer(json_array_get(one, 0)) ||
		    !json_is_integer(json_array_get(one, 1)))
			continue;
		first = json_integer_value(json_array_get(one, 0));
		last = json_integer_value(json_array_get(one, 1));
		for (;
		     first >= 0 && first <= last && (uint64_t)first < g->count;
		     first++)
			add(g, (uint64_t)first);
	}
}

bool
grid_resume(struct grid *g, const json_t *info)
{
	uint64_t total = out_uint(info, "total_chunks");
	uint64_t chunk_size;

	if (!out_bool(info, "can_resume") || total == 0 ||
	    total > GRID_COUNT_MAX)
		return false;
	chunk_size = size_for(g, total, out_uint(info, "chunk_size"));
	if (chunk_size == 0)
		return false;
	cut(g, chunk_size);
	add_ranges(g, json_object_get(info, "received_ranges"));
	return true;
}

bool
grid_next(struct grid *g, uint64_t *ret_chunk)
{
	while (g->cursor < g->count && has(g, g->cursor))
		g->cursor++;
	if (g->cursor == g->count)
		return false;
	*ret_chunk = g->cursor++;
	g->missing--;
	return true;
}

uint64_t
grid_chunk_bytes(const struct grid *g, uint64_t chunk)
{
	uint64_t left = g->size - chunk * g->chunk_size;

	return left < g->chunk_size ? left : g->chunk_size;
}

uint64_t
grid_there(const struct grid *g)
{
	uint64_t bytes = 0;
	uint64_t i;

	for (i = 0; i < g->count; i++)
		bytes += has(g, i) ? grid_chunk_bytes(g, i) : 0;
	return bytes;
}
