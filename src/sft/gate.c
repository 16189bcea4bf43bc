/* SPDX-License-Identifier: MIT */
#include "sft/gate.h"

#include <assert.h>

void
gate_init(struct gate *g, unsigned allowed, unsigned most)
{
	*g = (struct gate){ .most = most };
	gate_allow(g, allowed);
}

void
gate_wait(struct gate *g, uint64_t piece)
{
	assert(g->count < CREW_MAX);
	g->waiting[g->count++] = piece;
}

bool
gate_is_open(const struct gate *g, uint64_t piece)
{
	if (g->active >= g->allowed)
		return false;
	for (unsigned i = 0; i < g->count; i++)
		if (g->waiting[i] < piece)
			return false;
	return true;
}

void
gate_give_up(struct gate *g, uint64_t piece)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (g->waiting[i] != piece)
			continue;
		g->waiting[i] = g->waiting[--g->count];
		return;
	}
}

void
gate_enter(struct gate *g, uint64_t piece)
{
	gate_give_up(g, piece);
	g->active++;
}

void
gate_leave(struct gate *g)
{
	g->active--;
}

void
gate_halve(struct gate *g)
{
	if (g->allowed > 1)
		g->allowed /= 2;
	g->most = g->allowed;
}

void
gate_allow(struct gate *g, unsigned n)
{
	g->allowed = n > g->most ? g->most : n;
}
