/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/siphash.h"

/* A power of two; at most 3/4 of the slots are taken, so probes end. */
#define SLOTS_MIN 8

struct slot {
	char *key; /* owned, not NUL-terminated; NULL: the slot is empty */
	size_t n;
	uint64_t hash;
	void *value;
};

/* Linear probing; removal moves followers up, so there are no tombstones. */
struct map {
	struct siphash_key seed;
	struct slot *slots;
	size_t n_slots;
	size_t count;
};

struct map *
map_new(void)
{
	struct map *m = mem_calloc(1, sizeof(*m));

	rand_bytes(&m->seed, sizeof(m->seed));
	m->n_slots = SLOTS_MIN;
	m->slots = mem_calloc(m->n_slots, sizeof(*m->slots));
	return m;
}

void
map_free(struct map *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n_slots; i++)
		free(m->slots[i].key);
	free(m->slots);
	free(m);
}

/* The slot of ${key}, or the empty one where it belongs. */
static size_t
find(const struct map *m, struct slice key, uint64_t hash)
{
	size_t mask = m->n_slots - 1;
	const struct slot *s;
	size_t i;

	for (i = hash & mask; m->slots[i].key != NULL; i = (i + 1) & mask) {
		s = &m->slots[i];
		if (s->hash == hash &&
		    slice_eq((struct slice){ s->key, s->n }, key))
			break;
	}
	return i;
}

static void
resize(struct map *m, size_t n_slots)
{
	struct slot *old = m->slots;
	size_t n_old = m->n_slots;
	size_t i, at;

	m->slots = mem_calloc(n_slots, sizeof(*m->slots));
	m->n_slots = n_slots;
	for (i = 0; i < n_old; i++) {
		if (old[i].key == NULL)
			continue;
		at = find(
		    m, (struct slice){ old[i].key, old[i].n }, old[i].hash);
		m->slots[at] = old[i];
	}
	free(old);
}

void *
map_get(const struct map *m, struct slice key)
{
	return m->slots[find(m, key, siphash_13(&m->seed, key.p, key.n))].value;
}

void *
map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = siphash_13(&m->seed, key.p, key.n);
	size_t i = find(m, key, hash);
	void *old = m->slots[i].value;

	if (m->slots[i].key != NULL) {
		m->slots[i].value = value;
		return old;
	}
	if ((m->count + 1) * 4 > m->n_slots * 3) {
		resize(m, m->n_slots * 2);
		i = find(m, key, hash);
	}
	m->slots[i] = (struct slot){
		.key = mem_dup(key.p, key.n),
		.n = key.n,
		.hash = hash,
		.value = value,
	};
	m->count++;
	return NULL;
}

/* May what sits in ${at} move up to the empty slot ${to}?  Not when its home
 * lies between them, for there a search for it begins. */
static bool
may_move(const struct map *m, size_t at, size_t to)
{
	size_t mask = m->n_slots - 1;
	size_t home = m->slots[at].hash & mask;

	return ((at - home) & mask) >= ((at - to) & mask);
}

void *
map_remove(struct map *m, struct slice key)
{
	size_t mask = m->n_slots - 1;
	size_t hole = find(m, key, siphash_13(&m->seed, key.p, key.n));
	void *value = m->slots[hole].value;
	size_t i;

	if (m->slots[hole].key == NULL)
		return NULL;
	free(m->slots[hole].key);
	for (i = (hole + 1) & mask; m->slots[i].key != NULL;
	     i = (i + 1) & mask) {
		if (!may_move(m, i, hole))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct slot){ 0 };
	m->count--;
	/* After a rush the memory goes back. */
	if (m->n_slots > SLOTS_MIN && m->count < m->n_slots / 8)
		resize(m, m->n_slots / 2);
	return value;
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

void *
map_next(const struct map *m, size_t *pos, struct slice *ret_key)
{
	const struct slot *s;

	while (*pos < m->n_slots) {
		s = &m->slots[(*pos)++];
		if (s->key == NULL)
			continue;
		if (ret_key != NULL)
			*ret_key = (struct slice){ s->key, s->n };
		return s->value;
	}
	return NULL;
}
